#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <weir/base/buffer.hpp>
#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir {

template <class T>
using awaitable = boost::asio::awaitable<T, boost::asio::io_context::executor_type>;

enum class Flow : std::uint8_t { go, stop };

/// The head of an answer that is passed up. Views are good for the call of head() only.
struct ReplyHead {
  std::uint16_t status = 200;
  std::string_view content_type;
  bool event_stream = false;
  std::optional<std::uint64_t> length;     ///< of a raw answer, where the provider said it
  std::span<const HeaderField> passed_on;  ///< raw pass-through only: allow-listed fields of the provider's answer
};

/// Where an answer goes, bottom up. Calls are synchronous and only append; back-pressure is the driver's one awaited
/// flush() per upstream read. A further head(), of a further attempt, throws away what was appended and not flushed.
/// Order: head, then any number of event()s or one whole(); the end is the Ending that the
/// service returns, before whose return nothing of the last read may be flushed (RULINGS 5: booked first).
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual Flow head(const ReplyHead& head) = 0;
  /// A piece of a stream, or of a raw answer. Copied.
  virtual Flow event(std::string_view bytes) = 0;
  /// The one chunk of a stream that carries the usage: `usage_end` is the offset of the closing brace of its usage
  /// object, so that a meter may add to it. Default: an event like any other.
  virtual Flow usage_event(std::string_view bytes, std::size_t /*usage_end*/) { return event(bytes); }
  /// A whole reply, taken over; an empty buffer with its memory may be given in exchange.
  virtual Flow whole(Buffer&& body) = 0;
  /// Sends what was appended; waits while the client's connection is full. `stop` = the client has left.
  virtual awaitable<Flow> flush() = 0;
  /// A comment on a stream that has no content yet: commits status and head, not content, so that another attempt may
  /// still follow. May run beside flush(). Nothing where there is no stream, or content has left.
  virtual awaitable<void> keep_alive() { co_return; }
};

/// Anything that can answer a call: a stage, the whole gateway, a fake in a test.
class Service {
 public:
  virtual ~Service() = default;
  /// Writes the answer into `reply` and says how it ended. Both outlive the call.
  virtual awaitable<Ending> call(Exchange& exchange, ReplySink& reply) = 0;
};

/// What one attempt is asked to do.
struct Call {
  Exchange& exchange;  ///< request, patch, interrupt; read only but for the interrupt
  const Target& target;
};

/// Below retry: sends one attempt to one target and writes down what happened to it.
/// Thread: any worker; state per worker is the provider's own business.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink& reply) = 0;
};

}  // namespace weir
