#include "settings/prices.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "catalogue/nearest.hpp"
#include "settings/quantities.hpp"
#include "settings/tree.hpp"

namespace weir::settings {
namespace {

constexpr auto kModelKeys = std::to_array<std::string_view>(
    {"vendor", "price", "window", "output_max", "abilities", "cacheable_from", "as_of", "source", "aliases"});
constexpr auto kPriceKeys = std::to_array<std::string_view>({"input", "output", "cache_read", "cache_write"});

struct AbilityName {
  std::string_view name;
  bool catalogue::Abilities::* flag;
};
constexpr auto kAbilities = std::to_array<AbilityName>({{"vision", &catalogue::Abilities::vision},
                                                        {"documents", &catalogue::Abilities::documents},
                                                        {"tools", &catalogue::Abilities::tools},
                                                        {"schema", &catalogue::Abilities::schema},
                                                        {"reasoning", &catalogue::Abilities::reasoning},
                                                        {"streaming", &catalogue::Abilities::streaming}});

bool is_date(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00";
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(),
                    [](char c, char s) { return s == '0' ? c >= '0' && c <= '9' : c == s; });
}

class PriceFile {
 public:
  PriceFile(const std::string& file, std::vector<Problem>& problems) : file_{file}, problems_{problems} {}

  std::vector<catalogue::ModelFacts> run(const Node& root) {
    std::vector<catalogue::ModelFacts> all;
    const Node* models = root.find("models");
    for (const auto& key : root.keys) {
      if (key.text != "models") problem(key.place, fmt::format("unknown key \"{}\": only models is one", key.text));
    }
    if (!models || models->kind != Node::Kind::map) {
      problem(root.place, "must have models: with names below it");
      return all;
    }
    for (std::size_t i = 0; i < models->keys.size(); ++i) all.push_back(model(models->keys[i], models->items[i]));
    return all;
  }

 private:
  catalogue::ModelFacts model(const Key& key, const Node& node) {
    catalogue::ModelFacts facts;
    facts.id = key.text;
    claim(key.text, key.place);
    known(node, kModelKeys);
    facts.vendor = text(key, node, "vendor");
    facts.source = text(key, node, "source");
    facts.as_of = text(key, node, "as_of");
    if (!facts.as_of.empty() && !is_date(facts.as_of)) {
      problem(node.find("as_of")->place, fmt::format("as_of of {} must be a day like 2026-01-31", key.text));
    }
    facts.context_window = count(node, "window");
    facts.output_tokens_max = count(node, "output_max");
    facts.abilities = abilities(node);
    facts.minimum_cacheable_tokens = count(node, "cacheable_from");
    facts.price = price(key, node);
    if (const Node* aliases = node.find("aliases")) {
      for (const auto& alias : aliases->items) {
        claim(alias.text, alias.place);
        facts.aliases.push_back(alias.text);
      }
    }
    return facts;
  }

  std::optional<catalogue::Abilities> abilities(const Node& node) {
    const Node* given = node.find("abilities");
    if (!given) return std::nullopt;
    catalogue::Abilities abilities;
    if (given->kind != Node::Kind::list) problem(given->place, "abilities must be a list, such as [vision, tools]");
    for (const Node& item : given->items) {
      const auto known_one = std::ranges::find(kAbilities, item.text, &AbilityName::name);
      if (known_one != kAbilities.end()) {
        abilities.*known_one->flag = true;
      } else {
        problem(
            item.place,
            fmt::format("\"{}\" is no ability: vision, documents, tools, schema, reasoning or streaming", item.text));
      }
    }
    return abilities;
  }

  Price price(const Key& key, const Node& node) {
    Price whole;
    const Node* given = node.find("price");
    if (!given || !given->find("input") || !given->find("output")) {
      problem(key.place,
              fmt::format("{} needs a price with input and output; leave the model out if none is known", key.text));
      return whole;
    }
    known(*given, kPriceKeys);
    whole.input = dollars(*given, "input", {});
    whole.output = dollars(*given, "output", {});
    whole.cache_read = dollars(*given, "cache_read", whole.input);
    whole.cache_write = dollars(*given, "cache_write", whole.input);
    return whole;
  }

  NanoDollars dollars(const Node& price, std::string_view name, NanoDollars otherwise) {
    const Node* node = price.find(name);
    if (!node) return otherwise;
    const auto parsed = parse_dollars(node->text);
    if (parsed && parsed->value <= 1'000'000 * nano_dollars_per_dollar) return *parsed;
    problem(node->place, fmt::format("{} {}", name, parsed ? "is beyond any price" : parsed.error().message));
    return otherwise;
  }

  std::int64_t count(const Node& node, std::string_view name) {
    const Node* given = node.find(name);
    if (!given) return 0;
    const auto parsed = parse_count(given->text);
    if (!parsed) problem(given->place, fmt::format("{} {}", name, parsed.error().message));
    return parsed.value_or(0);
  }

  std::string text(const Key& key, const Node& node, std::string_view name) {
    const Node* given = node.find(name);
    if (given && given->kind == Node::Kind::scalar && !given->text.empty()) return given->text;
    problem(given ? given->place : key.place, fmt::format("{} needs {}", key.text, name));
    return {};
  }

  void known(const Node& node, std::span<const std::string_view> keys) {
    for (const auto& key : node.keys) {
      if (std::find(keys.begin(), keys.end(), key.text) != keys.end()) continue;
      const auto near = catalogue::nearest(key.text, keys);
      problem(key.place, fmt::format("unknown key \"{}\"{}", key.text,
                                     near ? fmt::format(". Did you mean \"{}\"?", *near) : std::string{}));
    }
  }

  /// Two models under one name would make a price depend on the order of the file.
  void claim(const std::string& name, Place place) {
    if (name.empty()) return problem(place, "a name must not be empty");
    const auto [first, added] = names_.emplace(name, place.line);
    if (!added) problem(place, fmt::format("\"{}\" is named already, in line {}", name, first->second));
  }

  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  std::map<std::string, int> names_;
};

}  // namespace

Result<std::vector<catalogue::ModelFacts>, std::vector<Problem>> load_prices(std::string_view text,
                                                                             const std::string& name) {
  std::vector<Problem> problems;
  const Node root = read_tree(text, name, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  auto models = PriceFile{name, problems}.run(root);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return models;
}

}  // namespace weir::settings
