// Makes the price table that is built into weir: price_table <prices.yaml> <table.cpp>. Runs at build time only.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.hpp"
#include "settings/built_in/row.hpp"
#include "settings/prices.hpp"

namespace {

unsigned abilities_of(const weir::catalogue::ModelFacts& facts) {
  if (!facts.abilities) return 0;
  const auto& able = *facts.abilities;
  unsigned bits = weir::settings::kAbilitiesKnown;
  unsigned bit = 0;
  for (const bool has : {able.vision, able.documents, able.tools, able.schema, able.reasoning, able.streaming}) {
    bits |= static_cast<unsigned>(has) << bit++;
  }
  return bits;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream in{argv[1], std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto models = weir::settings::load_prices(text, "config/prices.yaml");
  if (!models) {
    fmt::print(stderr, "{}", weir::settings::to_string(models.error()));
    return 1;
  }
  std::string rows =
      "// Made from config/prices.yaml.\n#include \"settings/built_in/row.hpp\"\n\n"
      "namespace weir::settings {\n\nconst PriceRow kPriceRows[] = {\n";
  for (const auto& facts : *models) {
    using weir::json_string;  // names and addresses are plain: their JSON is C++ too
    const auto& price = facts.price;
    rows += fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}},\n", json_string(facts.id),
                        json_string(facts.vendor), json_string(facts.as_of), json_string(facts.source),
                        json_string(fmt::format("{}", fmt::join(facts.aliases, "\n"))), price.input.value,
                        price.output.value, price.cache_read.value, price.cache_write.value, facts.context_window,
                        facts.output_tokens_max, facts.minimum_cacheable_tokens, abilities_of(facts));
  }
  rows +=
      fmt::format("}};\nconst std::size_t kPriceRowCount = {};\n\n}}  // namespace weir::settings\n", models->size());
  std::ofstream out{argv[2], std::ios::binary};
  out << rows;
  out.close();
  return out ? 0 : 1;
}
