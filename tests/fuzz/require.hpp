#pragma once
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace weir::fuzz {

/// An invariant of a fuzz target: a crash is what the fuzzer looks for.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s\n", what);
  std::abort();
}

/// A copy of the bytes in a block of exactly their size, so that a sanitizer sees one byte too far.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view bytes) : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    bytes.copy(bytes_.get(), size_);
  }
  char* data() { return bytes_.get(); }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

}  // namespace weir::fuzz
