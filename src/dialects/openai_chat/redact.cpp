#include "dialects/openai_chat/redact.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <weir/exchange/limits.hpp>

#include "dialects/json/utf8.hpp"

namespace weir::openai_chat {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kLookedAtBytesMax = 16U << 10;  // more is cut away anyway

bool is_digit(char c) {
  return static_cast<unsigned>(c - '0') <= 9;
}
bool is_letter(char c) {
  return static_cast<unsigned>((c | 0x20) - 'a') <= 25;
}
bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}
/// What keys and tokens are made of; `*` because providers mask keys by it.
bool is_token(char c) {
  return is_alnum(c) || std::string_view{"-_+/=.*~%"}.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string folded{text};
  for (char& c : folded) c = static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c;
  return folded;
}

bool has_key_prefix(std::string_view token) {
  constexpr std::array<std::string_view, 17> prefixes{"sk-",  "sk_",  "pk-",         "pk_", "rk-",  "rk_",
                                                      "wr_",  "gsk_", "xai-",        "hf_", "ghp_", "AIza",
                                                      "AKIA", "ASIA", "github_pat_", "eyJ", "ya29."};
  return std::any_of(prefixes.begin(), prefixes.end(), [token](std::string_view prefix) {
    return token.starts_with(prefix) && token.size() >= prefix.size() + 4;
  });
}

/// Twenty letters and digits on end, both of them, is no word and no name of a model: hex, base64, a key.
bool has_random_run(std::string_view token) {
  std::size_t run = 0, digits = 0, letters = 0;
  for (const char c : token) {
    if (!is_alnum(c) && c != '+') {
      run = digits = letters = 0;
      continue;
    }
    ++run;
    digits += is_digit(c) ? 1U : 0U;
    letters += is_letter(c) ? 1U : 0U;
    if (run >= 20 && digits >= 2 && letters >= 2) return true;
  }
  return false;
}

/// Whether the text up to here introduces a secret: `Bearer `, `api_key=`, `"password": "`.
bool introduces_secret(std::string_view before) {
  const std::string text = lower(before.substr(before.size() - std::min<std::size_t>(before.size(), 40)));
  std::size_t end = text.size();
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '"' || text[end - 1] == '\'')) --end;
  const bool spaced = end < text.size();
  const bool assigned = end > 0 && (text[end - 1] == '=' || text[end - 1] == ':');
  const auto ends_with = [](std::string_view part, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [part](std::string_view name) { return part.ends_with(name); });
  };
  if (!assigned) return spaced && ends_with(std::string_view{text}.substr(0, end), {"bearer", "basic"});
  std::string_view name = std::string_view{text}.substr(0, end - 1);
  while (!name.empty() && (name.back() == ' ' || name.back() == '"' || name.back() == '\'')) name.remove_suffix(1);
  return ends_with(name,
                   {"key", "token", "secret", "password", "passwd", "authorization", "key provided", "signature"});
}

/// The end of `user:password@` if `at` stands behind "://" and userinfo follows; else `at`.
std::size_t userinfo_end(std::string_view text, std::size_t at) {
  if (at < 3 || text.substr(at - 3, 3) != "://") return at;
  const std::size_t end = text.find_first_of("/?# \t\r\n\"'<>", at);
  const std::size_t sign = text.substr(0, end).rfind('@');
  return sign == std::string_view::npos || sign < at ? at : sign + 1;
}

}  // namespace

std::string redact(std::string_view text) {
  text = text.substr(0, kLookedAtBytesMax);
  std::string shown;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t end = userinfo_end(text, i); end != i) {
      shown.append(kRedacted).append("@");
      i = end;
      continue;
    }
    if (!is_token(text[i])) {
      shown.push_back(text[i++]);
      continue;
    }
    // A token ends at what cannot be in one, after `=` when a value follows (key=value is two), and after `://`.
    std::size_t end = i;
    while (end < text.size() && is_token(text[end])) {
      ++end;
      if (text[end - 1] == '=' && end < text.size() && is_alnum(text[end])) break;
      if (end >= 3 && text.substr(end - 3, 3) == "://") break;
    }
    while (end > i + 1 && text[end - 1] == '.') --end;  // the full stop of a sentence
    const std::string_view token = text.substr(i, end - i);
    const bool value = introduces_secret(text.substr(0, i)) && token.size() >= 6 && lower(token) != "bearer";
    if (value || has_key_prefix(token) || has_random_run(token)) {
      shown.append(kRedacted);
    } else {
      shown.append(token);
    }
    i = end;
  }
  if (shown.size() > limits::provider_message_bytes_max) {
    std::size_t end = limits::provider_message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0) == 0x80) --end;
    shown.resize(end);
  }
  return shown;
}

}  // namespace weir::openai_chat
