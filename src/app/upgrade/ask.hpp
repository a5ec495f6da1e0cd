#pragma once
#include <sys/types.h>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::app {

/// `weir upgrade`: sends SIGUSR2 and waits for what becomes of it. The answer comes as a datagram to a socket that only
/// lives meanwhile, so whoever may signal the process may ask, and nobody else is needed. Blocks, at most kAnswerTime.
Result<std::string> ask_for_upgrade(pid_t pid);

/// Who serves the admin port of this machine; for `weir upgrade` without a pid.
Result<pid_t> find_serving(std::string_view admin_url);

/// The asked side: tells whoever waits what became of the upgrade; mostly nobody does.
void answer_upgrade(bool done, std::string_view text);

}  // namespace weir::app
