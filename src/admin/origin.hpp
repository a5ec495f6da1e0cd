#pragma once
#include <string_view>

namespace weir::admin {

/// Whether `/api/*` may be answered as far as the browser is concerned: a page of another site can make a browser send
/// requests here, by name (Host after DNS rebinding) or across origins (Origin). Both say so themselves.
///
/// `host` is acceptable when it names this machine (localhost, 127.0.0.1, [::1]) or `listen_host`, with any port: a
/// container's port may be published under another. On a listener of all addresses (0.0.0.0, ::) any address in digits
/// is, because no name can be rebound to be one.
bool host_is_ours(std::string_view host, std::string_view listen_host);

/// `origin` must be absent or this very server's: http:// and the Host that was asked.
bool origin_is_ours(std::string_view origin, std::string_view host);

/// Compares in a time that does not depend on how much of `given` is right.
bool same_secret(std::string_view given, std::string_view secret);

/// Whether `host`, as in settings, is reachable from this machine only.
bool is_loopback(std::string_view host);

}  // namespace weir::admin
