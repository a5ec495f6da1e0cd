#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/service.hpp>
#include "net/control_client.hpp"
#include "net/offload.hpp"
#include "net/worker.hpp"
#include "providers/google_token.hpp"

namespace weir::providers {

/// A service account's token, kept good: it is renewed beside the calls; only the first ones wait for it.
///
/// Thread: its worker. Lifetime: held by the tasks that renew it, so that a reload may put its provider away.
class TokenSource : public std::enable_shared_from_this<TokenSource> {
 public:
  TokenSource(net::Worker& worker, net::Offload& offload, std::shared_ptr<const ServiceAccount> account,
              std::string ca_file);

  /// Whether token() is one. Begins to renew it where it is time.
  bool ready();
  std::string_view token() const;
  /// Until there is a token; what it gives is why there is none.
  awaitable<std::optional<Ending>> wait(Interrupt& interrupt);

 private:
  static awaitable<void> renew(std::shared_ptr<TokenSource> self);
  Result<AccessToken> fetch() const;

  net::Worker& worker_;
  net::Offload& offload_;
  std::shared_ptr<const ServiceAccount> account_;
  std::string ca_file_;
  TokenRenewal renewal_;
  std::string problem_;  ///< of the last try; empty = it worked
  bool renewing_ = false;
  std::vector<net::Timer*> waiting_;
};

}  // namespace weir::providers
