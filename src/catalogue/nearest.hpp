#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::catalogue {

/// Finds the candidate that a mistyped name most likely meant ("modle" → "model", "gpt5.5" → "gpt-5.5").
///
/// Letters' case does not count; a swap of two neighbours counts as one edit. At most a third of the name's length may
/// differ (at least one edit from two characters up). The first of equally near candidates wins.
/// Names past `longest` bytes have no neighbour: the cost stays bounded whatever a client sends.
class Nearest {
 public:
  static constexpr std::size_t longest = 128;

  /// Views must stay valid until best() was read.
  explicit Nearest(std::string_view name);
  void offer(std::string_view candidate);
  std::optional<std::string_view> best() const;

 private:
  std::string name_;
  std::size_t limit_;
  std::string_view best_;
  bool found_ = false;
};

std::optional<std::string_view> nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace weir::catalogue
