#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dialects/gemini/codec.hpp"
#include "providers/protocol_rules.hpp"
#include "providers/token_source.hpp"

namespace weir::providers {
namespace {

constexpr std::string_view kKeyField = "x-goog-api-key: ";
constexpr std::string_view kBearer = "Authorization: Bearer ";

/// The Gemini API: a key, and the version in the path.
class GeminiRules : public ProtocolRules {
 public:
  GeminiRules(const ProviderSettings& settings, std::string path) : quirks_(settings.quirks), path_(std::move(path)) {
    const auto field = [](const std::string& key) {
      return key.empty() ? std::string() : fmt::format("{}{}\r\n", kKeyField, key);
    };
    keys_.push_back(field(settings.api_key));
    for (const std::string& key : settings.more_api_keys) keys_.push_back(field(key));
  }

  bool speaks(Dialect /*dialect*/) const override { return false; }
  bool takes_raw() const override { return false; }
  const vocabulary::Codec& codec() const override { return gemini::codec(); }
  vocabulary::TargetTraits traits(const Target& target) const override {
    vocabulary::TargetTraits traits = traits_of(target, quirks_);
    traits.native_schema = true;
    return traits;
  }
  void append_address(const Outgoing& request, std::string& to) const override {
    to.append(path_).append(request.encoded->path);
    if (!request.encoded->query.empty()) to.append("?").append(request.encoded->query);
  }
  void append_fields(const Outgoing& request, std::string& to) const override {
    if (sends_own_key(request.call)) {
      to.append(kKeyField).append(request.call.exchange.own_key).append("\r\n");
    } else {
      to.append(keys_[request.attempt.key_index]);
    }
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view /*exception*/) const override {
    return gemini::codec().decode_error(status, body, retry_after);
  }

 private:
  const Quirks quirks_;
  std::string path_;
  std::vector<std::string> keys_;
};

/// The same bodies in a Google Cloud project, with a service account's token.
class VertexRules final : public GeminiRules {
 public:
  VertexRules(const ProviderSettings& settings, std::shared_ptr<TokenSource> tokens)
      : GeminiRules(settings, base_path(settings.base_url)), tokens_(std::move(tokens)) {}

  bool prepared() const override { return tokens_->ready(); }
  awaitable<std::optional<Ending>> prepare(Interrupt& interrupt) override { return tokens_->wait(interrupt); }
  void append_fields(const Outgoing& request, std::string& to) const override {
    const bool own = sends_own_key(request.call);
    to.append(kBearer).append(own ? request.call.exchange.own_key : tokens_->token()).append("\r\n");
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view exception) const override {
    Ending ending = GeminiRules::decode_error(status, body, retry_after, exception);
    if (ending.failure == Failure::upstream_credentials) {
      ending.message =
          "Vertex AI refused this provider's service account: check its service_account, and that the account may "
          "use Vertex AI in its project.";
    }
    return ending;
  }

 private:
  std::shared_ptr<TokenSource> tokens_;
};

}  // namespace

std::unique_ptr<ProtocolRules> make_gemini_rules(const ProviderSettings& settings) {
  std::string path = base_path(settings.base_url, "/v1beta");
  if (path.ends_with("/v1")) path.resize(path.size() - 3);
  return std::make_unique<GeminiRules>(settings, path + "/v1beta");
}

std::unique_ptr<ProtocolRules> make_vertex_rules(const ProviderSettings& settings, net::Worker& worker,
                                                 net::Offload& offload, std::shared_ptr<const ServiceAccount> account) {
  auto tokens = std::make_shared<TokenSource>(worker, offload, std::move(account), settings.ca_file);
  return std::make_unique<VertexRules>(settings, std::move(tokens));
}

}  // namespace weir::providers
