#include "settings/build_retry.hpp"

#include <string_view>

#include "settings/quantities.hpp"

namespace weir::settings {
namespace {

const Node* scalar(const Node* node) {
  return node && node->kind == Node::Kind::scalar && node->unset.empty() ? node : nullptr;
}

const Node* below(const Node* node, std::string_view key) {
  return node ? scalar(node->find(key)) : nullptr;
}

template <class T, class Parsed>
void set(T& value, const Node* node, Result<Parsed> (*parse)(std::string_view)) {
  if (!node) return;
  if (const auto parsed = parse(node->text)) value = static_cast<T>(*parsed);
}

template <class T, class Parsed>
void set(std::optional<T>& value, const Node* node, Result<Parsed> (*parse)(std::string_view)) {
  if (!node) return;
  if (const auto parsed = parse(node->text)) value = static_cast<T>(*parsed);
}

}  // namespace

std::vector<std::string> read_names(const Node* node) {
  std::vector<std::string> names;
  if (!node) return names;
  for (const Node& item : node->items) {
    if (scalar(&item)) names.push_back(item.text);
  }
  return names;
}

pipeline::RetrySettings read_retry(const Node& root) {
  pipeline::RetrySettings retry;
  const Node* node = root.find("retry");
  if (!node) return retry;
  set(retry.budget_basis_points, below(node, "budget"), &parse_percent);
  set(retry.backoff_base, below(node->find("backoff"), "base"), &parse_duration);
  set(retry.backoff_cap, below(node->find("backoff"), "cap"), &parse_duration);
  return retry;
}

pipeline::WaySettings read_way(const Node& node) {
  pipeline::WaySettings way;
  const Node* retry = node.find("retry");
  set(way.attempts, below(retry, "attempts"), &parse_count);
  set(way.max_resend_cost, below(retry, "max_resend_cost"), &parse_money);
  const Node* hedge = below(node.find("hedge"), "max_extra_cost");
  if (hedge && hedge->text == "off") {
    way.hedge.emplace();
  } else if (hedge) {
    if (const auto most = parse_money(hedge->text)) way.hedge.emplace(*most);
  }
  if (node.find("zones")) way.zones = read_names(node.find("zones"));
  const Node* keep_alive = below(&node, "keep_alive");
  if (keep_alive && keep_alive->text == "off") {
    way.keep_alive = std::chrono::milliseconds{0};
  } else {
    set(way.keep_alive, keep_alive, &parse_duration);
  }
  set(way.repair_json, below(&node, "repair_json"), &parse_flag);
  set(way.strict, below(&node, "strict"), &parse_flag);
  const Node* images = node.find("fetch_images");
  if (images && images->find("hosts")) way.image_hosts = read_names(images->find("hosts"));
  return way;
}

void read_places(pipeline::ModelSettings& model, const Node& node) {
  if (const Node* zone = below(&node, "zone")) model.zone = zone->text;
  set(model.max_in_flight, below(&node, "max_in_flight"), &parse_count);
  if (const Node* fill = below(&node, "fill")) {
    if (fill->text == "weight") model.fill = Fill::weight;
    if (fill->text == "latency") model.fill = Fill::latency;
  }
  const Node* deployments = node.find("deployments");
  if (!deployments) return;
  for (const Node& item : deployments->items) {
    pipeline::DeploymentSettings one;
    if (const Node* provider = below(&item, "provider")) one.provider = provider->text;
    if (const Node* id = below(&item, "id")) one.id = id->text;
    if (const Node* zone = below(&item, "zone")) one.zone = zone->text;
    set(one.weight, below(&item, "weight"), &parse_count);
    set(one.max_in_flight, below(&item, "max_in_flight"), &parse_count);
    model.deployments.push_back(std::move(one));
  }
}

}  // namespace weir::settings
