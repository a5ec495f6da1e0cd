#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <weir/base/guarded.hpp>
#include "targets/place.hpp"

namespace weir::targets {

/// All places of the process, by (provider entry, model, number of keys). What was learned of one survives reloads;
/// names come from settings only, so it stays as small as they are.
///
/// Thread: any; a lock is taken where a house is built and where the metrics are read, never on the way of a call.
class Places {
 public:
  /// `model` empty: all models of that provider that no setting lists. The reference stays good for ever.
  Place& place(std::string_view provider, std::string_view model, std::size_t keys);
  ProviderState& provider(std::string_view name);

  /// For the metrics page: one line per provider entry that was ever asked for.
  struct Seen {
    std::string provider;
    std::int64_t budget_remaining = 0;
    CircuitBreaker::State circuit = CircuitBreaker::State::closed;  ///< the worst of its places
  };
  std::vector<Seen> look(TimePoint now, unsigned share_basis_points) const;

 private:
  struct Entry {
    explicit Entry(std::string_view name) : state(std::string(name)) {}
    ProviderState state;
    std::map<std::size_t, std::shared_ptr<std::atomic<std::int64_t>[]>> benches;  ///< by number of keys
    std::map<std::pair<std::string, std::size_t>, std::unique_ptr<Place>> places;
  };
  using Entries = std::map<std::string, std::unique_ptr<Entry>, std::less<>>;
  static Entry& entry(Entries& entries, std::string_view name);

  mutable Guarded<Entries> entries_;
};

}  // namespace weir::targets
