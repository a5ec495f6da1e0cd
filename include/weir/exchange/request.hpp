#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// A client's request as the stages see it. All views point into the connection's buffer, which stands still until the
/// call has ended.
struct Request {
  std::string_view method;
  std::string_view target;  ///< path and query as sent
  std::span<const HeaderField> headers;
  std::string_view body;

  // Read from the body by the dialect; empty or false where the body has none.
  std::string_view model;
  bool stream = false;
  bool include_usage = false;      ///< the client asked for it itself
  bool wants_cost = false;         ///< x-weir-include: cost
  std::uint64_t prompt_bytes = 0;  ///< size class and estimate; the body's size
};

}  // namespace weir
