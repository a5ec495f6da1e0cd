#pragma once
#include <string>
#include <string_view>

#include <simdjson.h>

#include <weir/exchange/limits.hpp>

namespace weir::json {

/// Whether another strict reader takes the text as JSON within our depth: what ours accepts, it must accept too.
inline bool simdjson_accepts(std::string_view text) {
  simdjson::dom::parser parser;
  // simdjson refuses from its depth on, hence one more.
  if (parser.allocate(text.size(), limits::json_depth_max + 1) != simdjson::SUCCESS) return false;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

}  // namespace weir::json
