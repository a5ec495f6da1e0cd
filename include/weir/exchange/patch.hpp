#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir {

/// The few changes that weir makes to a body it forwards: byte ranges of the original that are replaced. All bytes
/// outside them stay the client's own.
///
/// Invariant: ranges are sorted and do not overlap. Lifetime: replacements are owned, the original is only referred to.
class Patch {
 public:
  struct Edit {
    std::uint32_t begin = 0;  ///< offset into the original body
    std::uint32_t end = 0;
    std::string replacement;
  };
  static constexpr std::size_t edits_max = 6;  // model, two of metadata, stream_options, and room

  /// Keeps the order; asks only that the new range overlaps none that is there.
  void replace(std::size_t begin, std::size_t end, std::string replacement) {
    WEIR_ENSURE(count_ < edits_max && begin <= end);
    std::size_t at = count_;
    while (at > 0 && edits_[at - 1].begin >= end && !(edits_[at - 1].begin == begin && begin == end)) {
      edits_[at] = std::move(edits_[at - 1]);
      --at;
    }
    WEIR_ENSURE(at == 0 || edits_[at - 1].end <= begin);
    edits_[at] = Edit{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), std::move(replacement)};
    ++count_;
  }

  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const Edit* begin() const { return edits_.data(); }
  const Edit* end() const { return edits_.data() + count_; }

  /// Calls `piece(std::string_view)` for each piece of the patched body, in order; empty pieces are left out.
  template <class F>
  void for_each_piece(std::string_view original, F&& piece) const {
    std::size_t at = 0;
    for (const Edit& edit : *this) {
      if (edit.begin > at) piece(original.substr(at, edit.begin - at));
      if (!edit.replacement.empty()) piece(std::string_view{edit.replacement});
      at = edit.end;
    }
    if (at < original.size()) piece(original.substr(at));
  }

  std::size_t patched_size(std::size_t original_size) const {
    std::size_t size = original_size;
    for (const Edit& edit : *this) size = size - (edit.end - edit.begin) + edit.replacement.size();
    return size;
  }

 private:
  std::array<Edit, edits_max> edits_;
  std::size_t count_ = 0;
};

}  // namespace weir
