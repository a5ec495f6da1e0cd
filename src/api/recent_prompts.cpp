#include "api/recent_prompts.hpp"

#include <weir/base/hash.hpp>

namespace weir::api {

std::uint64_t RecentPrompts::mix(const Exchange& exchange, std::uint64_t prompt) {
  std::uint64_t mixed = prompt ^ exchange.request.system_hash * 0x9E3779B97F4A7C15U;
  if (exchange.caller != nullptr) mixed ^= hash_bytes(exchange.caller->name) * 0xC2B2AE3D27D4EB4FU;
  if (!exchange.user.empty()) mixed ^= hash_bytes(exchange.user) * 0x165667B19E3779F9U;
  mixed *= 0xD6E8FEB86659FD93U;
  return mixed ^ mixed >> 32;
}

}  // namespace weir::api
