#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/exchange/usage.hpp>

namespace weir::api {

/// Finds `usage` and `model` of a JSON reply while it passes in pieces, without keeping it: vectors can be many
/// megabytes. What is no JSON object, or says nothing, leaves both empty.
class UsageWatch {
 public:
  void feed(std::string_view piece);
  /// Once all has passed; `reported` if the reply said so.
  Usage usage() const;
  std::string model() const;

 private:
  enum class Member : std::uint8_t { other, usage, model };
  static constexpr std::size_t kept_bytes_max = 4096;  // a usage object has a few hundred

  void take(char c);
  void begin_value();

  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_key_ = false;  ///< inside a key of the outermost object
  bool expects_key_ = false;
  Member member_ = Member::other;
  std::string key_;
  std::string usage_;
  std::string model_;
};

}  // namespace weir::api
