#pragma once
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::app {

/// Asks a running weir's admin port (`http://host:port`) for GET /healthz, for health checks of images that carry no
/// other client. Blocks, at most 2 s per step; the error names the address and what came instead of a 200.
Result<void> ask_health(std::string_view admin_url);

}  // namespace weir::app
