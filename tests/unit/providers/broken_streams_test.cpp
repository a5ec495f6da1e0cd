// Streams that break in every way, in the pairs that protocol_rules_test.cpp does not take: those whose bytes pass as
// they are, and OpenAI's own before clients of other dialects. One ending for each; what it is said as is the api's.
#include "unit/providers/protocol_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/limits.hpp>

namespace weir::providers {
namespace {

using Events = std::vector<std::string>;

std::string data(std::string_view json) {
  return "data: " + std::string(json) + "\n\n";
}

const Events kChatEvents{
    data(
        R"({"id":"c","model":"g","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"),
    data(R"({"id":"c","model":"g","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]})"),
    data(R"({"id":"c","model":"g","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]})"),
    data(R"({"id":"c","model":"g","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"),
    data(R"({"id":"c","model":"g","choices":[],"usage":{"prompt_tokens":15,"completion_tokens":5,"total_tokens":20}})"),
    data("[DONE]")};

/// With the prompt's filter results first, as Azure sends them.
Events azure_events() {
  Events events = kChatEvents;
  events.insert(events.begin(),
                data(R"({"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]})"));
  return events;
}

Events anthropic_events() {
  Events events;
  std::string_view rest = kAnthropic.stream;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\n\n") + 2;
    events.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return events;
}

Events responses_events() {
  const auto event = [](std::string_view type, std::string_view more) {
    return sse(type, R"({"type":")" + std::string(type) + R"(",)" + std::string(more) + "}");
  };
  return {
      event("response.created", R"("sequence_number":0,"response":{"id":"r","model":"g","output":[]})"),
      event("response.output_item.added",
            R"("sequence_number":1,"output_index":0,"item":{"type":"message","id":"m","role":"assistant"})"),
      event("response.output_text.delta", R"("sequence_number":2,"output_index":0,"delta":"Hel")"),
      event("response.output_text.delta", R"("sequence_number":3,"output_index":0,"delta":"lo")"),
      event("response.output_item.done",
            R"("sequence_number":4,"output_index":0,"item":{"type":"message","id":"m","role":"assistant"})"),
      event("response.completed",
            R"("sequence_number":5,"response":{"id":"r","model":"g","usage":{"input_tokens":15,"output_tokens":5}})")};
}

struct Pair {
  std::string_view name;
  Protocol protocol;
  Dialect dialect;
  std::string_view path;
  std::string_view body;
  Events events;
  std::string_view end;  ///< what only a whole answer has
  bool native = true;    ///< the provider's bytes are the client's
};

constexpr std::string_view kResponses = R"({"model":"m","stream":true,"input":"Hi"})";

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> all{{"chat_openai", Protocol::openai, Dialect::openai_chat, "/v1/chat/completions",
                                      kChatStream, kChatEvents, "[DONE]"},
                                     {"chat_azure", Protocol::azure, Dialect::openai_chat, "/v1/chat/completions",
                                      kChatStream, azure_events(), "[DONE]"},
                                     {"messages_anthropic", Protocol::anthropic, Dialect::anthropic, "/v1/messages",
                                      kMessages, anthropic_events(), "message_stop"},
                                     {"responses_openai", Protocol::openai, Dialect::openai_responses, "/v1/responses",
                                      kResponses, responses_events(), "response.completed"},
                                     {"messages_openai", Protocol::openai, Dialect::anthropic, "/v1/messages",
                                      kMessages, kChatEvents, "message_stop", false},
                                     {"messages_azure", Protocol::azure, Dialect::anthropic, "/v1/messages", kMessages,
                                      azure_events(), "message_stop", false},
                                     {"responses_anthropic", Protocol::anthropic, Dialect::openai_responses,
                                      "/v1/responses", kResponses, anthropic_events(), "response.completed", false}};
  return all;
}

std::string joined(const Events& events) {
  std::string stream;
  for (const std::string& event : events) stream += event;
  return stream;
}

class EachPair : public ProtocolTest, public testing::WithParamInterface<const Pair*> {
 protected:
  /// Sends `body` as the answer, of which `announced` bytes were promised, and closes.
  std::unique_ptr<Asked> play(std::string_view body, std::size_t announced) {
    if (!provider) speak(GetParam()->protocol);
    auto asked = ask(GetParam()->dialect, GetParam()->body, GetParam()->path);
    send(*asked);
    fakes::Peer peer = accept();
    const std::string head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(announced) +
        "\r\n\r\n";
    peer.send(head + std::string(body));
    peer.shutdown_send();
    end(*asked);
    return asked;
  }
  std::unique_ptr<Asked> play(const Events& events) {
    const std::string stream = joined(events);
    return play(stream, stream.size());
  }
  /// Whole and told as whole, or one failure of the provider that nothing follows.
  void expect_honest(const Asked& asked, const std::string& what) const {
    const bool told_whole = asked.sink.body.find(GetParam()->end) != std::string::npos;
    ASSERT_EQ(asked.ending->ok(), told_whole) << what << "\n" << asked.sink.body;
    if (told_whole) return;
    ASSERT_EQ(asked.ending->failure, Failure::upstream_protocol) << what;
    ASSERT_FALSE(asked.ending->message.empty()) << what;
    ASSERT_EQ(asked.ending->content_sent, asked.sink.flushed > 0) << what;
  }
};

INSTANTIATE_TEST_SUITE_P(Streams, EachPair, testing::ValuesIn([] {
                           std::vector<const Pair*> all;
                           for (const Pair& pair : pairs()) all.push_back(&pair);
                           return all;
                         }()),
                         [](const auto& about) { return std::string(about.param->name); });

TEST_P(EachPair, WholeItIsTheClientsAndCounted) {
  const auto asked = play(GetParam()->events);
  ASSERT_TRUE(asked->ending->ok()) << asked->ending->message;
  if (GetParam()->native) EXPECT_EQ(asked->sink.body, joined(GetParam()->events));
  expect_usage(*asked);
}

TEST_P(EachPair, CutAtEveryByteItIsOneHonestEnding) {
  const std::string stream = joined(GetParam()->events);
  const std::size_t content = stream.find("Hel");
  for (std::size_t size = 0; size < stream.size(); ++size) {
    const auto asked = play(std::string_view(stream).substr(0, size), stream.size());
    expect_honest(*asked, "cut at " + std::to_string(size));
    if (HasFatalFailure()) return;
    if (size <= content) ASSERT_FALSE(asked->ending->content_sent) << size << ": it could still go elsewhere";
    if (GetParam()->native) ASSERT_TRUE(stream.starts_with(asked->sink.body)) << size;
  }
}

TEST_P(EachPair, AnEventThatIsNoneEndsIt) {
  for (const std::string_view rubbish : {"{\"a\":", "<html>", "[]", "\"text\"", "{\"type\":7,\"choices\":7}"}) {
    for (std::size_t at = 0; at + 1 < GetParam()->events.size(); ++at) {
      Events events = GetParam()->events;
      events[at] = data(rubbish);
      const auto asked = play(events);
      expect_honest(*asked, std::string(rubbish) + " as event " + std::to_string(at));
      if (HasFatalFailure()) return;
      if (rubbish == "{\"a\":") EXPECT_FALSE(asked->ending->ok()) << at;
    }
  }
}

TEST_P(EachPair, OutOfOrderOrTwiceItIsStillHonest) {
  const Events& right = GetParam()->events;
  for (std::size_t at = 0; at + 1 < right.size(); ++at) {
    Events swapped = right;
    std::swap(swapped[at], swapped[at + 1]);
    expect_honest(*play(swapped), "swapped at " + std::to_string(at));
    Events twice = right;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(at), right[at]);
    expect_honest(*play(twice), "twice at " + std::to_string(at));
    if (HasFatalFailure()) return;
  }
  Events backwards(right.rbegin(), right.rend());
  expect_honest(*play(backwards), "backwards");
}

TEST_P(EachPair, AnEventWithoutEndIsGivenUp) {
  speak(GetParam()->protocol);
  auto asked = ask(GetParam()->dialect, GetParam()->body, GetParam()->path);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {\"x\":\"");
  const std::string piece(64U << 10, 'x');
  for (std::size_t sent = 0; sent <= limits::sse_event_bytes_max && !asked->ending; sent += piece.size()) {
    peer.send(piece);
    worker.settle();
  }
  ASSERT_EQ(end(*asked).failure, Failure::upstream_protocol);
  EXPECT_THAT(asked->ending->message, testing::HasSubstr("an event has more than"));
  EXPECT_EQ(asked->sink.body, "");
}

TEST_P(EachPair, WhatNobodyKnowsIsNoHindrance) {
  Events events = GetParam()->events;
  events.insert(events.begin() + 1, sse("hologram", R"({"type":"hologram","choices":[],"depth":3})"));
  events.insert(events.begin() + 1, ": a comment\n\n");
  const auto asked = play(events);
  ASSERT_TRUE(asked->ending->ok()) << asked->ending->message;
  if (GetParam()->native) EXPECT_EQ(asked->sink.body, joined(events));
}

}  // namespace
}  // namespace weir::providers
