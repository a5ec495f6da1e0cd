#pragma once
#include <memory>
#include <vector>

#include <weir/base/result.hpp>
#include "accounting/meter.hpp"
#include "catalogue/catalogue.hpp"
#include "net/tls.hpp"
#include "net/upstream_pool.hpp"
#include "settings/settings.hpp"

namespace weir::app {

/// One settings snapshot with everything that can fail already made, so that a reload takes effect in all workers or in
/// none. Immutable, shared by all workers.
struct Blueprint {
  struct ProviderPart {
    providers::ProviderSettings settings;
    std::string authorities;                        ///< stamp of tls.ca's file when it was read
    std::shared_ptr<net::UpstreamAddress> address;  ///< null for demo and for a provider that is off
  };

  settings::Settings settings;
  std::shared_ptr<const catalogue::Catalogue> catalogue;
  std::unique_ptr<const accounting::Meter> meter;
  std::vector<ProviderPart> providers;
  std::vector<std::shared_ptr<net::TlsContext>> listener_tls;  ///< in the order of settings.listen; null = plain

  /// Reads certificates and authorities. A provider entry that did not change keeps its address, and with it its
  /// connections and their count.
  static Result<std::shared_ptr<const Blueprint>> make(settings::Settings settings,
                                                       std::shared_ptr<const catalogue::Catalogue> catalogue,
                                                       const Blueprint* previous);
};

}  // namespace weir::app
