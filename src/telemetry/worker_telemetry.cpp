#include "telemetry/worker_telemetry.hpp"

#include "telemetry/trace_spans.hpp"

namespace weir::telemetry {

template <class F>
void WorkerTelemetry::write_line(F&& write) {
  if (!writer_.on()) return;
  if (LogBuffer::capacity - buffer_.used < call_line_bytes_max) tick();
  // Not value-initialised: 256 KiB of zeros would be touched for the first line of an idle worker.
  if (buffer_.bytes == nullptr) buffer_.bytes.reset(new char[LogBuffer::capacity]);
  char* const begin = buffer_.bytes.get() + buffer_.used;
  JsonWriter out{begin, begin + call_line_bytes_max};
  write(out);
  WEIR_ENSURE(!out.overflowed());  // call_line_bytes_max holds any line: texts are cut
  buffer_.used += static_cast<std::size_t>(out.at() - begin);
  ++buffer_.lines;
}

void WorkerTelemetry::write_trace(const Exchange& exchange) {
  if (SpanBuffer::capacity - spans_.used < call_spans_bytes_max) tick();
  if (spans_.bytes == nullptr) spans_.bytes.reset(new char[SpanBuffer::capacity]);
  char* const begin = spans_.bytes.get() + spans_.used;
  JsonWriter out{begin, begin + call_spans_bytes_max};
  write_spans(out, exchange);
  if (out.overflowed()) return traces_->drop(spans_of(exchange));
  spans_.used += static_cast<std::size_t>(out.at() - begin);
  spans_.spans += spans_of(exchange);
}

void WorkerTelemetry::call_ended(const Exchange& exchange) {
  metrics_.call_ended(exchange);
  recent_.add(exchange);
  write_line([&](JsonWriter& out) { write_call_line(out, exchange, time_); });
  if (exchange.trace.sampled && traces_ != nullptr) write_trace(exchange);
}

void WorkerTelemetry::refused(Failure failure, std::uint16_t status) {
  metrics_.refused(failure);
  write_line([&](JsonWriter& out) { write_refusal_line(out, failure, status, unix_milliseconds(), time_); });
}

void WorkerTelemetry::tick() {
  if (buffer_.used > 0) buffer_ = writer_.exchange(std::move(buffer_));
  if (spans_.used > 0) spans_ = traces_->exchange(std::move(spans_));
}

}  // namespace weir::telemetry
