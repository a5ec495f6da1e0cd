#pragma once
#include <memory>
#include <vector>

#include <weir/base/result.hpp>
#include "accounting/meter.hpp"
#include "admission/keeper.hpp"
#include "admission/key_file.hpp"
#include "catalogue/catalogue.hpp"
#include "net/tls.hpp"
#include "net/upstream_pool.hpp"
#include "providers/google_token.hpp"
#include "settings/settings.hpp"

namespace weir::app {

/// One settings snapshot with everything that can fail already made, so that a reload takes effect in all workers or in
/// none. Immutable, shared by all workers.
struct Blueprint {
  struct ProviderPart {
    providers::ProviderSettings settings;
    std::string authorities;                                           ///< stamp of tls.ca's file when it was read
    std::shared_ptr<net::UpstreamAddress> address;                     ///< null for demo and for a provider that is off
    std::shared_ptr<const providers::ServiceAccount> service_account;  ///< of vertex
  };

  settings::Settings settings;
  std::shared_ptr<const catalogue::Catalogue> catalogue;
  std::unique_ptr<const accounting::Meter> meter;
  std::vector<admission::KeySettings> keys;  ///< those in force: of the settings, and made or ended at run time
  std::unique_ptr<const Admission> door;
  std::vector<ProviderPart> providers;
  std::shared_ptr<net::TlsContext> image_tls;  ///< for fetch_images; null = no call may have one fetched
  std::vector<std::shared_ptr<net::TlsContext>> listener_tls;  ///< in the order of settings.listen; null = plain

  /// Reads certificates and authorities. A provider entry that did not change keeps its address, and with it its
  /// connections and their count.
  static Result<std::shared_ptr<const Blueprint>> make(settings::Settings settings,
                                                       std::shared_ptr<const catalogue::Catalogue> catalogue,
                                                       const admission::KeyChanges& key_changes,
                                                       const Blueprint* previous);
  /// The same with other keys. Cannot fail, so that a key can always be revoked.
  std::shared_ptr<const Blueprint> with_keys(const admission::KeyChanges& key_changes) const;

 private:
  void set_keys(const admission::KeyChanges& key_changes);
};

}  // namespace weir::app
