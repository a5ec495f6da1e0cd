#pragma once
#include <string>
#include <string_view>

#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir::api {

/// What weir itself says in a client's stream, in the client's dialect.

/// While nothing has come yet (SEMANTICS 14): a comment, or Anthropic's ping.
std::string_view keep_alive_words(Dialect dialect);

/// The event that ends a stream which failed after its head had left (SEMANTICS 12).
std::string error_words(const Exchange& exchange, const Ending& ending);

/// SEMANTICS 32: a whole reply to a client that has a stream's head already, as that stream. Empty if the reply cannot
/// be read.
std::string stream_of(const Exchange& exchange, std::string_view whole);

}  // namespace weir::api
