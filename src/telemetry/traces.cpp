#include "telemetry/traces.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weir/base/clock.hpp>
#include <weir/base/log.hpp>
#include <weir/base/random.hpp>
#include "net/control_client.hpp"
#include "telemetry/trace_spans.hpp"

namespace weir::telemetry {
namespace {

constexpr std::chrono::seconds kPostTime{10};
constexpr std::chrono::seconds kLastPostTime{2};  // at the end, within kStopTime
constexpr std::chrono::seconds kStopTime{3};
constexpr std::size_t kSparesMax = 8;  // kept for reuse; more are freed after a burst

}  // namespace

struct Traces::State {
  struct Batch {
    std::string body;
    std::size_t bytes = 0;
    std::uint64_t spans = 0;
  };

  Send send;
  std::string endpoint;
  std::chrono::milliseconds pace{1000};

  std::mutex mutex;  // with a condition variable, which Guarded has none of
  std::condition_variable changed;
  std::deque<SpanBuffer> waiting;
  std::vector<SpanBuffer> spares;
  std::size_t waiting_bytes = 0;  ///< handed over and not yet delivered
  bool stopping = false;
  bool abandoned = false;  ///< nobody waits for the thread any more, and the log may be gone
  bool done = false;

  std::atomic<std::uint64_t> exported{0};
  std::atomic<std::uint64_t> dropped{0};

  // The thread's own.
  bool failing = false;
  Random dice;

  void run();
  Batch take_batch();
  void deliver(const Batch& batch);
  void say(bool well, const TraceAnswer& answer);
};

/// Requires: the lock is held.
Traces::State::Batch Traces::State::take_batch() {
  Batch batch;
  batch.body = spans_head();
  while (!waiting.empty() && (batch.bytes == 0 || batch.bytes + waiting.front().used <= batch_bytes_max)) {
    SpanBuffer buffer = std::move(waiting.front());
    waiting.pop_front();
    batch.body.append(buffer.bytes.get(), buffer.used);
    batch.bytes += buffer.used;
    batch.spans += buffer.spans;
    buffer.used = 0;
    buffer.spans = 0;
    if (spares.size() < kSparesMax) spares.push_back(std::move(buffer));
  }
  batch.body.pop_back();  // the last span's comma
  batch.body += kSpansTail;
  return batch;
}

void Traces::State::say(bool well, const TraceAnswer& answer) {
  std::lock_guard lock{mutex};
  if (abandoned) return;
  if (well) {
    if (std::exchange(failing, false)) log::info("traces.endpoint: sending spans to {} works again", endpoint);
  } else if (!std::exchange(failing, true)) {
    log::warning(
        "traces.endpoint: cannot send spans to {}: {}. What does not fit meanwhile is dropped "
        "(weir_traces_dropped_total); calls are not touched by it.",
        endpoint, answer.complaint);
  }
}

void Traces::State::deliver(const Batch& batch) {
  bool last = false;
  for (unsigned tries = 0;; ++tries) {
    const TraceAnswer answer = send(batch.body, last ? kLastPostTime : kPostTime);
    say(answer.complaint.empty(), answer);
    if (answer.delivered) {
      const std::uint64_t rejected = std::min(answer.rejected, batch.spans);
      exported.fetch_add(batch.spans - rejected, std::memory_order_relaxed);
      dropped.fetch_add(rejected, std::memory_order_relaxed);
      return;
    }
    std::unique_lock lock{mutex};
    if (!answer.again || last) break;
    const auto wait = answer.wait ? answer.wait->count() * pace : backoff(tries, dice.next()) * pace.count() / 1000;
    if (!stopping) changed.wait_for(lock, wait, [this] { return stopping; });
    last = stopping;
  }
  dropped.fetch_add(batch.spans, std::memory_order_relaxed);
}

void Traces::State::run() {
  std::unique_lock lock{mutex};
  while (true) {
    changed.wait(lock, [this] { return stopping || !waiting.empty(); });
    // Workers hand over ten times a second: fewer, larger posts.
    if (!stopping) changed.wait_for(lock, pace, [this] { return stopping || waiting_bytes >= batch_bytes_max; });
    if (waiting.empty()) break;
    if (stopping && failing) {  // each of them would only wait for a collector that is away
      for (const SpanBuffer& buffer : waiting) dropped.fetch_add(buffer.spans, std::memory_order_relaxed);
      break;
    }
    const Batch batch = take_batch();
    lock.unlock();
    deliver(batch);
    lock.lock();
    waiting_bytes -= batch.bytes;
  }
  done = true;
  changed.notify_all();
}

Result<std::unique_ptr<Traces>> Traces::open(const TracesSettings& settings) {
  if (settings.endpoint.empty()) return std::unique_ptr<Traces>{};
  auto made = net::ControlClient::make(settings.endpoint, settings.headers);
  if (!made) return failure(fmt::format("traces.endpoint: {}", made.error().message));
  auto client = std::make_shared<const net::ControlClient>(std::move(*made));
  auto send = [client](std::string_view body, std::chrono::milliseconds timeout) {
    const auto answer = client->post(body, "application/json", timeout);
    if (answer) return read_answer(answer->status, answer->body, answer->retry_after, unix_milliseconds());
    TraceAnswer none;
    none.again = true;
    none.complaint = answer.error().message;
    return none;
  };
  TracesSettings shown = settings;
  shown.endpoint = client->authority();
  return std::make_unique<Traces>(std::move(send), shown, std::chrono::seconds{1});
}

Traces::Traces(Send send, const TracesSettings& settings, std::chrono::milliseconds pace)
    : sampler_(settings.sample), state_(std::make_shared<State>()) {
  state_->send = std::move(send);
  state_->endpoint = settings.endpoint;
  state_->pace = pace;
  // Signals are for the main thread; SIGPIPE of a collector that went becomes EPIPE.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[state = state_] { state->run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Traces::~Traces() {
  stop();
}

SpanBuffer Traces::exchange(SpanBuffer filled) {
  SpanBuffer empty;
  {
    std::lock_guard lock{state_->mutex};
    if (state_->stopping || state_->waiting_bytes + filled.used > waiting_bytes_max) {
      drop(filled.spans);
      filled.used = 0;
      filled.spans = 0;
      return filled;
    }
    state_->waiting_bytes += filled.used;
    state_->waiting.push_back(std::move(filled));
    if (!state_->spares.empty()) {
      empty = std::move(state_->spares.back());
      state_->spares.pop_back();
    }
  }
  state_->changed.notify_all();
  return empty;
}

void Traces::drop(std::uint64_t spans) {
  state_->dropped.fetch_add(spans, std::memory_order_relaxed);
}

void Traces::stop() {
  if (!thread_.joinable()) return;
  bool done = false;
  {
    std::unique_lock lock{state_->mutex};
    state_->stopping = true;
    state_->changed.notify_all();
    done = state_->changed.wait_for(lock, kStopTime, [this] { return state_->done; });
    state_->abandoned = !done;
  }
  if (done) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

const std::atomic<std::uint64_t>& Traces::exported() const {
  return state_->exported;
}
const std::atomic<std::uint64_t>& Traces::dropped() const {
  return state_->dropped;
}

}  // namespace weir::telemetry
