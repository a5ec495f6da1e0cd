#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::settings {

enum class Kind {
  text,
  secret,  ///< text that no message shows
  file,    ///< a path, relative to the settings file's folder
  name,    ///< of a provider
  task,    ///< [A-Za-z0-9_.:-]{1,64}
  choice,  ///< one of `bounds`
  flag,
  percent,
  names,    ///< a list of texts; `choices`: only these; `least` 0: or none
  secrets,  ///< a list of texts that no message shows
  count,
  decimal,
  dollars,  ///< per million tokens
  money,
  duration,
  size,
  address,
  addresses,  ///< one address or a list of them
  url,
  key_hash,  ///< sha256:… of a client key; no message shows it
  date,      ///< YYYY-MM-DD, or with a time: YYYY-MM-DDTHH:MM:SSZ
};

enum class Change { live, restart };

/// One setting that exists. Documentation, JSON schema, checks and suggestions are all made from these rows.
struct Setting {
  std::string_view path;  ///< `providers.<name>.base_url`: <…> stands for any name
  Kind kind;
  std::string_view fallback;  ///< the default, as it would be written; empty = none
  std::string_view least;     ///< as it would be written; empty = no bound
  std::string_view most;
  std::string_view choices;  ///< words that are taken besides or instead, parted by blanks
  Change change;
  std::string_view help;
};

/// In the order of the documentation.
std::span<const Setting> all_settings();

/// The row of a pattern; null if there is none.
const Setting* find_setting(std::string_view pattern);

/// The keys that exist below a section's pattern ("" = top), each once; a `<…>` stands for itself.
std::vector<std::string_view> keys_below(std::string_view pattern);

/// Whether the contract names this setting but this version does not have it.
bool is_planned(std::string_view pattern);

/// The same of a setting's value (protocol: anthropic).
bool is_planned(std::string_view pattern, std::string_view value);

/// What is wrong with a value, as the end of a sentence ("must be …"); nullopt = nothing. A `secret` value is never
/// repeated.
std::optional<std::string> complaint(const Setting& setting, std::string_view value);

}  // namespace weir::settings
