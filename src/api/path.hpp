#pragma once
#include <cstdint>
#include <string_view>

#include <weir/exchange/request.hpp>

namespace weir::api {

/// Where a request leads (RULINGS 16). `/v1` is optional for the names that weir knows; other paths without it are
/// nobody's.
struct Path {
  enum class Kind : std::uint8_t { call, count_tokens, embeddings, models, model, health, pass_through, unknown };
  Kind kind = Kind::unknown;
  std::string_view model = {};  ///< of Kind::model, as written in the path
  Dialect dialect = Dialect::openai_chat;
};

Path read_path(std::string_view method, std::string_view target);

}  // namespace weir::api
