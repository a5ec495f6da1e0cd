#include "settings/variables.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace weir::settings {
namespace {

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Result<std::string> read_secret(std::string_view path, const Environment& environment) {
  if (path.empty()) return failure("${file:} names no file");
  auto content = environment.read_file ? environment.read_file(std::filesystem::path{path})
                                       : Result<std::string>{failure("cannot be read")};
  if (!content) return failure(fmt::format("{} {}", path, content.error().message));
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  return content;
}

/// `inner` is what stands between the braces.
Result<std::string> value_of(std::string_view inner, const Environment& environment, std::string& unset) {
  constexpr std::string_view file = "file:";
  if (inner.starts_with(file)) return read_secret(inner.substr(file.size()), environment);
  const std::size_t mark = inner.find(":-");
  const std::string_view name = inner.substr(0, mark);
  if (!is_name(name)) {
    return failure("${…} must be ${NAME}, ${NAME:-default} or ${file:/path}; write $$ for a dollar sign");
  }
  const auto value = environment.variable ? environment.variable(name) : std::nullopt;
  if (value && !value->empty()) return *value;
  if (mark != inner.npos) return std::string{inner.substr(mark + 2)};
  if (unset.empty()) unset = name;
  return std::string{};
}

}  // namespace

Result<Replaced> replace_variables(std::string_view text, const Environment& environment) {
  Replaced out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == text.npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out.text += '$';
      text.remove_prefix(1);
    } else if (text.starts_with('{')) {
      const std::size_t end = text.find('}');
      if (end == text.npos) return failure("${ has no closing brace; write $$ for a dollar sign");
      auto value = value_of(text.substr(1, end - 1), environment, out.unset);
      if (!value) return std::unexpected(value.error());
      out.text += *value;
      text.remove_prefix(end + 1);
    } else {
      out.text += '$';
    }
  }
  return out;
}

void replace_variables(Node& node, const Environment& environment, const std::string& file,
                       std::vector<Problem>& problems) {
  for (auto& item : node.items) replace_variables(item, environment, file, problems);
  if (node.kind != Node::Kind::scalar || node.text.find('$') == std::string::npos) return;
  auto replaced = replace_variables(node.text, environment);
  if (!replaced) {
    problems.push_back({file, node.place.line, node.place.column, replaced.error().message});
    return;
  }
  node.text = std::move(replaced->text);
  node.unset = std::move(replaced->unset);
}

}  // namespace weir::settings
