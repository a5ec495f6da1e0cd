#pragma once
#include <cstdint>

namespace weir {

enum class InterruptReason : std::uint8_t {
  none,
  client_left,
  timeout_connect,
  timeout_first_byte,
  timeout_between_bytes,
  timeout_total,
  shutdown,
  outrun  ///< the other attempt of a hedged call won
};

/// What can be broken off: a wait, a connect, a read. interrupt() must make the pending operation end soon and may be
/// called more than once.
class Interruptible {
 public:
  virtual void interrupt() = 0;

 protected:
  ~Interruptible() = default;
};

/// How a call is broken off in whatever phase it is: whoever waits registers itself, whoever wants it ended fires.
/// The first reason stays; the client's leaving and the end of weir outlast clear(). Thread: the exchange's own.
class Interrupt {
 public:
  void fire(InterruptReason reason) {
    if (reason_ == InterruptReason::none) reason_ = reason;
    if (reason == InterruptReason::client_left || reason == InterruptReason::shutdown) over_ = reason;
    if (pending_ != nullptr) pending_->interrupt();
  }
  bool fired() const { return reason_ != InterruptReason::none; }
  InterruptReason reason() const { return reason_; }
  void clear() { reason_ = over_; }                             ///< before another attempt of the same call
  bool over() const { return over_ != InterruptReason::none; }  ///< no attempt may follow
  InterruptReason over_because() const { return over_; }

  /// Registers for the scope of one wait; the one before comes back when it ends.
  class Scope {
   public:
    Scope(Interrupt& interrupt, Interruptible& pending) : interrupt_(interrupt), outer_(interrupt.pending_) {
      interrupt.pending_ = &pending;
    }
    ~Scope() { interrupt_.pending_ = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
    Interruptible* outer_;
  };

 private:
  Interruptible* pending_ = nullptr;
  InterruptReason reason_ = InterruptReason::none;
  InterruptReason over_ = InterruptReason::none;
};

}  // namespace weir
