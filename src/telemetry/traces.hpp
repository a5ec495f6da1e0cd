#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include <weir/base/result.hpp>
#include "telemetry/settings.hpp"
#include "telemetry/trace_answer.hpp"
#include "telemetry/trace_sampler.hpp"

namespace weir::telemetry {

/// Spans on their way to the collector; filled by one worker, then given away.
struct SpanBuffer {
  static constexpr std::size_t capacity = 256U << 10;

  std::unique_ptr<char[]> bytes;  ///< null until first needed
  std::size_t used = 0;
  std::uint64_t spans = 0;
};

/// Sends spans to a collector by OTLP over HTTP in JSON, from a thread of its own. While the collector is away the
/// spans at hand are kept and tried again; what does not fit into the queue meanwhile is dropped and counted.
///
/// Thread: exchange() from any worker; stop() from the owner's thread. Lifetime: outlives the workers' telemetry.
class Traces {
 public:
  static constexpr std::size_t waiting_bytes_max = 8U << 20;
  static constexpr std::size_t batch_bytes_max = 1U << 20;  ///< of one post, about 400 calls

  /// Sends one post's body; an answer's meaning, or why there was none. Called on the thread of Traces only.
  using Send = std::function<TraceAnswer(std::string_view body, std::chrono::milliseconds timeout)>;

  /// Null where no endpoint is set. The error names `traces.endpoint`.
  static Result<std::unique_ptr<Traces>> open(const TracesSettings& settings);
  /// With another way to the collector, and less patience: for tests. `pace` stands in place of a second.
  Traces(Send send, const TracesSettings& settings, std::chrono::milliseconds pace);
  ~Traces();  ///< stop()
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;

  const TraceSampler& sampler() const { return sampler_; }

  /// Takes spans, gives an empty buffer back. One short lock.
  SpanBuffer exchange(SpanBuffer filled);

  /// Spans of a call that could not even be written.
  void drop(std::uint64_t spans);

  /// Tries once more to send what was handed over, for at most three seconds.
  void stop();

  const std::atomic<std::uint64_t>& exported() const;
  const std::atomic<std::uint64_t>& dropped() const;

 private:
  struct State;

  TraceSampler sampler_;
  std::shared_ptr<State> state_;  // shared: a thread stuck in a post at the end is left behind with it
  std::thread thread_;
};

}  // namespace weir::telemetry
