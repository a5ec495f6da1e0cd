#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

/// What a client may ask of weir itself, beside calling models: the `x-weir-*` headers, and paths that weir only passes
/// on. With keys, only what `keys[].may` names.
enum class Power : std::uint8_t { task, route, cache, compress, tags, lane, include, passthrough, count_ };

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Power::count_)> kPowerNames{
    "task", "route", "cache", "compress", "tags", "lane", "include", "passthrough"};

constexpr std::string_view name_of(Power power) {
  return kPowerNames[static_cast<std::size_t>(power)];
}

/// A set of them.
class Powers {
 public:
  constexpr void add(Power power) { bits_ = static_cast<std::uint8_t>(bits_ | bit(power)); }
  constexpr bool has(Power power) const { return (bits_ & bit(power)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  /// Those of this set that `other` has not.
  constexpr Powers without(Powers other) const {
    Powers left;
    left.bits_ = static_cast<std::uint8_t>(bits_ & ~other.bits_);
    return left;
  }
  /// Requires: not empty.
  constexpr Power first() const { return static_cast<Power>(std::countr_zero(bits_)); }
  bool operator==(const Powers&) const = default;

 private:
  static constexpr std::uint8_t bit(Power power) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(power));
  }
  std::uint8_t bits_ = 0;
};

}  // namespace weir
