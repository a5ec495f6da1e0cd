#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "settings/known_providers.hpp"
#include "settings/tree.hpp"

namespace weir::settings {
namespace {

using providers::Protocol;

constexpr auto kProtocols = std::to_array<std::pair<std::string_view, Protocol>>({{"openai", Protocol::openai},
                                                                                  {"anthropic", Protocol::anthropic},
                                                                                  {"gemini", Protocol::gemini},
                                                                                  {"vertex", Protocol::vertex},
                                                                                  {"azure", Protocol::azure},
                                                                                  {"bedrock", Protocol::bedrock},
                                                                                  {"demo", Protocol::demo}});
constexpr std::array<std::string_view, 7> kKeys{"protocol", "base_url", "key", "host", "quirks", "codes"};

class Reader {
 public:
  Reader(const std::string& file, std::vector<Problem>& problems) : file_(file), problems_(problems) {}

  KnownProvider read(const Key& name, const Node& node) {
    KnownProvider one;
    one.name = name.text;
    for (const Key& key : node.keys) {
      if (std::ranges::find(kKeys, key.text) == kKeys.end()) {
        problem(key.place, fmt::format("unknown key \"{}\"", key.text));
      }
    }
    if (const Node* protocol = node.find("protocol")) {
      const auto parsed = parse_protocol(protocol->text);
      if (!parsed) problem(protocol->place, fmt::format("\"{}\" is no protocol", protocol->text));
      if (parsed) one.protocol = *parsed;
    }
    if (const Node* url = node.find("base_url")) one.base_url = url->text;
    if (const Node* key = node.find("key")) one.variable = key->text;
    one.host = host_of(one.base_url);
    if (const Node* host = node.find("host")) one.host = host->text;
    if (one.host.empty() && one.name != "any") problem(name.place, fmt::format("{} needs a host", one.name));
    // On this machine several servers share the host: there only the name tells them apart.
    if (one.host == "127.0.0.1") one.host.clear();
    if (const Node* quirks = node.find("quirks")) {
      for (const Node& quirk : quirks->items) {
        providers::Quirks tried;
        if (!set_quirk(tried, quirk.text)) problem(quirk.place, fmt::format("\"{}\" is no quirk", quirk.text));
        one.quirks.push_back(quirk.text);
      }
    }
    codes(one, node.find("codes"));
    return one;
  }

  static std::string host_of(std::string_view base_url) {
    const std::size_t scheme = base_url.find("://");
    if (scheme == std::string_view::npos) return {};
    base_url.remove_prefix(scheme + 3);
    return std::string(base_url.substr(0, base_url.find_first_of(":/")));
  }

 private:
  void codes(KnownProvider& one, const Node* codes) {
    for (std::size_t c = 0; codes != nullptr && c < codes->keys.size(); ++c) {
      const std::string& meant = codes->items[c].text;
      const auto row = std::ranges::find(kFailures, meant, [](const FailureRow& each) { return each.name; });
      if (row == kFailures.end() || row->failure == Failure::none) {
        problem(codes->items[c].place, fmt::format("\"{}\" is no class of failures", meant));
      } else {
        one.codes.push_back({codes->keys[c].text, row->failure});
      }
    }
  }
  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
};

/// The whole file, `any` first.
const std::vector<KnownProvider>& built_in() {
  static const std::vector<KnownProvider> all = [] {
    auto loaded = load_known_providers(built_in_providers_text(), "config/providers.yaml");
    WEIR_ENSURE(loaded.has_value() && !loaded->empty() && loaded->front().name == "any");
    return std::move(*loaded);
  }();
  return all;
}

}  // namespace

std::optional<Protocol> parse_protocol(std::string_view text) {
  const auto found = std::ranges::find(kProtocols, text, [](const auto& one) { return one.first; });
  return found == kProtocols.end() ? std::nullopt : std::optional(found->second);
}

bool set_quirk(providers::Quirks& quirks, std::string_view name) {
  if (name == "no_completions") return !(quirks.completions = false);
  if (name == "no_responses") return !(quirks.responses = false);
  if (name == "no_image_urls") return !(quirks.image_urls = false);
  if (name == "developer_role") return quirks.developer_role = true;
  if (name == "max_completion_tokens") return quirks.max_completion_tokens = true;
  if (name == "reasoning_content") return quirks.reasoning_content = true;
  return false;
}

Result<std::vector<KnownProvider>, std::vector<Problem>> load_known_providers(std::string_view text,
                                                                              const std::string& name) {
  std::vector<Problem> problems;
  const Node root = read_tree(text, name, problems);
  std::vector<KnownProvider> all;
  Reader reader(name, problems);
  for (std::size_t i = 0; i < root.keys.size(); ++i) all.push_back(reader.read(root.keys[i], root.items[i]));
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return all;
}

std::span<const KnownProvider> known_providers() {
  return std::span(built_in()).subspan(1);
}

const KnownProvider* find_known_provider(std::string_view name) {
  const auto all = known_providers();
  const auto found = std::ranges::find(all, name, &KnownProvider::name);
  return found == all.end() ? nullptr : &*found;
}

const KnownProvider* known_provider_at(std::string_view base_url) {
  const std::string host = Reader::host_of(base_url);
  for (const KnownProvider& one : known_providers()) {
    if (one.host.empty()) continue;
    if (host.ends_with(one.host) || host == Reader::host_of(one.base_url)) return &one;
  }
  return nullptr;
}

std::vector<openai_chat::ErrorCode> error_codes_of(std::string_view entry, std::string_view base_url) {
  std::vector<openai_chat::ErrorCode> codes;
  const KnownProvider* own = known_provider_at(base_url);
  if (own == nullptr) own = find_known_provider(entry);
  if (own != nullptr) codes = own->codes;
  std::ranges::copy(built_in().front().codes, std::back_inserter(codes));
  return codes;
}

void add_known_facts(providers::ProviderSettings& provider) {
  provider.error_codes = error_codes_of(provider.name, provider.base_url);
  const KnownProvider* known = known_provider_at(provider.base_url);
  // A server of one's own is told by its name; elsewhere a name may be put on anything.
  const KnownProvider* named = find_known_provider(provider.name);
  if (known == nullptr && named != nullptr && named->host.empty()) known = named;
  if (known == nullptr || known->protocol != provider.protocol) return;
  for (const std::string& quirk : known->quirks) set_quirk(provider.quirks, quirk);
}

}  // namespace weir::settings
