#include "settings/build_provider.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dialects/azure/azure.hpp"
#include "dialects/gemini/vertex.hpp"
#include "providers/aws_signature.hpp"
#include "settings/build_retry.hpp"
#include "settings/known_providers.hpp"
#include "settings/quantities.hpp"
#include "settings/reading.hpp"

namespace weir::settings {
namespace {

using providers::Protocol;
using providers::ProviderSettings;

/// Settings that only some protocols have.
struct Own {
  std::string_view key;
  Protocol protocol;
};
constexpr auto kOwn = std::to_array<Own>({{"speed", Protocol::demo},
                                          {"api_version", Protocol::azure},
                                          {"deployment", Protocol::azure},
                                          {"token", Protocol::azure},
                                          {"project", Protocol::vertex},
                                          {"location", Protocol::vertex},
                                          {"service_account", Protocol::vertex},
                                          {"region", Protocol::bedrock},
                                          {"access_key_id", Protocol::bedrock},
                                          {"secret_access_key", Protocol::bedrock},
                                          {"session_token", Protocol::bedrock}});

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::demo:
      return "demo";
    case Protocol::azure:
      return "azure";
    case Protocol::vertex:
      return "vertex";
    case Protocol::bedrock:
      return "bedrock";
    default:
      return "openai";
  }
}

class ProviderEntry {
 public:
  ProviderEntry(const Key& key, const Node& node, const ProviderReading& reading)
      : key_(key), node_(node), reading_(reading) {}

  ProviderSettings read() {
    one_.name = key_.text;
    const Node* url = node_.find("base_url");
    set(one_.base_url, url, &parse_base_url);
    protocol();
    for (const Own& own : kOwn) {
      if (node_.find(own.key) && own.protocol != one_.protocol) {
        reading_.problem(node_.find_key(own.key)->place,
                         fmt::format("{} is for protocol {} only", own.key, name_of(own.protocol)));
      }
    }
    keys();
    for (const std::string& quirk : read_names(node_.find("quirks"))) set_quirk(one_.quirks, quirk);
    set(one_.demo_tokens_per_second, node_.find("speed"), &parse_decimal);
    switch (one_.protocol) {
      case Protocol::demo:
        if (url) reading_.problem(place_of("base_url"), "protocol demo is built in and has no base_url");
        return std::move(one_);
      case Protocol::azure:
        azure();
        break;
      case Protocol::vertex:
        vertex();
        break;
      case Protocol::bedrock:
        bedrock();
        break;
      default:
        break;
    }
    if (one_.base_url.empty() && !url) no_base_url();
    return std::move(one_);
  }

 private:
  Place place_of(std::string_view key) const {
    const Key* found = node_.find_key(key);
    return found ? found->place : key_.place;
  }

  /// What is not said is told by the address, else by the name: `anthropic: {api_key: …}`, `demo: {}`.
  void protocol() {
    const Node* said = scalar(node_.find("protocol"));
    const bool elsewhere = node_.find("base_url") != nullptr;
    const KnownProvider* known = elsewhere ? known_provider_at(one_.base_url) : find_known_provider(key_.text);
    if (said) {
      if (const auto parsed = parse_protocol(said->text)) one_.protocol = *parsed;
    } else if (known) {
      one_.protocol = known->protocol;
    } else if (key_.text == "demo" && !elsewhere) {
      one_.protocol = Protocol::demo;
    }
  }

  void keys() {
    set(one_.api_key, node_.find("api_key"));
    const Node* keys = node_.find("api_keys");
    if (!keys) return;
    if (node_.find("api_key")) reading_.problem(place_of("api_keys"), "write api_key or api_keys, not both");
    const bool none =
        one_.protocol == Protocol::demo || one_.protocol == Protocol::vertex || one_.protocol == Protocol::bedrock;
    if (none) reading_.problem(place_of("api_keys"), fmt::format("protocol {} has no keys", name_of(one_.protocol)));
    one_.more_api_keys = read_names(keys);
    if (one_.more_api_keys.empty()) return;
    one_.api_key = std::move(one_.more_api_keys.front());
    one_.more_api_keys.erase(one_.more_api_keys.begin());
  }

  void azure() {
    set(one_.azure.api_version, node_.find("api_version"));
    set(one_.azure.deployment, node_.find("deployment"));
    set(one_.azure.token, node_.find("token"));
    if (const auto fine = azure::check_api_version(one_.azure.api_version); !fine) {
      reading_.problem(place_of("api_version"), fine.error().message);
    }
    if (!one_.azure.token.empty() && !one_.api_key.empty()) {
      reading_.problem(place_of("token"), "write api_key or token, not both");
    }
  }

  void vertex() {
    set(one_.vertex.project, node_.find("project"));
    set(one_.vertex.location, node_.find("location"));
    if (const Node* file = scalar(node_.find("service_account"))) {
      one_.vertex.service_account = reading_.folder.empty() ? file->text : (reading_.folder / file->text).string();
    } else if (!node_.find("service_account")) {
      reading_.problem(key_.place, fmt::format("provider {} has no service_account: the JSON key file of a Google "
                                               "service account",
                                               key_.text));
    }
    const auto url = gemini::vertex_base_url(one_.vertex.project, one_.vertex.location);
    if (!url) {
      const bool unset = has_unset("project") || has_unset("location");
      if (!unset) reading_.problem(key_.place, fmt::format("provider {}: {}", key_.text, url.error().message));
      one_.base_url = "https://aiplatform.googleapis.com";
    } else if (one_.base_url.empty()) {
      one_.base_url = *url;
    } else {  // a gateway in between: the same path below it
      one_.base_url += url->substr(url->find("/v1/"));
    }
  }

  void bedrock() {
    auto& credentials = one_.bedrock.credentials;
    set(one_.bedrock.region, node_.find("region"));
    if (one_.bedrock.region.empty() && reading_.environment.variable && !node_.find("region")) {
      one_.bedrock.region = reading_.environment.variable("AWS_REGION").value_or("");
    }
    set(credentials.access_key_id, node_.find("access_key_id"));
    set(credentials.secret_access_key, node_.find("secret_access_key"));
    set(credentials.session_token, node_.find("session_token"));
    const bool unset = has_unset("access_key_id") || has_unset("secret_access_key") || has_unset("region");
    if (reading_.environment.variable) {
      credentials = providers::aws_credentials(std::move(credentials), reading_.environment.variable);
    }
    const bool says_none = !node_.find("access_key_id") && !node_.find("secret_access_key");
    if (!unset && says_none && credentials.access_key_id.empty() && credentials.secret_access_key.empty()) {
      one_.off_because = "AWS_ACCESS_KEY_ID";
    } else if (!unset) {
      const auto fine = providers::check_aws_credentials(credentials, "providers." + key_.text);
      if (!fine) reading_.problem(key_.place, fine.error().message);
    }
    if (!unset && !is_region(one_.bedrock.region)) {
      reading_.problem(place_of("region"),
                       fmt::format("provider {} needs a region, like eu-central-1 (or AWS_REGION)", key_.text));
    }
    if (one_.base_url.empty() && !node_.find("base_url")) {
      one_.base_url = fmt::format("https://bedrock-runtime.{}.amazonaws.com", one_.bedrock.region);
    }
  }

  static bool is_region(std::string_view text) {
    return !text.empty() && text.size() <= 32 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  }
  bool has_unset(std::string_view key) const {
    const Node* node = node_.find(key);
    return node && !node->unset.empty();
  }

  void no_base_url() {
    const KnownProvider* known = find_known_provider(key_.text);
    if (known == nullptr || known->protocol != one_.protocol || known->base_url.empty()) known = of_protocol();
    if (known != nullptr && !known->base_url.empty()) {
      one_.base_url = known->base_url;
    } else if (node_.kind != Node::Kind::scalar) {
      const auto* example =
          one_.protocol == Protocol::azure ? "https://NAME.openai.azure.com" : "https://api.example.com/v1";
      reading_.problem(key_.place, fmt::format("provider {} has no base_url, like {}", key_.text, example));
    }
  }
  /// `claude: {protocol: anthropic, api_key: …}`: where that protocol is at home. OpenAI's is spoken by too many.
  const KnownProvider* of_protocol() const {
    if (one_.protocol == Protocol::openai) return nullptr;
    for (const KnownProvider& known : known_providers()) {
      if (known.protocol == one_.protocol) return &known;
    }
    return nullptr;
  }

  const Key& key_;
  const Node& node_;
  const ProviderReading& reading_;
  ProviderSettings one_;
};

}  // namespace

ProviderSettings read_provider(const Key& key, const Node& node, const ProviderReading& reading) {
  return ProviderEntry(key, node, reading).read();
}

}  // namespace weir::settings
