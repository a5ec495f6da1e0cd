#include <weir/exchange/trace_context.hpp>

namespace weir {
namespace {

/// Lower case only, as the header must be; nullopt for anything else.
std::optional<std::uint64_t> from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr std::size_t size = 55;  // version-trace id-parent id-flags: 2 + 32 + 16 + 2 digits and three dashes
  if (header.size() < size || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const auto version = from_hex(header.substr(0, 2));
  const auto high = from_hex(header.substr(3, 16));
  const auto low = from_hex(header.substr(19, 16));
  const auto parent = from_hex(header.substr(36, 16));
  const auto flags = from_hex(header.substr(53, 2));
  if (!version || !high || !low || !parent || !flags || *version == 0xff) return std::nullopt;
  // Later versions may say more behind another dash; this one may not.
  if (header.size() > size && (*version == 0 || header[size] != '-')) return std::nullopt;
  if ((*high == 0 && *low == 0) || *parent == 0) return std::nullopt;
  TraceContext trace;
  trace.trace_high = *high;
  trace.trace_low = *low;
  trace.parent_span = *parent;
  trace.sampled = (*flags & 1) != 0;
  return trace;
}

std::array<char, 55> traceparent_of(const TraceContext& trace, std::uint64_t span) {
  std::array<char, 55> header;
  header[0] = header[1] = header[53] = '0';
  header[2] = header[35] = header[52] = '-';
  header[54] = '1';
  write_hex(trace.trace_high, header.data() + 3);
  write_hex(trace.trace_low, header.data() + 19);
  write_hex(span, header.data() + 36);
  return header;
}

void write_hex(std::uint64_t id, char* at) {
  static constexpr char digits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *at++ = digits[(id >> shift) & 0xfU];
}

}  // namespace weir
