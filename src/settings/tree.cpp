#include "settings/tree.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace weir::settings {
namespace {

constexpr std::size_t kDepth = 32;        // the deepest setting is at 5
constexpr std::size_t kNodes = 100'000;   // aliases of aliases grow exponentially; a thousand prices are 30,000
constexpr std::size_t kProblems = 1'000;  // of one kind are enough to mend

struct TooMuch {
  Place place;
  const char* what;
};

Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

/// Builds the tree from the parser's events: unlike YAML::Node they still have each key's place and every key twice.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& file, std::vector<Problem>& problems) : file_{file}, problems_{problems} {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = place_of(mark);
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      problem(place_of(mark), "an alias inside of its own anchor");
      return OnNull(mark, 0);
    }
    Node copy = found->second.first;
    count(found->second.second, place_of(mark));
    add(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.place = place_of(mark);
    node.text = value;
    node.written = value;
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::size_t nodes_before;
    bool has_key = false;
    bool skip = false;  ///< the value belongs to a key that is not kept
    Key key;
  };

  void problem(Place place, std::string message) {
    if (problems_.size() < kProblems) problems_.push_back({file_, place.line, place.column, std::move(message)});
  }
  void count(std::size_t nodes, Place place) {
    nodes_ += nodes;
    if (nodes_ > kNodes) throw TooMuch{place, "too many values"};
  }
  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kDepth) throw TooMuch{place_of(mark), "nested too deeply"};
    Open open;
    open.node.kind = kind;
    open.node.place = place_of(mark);
    open.anchor = anchor;
    open.nodes_before = nodes_;
    stack_.push_back(std::move(open));
  }
  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(done.node), done.anchor, nodes_ - done.nodes_before);
  }
  void add(Node node, YAML::anchor_t anchor, std::size_t inside = 0) {
    count(1, node.place);
    if (anchor != 0) {
      count(inside, node.place);
      anchors_[anchor] = {node, inside + 1};
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      begin_entry(parent, node);
    } else {
      parent.has_key = false;
      if (parent.skip) return;
      parent.node.keys.push_back(std::move(parent.key));
      parent.node.items.push_back(std::move(node));
    }
  }
  void begin_entry(Open& parent, const Node& key) {
    parent.has_key = true;
    parent.skip = false;
    if (key.kind != Node::Kind::scalar) {
      problem(key.place, "a key must be a text");
      parent.skip = true;
      return;
    }
    if (const Key* first = parent.node.find_key(key.text)) {
      problem(key.place, fmt::format("\"{}\" is written twice; the first is in line {}", key.text, first->place.line));
      parent.skip = true;
    }
    parent.key = {key.text, key.place};
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  Node root_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, std::pair<Node, std::size_t>> anchors_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Key* Node::find_key(std::string_view key) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.text == key; });
  return found == keys.end() ? nullptr : &*found;
}

const Node* Node::find(std::string_view key) const {
  const Key* found = find_key(key);
  return found ? &items[static_cast<std::size_t>(found - keys.data())] : nullptr;
}

Node read_tree(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
  Builder builder{file, problems};
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    if (parser.HandleNextDocument(builder)) {
      std::vector<Problem> ignored;
      Builder second{file, ignored};
      if (parser && parser.HandleNextDocument(second)) {
        problems.push_back({file, 0, 0, "must be one YAML document; a line with --- begins another one"});
      }
    }
  } catch (const TooMuch& e) {
    problems.push_back({file, e.place.line, e.place.column, e.what});
  } catch (const YAML::Exception& e) {
    const Place place = e.mark.is_null() ? Place{} : place_of(e.mark);
    problems.push_back({file, place.line, place.column, "not valid YAML: " + e.msg});
  }
  return builder.take();
}

void merge(Node& base, const Node& overlay) {
  if (base.kind != Node::Kind::map || overlay.kind != Node::Kind::map) {
    base = overlay;
    return;
  }
  for (std::size_t i = 0; i < overlay.keys.size(); ++i) {
    if (Node* below = base.find(overlay.keys[i].text)) {
      merge(*below, overlay.items[i]);
    } else {
      base.keys.push_back(overlay.keys[i]);
      base.items.push_back(overlay.items[i]);
    }
  }
}

}  // namespace weir::settings
