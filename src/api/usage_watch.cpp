#include "api/usage_watch.hpp"

#include "dialects/json/cursor.hpp"
#include "dialects/openai_chat/usage_reader.hpp"

namespace weir::api {

void UsageWatch::begin_value() {
  member_ = key_ == "usage" ? Member::usage : key_ == "model" ? Member::model : Member::other;
  if (member_ == Member::usage) usage_.clear();
  if (member_ == Member::model) model_.clear();
}

void UsageWatch::take(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = in_key_ = false;
      return;
    }
    if (in_key_ && key_.size() < kept_bytes_max) key_ += c;
    return;
  }
  switch (c) {
    case '"':
      in_string_ = true;
      in_key_ = depth_ == 1 && expects_key_;
      if (in_key_) key_.clear();
      break;
    case '{':
    case '[':
      if (++depth_ == 1) expects_key_ = c == '{';
      break;
    case '}':
    case ']':
      if (depth_ > 0) --depth_;
      break;
    case ',':
      if (depth_ == 1) expects_key_ = true;
      break;
    default:
      break;
  }
}

void UsageWatch::feed(std::string_view piece) {
  for (const char c : piece) {
    const bool begins = depth_ == 1 && expects_key_ && !in_string_ && c == ':';
    if (begins) {
      expects_key_ = false;
      begin_value();
      continue;
    }
    const bool at_top = depth_ == 1 && !in_string_;
    if (at_top && (c == ',' || c == '}')) member_ = Member::other;
    if (member_ != Member::other) {
      std::string& kept = member_ == Member::usage ? usage_ : model_;
      if (kept.size() < kept_bytes_max) kept += c;
    }
    take(c);
  }
}

Usage UsageWatch::usage() const {
  Usage usage;
  json::Cursor cursor{usage_};
  if (cursor.peek() != '{' || !openai_chat::read_usage(cursor, usage) || !cursor.at_end()) return {};
  return usage;
}

std::string UsageWatch::model() const {
  json::Cursor cursor{model_};
  json::String model;
  if (cursor.peek() != '"' || !cursor.read_string(model) || !cursor.at_end()) return {};
  return json::decode(model);
}

}  // namespace weir::api
