#include "accounting/drift.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "accounting/text_table.hpp"

namespace weir::accounting {
namespace {

constexpr std::size_t kCauses = static_cast<std::size_t>(DriftCause::count_);
using Parts = std::array<double, kCauses>;

double& at(Parts& parts, DriftCause cause) {
  return parts[static_cast<std::size_t>(cause)];
}

/// The logarithmic mean: between the two, and 0 where one of them is.
double log_mean(double a, double b) {
  if (a <= 0 || b <= 0) return 0;
  return std::abs(a - b) < 1e-12 * a ? a : (a - b) / std::log(a / b);
}

double log_ratio(double to, double from) {
  return to <= 0 || from <= 0 ? 0 : std::log(to / from);
}

double ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

/// What one model was used for in a period, at any of its prices.
struct ModelSum {
  double attempts = 0, prompt = 0, output = 0;
  double cost = 0;         ///< as booked
  double prompt_list = 0;  ///< the prompts without a cache
  double prompt_raw = 0, output_raw = 0;

  // The booked cost, parted as the prices part it: rounding of single attempts does not matter then.
  double prompt_cost() const { return cost * ratio(prompt_raw, prompt_raw + output_raw); }
  double output_cost() const { return cost - prompt_cost(); }
  double cache_factor() const { return ratio(prompt_raw, prompt_list); }
};

/// A period per day, with what the first step of the decomposition needs.
struct Side {
  double users = 0, first_calls = 0, attempts = 0, cost = 0;
  double prompt = 0, output = 0, messages = 0, calls = 0, cache_read = 0;
  std::map<std::string, ModelSum, std::less<>> models;
};

double real(std::int64_t value) {
  return static_cast<double>(value);
}

Side side_of(const Days& days, const store::Period& period) {
  const double per_day = 1.0 / real(std::max<std::int64_t>(days.count(), 1));
  Side side;
  side.users = real(period.users);
  side.calls = real(period.calls) * per_day;
  // Where every call says that it is a retry, the first ones came before the period.
  side.first_calls =
      real(std::max<std::int64_t>(period.calls - period.client_retries, period.calls > 0 ? 1 : 0)) * per_day;
  side.messages = real(period.messages) * per_day;
  for (const store::ModelUse& use : period.models) {
    ModelSum& model = side.models[use.model];
    const double prompt = real(use.uncached + use.cache_read + use.cache_write) * per_day;
    const double output = real(use.output + use.reasoning) * per_day;
    const double uncached = real(use.uncached) * per_day;
    // Attempts that nothing was billed for (no connection, refused) explain no dollars.
    const bool used = use.cost.value > 0 || prompt > 0 || output > 0;
    const double attempts = used ? real(use.attempts) * per_day : 0;
    model.attempts += attempts;
    model.prompt += prompt;
    model.output += output;
    model.cost += real(use.cost.value) * per_day;
    if (use.price_known) {
      model.prompt_list += prompt * real(use.price.input.value);
      model.prompt_raw += uncached * real(use.price.input.value) +
                          real(use.cache_read) * per_day * real(use.price.cache_read.value) +
                          real(use.cache_write) * per_day * real(use.price.cache_write.value);
      model.output_raw += output * real(use.price.output.value);
    }
    side.prompt += prompt;
    side.output += output;
    side.cache_read += real(use.cache_read) * per_day;
    side.attempts += attempts;
    side.cost += real(use.cost.value) * per_day;
  }
  return side;
}

/// The change of one model's part of the cost of an attempt (its prompts or its answers), by the factors it is the
/// product of: share of the attempts × tokens per attempt × what the cache leaves of the price × price.
struct Factors {
  double cost, share, tokens, cache, price;
};

void explain_product(const Factors& from, const Factors& to, DriftCause tokens, Parts& parts) {
  if (from.cost <= 0 || to.cost <= 0) {
    // Both there but one without cost: its price was, or became, unknown or zero. Else the model is new or gone.
    const bool both = from.share > 0 && to.share > 0 && from.tokens > 0 && to.tokens > 0;
    const bool same_model = from.share > 0 && to.share > 0;
    at(parts, both ? DriftCause::price : same_model ? tokens : DriftCause::model_mix) += to.cost - from.cost;
    return;
  }
  const double mean = log_mean(to.cost, from.cost);
  at(parts, DriftCause::model_mix) += mean * log_ratio(to.share, from.share);
  at(parts, tokens) += mean * log_ratio(to.tokens, from.tokens);
  at(parts, DriftCause::provider_cache) += mean * log_ratio(to.cache, from.cache);
  at(parts, DriftCause::price) += mean * log_ratio(to.price, from.price);
}

Factors prompt_factors(const Side& side, const ModelSum& model) {
  const double cache = model.cache_factor();
  return {ratio(model.prompt_cost(), side.attempts), ratio(model.attempts, side.attempts),
          ratio(model.prompt, model.attempts), cache, ratio(model.prompt_cost(), model.prompt * cache)};
}

Factors output_factors(const Side& side, const ModelSum& model) {
  return {ratio(model.output_cost(), side.attempts), ratio(model.attempts, side.attempts),
          ratio(model.output, model.attempts), 1, ratio(model.output_cost(), model.output)};
}

/// Second step: why an attempt costs more or less, in dollars of an attempt.
Parts explain_attempt(const Side& from, const Side& to) {
  Parts parts{};
  static const ModelSum absent;
  const auto model_of = [](const Side& side, const std::string& name) -> const ModelSum& {
    const auto found = side.models.find(name);
    return found == side.models.end() ? absent : found->second;
  };
  const auto explain_model = [&](const std::string& name) {
    const ModelSum& before = model_of(from, name);
    const ModelSum& after = model_of(to, name);
    explain_product(prompt_factors(from, before), prompt_factors(to, after), DriftCause::history, parts);
    explain_product(output_factors(from, before), output_factors(to, after), DriftCause::answers, parts);
  };
  for (const auto& [name, model] : from.models) explain_model(name);
  for (const auto& [name, model] : to.models) {
    if (!from.models.contains(name)) explain_model(name);
  }
  return parts;
}

Parts explain_spend(const Side& from, const Side& to) {
  Parts parts{};
  const double change = to.cost - from.cost;
  if (from.cost <= 0 || to.cost <= 0) {
    const bool both_called = from.calls > 0 && to.calls > 0;
    at(parts, both_called ? DriftCause::price : DriftCause::users) = change;
    return parts;
  }
  const double mean = log_mean(to.cost, from.cost);
  at(parts, DriftCause::users) = mean * log_ratio(to.users, from.users);
  at(parts, DriftCause::calls_per_user) =
      mean * log_ratio(ratio(to.first_calls, to.users), ratio(from.first_calls, from.users));
  at(parts, DriftCause::retries) =
      mean * log_ratio(ratio(to.attempts, to.first_calls), ratio(from.attempts, from.first_calls));
  const double cost_to = ratio(to.cost, to.attempts), cost_from = ratio(from.cost, from.attempts);
  // Dollars of an attempt into dollars of a day: the same logarithmic change in both.
  const double scale = ratio(mean, log_mean(cost_to, cost_from));
  const Parts of_attempt = explain_attempt(from, to);
  for (std::size_t i = 0; i < kCauses; ++i) parts[i] += scale * of_attempt[i];
  return parts;
}

/// The model whose share of the attempts changed most, and that share.
std::pair<std::string, std::string> mix_texts(const Side& from, const Side& to) {
  std::string_view most;
  double most_change = 0, share_from = 0, share_to = 0;
  const auto share = [](const Side& side, const std::string& name) {
    const auto found = side.models.find(name);
    return found == side.models.end() ? 0.0 : ratio(found->second.attempts, side.attempts);
  };
  for (const Side* side : {&from, &to}) {
    for (const auto& [name, model] : side->models) {
      const double before = share(from, name), after = share(to, name);
      // Of two that changed as much, the one that grew.
      if (std::abs(after - before) + (after > before ? 1e-9 : 0) <= most_change) continue;
      most_change = std::abs(after - before) + (after > before ? 1e-9 : 0);
      most = name;
      share_from = before;
      share_to = after;
    }
  }
  if (most.empty() || most_change < 1e-6) return {};
  const std::string name = printable(most, 24);
  return {fmt::format("{} {}", name, share_text(share_from, 1)), fmt::format("{} {}", name, share_text(share_to, 1))};
}

void say_figures(const Side& from, const Side& to, Drift& drift) {
  const auto part = [&](DriftCause cause) -> DriftPart& { return drift.parts[static_cast<std::size_t>(cause)]; };
  const auto say = [&](DriftCause cause, auto&& figure) {
    part(cause).from = figure(from);
    part(cause).to = figure(to);
  };
  say(DriftCause::calls_per_user, [](const Side& s) { return fmt::format("{:.1f}", ratio(s.first_calls, s.users)); });
  say(DriftCause::retries, [](const Side& s) { return fmt::format("{:.2f}×", ratio(s.attempts, s.first_calls)); });
  say(DriftCause::history, [](const Side& s) {
    const std::string tokens = count_text(std::llround(ratio(s.prompt, s.attempts))) + " tokens";
    return s.messages <= 0 ? tokens : fmt::format("{}, {:.1f} messages", tokens, ratio(s.messages, s.calls));
  });
  say(DriftCause::answers,
      [](const Side& s) { return count_text(std::llround(ratio(s.output, s.attempts))) + " tokens"; });
  say(DriftCause::provider_cache, [](const Side& s) { return share_text(s.cache_read, s.prompt) + " cached"; });
  std::tie(part(DriftCause::model_mix).from, part(DriftCause::model_mix).to) = mix_texts(from, to);
}

}  // namespace

DriftCause Drift::largest() const {
  const auto most =
      std::ranges::max_element(parts, {}, [](const DriftPart& part) { return std::abs(part.change.value); });
  return static_cast<DriftCause>(most - parts.begin());
}

Drift explain_drift(const Days& from_days, const store::Period& from, const Days& to_days, const store::Period& to) {
  Side before = side_of(from_days, from), after = side_of(to_days, to);
  // A longer period sees more different users, each less often: then only their calls can be compared.
  if (from_days.count() != to_days.count()) before.users = after.users = 1;
  Drift drift;
  drift.from_days = from_days;
  drift.to_days = to_days;
  drift.from_cost = {std::llround(before.cost)};
  drift.to_cost = {std::llround(after.cost)};
  drift.from_calls = from.calls;
  drift.to_calls = to.calls;
  for (const store::Period* period : {&from, &to}) {
    for (const store::ModelUse& use : period->models)
      drift.price_unknown_attempts += use.price_known ? 0 : use.attempts;
  }
  const Parts parts = explain_spend(before, after);
  std::int64_t rest = drift.change().value;
  for (std::size_t i = 0; i < kCauses; ++i) {
    drift.parts[i].change = {std::llround(parts[i])};
    rest -= drift.parts[i].change.value;
  }
  // A few billionths of rounding; where they are least of what stands there already.
  drift.parts[static_cast<std::size_t>(drift.largest())].change.value += rest;
  say_figures(before, after, drift);
  DriftPart& users = drift.parts[static_cast<std::size_t>(DriftCause::users)];
  users.from = count_text(from.users);
  users.to = count_text(to.users);
  return drift;
}

}  // namespace weir::accounting
