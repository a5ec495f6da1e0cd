#include "providers/http_provider.hpp"

#include "fakes/loopback.hpp"
#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::providers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kReply =
    R"({"id":"x","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":)"
    R"({"role":"assistant","content":"hello"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}})";

const std::string kEvents =
    R"(data: {"id":"x","model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"
    "\n\n: keep-alive\n\n"
    R"(data: {"id":"x","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"hel"}}]})"
    "\n\n"
    R"(data: {"id":"x","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"lo"}}]})"
    "\n\n"
    R"(data: {"id":"x","model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
    "\n\n";
const std::string kUsageEvent =
    R"(data: {"id":"x","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}})"
    "\n\n";
const std::string kDone = "data: [DONE]\n\n";

std::string chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size).append(bytes).append("\r\n");
}

std::string sized(std::string_view type, std::string_view body, std::string_view status = "200 OK",
                  std::string_view more = "") {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\nContent-Type: ").append(type).append("\r\n").append(more);
  return answer.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

/// Chunks that end anywhere but at the end of an event.
std::string chunked(std::string_view type, std::string_view body) {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: ";
  answer.append(type).append("\r\n\r\n");
  for (std::size_t at = 0; at < body.size(); at += 100) answer += chunk(body.substr(at, 100));
  return answer + "0\r\n\r\n";
}

const std::string kStream = chunked("text/event-stream; charset=utf-8", kEvents + kUsageEvent + kDone);

struct Asked {
  Exchange exchange;
  Call call{exchange, exchange.plan.target};  // outlives the coroutine that refers to it
  Attempt attempt;
  fakes::RecordingSink sink;
  std::optional<Ending> ending;
};

class HttpProviderTest : public testing::Test {
 protected:
  HttpProviderTest() {
    address->host = "127.0.0.1";
    address->port = listener.port();
    pool = std::make_shared<net::UpstreamPool>(*worker, resolver, address);
    ProviderSettings settings;
    settings.name = "openai";
    settings.base_url = "http://127.0.0.1:" + std::to_string(listener.port()) + "/base/v1/";
    settings.api_key = "sk-secret";
    settings.headers = {{"x-team", "blue"}};
    provider.emplace(*worker, pool, settings, first_byte_times, offload);
  }

  /// A call for the chat endpoint. The request is on its way when this returns.
  std::unique_ptr<Asked> ask(bool stream = false, std::string_view raw_target = "") {
    auto asked = std::make_unique<Asked>();
    Exchange& exchange = asked->exchange;
    exchange.started = Clock::now();
    exchange.request.method = "POST";
    exchange.request.target = raw_target.empty() ? "/v1/chat/completions" : raw_target;
    exchange.request.body = body;
    exchange.request.headers = headers;
    exchange.request.prompt_bytes = body.size();
    exchange.request.stream = stream;
    exchange.raw = !raw_target.empty();
    exchange.plan.target.provider_name = "openai";
    exchange.plan.target.model = "fast";
    exchange.plan.target.upstream_model = "gpt-4o";
    exchange.plan.target.time_limits = time_limits;
    return asked;
  }
  void send(Asked& asked) {
    asked.attempt.started = Clock::now();
    worker.start(provider->send(asked.call, asked.attempt, asked.sink), asked.ending);
  }
  /// Takes the connection of a call that needs a new one, once the whole request is there.
  fakes::Peer accept() {
    worker.until([&] { return listener.knocked(); });
    fakes::Peer peer = listener.accept();
    await_request(peer);
    return peer;
  }
  void await_request(fakes::Peer& peer) {
    worker.until([&] { return peer.got().ends_with(body) && peer.got().find("\r\n\r\n") != std::string::npos; });
  }
  const Ending& end(Asked& asked) {
    worker.until([&] { return asked.ending.has_value(); });
    return *asked.ending;
  }
  /// Whatever happened, nothing may be left: no connection that is counted and not idle, no task.
  void expect_nothing_leaks(std::string_view when) {
    worker.until([&] { return worker->tasks() == 0; });
    EXPECT_EQ(address->open.load(), pool->idle()) << when;
  }
  void close_idle() {
    while (pool->take_idle()) {
    }
    ASSERT_EQ(address->open.load(), 0U);
  }

  fakes::TurnedWorker worker;
  fakes::LoopbackListener listener;
  net::Offload offload{1};
  net::Resolver resolver{*worker};
  targets::FirstByteTimes first_byte_times;
  std::shared_ptr<net::UpstreamAddress> address = std::make_shared<net::UpstreamAddress>();
  std::shared_ptr<net::UpstreamPool> pool;
  std::optional<HttpProvider> provider;
  TimeLimits time_limits{2s, 5s, 5s, 600s};
  std::string body = R"({"model":"fast","messages":[]})";
  std::vector<HeaderField> headers{{"Host", "weir"},     {"Authorization", "Bearer client"},
                                   {"Cookie", "c=1"},    {"Content-Type", "application/json"},
                                   {"OpenAI-Beta", "b"}, {"Content-Length", "29"}};
};

TEST_F(HttpProviderTest, SendsThePatchedBodyUnderItsOwnCredentials) {
  auto asked = ask();
  asked->exchange.patch.replace(9, 15, "\"gpt-4o\"");
  send(*asked);
  worker.until([&] { return listener.knocked(); });
  fakes::Peer peer = listener.accept();
  worker.until([&] { return peer.got().ends_with(R"({"model":"gpt-4o","messages":[]})"); });
  EXPECT_THAT(peer.got(), StartsWith("POST /base/v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(peer.got(), AllOf(HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(listener.port()) + "\r\n"),
                                HasSubstr("\r\nAuthorization: Bearer sk-secret\r\n"), HasSubstr("\r\nx-team: blue\r\n"),
                                HasSubstr("\r\nContent-Type: application/json\r\n"),
                                HasSubstr("\r\nOpenAI-Beta: b\r\n"), HasSubstr("\r\nContent-Length: 32\r\n")));
  EXPECT_THAT(peer.got(), AllOf(Not(HasSubstr("client")), Not(HasSubstr("Cookie")), Not(HasSubstr("Host: weir"))));
  peer.send(sized("application/json", kReply, "200 OK", "x-request-id: req-1\r\n"));
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_EQ(asked->attempt.provider_request_id, "req-1");
}

TEST_F(HttpProviderTest, ATracedAttemptIsTheProvidersParent) {
  headers = {{"traceparent", "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"}};
  for (const bool traced : {true, false}) {
    auto asked = ask();
    asked->exchange.trace = {0x4bf92f3577b34da6, 0xa3ce929d0e0e4736, 1, 2, traced};
    asked->attempt.span = traced ? 0x00f067aa0ba902b7 : 0;
    send(*asked);
    fakes::Peer peer = accept();
    const std::string ours = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    const std::string clients = "traceparent: 00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01\r\n";
    EXPECT_THAT(peer.got(), HasSubstr(traced ? ours : clients));
    EXPECT_THAT(peer.got(), Not(HasSubstr(traced ? clients : ours)));
    peer.send(sized("application/json", kReply, "200 OK", "Connection: close\r\n"));
    EXPECT_TRUE(end(*asked).ok());
  }
}

TEST_F(HttpProviderTest, AWholeReplyIsReadAndTheConnectionKept) {
  for (const std::string& answer : {sized("application/json", kReply), chunked("application/json", kReply),
                                    "HTTP/1.1 100 Continue\r\n\r\n" + sized("application/json", kReply)}) {
    auto asked = ask();
    send(*asked);
    fakes::Peer peer = accept();
    peer.send(answer);
    EXPECT_TRUE(end(*asked).ok());
    EXPECT_TRUE(asked->sink.is_whole);
    EXPECT_EQ(asked->sink.body, kReply);
    EXPECT_EQ(asked->sink.content_type, "application/json");
    EXPECT_EQ(asked->attempt.provider_status, 200);
    EXPECT_EQ(asked->attempt.reply_model, "gpt-4o-2024-08-06");
    EXPECT_EQ(asked->attempt.usage.uncached, 12);
    EXPECT_EQ(asked->attempt.usage.output, 3);
    EXPECT_TRUE(asked->attempt.may_have_been_billed);
    EXPECT_EQ(pool->idle(), 1U);
    expect_nothing_leaks("whole");
    close_idle();
  }
}

TEST_F(HttpProviderTest, TheNextCallTakesTheSameConnection) {
  auto first = ask();
  send(*first);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", kReply));
  EXPECT_TRUE(end(*first).ok());
  EXPECT_FALSE(first->attempt.reused_connection);
  for (int i = 0; i < 3; ++i) {
    peer.forget();
    const bool stream = i == 1;
    auto next = ask(stream);
    send(*next);
    await_request(peer);
    peer.send(stream ? kStream : sized("application/json", kReply));
    EXPECT_TRUE(end(*next).ok());
    EXPECT_TRUE(next->attempt.reused_connection);
    expect_nothing_leaks("reused");
  }
  EXPECT_FALSE(listener.knocked());
}

TEST_F(HttpProviderTest, ConnectionCloseIsHeard) {
  auto asked = ask();
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", kReply, "200 OK", "Connection: close\r\n"));
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_EQ(pool->idle(), 0U);
  expect_nothing_leaks("close");
}

TEST_F(HttpProviderTest, AWholeReplyCutAtEveryByteIsAFailure) {
  for (const std::string& answer :
       {sized("application/json", kReply), chunked("application/json", kReply),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + kReply,  // until the connection ends
        "HTTP/1.1 103 Early Hints\r\n\r\n" + sized("application/json", kReply)}) {
    const std::size_t head = answer.find(kReply.substr(0, 10)) - 1;
    for (std::size_t n = 0; n <= answer.size(); ++n) {
      const bool rudely = n % 5 == 4 && n != answer.size();
      SCOPED_TRACE(testing::Message() << n << " bytes of " << answer.size() << (rudely ? " and a reset" : ""));
      auto asked = ask();
      send(*asked);
      fakes::Peer peer = accept();
      peer.send(std::string_view(answer).substr(0, n));
      if (rudely) {
        peer.reset();
      } else {
        peer.close();
      }
      const Ending& ending = end(*asked);
      EXPECT_EQ(ending.ok(), n == answer.size());
      EXPECT_EQ(asked->sink.is_whole, ending.ok());
      if (!ending.ok()) {
        EXPECT_EQ(ending.failure, Failure::upstream_protocol);
        EXPECT_THAT(ending.message, HasSubstr("provider openai"));
        EXPECT_FALSE(ending.content_sent);
        EXPECT_TRUE(asked->attempt.may_have_been_billed);
        if (n < head && !rudely) EXPECT_THAT(ending.phase, AnyOf(Phase::await_headers, Phase::body));
        if (n > head && !rudely) EXPECT_EQ(ending.phase, Phase::body);
      }
      worker.until([&] { return pool->idle() == 0; });  // given back, and then seen to be closed
      expect_nothing_leaks("cut");
    }
  }
}

TEST_F(HttpProviderTest, AStreamCutAtEveryByteIsAFailureUntilItsDone) {
  const std::string wanted = kEvents + kDone;  // nobody asked for usage
  const std::size_t done = kStream.find("[DO");
  for (std::size_t n = 0; n <= kStream.size(); ++n) {
    const bool rudely = n % 5 == 4 && n < done;
    SCOPED_TRACE(testing::Message() << n << " bytes of " << kStream.size() << (rudely ? " and a reset" : ""));
    auto asked = ask(true);
    send(*asked);
    fakes::Peer peer = accept();
    peer.send(std::string_view(kStream).substr(0, n));
    if (rudely) {
      peer.reset();
    } else {
      peer.close();
    }
    const Ending& ending = end(*asked);
    if (n < done) EXPECT_FALSE(ending.ok());
    if (n == kStream.size()) EXPECT_TRUE(ending.ok());
    EXPECT_EQ(asked->sink.body, wanted.substr(0, asked->sink.body.size()));  // whole events, nothing else
    EXPECT_EQ(ending.ok(), asked->sink.body == wanted);
    EXPECT_LE(asked->sink.flushed, asked->sink.body.size());
    if (!ending.ok()) {
      EXPECT_EQ(ending.failure, Failure::upstream_protocol);
      EXPECT_EQ(ending.content_sent, asked->sink.flushed != 0);
      EXPECT_THAT(ending.message, HasSubstr("provider openai"));
    }
    worker.until([&] { return pool->idle() == 0; });
    expect_nothing_leaks("cut");
  }
}

TEST_F(HttpProviderTest, SilenceAtEveryByteIsATimeoutThatClosesTheConnection) {
  const struct {
    std::string answer;
    bool stream;
  } cases[] = {{sized("application/json", kReply), false}, {kStream, true}};
  for (const auto& each : cases) {
    const std::size_t end_at = each.stream ? each.answer.find("[DO") : each.answer.size();
    for (std::size_t n = 0; n < end_at; n += n < 80 ? 1 : 7) {
      SCOPED_TRACE(n);
      auto asked = ask(each.stream);
      send(*asked);
      fakes::Peer peer = accept();
      peer.send(std::string_view(each.answer).substr(0, n));
      worker.settle();
      EXPECT_FALSE(asked->ending.has_value());
      worker.skip(6s);
      const Ending& ending = end(*asked);
      EXPECT_THAT(ending.failure, AnyOf(Failure::upstream_timeout_first_byte, Failure::upstream_timeout_between_bytes));
      if (n < each.answer.find("\r\n\r\n") + 4) {
        EXPECT_EQ(ending.failure, Failure::upstream_timeout_first_byte);
        EXPECT_EQ(ending.phase, Phase::await_headers);
      }
      EXPECT_EQ(ending.content_sent, asked->sink.flushed != 0);
      EXPECT_FALSE(ending.message.empty());
      EXPECT_EQ(pool->idle(), 0U);
      expect_nothing_leaks("silence");
      worker.until([&] { return peer.ended(); });  // the provider hears that nobody waits
    }
  }
}

TEST_F(HttpProviderTest, AClientThatLeavesAtAnyByteEndsTheCallAtOnce) {
  for (const bool stream : {false, true}) {
    const std::string answer = stream ? kStream : sized("application/json", kReply);
    const std::size_t end_at = stream ? answer.find("[DO") : answer.size();
    for (std::size_t n = 0; n < end_at; n += 3) {
      SCOPED_TRACE(n);
      auto asked = ask(stream);
      send(*asked);
      fakes::Peer peer = accept();
      peer.send(std::string_view(answer).substr(0, n));
      worker.settle();
      asked->exchange.interrupt.fire(InterruptReason::client_left);
      EXPECT_EQ(end(*asked).failure, Failure::client_left);
      EXPECT_EQ(pool->idle(), 0U);
      expect_nothing_leaks("left");
      worker.until([&] { return peer.ended(); });
    }
  }
}

TEST_F(HttpProviderTest, AClientThatTakesNothingMoreStopsTheStream) {
  auto asked = ask(true);
  asked->sink.flushes_max = 0;
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(std::string_view(kStream).substr(0, kStream.find("\"lo\"")));
  const Ending& ending = end(*asked);
  EXPECT_EQ(ending.failure, Failure::client_left);
  EXPECT_TRUE(ending.content_sent);
  expect_nothing_leaks("stopped");
  worker.until([&] { return peer.ended(); });
}

TEST_F(HttpProviderTest, AStreamArrivesWithItsUsageForWhoAsks) {
  auto asked = ask(true);
  asked->exchange.request.include_usage = true;
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(kStream);
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_EQ(asked->sink.body, kEvents + kUsageEvent + kDone);
  EXPECT_EQ(asked->sink.usage_events, 1U);
  EXPECT_TRUE(asked->sink.event_stream);
  EXPECT_EQ(asked->attempt.usage.uncached, 12);
  EXPECT_EQ(asked->attempt.relayed_text_bytes, 5U);
  EXPECT_EQ(asked->attempt.reply_model, "gpt-4o");
  expect_nothing_leaks("stream");
  EXPECT_EQ(pool->idle(), 1U);
}

TEST_F(HttpProviderTest, NothingOfTheLastReadIsFlushedBeforeTheEnding) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(kStream);
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_LT(asked->sink.flushed, asked->sink.body.size());  // [DONE] waits for the books
}

TEST_F(HttpProviderTest, BeforeTheFirstContentNothingLeaves) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  const std::size_t content = kStream.find("\"hel\"");
  peer.send(std::string_view(kStream).substr(0, content));
  worker.settle();
  EXPECT_EQ(asked->sink.flushes, 0U);
  peer.send(std::string_view(kStream).substr(content, 120));
  worker.until([&] { return asked->sink.flushes != 0; });
  peer.send(std::string_view(kStream).substr(content + 120));
  EXPECT_TRUE(end(*asked).ok());
  expect_nothing_leaks("held");
}

TEST_F(HttpProviderTest, WhatComesBehindDoneIsDroppedAndTheConnectionKept) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(chunked("text/event-stream", kEvents + kDone + ": goodbye\n\ndata: {}\n\n"));
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_EQ(asked->sink.body, kEvents + kDone);
  worker.until([&] { return pool->idle() == 1; });
  expect_nothing_leaks("behind done");
}

TEST_F(HttpProviderTest, TheEndOfTheLastChunkMayComeLater) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  const std::size_t last = kStream.size() - 5;
  peer.send(std::string_view(kStream).substr(0, last));
  EXPECT_TRUE(end(*asked).ok());  // the client does not wait for it
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(address->open.load(), 1U);
  peer.send(std::string_view(kStream).substr(last));
  worker.until([&] { return pool->idle() == 1; });
  expect_nothing_leaks("late end");
}

TEST_F(HttpProviderTest, AnEndThatNeverComesIsWaitedForASecond) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(std::string_view(kStream).substr(0, kStream.size() - 5));
  EXPECT_TRUE(end(*asked).ok());
  provider.reset();  // a reload may put it away meanwhile
  worker.skip(1100ms);
  worker.until([&] { return peer.ended(); });
  expect_nothing_leaks("no end");
  EXPECT_EQ(address->open.load(), 0U);
}

TEST_F(HttpProviderTest, AnErrorInsideTheStreamIsAFailure) {
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(chunked("text/event-stream", kEvents.substr(0, kEvents.find("data: {\"id\":\"x\"", 200)) +
                                             "data: {\"error\":{\"message\":\"gone wrong\"}}\n\n"));
  const Ending& ending = end(*asked);
  EXPECT_EQ(ending.failure, Failure::upstream_protocol);
  EXPECT_THAT(ending.message, HasSubstr("gone wrong"));
  EXPECT_EQ(pool->idle(), 0U);
  expect_nothing_leaks("error event");
}

TEST_F(HttpProviderTest, AClosedIdleConnectionIsNobodysFailure) {
  auto first = ask();
  send(*first);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", kReply));
  EXPECT_TRUE(end(*first).ok());
  peer.forget();

  auto second = ask();
  send(*second);
  await_request(peer);
  peer.close();  // just as it was taken
  fakes::Peer fresh = accept();
  fresh.send(sized("application/json", kReply));
  EXPECT_TRUE(end(*second).ok());
  EXPECT_FALSE(second->attempt.reused_connection);
  expect_nothing_leaks("stale");
}

TEST_F(HttpProviderTest, ARenewedOneThatClosesTooIsAFailure) {
  auto first = ask();
  send(*first);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", kReply));
  EXPECT_TRUE(end(*first).ok());
  peer.forget();

  auto second = ask();
  send(*second);
  await_request(peer);
  peer.close();
  accept().close();
  EXPECT_EQ(end(*second).failure, Failure::upstream_protocol);
  EXPECT_TRUE(second->attempt.may_have_been_billed);
  EXPECT_FALSE(listener.knocked());  // once, not for ever
  expect_nothing_leaks("stale twice");
}

TEST_F(HttpProviderTest, AReusedOneThatBeganToAnswerIsNotAskedAgain) {
  auto first = ask();
  send(*first);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", kReply));
  EXPECT_TRUE(end(*first).ok());
  peer.forget();

  auto second = ask();
  send(*second);
  await_request(peer);
  peer.send("H");
  peer.close();
  EXPECT_EQ(end(*second).failure, Failure::upstream_protocol);
  EXPECT_FALSE(listener.knocked());  // it may have been billed: never paid twice
  expect_nothing_leaks("begun");
}

TEST_F(HttpProviderTest, WhatIsNoHttpIsSaid) {
  for (const char* rubbish : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 ABC\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    auto asked = ask();
    send(*asked);
    fakes::Peer peer = accept();
    peer.send(rubbish);
    const Ending& ending = end(*asked);
    EXPECT_EQ(ending.failure, Failure::upstream_protocol) << rubbish;
    EXPECT_THAT(ending.message, HasSubstr("no HTTP")) << rubbish;
    EXPECT_EQ(pool->idle(), 0U);
    expect_nothing_leaks(rubbish);
  }
}

TEST_F(HttpProviderTest, ASuccessThatIsNoReplyIsAFailure) {
  for (const char* text : {"", "<html>", "[]", "{\"error\":{\"message\":\"no\"}}"}) {
    auto asked = ask();
    send(*asked);
    fakes::Peer peer = accept();
    peer.send(sized("application/json", text));
    EXPECT_EQ(end(*asked).failure, Failure::upstream_protocol) << text;
    EXPECT_FALSE(asked->sink.is_whole);
    expect_nothing_leaks(text);
    close_idle();
  }
}

TEST_F(HttpProviderTest, AnErrorStatusIsClassifiedAndTheConnectionKept) {
  const std::string error = R"({"error":{"message":"slow down","type":"rate_limit","param":null,"code":null}})";
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", error, "429 Too Many Requests", "Retry-After: 7\r\n"));
  const Ending& ending = end(*asked);
  EXPECT_EQ(ending.failure, Failure::limit_rate);
  EXPECT_EQ(ending.phase, Phase::body);
  EXPECT_EQ(ending.provider_body, error);
  EXPECT_EQ(ending.retry_after, "7");
  EXPECT_EQ(asked->attempt.provider_status, 429);
  EXPECT_FALSE(asked->attempt.may_have_been_billed);
  EXPECT_EQ(asked->sink.heads, 0U);
  EXPECT_EQ(pool->idle(), 1U);
  expect_nothing_leaks("429");
}

TEST_F(HttpProviderTest, AnErrorBodyCutAtEveryByteKeepsItsStatus) {
  const std::string answer =
      sized("application/json", R"({"error":{"message":"broken"}})", "500 Internal Server Error");
  const std::size_t head = answer.find("\r\n\r\n") + 4;
  for (std::size_t n = head; n <= answer.size(); ++n) {
    auto asked = ask();
    send(*asked);
    fakes::Peer peer = accept();
    peer.send(std::string_view(answer).substr(0, n));
    peer.close();
    EXPECT_EQ(end(*asked).failure, Failure::upstream_error) << n;
    EXPECT_EQ(asked->attempt.provider_status, 500);
    EXPECT_TRUE(asked->attempt.may_have_been_billed);
    worker.until([&] { return pool->idle() == 0; });
    expect_nothing_leaks("500");
  }
}

TEST_F(HttpProviderTest, AnAnswerBeforeTheRequestWasReadIsStillAnAnswer) {
  body.assign(16U << 20, 'x');
  auto asked = ask();
  send(*asked);
  worker.until([&] { return listener.knocked(); });
  fakes::Peer peer = listener.accept();
  worker.settle();  // as much as the kernel takes
  EXPECT_FALSE(asked->ending.has_value());
  peer.send(sized("application/json", R"({"error":{"message":"too large"}})", "413 Content Too Large"));
  peer.close();
  EXPECT_EQ(end(*asked).failure, Failure::client_too_large);
  EXPECT_EQ(asked->attempt.provider_status, 413);
  worker.until([&] { return pool->idle() == 0; });
  expect_nothing_leaks("413");
}

TEST_F(HttpProviderTest, APassThroughGoesAsItIsAndIsRelayed) {
  auto asked = ask(false, "/v1/audio/speech?x=1");
  send(*asked);
  fakes::Peer peer = accept();
  EXPECT_THAT(peer.got(), StartsWith("POST /base/v1/audio/speech?x=1 HTTP/1.1\r\n"));
  peer.send(sized("audio/mpeg", "bytes", "206 Partial Content",
                  "Set-Cookie: s\r\nETag: \"e\"\r\nopenai-organization: o\r\n"));
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_EQ(asked->sink.status, 206);
  EXPECT_EQ(asked->sink.body, "bytes");
  EXPECT_EQ(asked->sink.content_type, "audio/mpeg");
  EXPECT_EQ(asked->sink.length, 5U);
  EXPECT_EQ(asked->sink.passed_on, "ETag: \"e\"\n");
  EXPECT_EQ(pool->idle(), 1U);
  expect_nothing_leaks("raw");
}

TEST_F(HttpProviderTest, APassThroughCutAtEveryByteIsAFailure) {
  const std::string content(60, 'b');
  for (const std::string& answer : {sized("audio/mpeg", content), chunked("audio/mpeg", content)}) {
    for (std::size_t n = 0; n <= answer.size(); ++n) {
      SCOPED_TRACE(n);
      auto asked = ask(false, "/v1/audio/speech");
      send(*asked);
      fakes::Peer peer = accept();
      peer.send(std::string_view(answer).substr(0, n));
      peer.close();
      const Ending& ending = end(*asked);
      EXPECT_EQ(ending.ok(), n == answer.size());
      EXPECT_EQ(asked->sink.body, content.substr(0, asked->sink.body.size()));
      if (!ending.ok()) EXPECT_EQ(ending.failure, Failure::upstream_protocol);
      if (!ending.ok()) EXPECT_EQ(ending.content_sent, !asked->sink.body.empty());
      worker.until([&] { return pool->idle() == 0; });
      expect_nothing_leaks("raw cut");
    }
  }
}

TEST_F(HttpProviderTest, ALargeReplyIsReadBesideTheLoop) {
  const std::string text(300'000, 'x');
  const std::string reply = R"({"model":"m","choices":[{"message":{"content":")" + text +
                            R"("}}],"usage":{"prompt_tokens":1,"completion_tokens":2}})";
  auto asked = ask();
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(sized("application/json", reply));
  EXPECT_TRUE(end(*asked).ok());
  EXPECT_TRUE(asked->sink.body == reply);
  EXPECT_EQ(asked->attempt.usage.output, 2);
  EXPECT_EQ(asked->attempt.relayed_text_bytes, text.size());
  expect_nothing_leaks("large");
}

TEST_F(HttpProviderTest, NobodyThereIsUnreachable) {
  listener.close();
  auto asked = ask();
  send(*asked);
  const Ending& ending = end(*asked);
  EXPECT_EQ(ending.failure, Failure::upstream_unreachable);
  EXPECT_EQ(ending.phase, Phase::connect);
  EXPECT_THAT(ending.message, AllOf(HasSubstr("provider openai"), HasSubstr("127.0.0.1:"), Not(HasSubstr("sk-"))));
  EXPECT_FALSE(asked->attempt.may_have_been_billed);
  expect_nothing_leaks("unreachable");
}

TEST_F(HttpProviderTest, WhoWaitsForAConnectionEndsByItsOwnReason) {
  address->connections_max = 1;
  const struct {
    InterruptReason reason;
    Failure failure;
  } cases[] = {{InterruptReason::timeout_connect, Failure::gateway_busy},
               {InterruptReason::client_left, Failure::client_left}};
  for (const auto& each : cases) {
    auto first = ask();
    send(*first);
    fakes::Peer peer = accept();
    auto second = ask();
    send(*second);
    EXPECT_FALSE(second->ending.has_value());
    second->exchange.interrupt.fire(each.reason);
    EXPECT_EQ(end(*second).failure, each.failure);
    EXPECT_EQ(second->ending->phase, Phase::resolve);
    EXPECT_FALSE(second->attempt.may_have_been_billed);
    peer.send(sized("application/json", kReply));
    EXPECT_TRUE(end(*first).ok());
    expect_nothing_leaks("waited");
    close_idle();
  }
}

TEST_F(HttpProviderTest, TheCallsDeadlineHoldsOverTheAttempts) {
  time_limits = {60s, 300s, 300s, 600s};
  auto asked = ask();
  asked->exchange.plan.deadline = 60s;
  send(*asked);
  fakes::Peer peer = accept();
  worker.skip(30s);
  worker.settle();
  EXPECT_FALSE(asked->ending.has_value());
  worker.skip(31s);
  EXPECT_EQ(end(*asked).failure, Failure::upstream_timeout_total);
  expect_nothing_leaks("deadline");
}

TEST_F(HttpProviderTest, AStreamThatGoesOnIsNotCutByTheFirstBytesLimit) {
  time_limits = {60s, 20s, 100s, 600s};
  auto asked = ask(true);
  send(*asked);
  fakes::Peer peer = accept();
  const std::size_t half = kStream.find("\"lo\"");
  peer.send(std::string_view(kStream).substr(0, half));
  worker.until([&] { return asked->sink.flushes != 0; });
  worker.skip(50s);
  peer.send(std::string_view(kStream).substr(half, 20));
  worker.settle();
  EXPECT_FALSE(asked->ending.has_value());
  peer.send(std::string_view(kStream).substr(half + 20));
  EXPECT_TRUE(end(*asked).ok());
  expect_nothing_leaks("slow stream");
}

TEST(AttemptTimer, APhaseNeverOutlivesTheTotal) {
  net::DeadlineWheel wheel(TimePoint{});
  const struct {
    Duration phase;
    InterruptReason reason;
    Duration at;
  } cases[] = {{2s, InterruptReason::timeout_first_byte, 2s},
               {10s, InterruptReason::timeout_total, 10s},
               {30s, InterruptReason::timeout_total, 10s}};
  for (const auto& each : cases) {
    Interrupt interrupt;
    AttemptTimer timer(wheel, interrupt, TimePoint{} + 10s);
    timer.limit(TimePoint{} + each.phase, InterruptReason::timeout_first_byte);
    EXPECT_EQ(timer.at(), TimePoint{} + each.at);
    timer.limit(TimePoint{} + 1s, InterruptReason::timeout_connect);
    timer.only_total();
    EXPECT_EQ(timer.at(), TimePoint{} + 10s);
    timer.limit(TimePoint{} + each.phase, InterruptReason::timeout_first_byte);
    net::DeadlineWheel own(TimePoint{});
    AttemptTimer fired(own, interrupt, TimePoint{} + 10s);
    fired.limit(TimePoint{} + each.phase, InterruptReason::timeout_first_byte);
    own.tick(TimePoint{} + each.at + 20ms);
    EXPECT_EQ(interrupt.reason(), each.reason);
  }
}

}  // namespace
}  // namespace weir::providers
