#include "settings/check.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "catalogue/nearest.hpp"
#include "settings/registry.hpp"

namespace weir::settings {
namespace {

bool is_word(std::string_view name, std::string_view more) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

/// What is wrong with a name that the user gave, by the section that it stands in; empty = nothing.
std::string_view name_complaint(std::string_view section, std::string_view name) {
  if (section == "providers") {
    // No slash: `provider/model` is split at the first one.
    if (!is_word(name, "_.-")) return "a provider's name may have A-Z a-z 0-9 _ . - only";
  } else if (section.ends_with(".headers")) {
    if (!is_word(name, "!#$%&'*+-.^_`|~")) return "not a header's name";
    std::string lower{name};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const std::string_view ours : {"host", "content-length", "transfer-encoding", "connection", "accept-encoding",
                                        "expect", "te", "trailer", "upgrade", "keep-alive", "content-type"}) {
      if (lower == ours) return "weir sets this header itself";
    }
  } else if (!is_word(name, "_.:/@+-")) {
    return "a name may have A-Z a-z 0-9 and _ . : / @ + - only, and at most 128 characters";
  }
  return {};
}

class Checker {
 public:
  Checker(const std::string& file, std::vector<Problem>& problems) : file_{file}, problems_{problems} {}

  void section(const Node& node, const std::string& pattern, const std::string& path) {
    if (node.kind == Node::Kind::null) return;
    const auto keys = keys_below(pattern);
    if (keys.front() == "[]") return items(node, pattern + ".[]", path);
    if (node.kind != Node::Kind::map) {
      problem(node.place, path.empty() ? std::string{"must be keys with values, like \"listen: 127.0.0.1:8080\""}
                                       : fmt::format("{} must have keys below it, like {{{}: …}}", path,
                                                     keys_below(pattern).front()));
      return;
    }
    for (std::size_t i = 0; i < node.keys.size(); ++i) entry(node.keys[i], node.items[i], pattern, path, keys);
  }

 private:
  void entry(const Key& key, const Node& value, const std::string& pattern, const std::string& path,
             const std::vector<std::string_view>& keys) {
    const std::string below = path.empty() ? key.text : path + "." + key.text;
    std::string child = pattern.empty() ? "" : pattern + ".";
    if (keys.front().starts_with('<')) {
      if (const auto wrong = name_complaint(pattern, key.text); !wrong.empty()) {
        return problem(key.place, fmt::format("\"{}\": {}", key.text, wrong));
      }
      return known(key, value, child + std::string{keys.front()}, below);
    }
    child += key.text;
    if (std::find(keys.begin(), keys.end(), key.text) != keys.end()) return known(key, value, child, below);
    // A key that is written with its dots ("limits.body: 1MiB") is none of ours.
    if (key.text.find('.') == std::string::npos && is_planned(child)) return planned(key.place, below);
    const auto near = catalogue::nearest(key.text, keys);
    problem(key.place, near ? fmt::format("unknown key \"{}\". Did you mean \"{}\"?", key.text, *near)
                            : fmt::format("unknown key \"{}\"{}", key.text, where(path, keys)));
  }

  void known(const Key& key, const Node& value, const std::string& pattern, const std::string& path) {
    const Setting* setting = find_setting(pattern);
    if (!setting) return section(value, pattern, path);
    // An empty value has the place of whatever comes next.
    if (value.kind == Node::Kind::null) return problem(key.place, fmt::format("{} has no value", path));
    leaf(*setting, value, path);
  }

  static std::string where(const std::string& path, const std::vector<std::string_view>& keys) {
    std::string list;
    for (const auto key : keys) list += (list.empty() ? "" : ", ") + std::string{key};
    return fmt::format(". {} takes: {}", path.empty() ? "The file" : path, list);
  }

  /// A list of entries, like `keys:`.
  void items(const Node& node, const std::string& pattern, const std::string& path) {
    if (node.kind != Node::Kind::list || node.items.empty()) {
      return problem(node.place, fmt::format("{} must be a list, like [{{{}: …}}]", path, keys_below(pattern).front()));
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string item = fmt::format("{}[{}]", path, i);
      if (node.items[i].kind == Node::Kind::null) problem(node.items[i].place, item + " has no value");
      section(node.items[i], pattern, item);
    }
  }

  void leaf(const Setting& setting, const Node& node, const std::string& path) {
    if (setting.kind == Kind::names || setting.kind == Kind::secrets) {
      const bool may_be_empty = setting.least == "0";
      if (node.kind != Node::Kind::list || (node.items.empty() && !may_be_empty)) {
        return problem(node.place, fmt::format("{} must be a list, like [one, two]", path));
      }
      for (const Node& item : node.items) value(setting, item, path);
      return;
    }
    value(setting, node, path);
  }

  void value(const Setting& setting, const Node& node, const std::string& path) {
    if (setting.kind == Kind::addresses && node.kind != Node::Kind::scalar) return addresses(setting, node, path);
    if (node.kind != Node::Kind::scalar) {
      const auto what = node.kind == Node::Kind::null   ? "has no value"
                        : node.kind == Node::Kind::list ? "must be one value, not a list"
                                                        : "must be one value, not keys";
      return problem(node.place, fmt::format("{} {}", path, what));
    }
    if (!node.unset.empty()) {
      // A provider without its variable is off; build() notes it.
      if (setting.path.starts_with("providers.")) return;
      return problem(node.place, fmt::format("{}: the variable {} is not set. Set it or write ${{{}:-default}}", path,
                                             node.unset, node.unset));
    }
    const auto wrong = complaint(setting, node.text);
    if (!wrong) return;
    if (is_planned(setting.path, node.text)) return planned(node.place, fmt::format("{}: {}", path, node.written));
    if (setting.kind == Kind::secret || setting.kind == Kind::secrets || setting.kind == Kind::key_hash)
      return problem(node.place, fmt::format("{} {}", path, *wrong));
    // A URL with a password in it is one of the values that are wrong.
    if (setting.kind == Kind::url && node.written.find('@') != std::string::npos) {
      return problem(node.place, fmt::format("{} {}", path, *wrong));
    }
    // What the file says, never what a variable or a file put in its place.
    problem(node.place, fmt::format("{} {}, not \"{}\"", path, *wrong, node.written.substr(0, 80)));
  }

  void addresses(const Setting& setting, const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::list && !node.items.empty()) {
      for (const auto& item : node.items) {
        if (item.kind == Node::Kind::list) {
          problem(item.place, fmt::format("{}: an item must be an address", path));
        } else {
          leaf(setting, item, path);
        }
      }
      return;
    }
    if (node.kind != Node::Kind::map) return problem(node.place, fmt::format("{} has no address", path));
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto& key = node.keys[i];
      if (key.text == "address" && node.items[i].kind == Node::Kind::scalar) {
        leaf(setting, node.items[i], path + ".address");
      } else if (key.text == "tls") {
        section(node.items[i], "tls", path + ".tls");
      } else {
        problem(key.place,
                fmt::format("\"{}\" in {}: an item is an address or {{address: …, tls: {{cert: F, key: F}}}}", key.text,
                            path));
      }
    }
    if (!node.find("address")) problem(node.place, fmt::format("{} has no address", path));
  }

  void planned(Place place, const std::string& what) {
    problem(place, fmt::format("\"{}\" is not supported yet (see docs/roadmap.md)", what));
  }
  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
};

}  // namespace

void check(const Node& root, const std::string& file, std::vector<Problem>& problems) {
  Checker{file, problems}.section(root, "", "");
}

}  // namespace weir::settings
