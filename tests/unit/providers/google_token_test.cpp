#include "providers/google_token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/rsa_key.hpp"

namespace weir::providers {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string from_base64_url(std::string_view text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  unsigned held = 0;
  int bits = 0;
  for (const char c : text) {
    held = held << 6 | static_cast<unsigned>(letters.find(c));
    if ((bits += 6) >= 8) bytes += static_cast<char>(held >> (bits -= 8));
  }
  return bytes;
}

json key_file(const fakes::RsaKey& key) {
  return {{"type", "service_account"},
          {"project_id", "shop"},
          {"private_key_id", "k1"},
          {"private_key", key.pem()},
          {"client_email", "weir@shop.iam.gserviceaccount.com"},
          {"token_uri", "https://oauth2.googleapis.com/token"}};
}

TEST(GoogleToken, TheAssertionIsASignedClaimForOneHour) {
  const fakes::RsaKey key;
  const auto account = read_service_account(key_file(key).dump());
  ASSERT_TRUE(account) << account.error().message;
  EXPECT_EQ(account->project, "shop");
  const auto assertion = token_assertion(*account, 1'772'352'309);
  ASSERT_TRUE(assertion);
  const auto first = assertion->find('.');
  const auto second = assertion->rfind('.');
  EXPECT_EQ(json::parse(from_base64_url(assertion->substr(0, first))),
            (json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}));
  EXPECT_EQ(json::parse(from_base64_url(assertion->substr(first + 1, second - first - 1))),
            (json{{"iss", "weir@shop.iam.gserviceaccount.com"},
                  {"scope", "https://www.googleapis.com/auth/cloud-platform"},
                  {"aud", "https://oauth2.googleapis.com/token"},
                  {"iat", 1'772'352'309},
                  {"exp", 1'772'355'909}}));
  EXPECT_TRUE(key.verifies(assertion->substr(0, second), from_base64_url(assertion->substr(second + 1))));
  EXPECT_EQ(assertion->find_first_of("+/="), std::string::npos);
  EXPECT_EQ(token_request_body("a.b.c"),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c");
}

TEST(GoogleToken, AWrongKeyFileNamesItsField) {
  const fakes::RsaKey key;
  const auto problem = [&key](const char* field, const json& value) {
    json file = key_file(key);
    file[field] = value;
    const auto account = read_service_account(file.dump());
    return account ? std::string{} : account.error().message;
  };
  EXPECT_EQ(problem("private_key", ""), "has no private_key");
  EXPECT_EQ(problem("private_key", "hunter2"), "its private_key is not a private key in PEM without a passphrase");
  EXPECT_EQ(problem("client_email", 5), "has no client_email");
  EXPECT_EQ(problem("token_uri", "http://10.0.0.1/"), "names a token_uri that is not https");
  EXPECT_THAT(problem("type", "authorized_user"), HasSubstr("its type is another one"));
  EXPECT_EQ(problem("token_uri", ""), "") << "Google's own is taken";
  EXPECT_FALSE(read_service_account("[]"));
  EXPECT_FALSE(read_service_account("{"));
}

TEST(GoogleToken, TheReplyOrWhatToMend) {
  const auto token =
      read_token_reply(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})", 1000);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value, "ya29.x");
  EXPECT_EQ(token->expires_at, 4599);
  const auto refused = read_token_reply(400, R"({"error":"invalid_grant","error_description":"secret"})", 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("check the provider's service_account file"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("secret")));
  for (const auto* body : {"", "{", "[]", "{}", R"({"access_token":""})", R"({"access_token":"a"})",
                           R"({"access_token":"a","expires_in":0})", R"({"access_token":"a\r\nb","expires_in":9})",
                           R"({"access_token":"a","expires_in":18446744073709551615})"}) {
    EXPECT_FALSE(read_token_reply(200, body, 0)) << body;
  }
  EXPECT_EQ(read_token_reply(503, "<html>", 0).error().message, "Google's token service answered 503");
  EXPECT_LE(read_token_reply(200, R"({"access_token":"a","expires_in":9223372036854775807})", 5)->expires_at, 86'405);
}

TEST(TokenRenewal, AsksOnceAndAgainFiveMinutesBeforeTheEnd) {
  TokenRenewal renewal;
  EXPECT_EQ(renewal.usable(1000), "");
  EXPECT_TRUE(renewal.begin_if_due(1000));
  EXPECT_FALSE(renewal.begin_if_due(1000)) << "one is under way";
  renewal.renewed({.value = "one", .expires_at = 4600}, 1000);
  EXPECT_EQ(renewal.usable(1001), "one");
  EXPECT_FALSE(renewal.begin_if_due(4299));
  EXPECT_TRUE(renewal.begin_if_due(4300));
  EXPECT_EQ(renewal.usable(4300), "one") << "the old one serves while the new one comes";
  EXPECT_EQ(renewal.usable(4570), "") << "it may end on the way";
  renewal.renewed({.value = "two", .expires_at = 8200}, 4301);
  EXPECT_EQ(renewal.usable(4570), "two");
}

TEST(TokenRenewal, AFailureIsNotRepeatedAtOnce) {
  TokenRenewal renewal;
  std::vector<std::int64_t> asked;
  for (std::int64_t now = 0; now < 300; ++now) {
    if (!renewal.begin_if_due(now)) continue;
    asked.push_back(now);
    renewal.failed(now);
  }
  EXPECT_EQ(asked, (std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 123, 183, 243}));
}

TEST(TokenRenewal, AShortLivedTokenIsNotRenewedInALoop) {
  TokenRenewal renewal;
  ASSERT_TRUE(renewal.begin_if_due(0));
  renewal.renewed({.value = "short", .expires_at = 100}, 0);
  EXPECT_FALSE(renewal.begin_if_due(49));
  EXPECT_TRUE(renewal.begin_if_due(50));
}

}  // namespace
}  // namespace weir::providers
