#include "settings/document.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "settings/known_providers.hpp"
#include "settings/registry.hpp"

namespace weir::settings {
namespace {

using Json = nlohmann::ordered_json;

std::string_view words(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "text";
    case Kind::secret:
      return "secret text";
    case Kind::file:
      return "file";
    case Kind::name:
      return "provider's name";
    case Kind::task:
      return "task type";
    case Kind::choice:
      return "";
    case Kind::percent:
      return "share";
    case Kind::names:
      return "list of texts";
    case Kind::secrets:
      return "list of secret texts";
    case Kind::flag:
      return "true, false";
    case Kind::count:
      return "number";
    case Kind::decimal:
      return "number";
    case Kind::dollars:
      return "USD";
    case Kind::money:
      return "amount";
    case Kind::duration:
      return "time";
    case Kind::size:
      return "size";
    case Kind::address:
      return "address";
    case Kind::addresses:
      return "address or list";
    case Kind::url:
      return "URL";
    case Kind::key_hash:
      return "hash";
    case Kind::date:
      return "date";
  }
  return "";
}

std::string type_of(const Setting& setting) {
  std::string type{words(setting.kind)};
  std::string_view rest = setting.choices;
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find(' '));
    type += fmt::format("{}`{}`", type.empty() ? "" : ", ", word);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return type;
}

std::string bounds_of(const Setting& setting) {
  if (setting.least.empty()) return "";
  if (setting.most.empty()) return "may be empty";
  return fmt::format("{} – {}", setting.least, setting.most);
}

std::string_view section_of(std::string_view path) {
  const auto dot = path.find('.');
  return dot == path.npos ? std::string_view{} : path.substr(0, dot);
}

std::string intro() {
  return R"(# Settings

Printed from the program by `weir schema --markdown`; a test keeps both equal. Nothing here is required: without a file
the providers come from the environment.

A settings file is YAML. A key that is not listed here, a value of another type or beyond its bounds, and a key written
twice are errors with file, line and column; `weir check FILE` lists all of them. `<name>` stands for a name of your own.

| Notation | Examples |
|---|---|
| time | `500ms` `2s` `10m` `1h`; a number alone is refused |
| size | `512KiB` `32MiB` (1024), `10MB` (1000) |
| amount | `0.05 USD` |
| share | `10%` `0.5%` |
| address | `127.0.0.1:8080` `[::1]:8080` |
| variable | `${NAME}` `${NAME:-default}` `${file:/run/secrets/key}`; `$$` is a dollar sign |

A provider with a variable that is not set (or empty) is off: that is a warning, and with `--strict` an error. Anywhere
else an unset variable without a default is an error. A relative path starts at the settings file's folder. `live` settings
change with a reload (SIGHUP or a changed file); a reload that changes a `restart` one is refused as a whole.

`profiles: {<name>: {…}}` holds overlays: `weir serve --profile NAME` lays that one over the file, map by map, before it
is checked.
)";
}

std::string without_file() {
  std::string text = R"(
## Without a file

Without a file, and where a file has no `providers:`, these appear by themselves when their variable is set.
`OPENAI_BASE_URL` moves `openai` to another server, then also without a key. `demo` is always there; it takes calls by
itself only when it is the only one. The base URLs also serve a provider of that name in a file.

| Provider | Variable | Base URL |
|---|---|---|
)";
  for (const auto& known : known_providers()) {
    if (known.base_url.empty()) continue;
    text += fmt::format("| `{}` | {} | `{}` |\n", known.name,
                        known.variable.empty() ? "" : fmt::format("`{}`", known.variable), known.base_url);
  }
  return text;
}

std::string heading(std::string_view name) {
  return fmt::format("\n## {}\n\n| Setting | Type | Default | Bounds | Change | Meaning |\n|---|---|---|---|---|---|\n",
                     name);
}

std::string row(const Setting& setting) {
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", setting.path, type_of(setting),
                     setting.fallback.empty() ? "" : fmt::format("`{}`", setting.fallback), bounds_of(setting),
                     setting.change == Change::live ? "live" : "restart", setting.help);
}

Json schema_of(const Setting& setting) {
  Json schema;
  schema["description"] = setting.help;
  const bool number = setting.kind == Kind::count || setting.kind == Kind::decimal || setting.kind == Kind::dollars;
  if (setting.kind == Kind::choice) {
    std::string_view rest = setting.choices;
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      schema["enum"].push_back(word);
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
  } else if (setting.kind == Kind::addresses) {
    schema["type"] = {"string", "array", "object"};
  } else if (setting.kind == Kind::names || setting.kind == Kind::secrets) {
    schema["type"] = {"array", "string"};
    schema["items"] = {{"type", "string"}};
  } else if (setting.kind == Kind::flag) {
    // A text too: every value may be a ${VARIABLE}.
    schema["type"] = {"boolean", "string"};
  } else if (number) {
    schema["type"] = {"number", "string"};
  } else {
    schema["type"] = "string";
  }
  if (!setting.fallback.empty()) schema["default"] = setting.fallback;
  return schema;
}

void put(Json& object, std::string_view path, const Setting& setting) {
  const auto key = std::string{path.substr(0, path.find('.'))};
  if (key == "[]") {
    object["type"] = "array";
    if (!object.contains("items")) object["items"] = Json::object();
    return put(object["items"], path.substr(key.size() + 1), setting);
  }
  object["type"] = "object";
  if (!object.contains("additionalProperties")) object["additionalProperties"] = false;
  Json& below = key.starts_with('<') ? object["additionalProperties"] : object["properties"][key];
  if (!below.is_object()) below = Json::object();
  if (key.size() == path.size()) {
    below = schema_of(setting);
  } else {
    put(below, path.substr(key.size() + 1), setting);
  }
}

}  // namespace

std::string print_markdown() {
  std::string top = heading("Top level");
  std::string sections;
  std::string_view section;
  for (const auto& setting : all_settings()) {
    const auto its = section_of(setting.path);
    if (its.empty()) {
      top += row(setting);
      continue;
    }
    if (its != section) sections += heading(section = its);
    sections += row(setting);
  }
  return intro() + top + sections + without_file();
}

std::string print_json_schema() {
  Json schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "weir settings";
  for (const auto& setting : all_settings()) put(schema, setting.path, setting);
  schema["properties"]["profiles"] = {{"type", "object"}, {"description", "overlays for --profile"}};
  return schema.dump(2) + "\n";
}

}  // namespace weir::settings
