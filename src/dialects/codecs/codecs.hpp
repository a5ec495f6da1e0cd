#pragma once
#include <string_view>

#include <weir/exchange/request.hpp>
#include "dialects/openai_chat/body_shape.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::dialects {

/// The codec of what a client speaks.
const vocabulary::Codec& codec_of(Dialect dialect);

/// Where its request bodies have what weir acts on.
const openai_chat::BodyShape& shape_of(Dialect dialect);

/// Whether an error body is one that this dialect's clients read as it is: only such a one is passed on byte for byte.
bool reads_error(Dialect dialect, std::string_view body);

}  // namespace weir::dialects
