#include "dialects/openai_chat/model_list.hpp"

#include "dialects/json/text.hpp"

namespace weir::openai_chat {
namespace {

void append_model(std::string& body, const ListedModel& model) {
  body += R"({"id":)";
  json::append_quoted(body, model.id);
  body += R"(,"object":"model","created":)";
  body += std::to_string(model.created_unix_seconds);
  body += R"(,"owned_by":)";
  json::append_quoted(body, model.owned_by);
  body += '}';
}

}  // namespace

std::string encode_model(const ListedModel& model) {
  std::string body;
  append_model(body, model);
  return body;
}

std::string encode_model_list(std::span<const ListedModel> models) {
  std::string body = R"({"object":"list","data":[)";
  bool first = true;
  for (const ListedModel& model : models) {
    if (!first) body += ',';
    first = false;
    append_model(body, model);
  }
  body += "]}";
  return body;
}

}  // namespace weir::openai_chat
