#include "settings/provider_errors.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "settings/tree.hpp"

namespace weir::settings {

Result<std::vector<ProviderErrors>, std::vector<Problem>> load_provider_errors(std::string_view text,
                                                                               const std::string& name) {
  std::vector<Problem> problems;
  const Node root = read_tree(text, name, problems);
  std::vector<ProviderErrors> all;
  const auto problem = [&](Place place, std::string message) {
    problems.push_back({name, place.line, place.column, std::move(message)});
  };
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    const Node& node = root.items[i];
    ProviderErrors one;
    one.name = root.keys[i].text;
    for (const Key& key : node.keys) {
      if (key.text != "host" && key.text != "codes") problem(key.place, fmt::format("unknown key \"{}\"", key.text));
    }
    if (const Node* host = node.find("host")) one.host = host->text;
    if (one.host.empty() && one.name != "any") problem(root.keys[i].place, fmt::format("{} needs a host", one.name));
    const Node* codes = node.find("codes");
    for (std::size_t c = 0; codes && c < codes->keys.size(); ++c) {
      const std::string& meant = codes->items[c].text;
      const auto row = std::ranges::find(kFailures, meant, [](const FailureRow& each) { return each.name; });
      if (row == kFailures.end() || row->failure == Failure::none) {
        problem(codes->items[c].place, fmt::format("\"{}\" is no class of failures", meant));
      } else {
        one.codes.push_back({codes->keys[c].text, row->failure});
      }
    }
    all.push_back(std::move(one));
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return all;
}

std::vector<openai_chat::ErrorCode> error_codes_of(std::string_view entry, std::string_view base_url) {
  static const std::vector<ProviderErrors> all = [] {
    auto loaded = load_provider_errors(built_in_provider_errors_text(), "config/providers.yaml");
    WEIR_ENSURE(loaded.has_value());
    return std::move(*loaded);
  }();
  const std::size_t scheme = base_url.find("://");
  std::string_view host = scheme == std::string_view::npos ? std::string_view{} : base_url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of(":/"));
  std::vector<openai_chat::ErrorCode> codes;
  for (const bool own : {true, false}) {
    for (const ProviderErrors& one : all) {
      const bool its = one.name == entry || (!one.host.empty() && host.ends_with(one.host));
      if (own ? one.name != "any" && its : one.name == "any") std::ranges::copy(one.codes, std::back_inserter(codes));
    }
  }
  return codes;
}

}  // namespace weir::settings
