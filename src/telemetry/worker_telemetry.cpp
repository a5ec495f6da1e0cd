#include "telemetry/worker_telemetry.hpp"

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

void WorkerTelemetry::call_ended(const Exchange& exchange) {
  metrics_.call_ended(exchange);
  recent_.add(exchange);
  write_line([&](JsonWriter& out) { write_call_line(out, exchange, time_); });
}

void WorkerTelemetry::refused(Failure failure, std::uint16_t status) {
  metrics_.refused(failure);
  write_line([&](JsonWriter& out) { write_refusal_line(out, failure, status, unix_milliseconds(), time_); });
}

void WorkerTelemetry::tick() {
  if (buffer_.used > 0) buffer_ = writer_.exchange(std::move(buffer_));
}

}  // namespace weir::telemetry
