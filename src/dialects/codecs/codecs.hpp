#pragma once
#include <weir/exchange/request.hpp>
#include "dialects/vocabulary/codec.hpp"

namespace weir::dialects {

/// The codec of what a client speaks.
const vocabulary::Codec& codec_of(Dialect dialect);

}  // namespace weir::dialects
