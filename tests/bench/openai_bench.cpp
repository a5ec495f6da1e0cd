#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include <weir/base/buffer.hpp>

#include "dialects/openai_chat/reply_reader.hpp"
#include "dialects/openai_chat/request_patch.hpp"
#include "dialects/openai_chat/request_reader.hpp"
#include "dialects/openai_chat/stream_scanner.hpp"
#include "net/sse_scanner.hpp"

namespace {

using namespace weir::openai_chat;

constexpr std::string_view kSentence =
    "The parcel was due on Tuesday, but the page says \\\"on hold\\\".\\nPlease tell me what I can do about it now. ";

/// A chat of about `bytes` bytes with the fields that an SDK's call has.
std::string chat_of(std::size_t bytes) {
  std::string body = R"({"messages":[{"role":"system","content":"You are a helpful assistant of a shop."},)"
                     R"({"role":"user","content":")";
  while (body.size() + 230 < bytes) body += kSentence;
  body += R"("}],"model":"gpt-4o-mini","max_tokens":300,"temperature":0.2,"stream":true,)"
          R"("metadata":{"task_type":"support","user_id":"u-17"}})";
  return body;
}

void read_bytes(benchmark::State& state, const std::string& body) {
  for (auto _ : state) {
    auto facts = weir::openai_chat::read_request(body);
    if (!facts) state.SkipWithError("refused");
    benchmark::DoNotOptimize(facts);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void read_request(benchmark::State& state) {
  read_bytes(state, chat_of(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(read_request)->Arg(1'200)->Arg(10'000)->Arg(100'000);

void read_request_of_numbers(benchmark::State& state) {
  std::string body = R"({"model":"m","messages":[)";
  while (body.size() + 4 < static_cast<std::size_t>(state.range(0))) body += "17,";
  read_bytes(state, body + "0]}");
}
BENCHMARK(read_request_of_numbers)->Arg(100'000);

void read_10_mb(benchmark::State& state) {
  const bool image = state.range(0) == 0;
  std::string body = R"({"model":"m","messages":[)";
  if (image) body += "\"" + std::string(10'000'000, 'A') + "\"";
  while (body.size() < 10'000'000) body += "0,";
  body += image ? "]}" : "0]}";
  for (auto _ : state) {
    auto facts = weir::openai_chat::read_request(body);
    if (!facts) state.SkipWithError("refused");
    benchmark::DoNotOptimize(facts);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_10_mb)->ArgName("numbers")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void patch_request(benchmark::State& state) {
  const std::string body = chat_of(1'200);
  const auto facts = weir::openai_chat::read_request(body);
  for (auto _ : state) benchmark::DoNotOptimize(make_patch(*facts, "gpt-4o-mini-2024-07-18", true));
}
BENCHMARK(patch_request);

void scan_chunk(benchmark::State& state) {
  constexpr std::string_view raw =
      R"(data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,)"
      R"("model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" parcel"},"finish_reason":null}]})"
      "\n\n";
  std::string scratch;
  StreamState stream;
  for (auto _ : state) {
    const auto fields = weir::net::parse_sse_event(raw, scratch);
    const ChunkFacts chunk = read_chunk(raw, fields.event, fields.data);
    stream.add(chunk);
    benchmark::DoNotOptimize(stream);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(raw.size()));
}
BENCHMARK(scan_chunk);

void scan_chunk_read_only(benchmark::State& state) {
  constexpr std::string_view data =
      R"({"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,)"
      R"("model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" parcel"},"finish_reason":null}]})";
  for (auto _ : state) benchmark::DoNotOptimize(read_chunk(data, {}, data));
}
BENCHMARK(scan_chunk_read_only);

void read_reply(benchmark::State& state) {
  std::string body =
      R"({"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,)"
      R"("model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":")";
  while (body.size() < 500) body += kSentence;
  body += R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,)"
          R"("completion_tokens":110,"total_tokens":129,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
          R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default"})";
  for (auto _ : state) {
    auto facts = weir::openai_chat::read_reply(body);
    if (!facts) state.SkipWithError("malformed");
    benchmark::DoNotOptimize(facts);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_reply);

}  // namespace
