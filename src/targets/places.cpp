#include "targets/places.hpp"

#include <algorithm>

namespace weir::targets {

Places::Entry& Places::entry(Entries& entries, std::string_view name) {
  auto at = entries.find(name);
  if (at == entries.end()) at = entries.emplace(name, std::make_unique<Entry>(name)).first;
  return *at->second;
}

ProviderState& Places::provider(std::string_view name) {
  return *entries_.with([&](Entries& entries) { return &entry(entries, name).state; });
}

Place& Places::place(std::string_view provider, std::string_view model, std::size_t keys) {
  return *entries_.with([&](Entries& entries) {
    Entry& of = entry(entries, provider);
    auto& bench = of.benches[keys];
    if (!bench) bench = std::shared_ptr<std::atomic<std::int64_t>[]>(new std::atomic<std::int64_t>[keys]());
    auto& place = of.places[{std::string(model), keys}];
    if (!place) place = std::make_unique<Place>(of.state, bench, keys);
    return place.get();
  });
}

std::vector<Places::Seen> Places::look(TimePoint now, unsigned share_basis_points) const {
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return entries_.with([&](const Entries& entries) {
    std::vector<Seen> all;
    for (const auto& [name, entry] : entries) {
      Seen seen{name, entry->state.budget.remaining(second, share_basis_points), CircuitBreaker::State::closed};
      for (const auto& [key, place] : entry->places) {
        for (std::size_t i = 0; i < place->keys(); ++i) seen.circuit = std::max(seen.circuit, place->circuit(i, now));
      }
      all.push_back(std::move(seen));
    }
    return all;
  });
}

}  // namespace weir::targets
