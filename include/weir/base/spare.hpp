#pragma once
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace weir {

/// Objects of a few kilobytes that every call needs for its time: kept instead of allocated. They come back as they
/// were left. Thread: one worker's. Lifetime: outlives what it lends.
template <class T, std::size_t kKept = 64>
class Spare {
 public:
  /// Gives the object back when it dies.
  class Lent {
   public:
    Lent(Spare& home, std::unique_ptr<T> object) : home_(&home), object_(std::move(object)) {}
    Lent(Lent&&) noexcept = default;
    Lent& operator=(Lent&&) = delete;
    ~Lent() {
      if (object_ && home_->kept_.size() < kKept) home_->kept_.push_back(std::move(object_));
    }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_.get(); }

   private:
    Spare* home_;
    std::unique_ptr<T> object_;
  };

  Lent lend() {
    if (kept_.empty()) return {*this, std::make_unique<T>()};
    std::unique_ptr<T> last = std::move(kept_.back());
    kept_.pop_back();
    return {*this, std::move(last)};
  }

 private:
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace weir
