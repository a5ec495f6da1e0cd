#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weir/exchange/price.hpp>

namespace weir::catalogue {

/// What a model can be asked for. A call that needs what it lacks is refused before it is sent.
struct Abilities {
  bool vision = false;     ///< images
  bool documents = false;  ///< PDF and the like
  bool tools = false;
  bool schema = false;     ///< answers held to a JSON Schema
  bool reasoning = false;  ///< takes an effort or a budget to think with
  bool streaming = false;
  bool operator==(const Abilities&) const = default;
};

/// What config/prices.yaml says of one model. Prices in nano-dollars per million tokens; dates as YYYY-MM-DD.
struct ModelFacts {
  std::string id;
  std::string vendor;
  Price price;
  std::int64_t context_window = 0;            ///< tokens; 0 = not stated
  std::int64_t output_tokens_max = 0;         ///< of one answer; 0 = not stated
  std::int64_t minimum_cacheable_tokens = 0;  ///< SEMANTICS 42; 0 = no prompt caching known
  std::optional<Abilities> abilities;         ///< nothing = not known: then nothing is refused
  std::string as_of;
  std::string source;                ///< the public page the figures are from
  std::vector<std::string> aliases;  ///< other names of the same model: dated, provider/ prefixed, on hosts
  bool operator==(const ModelFacts&) const = default;
};

/// `price:` under models: overrides the catalogue.
struct PriceSettings {
  std::optional<Price> price;  ///< {input: 0.15, output: 0.6, cache_read: …, cache_write: …} USD per million
  bool operator==(const PriceSettings&) const = default;
};

}  // namespace weir::catalogue
