#include "providers/google_token.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/rsa_signature.hpp"

namespace weir::providers {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kTokenUri = "https://oauth2.googleapis.com/token";
constexpr std::int64_t kAssertionSeconds = 3600;  // Google accepts no longer one
constexpr std::int64_t kTokenSecondsMax = 24 * 3600;

std::string base64_url(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += letters[held >> (bits - 6) & 0x3F];
  }
  if (bits > 0) text += letters[held << (6 - bits) & 0x3F];
  return text;
}

std::string text_of(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

}  // namespace

Result<ServiceAccount> read_service_account(std::string_view json) {
  const Json file = Json::parse(json, nullptr, false);
  if (!file.is_object()) return failure("is not a service account's key file: it is no JSON object");
  if (const auto type = text_of(file, "type"); !type.empty() && type != "service_account") {
    return failure("is not a service account's key file: its type is another one");
  }
  ServiceAccount account{.email = text_of(file, "client_email"),
                         .private_key = text_of(file, "private_key"),
                         .private_key_id = text_of(file, "private_key_id"),
                         .token_uri = text_of(file, "token_uri"),
                         .project = text_of(file, "project_id")};
  if (account.token_uri.empty()) account.token_uri = kTokenUri;
  if (account.email.empty()) return failure("has no client_email");
  if (account.private_key.empty()) return failure("has no private_key");
  if (!account.token_uri.starts_with("https://")) return failure("names a token_uri that is not https");
  if (const auto trial = sign_rs256(account.private_key, "weir"); !trial) {
    return failure("its private_key " + trial.error().message);
  }
  return account;
}

Result<std::string> token_assertion(const ServiceAccount& account, std::int64_t unix_seconds) {
  Json header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.private_key_id.empty()) header["kid"] = account.private_key_id;
  const Json claims{{"iss", account.email},
                    {"scope", kScope},
                    {"aud", account.token_uri},
                    {"iat", unix_seconds},
                    {"exp", unix_seconds + kAssertionSeconds}};
  std::string assertion = base64_url(header.dump()) + "." + base64_url(claims.dump());
  const auto signature = sign_rs256(account.private_key, assertion);
  if (!signature) return std::unexpected(signature.error());
  return assertion + "." + base64_url(*signature);
}

std::string token_request_body(std::string_view assertion) {
  return fmt::format("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}", assertion);
}

Result<AccessToken> read_token_reply(int status, std::string_view body, std::int64_t unix_seconds) {
  const Json reply = Json::parse(body, nullptr, false);
  if (status != 200) {
    // The description may name the account, which is no secret of the caller's but none of his business either.
    const auto code = reply.is_object() ? text_of(reply, "error") : std::string{};
    const bool plain = std::ranges::all_of(code, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (code == "invalid_grant" || code == "invalid_client" || code == "unauthorized_client") {
      return failure(
          fmt::format("Google refused the service account ({}): check the provider's service_account file "
                      "and this machine's clock",
                      code));
    }
    return failure(fmt::format("Google's token service answered {}{}", status,
                               code.empty() || !plain ? std::string{} : " (" + code + ")"));
  }
  if (!reply.is_object()) return failure("Google's token service answered something that is no JSON object");
  AccessToken token{.value = text_of(reply, "access_token"), .expires_at = 0};
  const bool sendable = std::ranges::all_of(token.value, [](char c) { return c > ' ' && c < '\x7F'; });
  if (token.value.empty() || !sendable) return failure("Google's token service answered without an access_token");
  const auto life = reply.find("expires_in");
  if (life == reply.end() || !life->is_number_integer() || life->get<std::int64_t>() <= 0) {
    return failure("Google's token service did not say how long its token is good");
  }
  token.expires_at = unix_seconds + std::min(life->get<std::int64_t>(), kTokenSecondsMax);
  return token;
}

bool TokenRenewal::begin_if_due(std::int64_t now) {
  if (under_way_ || now < due_at_) return false;
  under_way_ = true;
  return true;
}

void TokenRenewal::renewed(AccessToken token, std::int64_t now) {
  // A token that lives shorter than the skew is renewed at half of its life, not in a loop.
  const auto life = std::max<std::int64_t>(token.expires_at - now, 0);
  due_at_ = now + std::max(life - kSkewSeconds, std::max<std::int64_t>(life / 2, 1));
  token_ = std::move(token);
  pause_seconds_ = 1;
  under_way_ = false;
}

void TokenRenewal::failed(std::int64_t now) {
  due_at_ = now + pause_seconds_;
  pause_seconds_ = std::min(pause_seconds_ * 2, kPauseSecondsMax);
  under_way_ = false;
}

std::string_view TokenRenewal::usable(std::int64_t now) const {
  return now + kLastSecondsUnused < token_.expires_at ? std::string_view{token_.value} : std::string_view{};
}

}  // namespace weir::providers
