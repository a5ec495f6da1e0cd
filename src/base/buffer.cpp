#include <weir/base/buffer.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <weir/base/result.hpp>

namespace weir {

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

Buffer::~Buffer() {
  std::free(data_);
}

void Buffer::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::reserve_tail(std::size_t bytes) {
  if (capacity_ - end_ >= bytes) return;
  const std::size_t used = size();
  if (capacity_ - used >= bytes && begin_ >= used) {  // moving pays only when the move is shorter than what it frees
    std::memmove(data_, data_ + begin_, used);
  } else {
    const std::size_t grown = std::max(used + bytes, std::min(capacity_ * 2, used + bytes + (1U << 20)));
    auto* fresh = static_cast<char*>(std::malloc(grown));
    if (fresh == nullptr) throw std::bad_alloc();
    if (used != 0) std::memcpy(fresh, data_ + begin_, used);
    std::free(data_);
    data_ = fresh;
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = used;
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  reserve_tail(bytes.size());
  std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::shrink_to(std::size_t capacity) {
  if (!empty() || capacity_ <= capacity) return;
  std::free(data_);
  data_ = nullptr;
  begin_ = end_ = capacity_ = 0;
  if (capacity != 0) reserve_tail(capacity);
}

}  // namespace weir
