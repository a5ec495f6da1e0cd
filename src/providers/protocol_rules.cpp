#include "providers/protocol_rules.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dialects/azure/azure.hpp"
#include "dialects/codecs/codecs.hpp"
#include "dialects/openai_chat/error_class.hpp"

namespace weir::providers {
namespace {

constexpr std::string_view kBearer = "Authorization: Bearer ";

std::string field(std::string_view name_and_colon, std::string_view key) {
  return key.empty() ? std::string() : fmt::format("{}{}\r\n", name_and_colon, key);
}

/// OpenAI and whoever is compatible with it; Azure below.
class OpenAiRules : public ProtocolRules {
 public:
  OpenAiRules(const ProviderSettings& settings, std::string_view key_field)
      : quirks_(settings.quirks), path_(base_path(settings.base_url)), error_codes_(settings.error_codes) {
    keys_.push_back(field(key_field, settings.api_key));
    for (const std::string& key : settings.more_api_keys) keys_.push_back(field(key_field, key));
  }

  bool speaks(Dialect dialect) const override {
    switch (dialect) {
      case Dialect::openai_chat:
        return true;
      case Dialect::openai_completions:
        return quirks_.completions;
      case Dialect::openai_responses:
        return quirks_.responses;
      case Dialect::anthropic:
        break;
    }
    return false;
  }
  const vocabulary::Codec& codec() const override { return dialects::codec_of(Dialect::openai_chat); }
  const vocabulary::Codec& native_codec(Dialect dialect) const override { return dialects::codec_of(dialect); }
  vocabulary::TargetTraits traits(const Target& target) const override {
    vocabulary::TargetTraits traits = traits_of(target, quirks_);
    traits.native_schema = true;
    return traits;
  }

  void append_address(const Outgoing& request, std::string& to) const override {
    const Exchange& exchange = request.call.exchange;
    to.append(path_);
    if (request.encoded != nullptr || (!exchange.raw && exchange.request.dialect == Dialect::openai_chat)) {
      to.append("/chat/completions");
    } else {
      to.append(without_v1(exchange.request.target));
    }
  }
  void append_fields(const Outgoing& request, std::string& to) const override {
    if (sends_own_key(request.call)) {
      to.append(kBearer).append(request.call.exchange.own_key).append("\r\n");
    } else {
      to.append(keys_[request.attempt.key_index]);
    }
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view /*exception*/) const override {
    return openai_chat::classify_error(status, body, retry_after, error_codes_);
  }

 protected:
  const Quirks quirks_;
  std::string path_;
  std::vector<std::string> keys_;  ///< the field of each key; empty text where there is no key
  std::vector<openai_chat::ErrorCode> error_codes_;
};

class AzureRules final : public OpenAiRules {
 public:
  explicit AzureRules(const ProviderSettings& settings)
      : OpenAiRules(settings, "api-key: "), settings_(settings.azure), path_prefix_(base_path(settings.base_url)) {
    for (const std::string_view tail : {"/v1", "/openai"}) {
      if (path_prefix_.ends_with(tail)) path_prefix_.resize(path_prefix_.size() - tail.size());
    }
    if (!settings_.token.empty()) keys_.assign(1, field(kBearer, settings_.token));
  }

  bool speaks(Dialect dialect) const override {
    // A dated version has /responses only from some day on: there the codec does it.
    const bool newest =
        settings_.api_version.empty() || settings_.api_version == "v1" || settings_.api_version == "preview";
    return OpenAiRules::speaks(dialect) && (dialect != Dialect::openai_responses || newest);
  }
  void append_address(const Outgoing& request, std::string& to) const override {
    const Exchange& exchange = request.call.exchange;
    std::string_view endpoint = "chat/completions";
    if (request.encoded == nullptr && (exchange.raw || exchange.request.dialect != Dialect::openai_chat)) {
      endpoint = without_v1(exchange.request.target);
      endpoint = endpoint.substr(0, endpoint.find('?'));
      if (endpoint.starts_with('/')) endpoint.remove_prefix(1);
    }
    const std::string_view deployment =
        settings_.deployment.empty() ? request.call.target.upstream_model : std::string_view(settings_.deployment);
    const azure::Address address = azure::address(endpoint, deployment, settings_.api_version);
    to.append(path_prefix_).append(address.path);
    if (!address.query.empty()) to.append("?").append(address.query);
  }
  void append_fields(const Outgoing& request, std::string& to) const override {
    if (sends_own_key(request.call)) {
      to.append("api-key: ").append(request.call.exchange.own_key).append("\r\n");
    } else {
      to.append(keys_[request.attempt.key_index]);
    }
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view /*exception*/) const override {
    return azure::decode_error(status, body, retry_after);
  }

 private:
  const AzureSettings settings_;
  std::string path_prefix_;
};

}  // namespace

std::string_view authority_of(std::string_view base_url) {
  const std::size_t authority = base_url.find("://") + 3;
  return base_url.substr(authority, std::min(base_url.find('/', authority), base_url.size()) - authority);
}

std::string base_path(std::string_view base_url, std::string_view version) {
  const std::string_view authority = authority_of(base_url);
  std::string path(base_url.substr(static_cast<std::size_t>(authority.data() - base_url.data()) + authority.size()));
  while (path.ends_with('/')) path.pop_back();
  if (!version.empty() && path.ends_with(version)) path.resize(path.size() - version.size());
  return path;
}

std::string_view without_v1(std::string_view target) {
  return target.starts_with("/v1/") || target == "/v1" ? target.substr(3) : target;
}

bool sends_own_key(const Call& call) {
  const std::string_view to = call.exchange.plan.pass_key_to;
  return !to.empty() && to == call.target.provider_name;
}

vocabulary::TargetTraits traits_of(const Target& target, const Quirks& quirks) {
  vocabulary::TargetTraits traits;
  traits.model = target.upstream_model;
  traits.max_output_tokens = target.output_max;
  if (target.output_max > 0) traits.default_max_tokens = std::min(traits.default_max_tokens, target.output_max);
  traits.image_urls = quirks.image_urls;
  traits.images = target.abilities.images;
  traits.documents = target.abilities.documents;
  traits.tools = target.abilities.tools;
  traits.reasoning = target.abilities.reasoning;
  traits.developer_role = quirks.developer_role;
  traits.max_completion_tokens = quirks.max_completion_tokens;
  traits.reasoning_content = quirks.reasoning_content;
  return traits;
}

std::unique_ptr<ProtocolRules> make_rules(const ProviderSettings& settings, net::Worker& worker, net::Offload& offload,
                                          std::shared_ptr<const ServiceAccount> account) {
  switch (settings.protocol) {
    case Protocol::anthropic:
      return make_anthropic_rules(settings);
    case Protocol::gemini:
      return make_gemini_rules(settings);
    case Protocol::vertex:
      return make_vertex_rules(settings, worker, offload, std::move(account));
    case Protocol::azure:
      return std::make_unique<AzureRules>(settings);
    case Protocol::bedrock:
      return make_bedrock_rules(settings);
    case Protocol::openai:
    case Protocol::demo:
      break;
  }
  return std::make_unique<OpenAiRules>(settings, kBearer);
}

}  // namespace weir::providers
