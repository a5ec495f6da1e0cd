#pragma once
#include <cstddef>
#include <span>

#include <boost/asio/buffer.hpp>
#include <boost/asio/execution_context.hpp>

#include "net/asio_types.hpp"
#include "net/event.hpp"

namespace weir::net {

/// The writes of one round of an event loop, made one behind the other at the round's end instead of each where it
/// arises. A peer on the same machine sleeps whenever it has nothing to do, and to wake it is the dearest part of a
/// small write: single writes wake it each time, a row of them once. Only a busy loop gathers: where writes are rare,
/// or a round has only one, it is made at once.
///
/// Thread: the loop's. Lifetime: the event loop's; each loop has one (`of`).
class WriteRound final : public asio::execution_context::service {
 public:
  using key_type = WriteRound;
  static asio::execution_context::id id;

  /// One write that waits for its turn; lives in the coroutine that makes it.
  class Turn {
   public:
    Turn(WriteRound& round, Socket& socket, std::span<asio::const_buffer> buffers);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    /// Returns when the kernel was asked once; error() and written() say what it did.
    awaitable<void> made() { return made_.wait(); }
    ErrorCode error() const { return error_; }
    std::size_t written() const { return written_; }

   private:
    friend class WriteRound;

    WriteRound& round_;
    Socket& socket_;
    std::span<asio::const_buffer> buffers_;
    Turn* next_ = nullptr;
    bool listed_ = true;
    ErrorCode error_;
    std::size_t written_ = 0;
    Event made_;
  };

  explicit WriteRound(asio::execution_context& context) : service(context) {}
  static WriteRound& of(const Executor& executor) { return asio::use_service<WriteRound>(executor.context()); }

  /// Whether the write that arises now is to wait for the round's end. To be asked once for each write. Begins to
  /// gather when some writes followed one another closely, and stops after some rounds of one write.
  bool gathers();

 private:
  struct List {
    Turn* first = nullptr;
    Turn* last = nullptr;
    bool remove(const Turn& turn);
  };

  void shutdown() override;
  void make_waiting();
  void end();

  List waiting_;            ///< of this round
  List resuming_;           ///< of the round that ends: those that do not know their result yet
  Turn* unmade_ = nullptr;  ///< the first of waiting_ whose write was not made yet
  std::size_t unmade_count_ = 0;
  std::size_t turns_ = 0;  ///< of this round
  bool gathers_ = false;
  unsigned lonely_rounds_ = 0;
  unsigned counted_ = 0;  ///< writes since counted_since_, while it does not gather
  TimePoint counted_since_{};
};

}  // namespace weir::net
