#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::providers {

/// A Google service account's key file. Secret: never logged.
struct ServiceAccount {
  std::string email;
  std::string private_key;     ///< PEM
  std::string private_key_id;  ///< may be empty
  std::string token_uri;       ///< https
  std::string project;         ///< may be empty: then settings name it
};

/// Reads the JSON that Google hands out. The error names the field that is missing or wrong, never its value.
Result<ServiceAccount> read_service_account(std::string_view json);

/// The signed claim that is exchanged for an access token (RFC 7523), good for an hour from `unix_seconds` on.
Result<std::string> token_assertion(const ServiceAccount& account, std::int64_t unix_seconds);

/// The body of the POST to token_uri, as application/x-www-form-urlencoded.
std::string token_request_body(std::string_view assertion);

struct AccessToken {
  std::string value;  ///< secret; sent as `Authorization: Bearer`
  std::int64_t expires_at = 0;
};

/// What token_uri answered. The error says which setting to mend where Google says so (`invalid_grant` and the like).
Result<AccessToken> read_token_reply(int status, std::string_view body, std::int64_t unix_seconds);

/// When to ask for the next token. Pure: moments are the caller's, wall clock seconds.
/// A token is renewed five minutes before it ends, while the old one still serves; after a failure not again at once.
class TokenRenewal {
 public:
  static constexpr std::int64_t kSkewSeconds = 300;
  static constexpr std::int64_t kLastSecondsUnused = 30;  ///< a token this near its end may end on the way
  static constexpr std::int64_t kPauseSecondsMax = 60;

  /// Whether a request for a token should start now. True once: until renewed() or failed() it is under way.
  bool begin_if_due(std::int64_t now);
  void renewed(AccessToken token, std::int64_t now);
  void failed(std::int64_t now);

  /// The token to send; empty = there is none that is good, the call has to wait for one or fail.
  std::string_view usable(std::int64_t now) const;

 private:
  AccessToken token_;
  std::int64_t due_at_ = 0;
  std::int64_t pause_seconds_ = 1;
  bool under_way_ = false;
};

}  // namespace weir::providers
