#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace weir {

/// A growing byte buffer: bytes are read into its tail and consumed from its front. Memory is not zeroed, and a large
/// one is only touched as far as bytes came in.
///
/// Thread: none of its own. Views and tail() are valid until the next reserve(), append(), or move.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve_tail(capacity); }
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::string_view view() const { return {data_ + begin_, end_ - begin_}; }
  char* data() { return data_ + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  std::span<char> tail() { return {data_ + end_, capacity_ - end_}; }
  std::size_t tail_size() const { return capacity_ - end_; }
  void commit(std::size_t bytes) { end_ += bytes; }  ///< bytes were written into tail()
  void truncate(std::size_t size) { end_ = begin_ + size; }
  void consume(std::size_t bytes);  ///< drops bytes from the front; frees nothing
  void clear() { begin_ = end_ = 0; }

  /// Makes tail() at least `bytes` long; moves the content to the front or into a larger block.
  void reserve_tail(std::size_t bytes);
  void append(std::string_view bytes);
  /// Gives memory above `capacity` back; only when empty.
  void shrink_to(std::size_t capacity);

 private:
  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir
