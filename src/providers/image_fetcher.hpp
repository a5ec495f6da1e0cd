#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <weir/base/buffer.hpp>
#include <weir/base/result.hpp>
#include <weir/exchange/ending.hpp>
#include <weir/exchange/interrupt.hpp>
#include "dialects/vocabulary/request.hpp"
#include "net/resolver.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "providers/image_address.hpp"

namespace weir::providers {

/// Fetches images that a call names by URL, for targets that take none: https only, from the hosts that the settings
/// list, from public addresses only (looked at after the name was resolved, and those are the ones connected to),
/// without following redirects, within limits::fetched_*.
///
/// Thread: one per worker.
class ImageFetcher {
 public:
  ImageFetcher(net::Worker& worker, net::Resolver& resolver, std::shared_ptr<net::TlsContext> tls)
      : worker_(worker), resolver_(resolver), tls_(std::move(tls)) {}

  /// Puts the data in the place of each URL of `hosts`; other URLs stay, for the encoder to refuse. An ending: one
  /// could not be had.
  awaitable<std::optional<Ending>> fill_in(vocabulary::ChatRequest& request, std::span<const std::string> hosts,
                                           Interrupt& interrupt);

 private:
  awaitable<Result<Buffer>> fetch(const ImageAddress& image, Interrupt& interrupt);

  net::Worker& worker_;
  net::Resolver& resolver_;
  std::shared_ptr<net::TlsContext> tls_;
};

}  // namespace weir::providers
