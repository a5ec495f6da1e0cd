#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <weir/base/clock.hpp>
#include "dialects/bedrock/codec.hpp"
#include "dialects/bedrock/error_reader.hpp"
#include "providers/aws_signature.hpp"
#include "providers/protocol_rules.hpp"

namespace weir::providers {
namespace {

class BedrockRules final : public ProtocolRules {
 public:
  explicit BedrockRules(const ProviderSettings& settings)
      : quirks_(settings.quirks),
        settings_(settings.bedrock),
        host_(authority_of(settings.base_url)),
        path_(base_path(settings.base_url)) {}

  bool speaks(Dialect /*dialect*/) const override { return false; }
  bool takes_raw() const override { return false; }
  const vocabulary::Codec& codec() const override { return bedrock::codec(); }
  Framing framing() const override { return Framing::aws_events; }
  std::string_view accepted_stream() const override { return "application/vnd.amazon.eventstream"; }
  vocabulary::TargetTraits traits(const Target& target) const override {
    vocabulary::TargetTraits traits = traits_of(target, quirks_);  // schemas by a forced tool: all with tools take it
    traits.image_urls = false;                                     // but s3://, which its encoder lets pass
    return traits;
  }

  void append_address(const Outgoing& request, std::string& to) const override {
    to.append(path_).append(request.encoded->path);
  }
  void append_fields(const Outgoing& request, std::string& to) const override {
    if (sends_own_key(request.call)) {  // Bedrock's own keys are bearer tokens
      to.append("Authorization: Bearer ").append(request.call.exchange.own_key).append("\r\n");
      return;
    }
    const std::string path = path_ + request.encoded->path;
    const AwsSignature signature = sign_aws(
        {.method = "POST", .host = host_, .path = path, .query = {}, .headers = {}, .payload = request.encoded->body},
        settings_.credentials, settings_.region, "bedrock", unix_milliseconds() / 1000);
    to.append("X-Amz-Date: ").append(signature.date).append("\r\nAuthorization: ").append(signature.authorization);
    if (!signature.security_token.empty()) to.append("\r\nX-Amz-Security-Token: ").append(signature.security_token);
    to.append("\r\n");
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view exception) const override {
    // Where the status says less than the exception's name does.
    for (const std::string_view telling : {"ServiceQuotaExceededException", "ModelNotReadyException"}) {
      if (exception.starts_with(telling)) return bedrock::decode_exception(telling, body);
    }
    return bedrock::decode_error(status, body, retry_after);
  }

 private:
  const Quirks quirks_;
  const BedrockSettings settings_;
  std::string host_;
  std::string path_;
};

}  // namespace

std::unique_ptr<ProtocolRules> make_bedrock_rules(const ProviderSettings& settings) {
  return std::make_unique<BedrockRules>(settings);
}

}  // namespace weir::providers
