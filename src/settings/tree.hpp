#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/problem.hpp"

namespace weir::settings {

struct Place {
  int line = 0;
  int column = 0;
};

struct Key {
  std::string text;
  Place place;
};

/// A YAML document as plain data, every part with its place. Anchors are resolved by copying, within a bound.
struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place;
  std::string text;         ///< scalar, after `${…}` was replaced
  std::string written;      ///< scalar as in the file: the only form that messages may show
  std::string unset;        ///< the first variable in it that is not set; then `text` is not to be used
  std::vector<Key> keys;    ///< map: the key of each of `items`
  std::vector<Node> items;  ///< list, map

  /// The value under `key`; null if there is none. A null node has no members.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }
  const Key* find_key(std::string_view key) const;
};

/// Reads one document. What is wrong (syntax, a key twice, too deep, too large) is added to `problems`; what could be
/// read is returned nevertheless, so that the rest is checked too.
Node read_tree(std::string_view text, const std::string& file, std::vector<Problem>& problems);

/// Lays `overlay` over `base`: maps are merged key by key, everything else is replaced.
void merge(Node& base, const Node& overlay);

}  // namespace weir::settings
