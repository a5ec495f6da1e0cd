#include "settings/build_price.hpp"

#include <fmt/format.h>

#include "settings/quantities.hpp"

namespace weir::settings {

std::optional<Price> read_price(const Node& node, std::string_view of,
                                const std::function<void(Place, std::string)>& report) {
  const Node* given = node.find("price");
  if (!given || given->kind != Node::Kind::map) return std::nullopt;
  if (given->keys.empty() || given->find("monthly")) return std::nullopt;  // monthly: refused as not supported
  // Half a price would book the other half as free.
  if (!given->find("input") || !given->find("output")) {
    report(node.find_key("price")->place, fmt::format("price of {} needs both input and output", of));
    return std::nullopt;
  }
  const auto set = [given](NanoDollars& value, std::string_view key) {
    const Node* dollars = given->find(key);
    if (!dollars || dollars->kind != Node::Kind::scalar || !dollars->unset.empty()) return;
    if (const auto parsed = parse_dollars(dollars->text)) value = *parsed;
  };
  Price whole;
  set(whole.input, "input");
  set(whole.output, "output");
  whole.cache_read = whole.cache_write = whole.input;
  set(whole.cache_read, "cache_read");
  set(whole.cache_write, "cache_write");
  return whole;
}

}  // namespace weir::settings
