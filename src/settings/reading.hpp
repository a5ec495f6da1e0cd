#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include "settings/tree.hpp"

/// How values are taken out of a tree that check() has seen.
namespace weir::settings {

/// A scalar that can be used; null for nothing, a list, a map or an unset variable.
inline const Node* scalar(const Node* node) {
  return node && node->kind == Node::Kind::scalar && node->unset.empty() ? node : nullptr;
}

inline const Node* below(const Node& node, std::string_view first, std::string_view second) {
  const Node* section = node.find(first);
  return section ? section->find(second) : nullptr;
}

inline void set(std::string& value, const Node* node) {
  if (scalar(node)) value = node->text;
}

/// `parse` reports nothing here: what it refuses, check() has reported.
template <class T, class Parsed>
void set(T& value, const Node* node, Result<Parsed> (*parse)(std::string_view)) {
  if (!scalar(node)) return;
  if (const auto parsed = parse(node->text)) value = static_cast<T>(*parsed);
}

template <class T, class Parsed>
void set(std::optional<T>& value, const Node* node, Result<Parsed> (*parse)(std::string_view)) {
  if (!scalar(node)) return;
  if (const auto parsed = parse(node->text)) value = *parsed;
}

}  // namespace weir::settings
