#include "api/places.hpp"

#include <boost/asio/post.hpp>

#include "net/deadline_wheel.hpp"
#include "net/event.hpp"

namespace weir::api {

/// One call in the line; lives in wait(). It is woken exactly once, by a posted handler of its own worker: by whoever
/// takes it out of the line.
class Places::Waiter final : public net::Deadline, public Interruptible {
 public:
  Waiter(Places& places, net::Worker& worker)
      : Deadline(worker.deadlines()), places_(places), worker_(worker), at_(places.line_.end()) {}
  ~Waiter() override {  // with the worker that ends, or served already
    places_.step_out(*this);
  }

  /// From any thread, under the line's lock.
  void wake(bool with_place) {
    net::asio::post(worker_.io(), [this, with_place] {
      has_place_ = with_place;
      changed_.notify();
    });
  }
  awaitable<void> woken() { return changed_.wait(); }
  bool has_place() const { return has_place_; }
  void interrupt() override {
    if (places_.step_out(*this)) wake(false);
  }

 private:
  friend class Places;
  void expired() override { interrupt(); }

  Places& places_;
  net::Worker& worker_;
  net::Event changed_;
  std::list<Waiter*>::iterator at_;  ///< under the line's lock; its end = not in it
  bool has_place_ = false;
};

bool Places::take_one() {
  std::size_t taken = taken_.load();
  while (taken < most_) {
    if (taken_.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

// Whoever joins counts himself before he looks for a place, and whoever leaves frees his place before he looks for a
// line, both in the one order of all threads: one of them sees the other, and no place lies idle beside a line.
void Places::leave() {
  taken_.fetch_sub(1);
  if (waiting_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  hand_on();
}

void Places::join(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  waiter.at_ = line_.insert(line_.end(), &waiter);
  waiting_.fetch_add(1);
  hand_on();
}

void Places::hand_on() {
  while (!line_.empty() && take_one()) {
    Waiter& first = *line_.front();
    line_.pop_front();
    first.at_ = line_.end();
    waiting_.fetch_sub(1);
    first.wake(true);
  }
}

bool Places::step_out(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  if (waiter.at_ == line_.end()) return false;
  line_.erase(waiter.at_);
  waiter.at_ = line_.end();
  waiting_.fetch_sub(1);
  return true;
}

awaitable<bool> Places::wait(net::Worker& worker, Interrupt& interrupt, std::chrono::milliseconds longest) {
  if (interrupt.fired()) co_return false;
  Waiter waiter(*this, worker);
  const Interrupt::Scope scope(interrupt, waiter);
  waiter.arm(Clock::now() + longest);
  join(waiter);
  co_await waiter.woken();
  co_return waiter.has_place();
}

}  // namespace weir::api
