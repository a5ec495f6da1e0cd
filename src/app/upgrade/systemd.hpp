#pragma once
#include <string>
#include <string_view>

namespace weir::app {

/// Tells systemd (or whoever set NOTIFY_SOCKET) how the service is: sd_notify(3) without its library. Does nothing
/// where there is none. Lines of `VARIABLE=value`.
void tell_systemd(std::string_view state);

/// "RELOADING=1" with the time that sd_notify(3) wants beside it; READY=1 ends it.
std::string reloading_state();

}  // namespace weir::app
