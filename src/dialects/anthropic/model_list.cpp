#include "dialects/anthropic/model_list.hpp"

#include <chrono>

#include <fmt/format.h>

#include "dialects/json/text.hpp"

namespace weir::anthropic {
namespace {

/// RFC 3339; the epoch where it is not known, as the API itself says it.
std::string date_text(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

void append_model(std::string& body, const openai_chat::ListedModel& model) {
  body += R"({"type":"model","id":)";
  json::append_quoted(body, model.id);
  body += R"(,"display_name":)";
  json::append_quoted(body, model.id);
  body += R"(,"created_at":")";
  body += date_text(model.created_unix_seconds);
  body += "\"}";
}

}  // namespace

std::string encode_model(const openai_chat::ListedModel& model) {
  std::string body;
  append_model(body, model);
  return body;
}

std::string encode_model_list(std::span<const openai_chat::ListedModel> models) {
  std::string body = R"({"data":[)";
  for (const openai_chat::ListedModel& model : models) {
    if (&model != models.data()) body += ',';
    append_model(body, model);
  }
  body += R"(],"has_more":false,"first_id":)";
  body += models.empty() ? "null" : json::quoted(models.front().id);
  body += R"(,"last_id":)";
  body += models.empty() ? "null" : json::quoted(models.back().id);
  body += '}';
  return body;
}

}  // namespace weir::anthropic
