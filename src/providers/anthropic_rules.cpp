#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <weir/base/ascii.hpp>
#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "providers/protocol_rules.hpp"

namespace weir::providers {
namespace {

constexpr std::string_view kKeyField = "x-api-key: ";
constexpr std::string_view kVersion = "anthropic-version: 2023-06-01\r\n";

/// The models that decide themselves how much they think: from 4.6 on.
bool thinks_adaptively(std::string_view model) {
  static constexpr std::array<std::string_view, 8> kNewer{"opus-4-6",   "opus-4-7",   "opus-4-8", "opus-5",
                                                          "sonnet-4-6", "sonnet-4-7", "sonnet-5", "haiku-5"};
  return std::ranges::any_of(kNewer, [&](std::string_view name) { return model.find(name) != std::string_view::npos; });
}

/// An error body as Anthropic's own clients read it may go on as it is (RULINGS 12).
bool is_error_body(std::string_view body) {
  const auto read = nlohmann::json::parse(body, nullptr, false);
  if (!read.is_object() || read.value("type", nlohmann::json()) != "error") return false;
  const auto error = read.find("error");
  return error != read.end() && error->is_object() && error->contains("type") && (*error)["type"].is_string() &&
         error->contains("message") && (*error)["message"].is_string();
}

bool keeps_body(int status) {
  return status == 400 || status == 404 || status == 413 || status == 422 || status == 429;
}

class AnthropicRules final : public ProtocolRules {
 public:
  explicit AnthropicRules(const ProviderSettings& settings)
      : quirks_(settings.quirks), path_(base_path(settings.base_url, "/v1")), error_codes_(settings.error_codes) {
    const auto field = [](const std::string& key) {
      return key.empty() ? std::string() : fmt::format("{}{}\r\n", kKeyField, key);
    };
    keys_.push_back(field(settings.api_key));
    for (const std::string& key : settings.more_api_keys) keys_.push_back(field(key));
  }

  bool speaks(Dialect dialect) const override { return dialect == Dialect::anthropic; }
  const vocabulary::Codec& codec() const override { return anthropic::codec(); }
  vocabulary::TargetTraits traits(const Target& target) const override {
    vocabulary::TargetTraits traits = traits_of(target, quirks_);
    traits.native_schema = target.abilities.stated && target.abilities.schema;
    traits.adaptive_thinking = thinks_adaptively(target.upstream_model);
    return traits;
  }

  void append_address(const Outgoing& request, std::string& to) const override {
    to.append(path_).append("/v1");
    if (request.encoded != nullptr) {
      to.append(request.encoded->path);
    } else {
      to.append(without_v1(request.call.exchange.request.target));
    }
  }
  void append_fields(const Outgoing& request, std::string& to) const override {
    if (sends_own_key(request.call)) {
      to.append(kKeyField).append(request.call.exchange.own_key).append("\r\n");
    } else {
      to.append(keys_[request.attempt.key_index]);
    }
    const auto& sent = request.call.exchange.request.headers;
    const bool chosen = request.encoded == nullptr && std::ranges::any_of(sent, [](const HeaderField& field) {
                          return equals_ignoring_case(field.name, "anthropic-version");
                        });
    if (!chosen) to.append(kVersion);
  }
  Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                      std::string_view /*exception*/) const override {
    Ending ending = openai_chat::classify_error(status, body, retry_after, error_codes_);
    ending.provider_body.clear();
    if (keeps_body(status) && is_error_body(body)) ending.provider_body = body;
    return ending;
  }

 private:
  const Quirks quirks_;
  std::string path_;
  std::vector<std::string> keys_;
  std::vector<openai_chat::ErrorCode> error_codes_;
};

}  // namespace

std::unique_ptr<ProtocolRules> make_anthropic_rules(const ProviderSettings& settings) {
  return std::make_unique<AnthropicRules>(settings);
}

}  // namespace weir::providers
