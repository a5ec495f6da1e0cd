#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/money.hpp>

namespace weir::accounting {

/// Columns for a terminal: the first `left` ones flush left, the others (figures) flush right.
class TextTable {
 public:
  TextTable(std::vector<std::string> heads, std::size_t left) : left_(left), rows_{std::move(heads)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Each line ends with a line feed and begins with `indent`; no line ends with blanks.
  std::string text(std::string_view indent = "") const;

 private:
  std::size_t left_;
  std::vector<std::vector<std::string>> rows_;
};

/// What others wrote (users, tags, models), fit for a terminal: valid UTF-8 without control characters, at most
/// `characters_max` characters.
std::string printable(std::string_view text, std::size_t characters_max = 40);
/// Characters, as a terminal counts them (but for wide ones).
std::size_t width_of(std::string_view text);

/// `$1,234.50`, `$0.0123`: two decimals from a cent up, below it two digits that count; the books have the rest.
std::string money_text(NanoDollars amount);
/// The same with its sign: `+$600.00`, `-$0.12`, `$0.00`.
std::string change_text(NanoDollars amount);
/// `12,345`
std::string count_text(std::int64_t count);
/// `1 call`, `12,345 calls`
std::string counted(std::int64_t count, std::string_view what);
/// `12,345`, `1.2 M`, `3.4 G`: for tokens.
std::string short_count_text(std::int64_t count);
/// `42 %`; "-" where `whole` is zero.
std::string share_text(double part, double whole);

}  // namespace weir::accounting
