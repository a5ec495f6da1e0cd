#include "dialects/vocabulary/dropped.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::vocabulary {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kUnknownMax = 16;  // what a caller makes up must not fill a header

/// Fit for a header: a name is the caller's.
std::string printable(std::string_view name) {
  std::string shown{name.substr(0, kNameBytesMax)};
  for (char& c : shown) {
    if (c <= ' ' || c > '~' || c == ',') c = '_';
  }
  return shown;
}

}  // namespace

void Dropped::add_unknown(std::string_view field) {
  std::string name = printable(field);
  if (unknown_.size() >= kUnknownMax || std::find(unknown_.begin(), unknown_.end(), name) != unknown_.end()) return;
  unknown_.push_back(std::move(name));
}

std::string Dropped::header_value() const {
  return fmt::format("{}{}{}", fmt::join(known_, ", "), known_.empty() || unknown_.empty() ? "" : ", ",
                     fmt::join(unknown_, ", "));
}

std::optional<Refusal> Dropped::refusal(std::string_view target) const {
  if (empty()) return std::nullopt;
  Refusal refusal;
  refusal.message =
      fmt::format("{} cannot carry: {}. Leave these fields out, or allow weir to drop them (strict: false).", target,
                  header_value());
  refusal.param = known_.empty() ? unknown_.front() : known_.front();
  refusal.code = "unsupported_parameter";
  return refusal;
}

}  // namespace weir::vocabulary
