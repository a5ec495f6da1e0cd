#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace weir::net {

/// The nearest place of one byte in a growing buffer that is read from front to back. Each byte is looked at once,
/// also where two of these search for two different line ends and one of them never comes.
class NextByte {
 public:
  explicit NextByte(char wanted) : wanted_(wanted) {}

  /// The first place at or behind `from`, which never falls; bytes.size() if there is none yet.
  std::size_t find(std::string_view bytes, std::size_t from) {
    if (found_ && position_ >= from) return position_;
    const std::size_t start = std::max(from, position_);
    const void* at = start < bytes.size() ? std::memchr(bytes.data() + start, wanted_, bytes.size() - start) : nullptr;
    found_ = at != nullptr;
    position_ = found_ ? static_cast<std::size_t>(static_cast<const char*>(at) - bytes.data()) : bytes.size();
    return position_;
  }

  /// The buffer lost that many bytes at its front.
  void drop_front(std::size_t bytes) {
    found_ = found_ && position_ >= bytes;
    position_ = position_ > bytes ? position_ - bytes : 0;
  }

 private:
  char wanted_;
  bool found_ = false;
  std::size_t position_ = 0;  // where it is, or how far we looked
};

}  // namespace weir::net
