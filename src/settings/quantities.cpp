#include "settings/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <span>

namespace weir::settings {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A decimal in billionths: settings need no more than nine decimals, and integers stay exact.
struct Decimal {
  std::int64_t billionths = 0;
  std::string_view rest;
};

std::optional<Decimal> read_decimal(std::string_view text) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  std::int64_t whole = 0;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    whole = whole * 10 + (text[at] - '0');
    if (whole >= most) return std::nullopt;
  }
  if (at == 0) return std::nullopt;
  std::int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    for (; at < text.size() && is_digit(text[at]); ++at) fraction = fraction * 10 + (text[at] - '0');
    if (at == first || at - first > 9) return std::nullopt;
    for (std::size_t digits = at - first; digits < 9; ++digits) fraction *= 10;
  }
  return Decimal{whole * 1'000'000'000 + fraction, text.substr(at)};
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

/// Number and unit; nullopt = not of this form, or past `most` in the smallest unit.
std::optional<std::int64_t> read_with_unit(std::string_view text, std::span<const Unit> units, std::int64_t most) {
  const auto number = read_decimal(text);
  if (!number) return std::nullopt;
  for (const auto& unit : units) {
    if (unit.name != number->rest) continue;
    const __int128 value = static_cast<__int128>(number->billionths) * unit.factor;
    if (value % 1'000'000'000 != 0 || value / 1'000'000'000 > most) return std::nullopt;
    return static_cast<std::int64_t>(value / 1'000'000'000);
  }
  return std::nullopt;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
  });
}

bool is_ip6(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != host.npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
         });
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 5> units{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const auto value = read_with_unit(text, units, std::int64_t{365} * 86'400'000);
  if (!value) return failure("must be a time like 500ms, 2s, 10m or 1h");
  return std::chrono::milliseconds{*value};
}

Result<std::size_t> parse_size(std::string_view text) {
  constexpr std::array<Unit, 7> units{{{"B", 1},
                                       {"kB", 1000},
                                       {"KiB", 1 << 10},
                                       {"MB", 1'000'000},
                                       {"MiB", 1 << 20},
                                       {"GB", 1'000'000'000},
                                       {"GiB", 1 << 30}}};
  const auto value = read_with_unit(text, units, std::int64_t{1} << 40);
  if (!value) return failure("must be a size like 512KiB, 32MiB or 10MB");
  return static_cast<std::size_t>(*value);
}

Result<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || !is_digit(text.front()) || error != std::errc{} || end != text.data() + text.size()) {
    return failure("must be a whole number");
  }
  return value;
}

Result<double> parse_decimal(std::string_view text) {
  const auto number = read_decimal(text);
  if (!number || !number->rest.empty()) return failure("must be a number like 12 or 0.5");
  return static_cast<double>(number->billionths) / 1e9;
}

Result<unsigned> parse_percent(std::string_view text) {
  const auto number = text.ends_with('%') ? parse_decimal(text.substr(0, text.size() - 1)) : failure("");
  if (!number || *number > 10'000) return failure("must be a share like 10% or 0.5%");
  return static_cast<unsigned>(*number * 100 + 0.5);
}

Result<NanoDollars> parse_money(std::string_view text) {
  const auto number = read_decimal(text);
  if (!number || number->rest != " USD") return failure("must be an amount like 0.05 USD");
  return NanoDollars{number->billionths};
}

Result<NanoDollars> parse_dollars(std::string_view text) {
  const auto number = read_decimal(text);
  if (!number || !number->rest.empty()) return failure("must be US dollars as a number, like 0.15");
  return NanoDollars{number->billionths};
}

Result<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return failure("must be true or false");
}

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [] { return failure("must be an address and a port, like 127.0.0.1:8080 or [::1]:8080"); };
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || !is_ip6(host.substr(1, host.size() - 2))) return wrong();
    host = host.substr(1, host.size() - 2);
  } else if (!is_host(host)) {
    return wrong();
  }
  const auto port = parse_count(digits);
  if (!port || *port > 65'535) return failure("must have a port from 0 to 65535 after the colon");
  return Address{std::string{host}, static_cast<std::uint16_t>(*port)};
}

bool is_loopback(std::string_view host) {
  if (host == "::1" || host == "localhost") return true;
  // A name like 127.evil.example is no address.
  return host.starts_with("127.") &&
         std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
}

Result<std::string> parse_base_url(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return failure("must begin with http:// or https://");
  }
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
    return failure("must not contain blanks");
  }
  if (rest.find_first_of("?#") != rest.npos) return failure("must not have a query or a fragment");
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != authority.npos)
    return failure("must not hold a user or a password: use api_key or headers");
  const bool bracketed = !authority.empty() && authority.front() == '[';
  const bool has_port =
      authority.find(':', bracketed ? std::min(authority.find(']'), authority.size()) : 0) != authority.npos;
  const std::string with_port = has_port ? std::string{authority} : std::string{authority} + ":0";
  if (!parse_address(with_port) || authority.ends_with(":0"))
    return failure("must name a host, like https://api.example.com/v1");
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string{text};
}

Result<std::int64_t> parse_date(std::string_view text) {
  const auto bad = [] { return failure("must be a date like 2027-01-31 or 2027-01-31T12:00:00Z"); };
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  if (text.size() != form.size() && text.size() != 10) return bad();
  std::array<int, 6> parts{};
  std::size_t part = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (form[i] == '0') {
      if (text[i] < '0' || text[i] > '9') return bad();
      parts[part] = parts[part] * 10 + (text[i] - '0');
    } else if (text[i] != form[i]) {
      return bad();
    } else {
      part = std::min(part + 1, parts.size() - 1);
    }
  }
  namespace chrono = std::chrono;
  const chrono::year_month_day day{chrono::year{parts[0]}, chrono::month{static_cast<unsigned>(parts[1])},
                                   chrono::day{static_cast<unsigned>(parts[2])}};
  if (!day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return bad();
  const auto when =
      chrono::sys_days{day} + chrono::hours{parts[3]} + chrono::minutes{parts[4]} + chrono::seconds{parts[5]};
  return chrono::duration_cast<chrono::milliseconds>(when.time_since_epoch()).count();
}

Result<std::string> parse_key_hash(std::string_view text) {
  constexpr std::string_view kind = "sha256:";
  std::string digits{text.substr(std::min(text.size(), kind.size()))};
  bool good = text.starts_with(kind) && digits.size() == 64;
  for (char& c : digits) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
    good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }
  if (!good) return failure("must be sha256: and 64 hexadecimal digits, as `weir keys new` prints them");
  return digits;
}

}  // namespace weir::settings
