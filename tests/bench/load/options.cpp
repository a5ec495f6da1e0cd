#include "load/options.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace weir::bench {
namespace {

constexpr std::string_view kUsage =
    R"(usage: bench_load plain|stream|idle --port N [options]   (one line of JSON on stdout)
  --connections N    keep-alive connections, each with one call at a time (1)
  --requests N       calls in all (1000); idle: ignored
  --seconds S        no call starts later (60)
  --dialect NAME     openai or anthropic (openai)
  --path P           /v1/chat/completions, or /v1/messages
  --model NAME       bench-plain, bench-burst, bench-paced-2ms, ... (bench-plain)
  --task NAME        metadata.task_type
  --body BYTES       size of the request's body (1100)
  --content KIND     text, image or numbers (text); anthropic: text only
  --usage            ask for stream_options.include_usage; anthropic always tells
)";

std::size_t count(const char* text) {
  return static_cast<std::size_t>(std::strtoull(text, nullptr, 10));
}

bool set_dialect(Options& options, std::string_view name) {
  options.dialect = name == "anthropic" ? Dialect::anthropic : Dialect::openai;
  return name == "anthropic" || name == "openai";
}

bool set(Options& options, std::string_view name, const char* value) {
  if (name == "--port")
    options.port = static_cast<std::uint16_t>(count(value));
  else if (name == "--connections")
    options.connections = std::max<std::size_t>(count(value), 1);
  else if (name == "--requests")
    options.requests = count(value);
  else if (name == "--seconds")
    options.seconds = std::strtod(value, nullptr);
  else if (name == "--dialect")
    return set_dialect(options, value);
  else if (name == "--path")
    options.path = value;
  else if (name == "--model")
    options.model = value;
  else if (name == "--task")
    options.task = value;
  else if (name == "--body")
    options.body_bytes = count(value);
  else if (name == "--content")
    options.content = value;
  else
    return false;
  return true;
}

/// Words, so that the text is not one long run of a letter.
std::string text_of(std::size_t bytes) {
  constexpr std::string_view words = "The customer writes that the parcel came late and one of the cups was broken. ";
  std::string text;
  while (text.size() < bytes) text += words.substr(0, std::min(words.size(), bytes - text.size()));
  return text;
}

std::string repeated(std::string_view part, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + part.size());
  while (text.size() < bytes) text += part;
  return text;
}

constexpr std::string_view kSystem = "You sort letters to a shop.";

/// The value of `messages` and what stands beside it, `fill` bytes long plus a little.
std::string messages(const Options& options, std::size_t fill) {
  if (options.content == "image") {
    return R"("messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
           repeated("iVBORw0KGgoAAAANSUhEUgAAAAEA0123", fill) + R"("}}]}])";
  }
  if (options.content == "numbers") {
    return R"("messages":[{"role":"user","content":"Sum these."}],"x_numbers":[0)" + repeated(",0", fill) + "]";
  }
  std::string text;
  if (options.dialect == Dialect::anthropic) {
    text.append(R"("system":")").append(kSystem).append(R"(","messages":[)");
  } else {
    text.append(R"("messages":[{"role":"system","content":")").append(kSystem).append(R"("},)");
  }
  return text + R"({"role":"user","content":")" + text_of(fill) + R"("}])";
}

/// What stands before `messages`.
std::string openai_start(const Options& options) {
  std::string body = R"({"model":")" + options.model + R"(","seed":)" + std::to_string(kSeedFirst);
  if (options.mode == Mode::stream) body += R"(,"stream":true)";
  if (options.include_usage) body += R"(,"stream_options":{"include_usage":true})";
  if (!options.task.empty()) body += R"(,"metadata":{"task_type":")" + options.task + R"("})";
  return body;
}

std::string anthropic_start(const Options& options) {
  std::string body =
      R"({"model":")" + options.model + R"(","metadata":{"user_id":")" + std::to_string(kSeedFirst) + '"';
  if (!options.task.empty()) body += R"(,"task_type":")" + options.task + '"';
  body += '}';
  if (options.mode == Mode::stream) body += R"(,"stream":true)";
  return body;
}

std::string body_of(const Options& options) {
  auto body = options.dialect == Dialect::anthropic ? anthropic_start(options) : openai_start(options);
  body += R"(,"temperature":0.2,"max_tokens":200,)";
  const auto used = body.size() + messages(options, 0).size() + 1;
  return body + messages(options, options.body_bytes > used ? options.body_bytes - used : 0) + "}";
}

}  // namespace

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  const std::string_view mode = argc > 1 ? argv[1] : "";
  bool ok = mode == "plain" || mode == "stream" || mode == "idle";
  options.mode = mode == "stream" ? Mode::stream : mode == "idle" ? Mode::idle : Mode::plain;
  for (int i = 2; ok && i < argc; ++i) {
    if (std::string_view{argv[i]} == "--usage") {
      options.include_usage = true;
    } else {
      ok = i + 1 < argc && set(options, argv[i], argv[i + 1]);
      ++i;
    }
  }
  const bool anthropic = options.dialect == Dialect::anthropic;
  if (options.path.empty()) options.path = anthropic ? "/v1/messages" : "/v1/chat/completions";
  if (ok && options.port != 0 && !(anthropic && options.content != "text")) return options;
  std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
  return std::nullopt;
}

Request make_request(const Options& options) {
  const bool anthropic = options.dialect == Dialect::anthropic;
  const auto body = body_of(options);
  std::string text = "POST " + options.path +
                     " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
                     "Authorization: Bearer sk-client\r\nUser-Agent: bench_load\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n";
  if (anthropic) text += "anthropic-version: 2023-06-01\r\n";
  text.append("\r\n").append(body);
  const std::string_view before = anthropic ? R"("user_id":")" : R"("seed":)";
  return {.text = text, .seed_at = text.find(before) + before.size()};
}

}  // namespace weir::bench
