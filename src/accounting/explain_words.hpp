#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "store/ledger.hpp"

namespace weir::accounting {

/// The sentences of `weir explain`, each from what the books hold of a call and nothing else.

/// `812.4 ms`, `1.53 s`, `2 m 03 s`.
std::string duration_text(std::int64_t us);

/// How far the request came, and the reply: sent? answered?
std::string what_arrived(const store::AttemptRow& attempt);
/// Why another attempt followed.
std::string why_again(const store::AttemptRow& failed, const store::AttemptRow& next);
/// Why none followed.
std::string why_not_again(const store::CallRow& call, const store::AttemptRow& failed);
std::string how_it_ended(const store::CallRow& call, std::span<const store::AttemptRow> attempts);
std::string what_the_client_got(const store::CallRow& call);
/// Where most of the time went: weir, the network, the provider, or the client.
std::string who_was_slow(const store::CallRow& call, std::span<const store::AttemptRow> attempts);

}  // namespace weir::accounting
