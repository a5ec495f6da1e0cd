// What translation costs beside a relayed call: figures are for release builds.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"

namespace {

using namespace weir;
using namespace weir::vocabulary;

const TargetTraits kTarget{.model = "claude"};
const ReplyContext kContext{.call_id = "c", .model = "m"};

void request(benchmark::State& state, const std::string& body) {
  for (auto _ : state) {
    Dropped dropped;
    const auto request = openai_chat::codec().decode_request(body);
    benchmark::DoNotOptimize(anthropic::codec().encode_request(*request, kTarget, dropped));
  }
}

void Request1kB(benchmark::State& state) {
  request(state, R"({"messages":[{"role":"system","content":"Be short."},{"role":"user","content":")" +
                     std::string(1000, 'x') + R"("}],"temperature":0.7,"max_tokens":200})");
}
BENCHMARK(Request1kB);

void RequestWithImageOf5MB(benchmark::State& state) {
  request(state,
          R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,)" +
              std::string(5U << 20, 'A') + R"("}}]}]})");
}
BENCHMARK(RequestWithImageOf5MB);

void Reply1kB(benchmark::State& state) {
  const std::string body = R"({"id":"msg_1","model":"claude","content":[{"type":"text","text":")" +
                           std::string(1000, 'x') +
                           R"("}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":7}})";
  for (auto _ : state) {
    std::string out;
    openai_chat::codec().encode_reply(*anthropic::codec().decode_reply(body, {}), kContext, out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(Reply1kB);

void StreamOf50Chunks(benchmark::State& state) {
  const std::string chunk =
      R"({"id":"c","object":"chat.completion.chunk","created":1741569952,"model":"gpt","choices":[{"index":0,"delta":{"content":"some words"},"logprobs":null,"finish_reason":null}]})";
  for (auto _ : state) {
    const auto decoder = openai_chat::codec().make_stream_decoder({});
    const auto encoder = anthropic::codec().make_stream_encoder(kContext);
    std::string out;
    std::vector<StreamEvent> events;
    for (int i = 0; i < 50; ++i) {
      events.clear();
      decoder->feed("", chunk, events);
      for (const StreamEvent& event : events) encoder->encode(event, out);
    }
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(StreamOf50Chunks);

}  // namespace
