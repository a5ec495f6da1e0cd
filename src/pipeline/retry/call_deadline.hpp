#pragma once
#include <chrono>
#include <optional>
#include <span>

#include <weir/exchange/request.hpp>

namespace weir::pipeline {

/// How long the client's SDK waits for the answer, from its own header (x-stainless-read-timeout of Python,
/// x-stainless-timeout of Node; seconds). Nothing that is not a positive number up to a day counts.
std::optional<std::chrono::milliseconds> client_timeout(std::span<const HeaderField> headers);

}  // namespace weir::pipeline
