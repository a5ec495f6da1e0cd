#include "providers/aws_signature.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include "base/digest.hpp"
#include "net/path_segment.hpp"

namespace weir::providers {
namespace {

using net::encode_path_segment;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::string decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

template <class Part>
void split(std::string_view text, char at, Part&& part) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    part(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Without empty, `.` and `..` segments; encoded once more than it is on the wire.
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> segments;
  bool folder = true;
  split(path, '/', [&](std::string_view segment) {
    folder = segment.empty() || segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!folder) segments.push_back(segment);
  });
  std::string canonical;
  for (const auto segment : segments) canonical.append(1, '/').append(encode_path_segment(segment));
  if (folder) canonical += '/';
  return canonical;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parts;
  split(query, '&', [&parts](std::string_view part) {
    if (part.empty()) return;
    const auto equals = std::min(part.find('='), part.size());
    const auto value = part.substr(std::min(equals + 1, part.size()));
    parts.emplace_back(encode_path_segment(decode_percent(part.substr(0, equals))),
                       encode_path_segment(decode_percent(value)));
  });
  std::ranges::sort(parts);
  std::string canonical;
  for (const auto& [name, value] : parts) {
    if (!canonical.empty()) canonical += '&';
    canonical.append(name).append(1, '=').append(value);
  }
  return canonical;
}

/// Spaces around it taken off, several inside become one.
std::string canonical_value(std::string_view value) {
  std::string canonical;
  for (const char c : trim(value)) {
    if (c != ' ' || !canonical.ends_with(' ')) canonical += c;
  }
  return canonical;
}

std::string small_letters(std::string_view text) {
  std::string small{text};
  for (char& c : small) c = static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c;
  return small;
}

std::string amz_date(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds moment{seconds{unix_seconds}};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

std::string hmac(std::string_view key, std::string_view text) {
  const auto digest = hmac_sha256(key, text);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Something that cannot stand in a header field, or space around it, is a slip of copying.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

}  // namespace

AwsCredentials aws_credentials(AwsCredentials configured,
                               const std::function<std::optional<std::string>(std::string_view)>& variable) {
  if (!configured.access_key_id.empty() || !configured.secret_access_key.empty()) return configured;
  return {.access_key_id = variable("AWS_ACCESS_KEY_ID").value_or(""),
          .secret_access_key = variable("AWS_SECRET_ACCESS_KEY").value_or(""),
          .session_token = variable("AWS_SESSION_TOKEN").value_or("")};
}

Result<void> check_aws_credentials(const AwsCredentials& credentials, std::string_view place) {
  const auto wrong = [place](std::string_view key, std::string_view variable, std::string_view what) {
    return failure(fmt::format("{}.{} {}: set it there or in {}", place, key, what, variable));
  };
  if (credentials.access_key_id.empty()) return wrong("access_key_id", "AWS_ACCESS_KEY_ID", "is missing");
  if (credentials.secret_access_key.empty()) return wrong("secret_access_key", "AWS_SECRET_ACCESS_KEY", "is missing");
  if (!is_plain(credentials.access_key_id) || credentials.access_key_id.find('/') != std::string::npos) {
    return wrong("access_key_id", "AWS_ACCESS_KEY_ID", "is no key id");
  }
  if (!is_plain(credentials.secret_access_key)) {
    return wrong("secret_access_key", "AWS_SECRET_ACCESS_KEY", "holds white space or other stray characters");
  }
  if (!is_plain(credentials.session_token)) {
    return wrong("session_token", "AWS_SESSION_TOKEN", "holds white space or other stray characters");
  }
  // Temporary key ids begin so, and never work without their token.
  if (credentials.access_key_id.starts_with("ASIA") && credentials.session_token.empty()) {
    return wrong("session_token", "AWS_SESSION_TOKEN", "is missing, which temporary credentials need");
  }
  return {};
}

AwsSignature sign_aws(const AwsRequest& request, const AwsCredentials& credentials, std::string_view region,
                      std::string_view service, std::int64_t unix_seconds) {
  AwsSignature signature{
      .date = amz_date(unix_seconds), .authorization = {}, .security_token = credentials.session_token};
  std::map<std::string, std::string> fields;
  const auto add = [&fields](std::string_view name, std::string_view value) {
    const auto [field, added] = fields.emplace(small_letters(name), canonical_value(value));
    if (!added) field->second.append(1, ',').append(canonical_value(value));
  };
  for (const auto& header : request.headers) add(header.name, header.value);
  add("host", request.host);
  add("x-amz-date", signature.date);
  if (!signature.security_token.empty()) add("x-amz-security-token", signature.security_token);

  std::string signed_names;
  std::string text =
      fmt::format("{}\n{}\n{}\n", request.method, canonical_path(request.path), canonical_query(request.query));
  for (const auto& [name, value] : fields) {
    text.append(name).append(1, ':').append(value).append(1, '\n');
    if (!signed_names.empty()) signed_names += ';';
    signed_names += name;
  }
  text += fmt::format("\n{}\n{}", signed_names, hex(sha256(request.payload)));

  const std::string_view day = std::string_view{signature.date}.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, signature.date, scope, hex(sha256(text)));
  std::string key = hmac("AWS4" + credentials.secret_access_key, day);
  for (const std::string_view part : {region, service, std::string_view{"aws4_request"}}) key = hmac(key, part);
  signature.authorization = fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                        credentials.access_key_id, scope, signed_names, hex(hmac_sha256(key, to_sign)));
  return signature;
}

}  // namespace weir::providers
