#include "mock/answers.hpp"

#include <charconv>

#include "process/piece.hpp"

namespace weir::bench {
namespace {

constexpr std::string_view kStart = R"({"id":"chatcmpl-bench00000000000000000000","object":"chat.completion)";
constexpr std::string_view kAfter =
    R"(","created":1760000000,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_bench","choices":[)";
constexpr int kFinish = kStreamPieces + 1;
constexpr int kUsage = kFinish + 1;
constexpr int kDone = kUsage + 1;

/// What follows `"name":` in the body, or "".
std::string_view after_key(std::string_view body, std::string_view quoted_name) {
  auto at = body.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = body.find_first_not_of(": \t\n\r", at + quoted_name.size());
  return at == std::string_view::npos ? std::string_view{} : body.substr(at);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "bench-paced-2ms" → 2 ms; no "-<N>ms" at the end → 0.
std::chrono::microseconds pace_of(std::string_view model) {
  model = model.substr(0, model.find('"'));
  const auto dash = model.rfind('-');
  if (!model.ends_with("ms") || dash == std::string_view::npos) return {};
  return std::chrono::milliseconds{number(model.substr(dash + 1))};
}

std::string usage(int completion_tokens) {
  return R"({"prompt_tokens":256,"completion_tokens":)" + std::to_string(completion_tokens) + R"(,"total_tokens":)" +
         std::to_string(256 + completion_tokens) +
         R"(,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})";
}

void append_chunk(std::string& out, std::string_view data) {
  char size[8];
  const auto end = std::to_chars(size, size + sizeof size, data.size(), 16).ptr;
  out.append(size, end).append("\r\n").append(data).append("\r\n");
}

}  // namespace

Call read_call(std::string_view body) {
  Call call;
  call.stream = after_key(body, R"("stream")").starts_with("true");
  call.include_usage = call.stream && after_key(body, R"("include_usage")").starts_with("true");
  call.seed = number(after_key(body, R"("seed")"));
  // A call that was translated from Anthropic's dialect, which has no seed, has it as the user's name.
  if (const auto user = after_key(body, R"("user":)"); call.seed == 0 && user.starts_with('"')) {
    call.seed = number(user.substr(1));
  }
  if (const auto model = after_key(body, R"("model")"); model.starts_with('"')) {
    call.pace = pace_of(model.substr(1));
    call.block = model.starts_with("\"bench-block\"");
  }
  return call;
}

std::string json_reply(std::string_view status, std::string_view body) {
  std::string out = "HTTP/1.1 ";
  out.append(status).append("\r\nContent-Type: application/json\r\nContent-Length: ");
  out.append(std::to_string(body.size()));
  out.append("\r\nx-request-id: req_bench0000000000000000000000\r\nopenai-processing-ms: 1\r\n\r\n").append(body);
  return out;
}

std::string plain_reply(const Call& call) {
  std::string body{kStart};
  body.append(kAfter).append(R"({"index":0,"message":{"role":"assistant","content":")");
  for (int i = 1; i <= kPlainPieces; ++i) append_piece(body, call.seed, i);
  body.append(R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":)");
  body.append(usage(120)).append("}");
  return json_reply("200 OK", body);
}

std::string_view stream_head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
         "Transfer-Encoding: chunked\r\nx-request-id: req_bench0000000000000000000000\r\nopenai-processing-ms: "
         "1\r\n\r\n";
}

int append_event(std::string& out, const Call& call, int index) {
  if (index == kDone) {
    append_chunk(out, "data: [DONE]\n\n");
    out += "0\r\n\r\n";
    return -1;
  }
  std::string event = "data: ";
  event.append(kStart).append(".chunk").append(kAfter);
  if (index == 0) {
    event +=
        R"({"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}])";
  } else if (index < kFinish) {
    event += R"({"index":0,"delta":{"content":")";
    append_piece(event, call.seed, index);
    event += R"("},"logprobs":null,"finish_reason":null}])";
  } else if (index == kFinish) {
    event += R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}])";
  } else {
    event += "]";
  }
  if (call.include_usage) event.append(R"(,"usage":)").append(index == kUsage ? usage(kStreamPieces) : "null");
  event += "}\n\n";
  append_chunk(out, event);
  return index == kFinish && !call.include_usage ? kDone : index + 1;
}

}  // namespace weir::bench
