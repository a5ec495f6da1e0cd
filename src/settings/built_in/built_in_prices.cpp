#include <algorithm>
#include <span>

#include "settings/built_in/row.hpp"
#include "settings/prices.hpp"

namespace weir::settings {
namespace {

catalogue::ModelFacts facts_of(const PriceRow& row) {
  catalogue::ModelFacts facts{.id = std::string{row.id},
                              .vendor = std::string{row.vendor},
                              .price = {{row.input}, {row.output}, {row.cache_read}, {row.cache_write}},
                              .context_window = row.window,
                              .output_tokens_max = row.output_max,
                              .minimum_cacheable_tokens = row.cacheable_from,
                              .abilities = {},
                              .as_of = std::string{row.as_of},
                              .source = std::string{row.source},
                              .aliases = {}};
  if ((row.abilities & kAbilitiesKnown) != 0) {
    const auto has = [&row](unsigned bit) { return (row.abilities >> bit & 1U) != 0; };
    facts.abilities = {.vision = has(0),
                       .documents = has(1),
                       .tools = has(2),
                       .schema = has(3),
                       .reasoning = has(4),
                       .streaming = has(5)};
  }
  for (std::size_t begin = 0; begin < row.aliases.size();) {
    const auto end = std::min(row.aliases.find('\n', begin), row.aliases.size());
    facts.aliases.emplace_back(row.aliases.substr(begin, end - begin));
    begin = end + 1;
  }
  return facts;
}

}  // namespace

std::vector<catalogue::ModelFacts> built_in_prices() {
  std::vector<catalogue::ModelFacts> all;
  all.reserve(kPriceRowCount);
  for (const PriceRow& row : std::span{kPriceRows, kPriceRowCount}) all.push_back(facts_of(row));
  return all;
}

}  // namespace weir::settings
