#include "providers/demo.hpp"

#include <charconv>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/redact.hpp"
#include "providers/attempt_timer.hpp"
#include "providers/translated_reply.hpp"

namespace weir::providers {
namespace {

class SleepBreaker final : public Interruptible {
 public:
  explicit SleepBreaker(net::Timer& timer) : timer_(timer) {}
  void interrupt() override { timer_.cancel(); }

 private:
  net::Timer& timer_;
};

std::string json_quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The words of the answer, each with the space before it: one token each.
std::vector<std::string> words_for(const Request& request, std::string_view model) {
  const std::string text = fmt::format(
      "[demo] weir is running: this answer to your {} byte request for {} was made up inside the gateway, no provider "
      "was called and nothing was paid. Set a provider's key, or add providers: to the settings, to get real answers.",
      request.body.size(), model);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at + 1), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Usage usage_for(const Request& request, std::size_t words) {
  Usage usage;
  usage.uncached = tokens_from_bytes(request.body.size());
  usage.output = static_cast<std::int64_t>(words);
  usage.reported = true;
  return usage;
}

std::string usage_json(const Usage& usage) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})", usage.prompt(), usage.output,
                     usage.prompt() + usage.output);
}

Ending failed_with(std::uint16_t status) {
  const std::string body = openai_chat::encode_error("the demo provider fails on demand", "demo_error", "", "demo");
  Ending ending = openai_chat::classify_error(status, body, "");
  ending.phase = Phase::await_headers;
  return ending;
}

}  // namespace

DemoProvider::DemoProvider(net::Worker& worker, const ProviderSettings& settings) : worker_(worker) {
  if (settings.demo_tokens_per_second > 0) {
    per_token_ =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / settings.demo_tokens_per_second));
  }
}

awaitable<bool> DemoProvider::sleep(Interrupt& interrupt, Duration duration) {
  if (duration.count() > 0 && !interrupt.fired()) {
    net::Timer timer(worker_.executor(), duration);
    SleepBreaker breaker(timer);
    const Interrupt::Scope scope(interrupt, breaker);
    co_await timer.async_wait(net::as_value);
  }
  co_return !interrupt.fired();
}

awaitable<Ending> DemoProvider::send(const Call& call, Attempt& attempt, ReplySink& reply) {
  Exchange& exchange = call.exchange;
  Ending ending;
  if (!exchange.dropped_to.empty()) forget_dropped(exchange);
  if (exchange.raw || exchange.request.dialect == Dialect::openai_chat) {
    ending = co_await answer(call, attempt, reply);
  } else {
    Translation translation(exchange, call.target, openai_chat::codec());
    if (auto refused = translation.decode(exchange)) co_return std::move(*refused);
    if (auto refused = translation.encode(exchange, call.target, {})) co_return std::move(*refused);
    TranslatedReply translated(translation, reply);
    ending = co_await answer(call, attempt, translated);
    exchange.next_event = translated.next_event();
    ending.provider_body.clear();
  }
  attempt.duration_of(Phase::body) = Clock::now() - attempt.started;
  co_return ending;
}

awaitable<Ending> DemoProvider::answer(const Call& call, Attempt& attempt, ReplySink& reply) {
  Exchange& exchange = call.exchange;
  const Request& request = exchange.request;
  const std::string_view model = call.target.upstream_model;
  const TimeLimits& limits = call.target.time_limits;
  AttemptTimer timer(worker_.deadlines(), exchange.interrupt, attempt.started + limits.total);
  if (limits.first_byte.count() > 0) {
    timer.limit(attempt.started + limits.first_byte, InterruptReason::timeout_first_byte);
  } else {
    timer.only_total();
  }
  const auto broken = [&](bool content_sent) {
    Ending ending;
    ending.failure = failure_of(exchange.interrupt.reason());
    ending.phase = content_sent ? Phase::body : Phase::await_headers;
    ending.content_sent = content_sent;
    ending.message = "the demo provider was broken off";
    return ending;
  };

  if (exchange.raw) {
    Ending ending;
    ending.failure = Failure::client_not_found;
    ending.phase = Phase::resolve;
    ending.code = "not_supported";
    ending.message = "the demo provider answers chats only; set default: to a real provider";
    co_return ending;
  }
  if (model == "slow" && !co_await sleep(exchange.interrupt, std::chrono::seconds(2))) co_return broken(false);
  if (model == "fail-timeout") {
    co_await sleep(exchange.interrupt, std::chrono::hours(24));
    co_return broken(false);
  }
  if (model.starts_with("fail-")) {
    unsigned status = 0;
    const auto parsed = std::from_chars(model.data() + 5, model.data() + model.size(), status);
    if (parsed.ec == std::errc{} && status >= 400 && status < 600) {
      attempt.provider_status = static_cast<std::uint16_t>(status);
      co_return failed_with(attempt.provider_status);
    }
  }

  const std::vector<std::string> words = words_for(request, model);
  attempt.may_have_been_billed = true;
  attempt.reply_model = model;
  attempt.provider_status = 200;
  const std::string id = fmt::format("chatcmpl-demo-{:08x}", std::hash<std::string_view>{}(request.body) & 0xffffffffU);
  ReplyHead head;
  if (!request.stream) {
    if (!co_await sleep(exchange.interrupt, per_token_ * static_cast<Duration::rep>(words.size())))
      co_return broken(false);
    attempt.usage = usage_for(request, words.size());
    std::string text;
    for (const std::string& word : words) text += word;
    Buffer body;
    body.append(
        fmt::format(R"({{"id":"{}","object":"chat.completion","created":1700000000,"model":{},"choices":[{{"index":0,)"
                    R"("message":{{"role":"assistant","content":{},"refusal":null}},"logprobs":null,)"
                    R"("finish_reason":"stop"}}],"usage":{}}})",
                    id, json_quoted(model), json_quoted(text), usage_json(attempt.usage)));
    head.content_type = "application/json";
    reply.head(head);
    reply.whole(std::move(body));
    co_return Ending{};
  }

  head.content_type = "text/event-stream";
  head.event_stream = true;
  reply.head(head);
  const std::string begin = fmt::format(
      R"(data: {{"id":"{}","object":"chat.completion.chunk","created":1700000000,"model":{},)", id, json_quoted(model));
  reply.event(begin + R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"
                      "\n\n");
  std::size_t sent = 0;
  for (const std::string& word : words) {
    if (!co_await sleep(exchange.interrupt, per_token_)) co_return broken(sent != 0);
    timer.only_total();
    reply.event(begin + fmt::format(R"("choices":[{{"index":0,"delta":{{"content":{}}},"finish_reason":null}}]}})"
                                    "\n\n",
                                    json_quoted(word)));
    attempt.relayed_text_bytes += word.size();
    if ((per_token_.count() > 0 || ++sent % 8 == 1) && co_await reply.flush() == Flow::stop) {
      exchange.interrupt.fire(InterruptReason::client_left);
      co_return broken(true);
    }
    sent += per_token_.count() > 0 ? 1U : 0U;
    if (model == "cut" && sent == words.size() / 2) {
      Ending ending;
      ending.failure = Failure::upstream_protocol;
      ending.phase = Phase::body;
      ending.content_sent = true;
      ending.message = "the demo provider cut its stream on demand";
      co_return ending;
    }
  }
  attempt.usage = usage_for(request, words.size());
  reply.event(begin + R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
                      "\n\n");
  if (request.include_usage || request.dialect != Dialect::openai_chat) {
    const std::string chunk = begin + R"("choices":[],"usage":)" + usage_json(attempt.usage) + "}\n\n";
    reply.usage_event(chunk, chunk.size() - 4);
  }
  reply.event("data: [DONE]\n\n");
  co_return Ending{};
}

}  // namespace weir::providers
