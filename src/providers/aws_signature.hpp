#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include <weir/exchange/request.hpp>

namespace weir::providers {

/// Secret: never logged.
struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< of temporary credentials; empty = none
  bool operator==(const AwsCredentials&) const = default;
};

/// The settings' credentials, or where they name neither key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
/// AWS_SESSION_TOKEN. Never some of each: halves of two identities do not sign.
AwsCredentials aws_credentials(AwsCredentials configured,
                               const std::function<std::optional<std::string>(std::string_view)>& variable);

/// Whether these can be credentials at all; the error names the setting or variable to mend, never a value. `place`:
/// where the settings are, such as "providers.aws".
Result<void> check_aws_credentials(const AwsCredentials& credentials, std::string_view place);

/// What is signed. All as it goes over the wire.
struct AwsRequest {
  std::string_view method;
  std::string_view host;                 ///< with the port where the Host field has one
  std::string_view path;                 ///< begins with '/', encoded as sent
  std::string_view query;                ///< without '?'
  std::span<const HeaderField> headers;  ///< signed besides host and x-amz-*; may be left out
  std::string_view payload;
};

/// Field values to send. Invariant: no secret in them but the token.
struct AwsSignature {
  std::string date;            ///< X-Amz-Date
  std::string authorization;   ///< Authorization
  std::string security_token;  ///< X-Amz-Security-Token; empty = do not send it
};

/// AWS Signature Version 4 with the payload's digest, for every service but S3: paths are normalised and encoded once
/// more. Pure: the time is the caller's, the wall clock's seconds.
AwsSignature sign_aws(const AwsRequest& request, const AwsCredentials& credentials, std::string_view region,
                      std::string_view service, std::int64_t unix_seconds);

}  // namespace weir::providers
