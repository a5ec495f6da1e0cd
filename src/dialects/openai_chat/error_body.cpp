#include "dialects/openai_chat/error_body.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <weir/base/ascii.hpp>

#include "dialects/json/text.hpp"
#include "dialects/json/utf8.hpp"

namespace weir::openai_chat {
namespace {

using Tree = nlohmann::json;

constexpr std::size_t kReadBytesMax = 64U << 10;  // an error's reason stands at its beginning

/// nlohmann's parser keeps a tree and recurses when it is destroyed: a bound on nesting keeps both small.
Tree parse(std::string_view body) {
  const auto too_deep = [](int depth, Tree::parse_event_t, Tree&) { return depth <= 16; };
  return Tree::parse(body, too_deep, /*allow_exceptions=*/false);
}

std::string text_of(const Tree& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end()) return {};
  if (member->is_string()) return member->get<std::string>();
  if (member->is_number_integer()) return std::to_string(member->get<std::int64_t>());
  return {};
}

int status_of(const Tree& object) {
  for (const char* key : {"code", "status", "status_code", "http_status"}) {
    const auto member = object.find(key);
    if (member == object.end() || !member->is_number_integer()) continue;
    const auto status = member->get<std::int64_t>();
    if (status >= 400 && status <= 599) return static_cast<int>(status);
  }
  return 0;
}

/// FastAPI's detail is a string, or a list of objects with `msg`.
std::string detail_of(const Tree& object) {
  const auto detail = object.find("detail");
  if (detail == object.end()) return {};
  if (detail->is_string()) return detail->get<std::string>();
  if (detail->is_object()) return text_of(*detail, "message");
  if (!detail->is_array() || detail->empty() || !detail->front().is_object()) return {};
  return text_of(detail->front(), "msg");
}

ProviderError from_object(const Tree& object) {
  ProviderError error;
  error.message = text_of(object, "message");
  if (error.message.empty()) error.message = detail_of(object);
  if (error.message.empty()) error.message = text_of(object, "error_description");
  error.type = text_of(object, "type");
  if (error.type.empty()) error.type = text_of(object, "status");  // Google: INVALID_ARGUMENT
  error.code = text_of(object, "code");
  error.param = text_of(object, "param");
  error.status = status_of(object);
  return error;
}

ProviderError from_json(const Tree& document) {
  if (document.is_array()) return document.empty() ? ProviderError{} : from_json(document.front());
  if (document.is_string()) return {document.get<std::string>(), {}, {}, {}, 0};
  if (!document.is_object()) return {};
  const auto inner = document.find("error");
  if (inner == document.end() || inner->is_null()) return from_object(document);
  ProviderError error = from_object(document);
  if (inner->is_object()) {
    ProviderError exact = from_object(*inner);
    if (exact.status == 0) exact.status = error.status;
    return exact;
  }
  if (inner->is_string()) {
    // Hugging Face: {"error": "...", "error_type": "..."}; others: {"error": "short", "message": "long"}.
    if (error.message.empty()) error.message = inner->get<std::string>();
  }
  return error;
}

/// The title, else the text without tags and with single spaces.
std::string from_page(std::string_view page) {
  std::string lower{page};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c; });
  const std::size_t title = lower.find("<title>");
  const std::size_t title_end = title == std::string::npos ? title : lower.find('<', title + 7);
  if (title_end != std::string::npos) page = page.substr(title + 7, title_end - title - 7);
  std::string text;
  bool tag = false;
  for (const char c : page) {
    if (c == '<') tag = true;
    const bool space = tag || c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (c == '>') tag = false;
    if (!space) {
      text.push_back(c);
    } else if (!text.empty() && text.back() != ' ') {
      text.push_back(' ');
    }
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

bool is_null_or_string(const Tree& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && (member->is_null() || member->is_string());
}

}  // namespace

std::string encode_error(std::string_view message, std::string_view type, std::string_view param,
                         std::string_view code) {
  std::string body = R"({"error":{"message":)";
  json::append_quoted(body, message);
  body += R"(,"type":)";
  json::append_quoted(body, type);
  body += R"(,"param":)";
  param.empty() ? body += "null" : (json::append_quoted(body, param), body);
  body += R"(,"code":)";
  code.empty() ? body += "null" : (json::append_quoted(body, code), body);
  body += "}}";
  return body;
}

bool is_well_formed_error(std::string_view body) {
  if (body.size() > kReadBytesMax || !json::valid_utf8(body)) return false;
  const Tree document = parse(body);
  if (!document.is_object()) return false;
  const auto error = document.find("error");
  if (error == document.end() || !error->is_object()) return false;
  const auto is_string = [&error](const char* key) { return error->contains(key) && error->at(key).is_string(); };
  return is_string("message") && is_string("type") && is_null_or_string(*error, "param") &&
         is_null_or_string(*error, "code");
}

ProviderError read_error(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  if (body[first] == '<') return {from_page(body.substr(0, kReadBytesMax)), {}, {}, {}, 0};
  if (body.size() <= kReadBytesMax) {
    const Tree document = parse(body);
    if (!document.is_discarded() && !document.is_null()) return from_json(document);
  }
  return {std::string{trim(body.substr(first, kReadBytesMax))}, {}, {}, {}, 0};
}

}  // namespace weir::openai_chat
