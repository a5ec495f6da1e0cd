#include "accounting/meter.hpp"

#include <algorithm>

namespace weir::accounting {
namespace {

void add(Usage& sum, const Usage& part) {
  sum.uncached += part.uncached;
  sum.cache_read += part.cache_read;
  sum.cache_write += part.cache_write;
  sum.output += part.output;
  sum.reasoning += part.reasoning;
  sum.reported |= part.reported;
  sum.estimated |= part.estimated;
}

/// The counterfactual of the provider's prompt cache: every prompt token at the full price.
NanoDollars cost_without_cache(const Price& price, Usage usage) {
  usage.uncached = usage.prompt();
  usage.cache_read = usage.cache_write = 0;
  return cost_of(price, usage);
}

Outcome outcome_of(const Ending& ending) {
  // A client that left in the middle cut its stream itself; `cut` is for streams that were cut to it.
  if (!ending.ok() && ending.content_sent && ending.failure != Failure::client_left) return Outcome::cut;
  return row_of(ending.failure).outcome;
}

std::uint16_t status_of(const Ending& ending) {
  const std::uint16_t status = row_of(ending.failure).status;
  return status != 0 ? status : ending.status;
}

}  // namespace

const Price* Meter::price_of(const Target& target, std::string_view reply_model) const {
  if (target.own_price != nullptr) return target.own_price;
  if (catalogue_ != nullptr && !reply_model.empty()) {
    if (const auto* facts = catalogue_->find_reply_model(reply_model); facts != nullptr) return &facts->price;
  }
  return target.id_price != nullptr ? target.id_price : target.name_price;
}

void Meter::book_attempt(const Exchange& exchange, Attempt& attempt) const {
  attempt.cost = {};
  attempt.price = nullptr;
  attempt.price_known = true;
  if (!attempt.usage.reported) {
    attempt.usage = {};
    if (!attempt.may_have_been_billed) return;
    if (exchange.raw) {
      // Bytes of a file or of an image say nothing about tokens; an unknown cost is said to be one.
      attempt.price_known = false;
      return;
    }
    attempt.usage.uncached = tokens_from_bytes(exchange.request.prompt_bytes);
    attempt.usage.output = tokens_from_bytes(attempt.relayed_text_bytes);
    attempt.usage.estimated = true;
  }
  const Price* price =
      price_of(attempt.target != nullptr ? *attempt.target : exchange.plan.target, attempt.reply_model);
  attempt.price_known = price != nullptr;
  attempt.price = price;
  if (price != nullptr) attempt.cost = cost_of(*price, attempt.usage);
}

void Meter::book(Exchange& exchange, const Ending& ending, TimePoint now) const {
  exchange.usage = {};
  exchange.cost = exchange.wasted = {};
  exchange.saved = {};
  exchange.price_known = true;
  for (Attempt& attempt : exchange.attempts) {
    book_attempt(exchange, attempt);
    // Only the last attempt can have reached the client, and only a call that ended well gave it all of it.
    attempt.wasted = attempt.failure != Failure::none || !ending.ok() || &attempt != &exchange.attempts.back();
    add(exchange.usage, attempt.usage);
    exchange.cost = exchange.cost + attempt.cost;
    if (attempt.wasted) exchange.wasted = exchange.wasted + attempt.cost;
    exchange.price_known = exchange.price_known && attempt.price_known;
    if (attempt.price != nullptr) {
      NanoDollars& cached = exchange.saved[SavingCause::provider_cache];
      cached = cached + cost_without_cache(*attempt.price, attempt.usage) + NanoDollars{-attempt.cost.value};
    }
  }
  exchange.outcome = outcome_of(ending);
  exchange.failure = ending.failure;
  exchange.failure_phase = ending.phase;
  if (exchange.status == 0) exchange.status = status_of(ending);
  exchange.took = std::max(now - exchange.started, Duration::zero());
}

}  // namespace weir::accounting
