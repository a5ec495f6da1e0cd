#pragma once
#include <mutex>
#include <utility>

namespace weir {

/// Data that lives inside its lock: the only way in is with(), so nothing can be awaited under it.
template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  template <class F>
  auto with(F&& use) {
    std::lock_guard lock{mutex_};
    return std::forward<F>(use)(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace weir
