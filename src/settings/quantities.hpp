#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include <weir/exchange/money.hpp>

namespace weir::settings {

/// The notations of settings. Each error is the end of a sentence: "… must be a time like 500ms, 2s, 10m or 1h".

/// `500ms 2s 10m 1h`, also `1.5s`; a number without a unit is refused. At most 365 days.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// `512KiB 32MiB 1GiB 10MB 4096B`, also `1.5MiB`; in bytes, at most 1 TiB.
Result<std::size_t> parse_size(std::string_view text);

/// A whole number, digits only.
Result<std::int64_t> parse_count(std::string_view text);

/// `12`, `0.5`; not negative, at most 9 decimals.
Result<double> parse_decimal(std::string_view text);

/// `10%`, `0.5%`; in hundredths of a percent.
Result<unsigned> parse_percent(std::string_view text);

/// `0.05 USD`.
Result<NanoDollars> parse_money(std::string_view text);

/// `0.15`: US dollars without the unit, exact to the nano-dollar.
Result<NanoDollars> parse_dollars(std::string_view text);

/// `true` or `false`.
Result<bool> parse_flag(std::string_view text);

/// `2027-01-31` (its first moment, UTC) or `2027-01-31T12:00:00Z`; in milliseconds since 1970.
Result<std::int64_t> parse_date(std::string_view text);

/// `sha256:` and 64 hexadecimal digits; the digits in lower case.
Result<std::string> parse_key_hash(std::string_view text);

struct Address {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.
Result<Address> parse_address(std::string_view text);

/// 127.0.0.0/8, ::1, localhost: not reachable from other machines.
bool is_loopback(std::string_view host);

/// `https://host[:port][/path]` without user, query or fragment; a trailing slash is taken off.
Result<std::string> parse_base_url(std::string_view text);

}  // namespace weir::settings
