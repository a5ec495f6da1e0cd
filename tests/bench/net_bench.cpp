#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <string_view>

#include "net/http1_chunked.hpp"
#include "net/http1_head.hpp"
#include "net/sse_scanner.hpp"

namespace {

using namespace weir::net;

constexpr std::string_view kRequestOfFiveFields =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer sk-proj-0123456789abcdef0123456789abcdef\r\nAccept: */*\r\nContent-Length: 1234\r\n\r\n";

// What the OpenAI client for Python sends.
constexpr std::string_view kRequestOfFifteenFields =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 2.3.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.3.0\r\n"
    "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.2\r\nAuthorization: Bearer sk-proj-0123456789abcdef0123456789abcdef\r\n"
    "X-Stainless-Async: false\r\nContent-Length: 1234\r\n\r\n";

constexpr std::string_view kReplyOfFiveFields =
    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nx-request-id: "
    "req_0123456789abcdef0123456789abcdef\r\n\r\n";

template <class Head>
void scan_head(benchmark::State& state, std::string_view bytes) {
  Head head;
  for (auto _ : state) {
    head.reset();
    if (head.scan(bytes, {}) != ScanState::complete) state.SkipWithError("refused");
    benchmark::DoNotOptimize(head);
  }
}
void scan_request(benchmark::State& state, std::string_view bytes) {
  scan_head<RequestHead>(state, bytes);
}
void scan_reply(benchmark::State& state, std::string_view bytes) {
  scan_head<ReplyHead>(state, bytes);
}
BENCHMARK_CAPTURE(scan_request, 5_fields, kRequestOfFiveFields);
BENCHMARK_CAPTURE(scan_request, 15_fields, kRequestOfFifteenFields);
BENCHMARK_CAPTURE(scan_reply, 5_fields, kReplyOfFiveFields);

const std::string kEvent =
    "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":"
    "\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":["
    "{\"index\":0,\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n";

/// 50 events, each in a chunk of its own, as in one full read. The copy into the buffer is part of the time.
void decode_chunks(benchmark::State& state) {
  std::string wire;
  char size[32];
  for (int i = 0; i < 50; ++i) {
    std::snprintf(size, sizeof size, "%zx\r\n", kEvent.size());
    wire.append(size).append(kEvent).append("\r\n");
  }
  wire += "0\r\n\r\n";
  std::string buffer(wire.size(), '\0');
  for (auto _ : state) {
    std::memcpy(buffer.data(), wire.data(), wire.size());
    ChunkedDecoder decoder;
    benchmark::DoNotOptimize(decoder.decode(buffer.data(), buffer.size()));
    if (!decoder.done()) state.SkipWithError("not done");
  }
  state.counters["per_chunk"] =
      benchmark::Counter(50, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(decode_chunks);

void split_events(benchmark::State& state) {
  std::string wire;
  for (int i = 0; i < 50; ++i) wire += kEvent;
  std::string scratch;
  for (auto _ : state) {
    SseScanner scanner;
    std::string_view rest = wire;
    while (const auto event = scanner.next(rest)) {
      if (state.range(0)) benchmark::DoNotOptimize(parse_sse_event(*event, scratch));
      rest.remove_prefix(event->size());
    }
    benchmark::DoNotOptimize(rest);
  }
  state.counters["per_event"] =
      benchmark::Counter(50, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(split_events)->Arg(0)->Arg(1)->ArgName("parsed");

}  // namespace
