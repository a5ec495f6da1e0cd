// What the key check costs a call (its target: under 1 µs).
#include <benchmark/benchmark.h>

#include <vector>

#include "admission/keeper.hpp"
#include "admission/key_text.hpp"

namespace weir::admission {
namespace {

void admit_and_allow(benchmark::State& state) {
  std::vector<KeySettings> keys;
  std::string last;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    last = make_key_text();
    KeySettings key;
    key.name = "key-" + std::to_string(i);
    key.group = "search";
    key.hash = hash_of_key(last);
    key.models = {"support", "gpt-4o-mini", "openai/*"};
    keys.push_back(std::move(key));
  }
  const Keeper keeper{std::make_shared<const KeyRing>(keys)};
  const std::string bearer = "Bearer " + last;
  // The head that the OpenAI SDK sends.
  const std::vector<HeaderField> fields{{"Host", "127.0.0.1:8080"},
                                        {"Accept-Encoding", "gzip, deflate"},
                                        {"Accept", "application/json"},
                                        {"Content-Type", "application/json"},
                                        {"User-Agent", "OpenAI/Python 3.52.0"},
                                        {"X-Stainless-Lang", "python"},
                                        {"X-Stainless-OS", "Linux"},
                                        {"Authorization", bearer},
                                        {"Content-Length", "1100"}};
  Exchange exchange;
  exchange.request.headers = fields;
  exchange.request.model = "gpt-4o-mini";
  for (auto _ : state) {
    benchmark::DoNotOptimize(keeper.admit(exchange));
    benchmark::DoNotOptimize(keeper.allow(exchange));
  }
}
BENCHMARK(admit_and_allow)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace weir::admission
