#include "dialects/openai_chat/error_body.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include <weir/exchange/limits.hpp>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/redact.hpp"

namespace weir::openai_chat {
namespace {

TEST(ErrorBody, semantics_11_all_four_fields_are_there) {
  EXPECT_EQ(encode_error("No.", "invalid_request_error", "", ""),
            R"({"error":{"message":"No.","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(encode_error("No.", "api_error", "model", "x"),
            R"({"error":{"message":"No.","type":"api_error","param":"model","code":"x"}})");
  const std::string odd = encode_error("a\"\\\n\x01\xff\xC3\xA9\xED\xA0\x80", "t", "", "");
  EXPECT_TRUE(is_well_formed_error(odd));
  EXPECT_EQ(nlohmann::json::parse(odd)["error"]["message"], "a\"\\\n\x01\uFFFD\u00e9\uFFFD\uFFFD\uFFFD");
}

TEST(ErrorBody, semantics_11_what_may_be_passed_on) {
  EXPECT_TRUE(is_well_formed_error(R"({"error":{"message":"m","type":"t","param":null,"code":"c"}})"));
  EXPECT_TRUE(is_well_formed_error(R"({"error":{"message":"m","type":"t","param":"p","code":null,"x":1}})"));
  for (const std::string_view body :
       {R"({"error":{"message":"m","type":"t","param":null,"code":400}})",
        R"({"error":{"message":"m","type":"t","code":null}})",
        R"({"error":{"message":"m","type":null,"param":null,"code":null}})", R"({"error":"m"})", R"({"message":"m"})",
        "", "[]", "<html>", R"({"error":{"message":"m","type":"t","param":null,"code":null}}})",
        R"({"error":{"message":"m")"}) {
    EXPECT_FALSE(is_well_formed_error(body)) << body;
  }
}

TEST(ErrorBody, reads_errors_of_any_make) {
  EXPECT_EQ(read_error(R"({"error":{"message":"m","type":"t","param":"p","code":"c"}})").code, "c");
  EXPECT_EQ(read_error(R"({"error":{"code":400,"message":"m","type":"t"}})").code, "400");
  EXPECT_EQ(read_error(R"({"error":{"code":503,"message":"m"}})").status, 503);
  EXPECT_EQ(read_error(R"({"error":"model 'x' not found"})").message, "model 'x' not found");
  EXPECT_EQ(read_error(R"({"message":"m","request_id":"r"})").message, "m");
  EXPECT_EQ(read_error(R"({"object":"error","message":"m","type":"BadRequestError","param":null,"code":400})").message,
            "m");
  EXPECT_EQ(read_error(R"({"detail":"Not Found"})").message, "Not Found");
  EXPECT_EQ(read_error(R"({"detail":[{"loc":["body"],"msg":"field required"}]})").message, "field required");
  EXPECT_EQ(read_error(R"([{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}])").type,
            "INVALID_ARGUMENT");
  EXPECT_EQ(read_error("<html><head><title>502 Bad Gateway</title></head><body>x</body></html>").message,
            "502 Bad Gateway");
  EXPECT_EQ(read_error("<html><body><h1>Oh</h1>\n no</body></html>").message, "Oh no");
  EXPECT_EQ(read_error(" upstream connect error ").message, "upstream connect error");
  EXPECT_EQ(read_error("").message, "");
  EXPECT_EQ(read_error("null").message, "null");
  EXPECT_EQ(read_error("{}").message, "");
  read_error(std::string(100'000, '['));
  read_error("{\"error\":" + std::string(60'000, '['));
}

TEST(Redact, secrets_do_not_leave) {
  for (const std::string_view secret :
       {"sk-proj-abcdEFGH1234", "sk-abc***wxyz", "wr_0123456789abcdef", "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-1234567890abcdefg", "gsk_abcdefgh1234", "hf_abcdefghij", "xai-abcdefgh", "ghp_abcdefgh1234",
        "0123456789abcdef0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "dGhpcyBpcyBhIHNlY3JldCBrZXkgMTIzNDU2Nzg5MA=="}) {
    for (const std::string_view frame :
         {"Incorrect API key provided: {}. See the docs.", "key={}&x=1", "({})", "\"{}\"", "Bearer {}", "{}"}) {
      std::string text{frame};
      text.replace(text.find("{}"), 2, secret);
      const std::string shown = redact(text);
      EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
      EXPECT_NE(shown.find("[redacted]"), std::string::npos) << shown;
    }
  }
  EXPECT_EQ(redact("Authorization: Bearer hunter22"), "Authorization: Bearer [redacted]");
  EXPECT_EQ(redact("password=hunter22"), "password=[redacted]");
  EXPECT_EQ(redact(R"({"api_key": "hunter22"})"), R"({"api_key": "[redacted]"})");
  EXPECT_EQ(redact("at https://user:pw@host/x?a=1"), "at https://[redacted]@host/x?a=1");
  EXPECT_EQ(redact("https://host/x?key=hunter22"), "https://host/x?key=[redacted]");
}

TEST(Redact, what_helps_stays) {
  for (const std::string_view text :
       {"The model `meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8` does not exist.",
        "gpt-4o-mini-2024-07-18 is overloaded",
        "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens.",
        "request 018f2c3a-5b6d-7e8f-9a0b-1c2d3e4f5a6b failed",
        "See https://platform.openai.com/docs/guides/error-codes/api-errors.", "max_tokens: 128000 is too large",
        "Grüße, 世界", ""}) {
    EXPECT_EQ(redact(text), text);
  }
}

TEST(Redact, is_cut_between_characters) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\u4e16 ";
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::string shown = redact(std::string(shift, '.') + text);
    EXPECT_LE(shown.size(), limits::provider_message_bytes_max);
    EXPECT_GT(shown.size(), limits::provider_message_bytes_max - 4);
    EXPECT_TRUE(weir::json::valid_utf8(shown));
  }
}

std::string openai(std::string_view message, std::string_view code = "",
                   std::string_view type = "invalid_request_error") {
  return encode_error(message, type, "", code);
}

Failure class_of(int status, std::string_view body, std::string_view retry_after = "") {
  return classify_error(status, body, retry_after).failure;
}

TEST(ErrorClass, semantics_10_classes) {
  EXPECT_EQ(class_of(400, openai("bad")), Failure::client_malformed);
  EXPECT_EQ(class_of(422, R"({"detail":[{"msg":"field required"}]})"), Failure::client_malformed);
  EXPECT_EQ(class_of(400, openai("too long", "context_length_exceeded")), Failure::client_context_length);
  EXPECT_EQ(
      class_of(400, R"({"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400})"),
      Failure::client_context_length);
  EXPECT_EQ(
      class_of(400,
               R"({"error":{"code":400,"message":"the request exceeds the available context size, try increasing it",)"
               R"("type":"exceed_context_size_error"}})"),
      Failure::client_context_length);
  EXPECT_EQ(class_of(413, openai("Input is too long for this model: reduce the length of the messages")),
            Failure::client_context_length);
  EXPECT_EQ(class_of(413, "too big"), Failure::client_too_large);
  EXPECT_EQ(class_of(400, openai("filtered", "content_filter")), Failure::client_content_policy);
  EXPECT_EQ(class_of(400, openai("Rejected as a result of our safety system.", "content_policy_violation")),
            Failure::client_content_policy);
  EXPECT_EQ(class_of(403, openai("Your input was flagged", "")), Failure::client_content_policy);
  EXPECT_EQ(class_of(403, openai("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193.")),
            Failure::client_context_length)
      << "Together's status for it";
  EXPECT_EQ(class_of(401, openai("Incorrect API key", "invalid_api_key")), Failure::upstream_credentials);
  EXPECT_EQ(class_of(403, openai("Country not supported")), Failure::upstream_credentials);
  EXPECT_EQ(
      class_of(
          400,
          R"([{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}])"),
      Failure::upstream_credentials);
  EXPECT_EQ(class_of(402, R"({"error":{"message":"Insufficient Balance"}})"), Failure::limit_quota);
  EXPECT_EQ(class_of(403, openai("x", "insufficient_quota")), Failure::limit_quota);
  EXPECT_EQ(class_of(400, openai("Your credit balance is too low to access the API.")), Failure::limit_quota);
  EXPECT_EQ(class_of(429, openai("x", "insufficient_quota")), Failure::limit_quota);
  EXPECT_EQ(class_of(429, openai("x", "monthly_spend_limit_exceeded")), Failure::limit_quota);
  EXPECT_EQ(class_of(429, openai("x", "enforced_spend_limit_reached")), Failure::limit_quota);
  EXPECT_EQ(class_of(429, openai("Rate limit reached", "rate_limit_exceeded")), Failure::limit_rate);
  EXPECT_EQ(class_of(429, openai("You exceeded your current quota, please check your plan and billing details")),
            Failure::limit_quota);
  EXPECT_EQ(class_of(429, openai("You exceeded your current quota, please check your plan and billing details"), "20"),
            Failure::limit_rate);
  EXPECT_EQ(class_of(429, ""), Failure::limit_rate);
  EXPECT_EQ(class_of(503, openai("Slow down", "slow_down")), Failure::upstream_overloaded);
  EXPECT_EQ(class_of(503, openai("x", "server_is_overloaded")), Failure::upstream_overloaded);
  EXPECT_EQ(class_of(529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"),
            Failure::upstream_overloaded);
  EXPECT_EQ(class_of(500, openai("oops")), Failure::upstream_error);
  EXPECT_EQ(class_of(502, "<html>"), Failure::upstream_error);
  EXPECT_EQ(class_of(501, openai("x", "not_supported")), Failure::upstream_error);
  EXPECT_EQ(class_of(408, ""), Failure::upstream_error);
  EXPECT_EQ(class_of(409, ""), Failure::upstream_error);
  EXPECT_EQ(class_of(301, ""), Failure::upstream_protocol);
  EXPECT_EQ(class_of(404, openai("The model `x` does not exist", "model_not_found")), Failure::upstream_model_missing);
  EXPECT_EQ(class_of(404, R"({"error":"model 'x' not found"})"), Failure::upstream_model_missing);
  EXPECT_EQ(class_of(404, R"({"detail":"Not Found"})"), Failure::upstream_model_missing);
  EXPECT_EQ(class_of(404, openai("No such File object: file-1")), Failure::client_not_found);
  EXPECT_EQ(class_of(400, openai("foo is not a valid model ID")), Failure::upstream_model_missing);
}

TEST(ErrorClass, semantics_12_an_error_inside_a_200_is_read_by_what_it_says) {
  EXPECT_EQ(class_of(200, R"({"error":{"code":429,"message":"slow"}})"), Failure::limit_rate);
  EXPECT_EQ(class_of(200, R"({"error":{"code":502,"message":"x"}})"), Failure::upstream_error);
  EXPECT_EQ(class_of(200, openai("x", "", "server_error")), Failure::upstream_error);
  EXPECT_EQ(class_of(200, openai("x", "rate_limit_exceeded", "")), Failure::limit_rate);
  EXPECT_EQ(class_of(200, openai("x", "", "overloaded_error")), Failure::upstream_overloaded);
  EXPECT_EQ(class_of(200, openai("x", "context_length_exceeded")), Failure::client_context_length);
  EXPECT_EQ(class_of(200, R"({"error":"?"})"), Failure::upstream_protocol);
}

TEST(ErrorClass, ruling_12_what_the_client_gets) {
  const std::string body = openai("bad", "x");
  Ending ending = classify_error(400, body, "");
  EXPECT_EQ(ending.status, 400);
  EXPECT_EQ(ending.provider_body, body);
  ending = classify_error(422, R"({"detail":"field sk-abcdefgh1234 required"})", "");
  EXPECT_EQ(ending.status, 422);
  EXPECT_TRUE(ending.provider_body.empty());
  EXPECT_EQ(ending.message, "field [redacted] required");
  ending = classify_error(429, openai("slow", "rate_limit_exceeded"), "17");
  EXPECT_EQ(ending.status, 429);
  EXPECT_EQ(ending.retry_after, "17");
  EXPECT_FALSE(ending.provider_body.empty());
  EXPECT_EQ(classify_error(503, openai("full", "server_is_overloaded"), "17").retry_after, "17");
  EXPECT_EQ(classify_error(500, openai("broken", "server_error"), "17").retry_after, "");
  ending = classify_error(401, openai("Incorrect API key provided: sk-abcd1234.", "invalid_api_key"), "9");
  EXPECT_TRUE(ending.provider_body.empty());
  EXPECT_EQ(ending.status, 0);
  EXPECT_EQ(ending.code, "");
  EXPECT_EQ(ending.retry_after, "");
  EXPECT_EQ(ending.message, "Incorrect API key provided: [redacted].");
  ending = classify_error(400, R"({"error":{"code":400,"message":"context length","type":"t"}})", "");
  EXPECT_EQ(ending.code, "") << "llama.cpp's integer is no code";
  EXPECT_EQ(classify_error(503, "", "").message, "The provider answered 503 without a message.");
  EXPECT_EQ(classify_error(200, openai("x", "context_length_exceeded"), "").status, 400);
}

}  // namespace
}  // namespace weir::openai_chat
