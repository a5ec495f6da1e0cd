#include "dialects/openai_chat/request_reader.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <weir/base/hash.hpp>
#include "dialects/json/cursor.hpp"
#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/acted_keys.hpp"
#include "dialects/openai_chat/json_problem.hpp"
#include "dialects/openai_chat/member_notes.hpp"
#include "dialects/openai_chat/reask.hpp"

namespace weir::openai_chat {
namespace {

using Key = BodyShape::Key;
constexpr std::array<std::string_view, 1> kStreamOptionNames{"include_usage"};
constexpr std::array<std::string_view, 2> kMetadataNames{"task_type", "user_id"};

class FactsReader {
 public:
  FactsReader(std::string_view body, const BodyShape& shape) : body_(body), shape_(shape), cursor_(body) {
    facts_.metadata_rule = shape.metadata_rule;
    facts_.include_usage = shape.usage_always;
  }

  /// False: not JSON (this reader is a full check of it). Otherwise the facts or refusal() hold.
  bool read() {
    if (cursor_.peek() != '{') {
      refuse("The body must be a JSON object that begins with {.", "", "");
      return cursor_.skip_value() && cursor_.at_end();
    }
    const auto member = [this](const json::String& key, std::size_t key_offset) {
      return read_member(key, key_offset);
    };
    if (!cursor_.read_object(member)) return false;
    facts_.tail_insert = narrow(cursor_.offset() - 1);
    if (!cursor_.at_end()) return false;
    if (!model_seen_) {
      refuse(R"(The body names no model; add one, for example "model": "gpt-4o-mini".)", "model",
             "missing_required_parameter");
    } else if (shape_.needs_messages && !messages_seen_) {
      refuse(R"(The body has no messages; add "messages": [{"role": "user", "content": "…"}].)", "messages",
             "missing_required_parameter");
    }
    if (!facts_.max_tokens) facts_.max_tokens = max_tokens_old_;
    facts_.reask_of = reask_of(body_, end_);
    return true;
  }

  std::expected<ChatFacts, Refusal> outcome() && {
    if (refused_) return std::unexpected(std::move(refusal_));
    return std::move(facts_);
  }

 private:
  /// Keeps the first reason and reads on: a body that is no JSON at all is told so first.
  void refuse(std::string message, std::string_view param, std::string_view code) {
    if (std::exchange(refused_, true)) return;
    refusal_ = Refusal{Failure::client_malformed, std::move(message), std::string{param}, std::string{code}};
  }
  void refuse_type(std::string_view param, std::string_view wanted) {
    refuse(fmt::format("\"{}\" must be {}.", param, wanted), param, "invalid_type");
  }
  void refuse_spelling(std::string_view parent, std::string_view name) {
    const std::string param = parent.empty() ? std::string{name} : fmt::format("{}.{}", parent, name);
    refuse(fmt::format("Write the key \"{}\" once, in lower case and without escapes: other readers could take another "
                       "value for it.",
                       param),
           param, "duplicate_key");
  }

  bool read_member(const json::String& key, std::size_t key_offset) {
    bool clash = false;
    std::size_t name = keys_.take(key, shape_.names, clash);
    Key means = name == KeyMatch::other ? Key::none : shape_.keys[name];
    // Asked for, but not decided on.
    const bool only_looked_at =
        means == Key::messages || means == Key::system || means == Key::tools || means == Key::format;
    if (only_looked_at && std::exchange(clash, false)) means = Key::none;
    commas_.member_begins(key_offset, means == Key::metadata && !clash, &facts_.metadata, body_);
    if (clash) refuse_spelling("", shape_.names[name]);
    if (clash || means == Key::none) return skip_other(key);
    const char first = cursor_.peek();
    switch (means) {
      case Key::model:
        model_seen_ = true;
        return read_model(first);
      case Key::messages:
        messages_seen_ = true;
        return read_messages(first);
      case Key::system:
        return read_system();
      case Key::stream:
        return read_flag(first, "stream", facts_.stream);
      case Key::store:
        return read_flag(first, "store", facts_.store);
      case Key::stream_options:
        return read_stream_options(first);
      case Key::metadata:
        return read_metadata(first);
      case Key::user:
        if (first == 'n') return cursor_.read_word("null");
        return read_text(first, "user", facts_.user);
      case Key::n:
        return read_count(first, "n", facts_.n);
      case Key::max_tokens_old:
        return read_count(first, shape_.names[name], max_tokens_old_);
      case Key::max_tokens:
        return read_count(first, shape_.names[name], facts_.max_tokens);
      case Key::tools:
        return first == '[' ? cursor_.read_array([this] { return read_tool(); }) : cursor_.skip_value();
      case Key::format: {
        const std::size_t begin = cursor_.offset();
        if (!read_format(first)) return false;
        end_.format = {narrow(begin), narrow(cursor_.offset())};
        return true;
      }
      case Key::none:
        break;
    }
    return cursor_.skip_value();
  }

  bool read_system() {
    cursor_.peek();
    const std::size_t begin = cursor_.offset();
    if (!cursor_.skip_value()) return false;
    facts_.system_hash = hash_bytes(body_.substr(begin, cursor_.offset() - begin));
    return true;
  }

  /// A prompt that is not messages, in the dialects where it may be a text.
  bool read_text_prompt() {
    const std::size_t begin = cursor_.offset();
    if (!cursor_.skip_value()) return false;
    facts_.messages = 1;
    facts_.prompt_hash = hash_bytes(body_.substr(begin, cursor_.offset() - begin));
    return true;
  }

  bool read_messages(char first) {
    if (first != '[' && !shape_.needs_messages) return read_text_prompt();
    if (first != '[') {
      refuse_type("messages", "an array of messages");
      return cursor_.skip_value();
    }
    facts_.messages = 0;
    std::size_t first_begin = cursor_.offset();
    Span before;
    const auto message = [&, this] {
      cursor_.peek();
      const std::size_t begin = cursor_.offset();
      const bool first_one = facts_.messages++ == 0;
      if (first_one) first_begin = begin;
      if (!(first_one && shape_.system_is_a_message ? read_first_message() : cursor_.skip_value())) return false;
      before = end_.answer;
      end_.answer = end_.last;
      end_.last = {narrow(begin), narrow(cursor_.offset())};
      return true;
    };
    if (!cursor_.read_array(message)) return false;
    if (facts_.messages >= 3) end_.before = {narrow(first_begin), before.end};
    // Without the brackets: the same messages with some more behind them begin with the same bytes.
    if (!end_.last.empty()) facts_.prompt_hash = hash_bytes(body_.substr(first_begin, end_.last.end - first_begin));
    return true;
  }

  /// A member that weir does not act on; of those that ask for an answer's form it remembers where they stand.
  bool skip_other(const json::String& key) {
    Span* const form = key.raw == "response_format" || key.raw == "text" ? &end_.format
                       : key.raw == "tool_choice"                        ? &end_.tool_choice
                                                                         : nullptr;
    cursor_.peek();
    const std::size_t begin = cursor_.offset();
    if (!cursor_.skip_value()) return false;
    if (form != nullptr) *form = {narrow(begin), narrow(cursor_.offset())};
    return true;
  }

  bool read_first_message() {
    const bool object = cursor_.peek() == '{';  // peek() goes past white space
    const std::size_t begin = cursor_.offset();
    if (!object) return cursor_.skip_value();
    bool system = false;
    const auto member = [&](const json::String& key, std::size_t) {
      if (key.raw != "role" || cursor_.peek() != '"') return cursor_.skip_value();
      json::String role;
      if (!cursor_.read_string(role)) return false;
      system = role.raw == "system" || role.raw == "developer";
      return true;
    };
    if (!cursor_.read_object(member)) return false;
    facts_.system_hash = system ? hash_bytes(body_.substr(begin, cursor_.offset() - begin)) : 0;
    return true;
  }

  /// One that the provider runs itself has a type of its own.
  bool read_tool() {
    if (cursor_.peek() != '{') return cursor_.skip_value();
    bool callers = true;
    const auto member = [&](const json::String& key, std::size_t) {
      if (key.raw != "type" || cursor_.peek() != '"') return cursor_.skip_value();
      json::String type;
      if (!cursor_.read_string(type)) return false;
      callers = type.raw == "function" || type.raw == "custom";
      return true;
    };
    if (!cursor_.read_object(member)) return false;
    facts_.tools = facts_.tools || callers;
    return true;
  }

  bool read_format(char first) {
    if (first != '{') return cursor_.skip_value();
    return cursor_.read_object([this](const json::String& key, std::size_t) {
      const char value = cursor_.peek();
      if (key.raw == "format" && value == '{') return read_format(value);
      if (key.raw != "type" || value != '"') return cursor_.skip_value();
      json::String type;
      if (!cursor_.read_string(type)) return false;
      facts_.schema = facts_.schema || type.raw == "json_schema";
      return true;
    });
  }

  bool read_model(char first) {
    std::optional<Text> model;
    const std::size_t begin = cursor_.offset();
    if (!read_text(first, "model", model)) return false;
    facts_.model_value = {narrow(begin), narrow(cursor_.offset())};
    if (!model) return true;
    facts_.model = std::move(*model);
    if (facts_.model.view().empty()) {
      refuse(R"("model" is empty; name one, for example "gpt-4o-mini".)", "model", "missing_required_parameter");
    }
    for (const char c : facts_.model.view()) {
      // It goes into a response header and the log.
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        refuse("\"model\" must not contain control characters.", "model", "invalid_value");
      }
    }
    return true;
  }

  bool read_text(char first, std::string_view param, std::optional<Text>& into) {
    if (first != '"') {
      refuse_type(param, "a string");
      return cursor_.skip_value();
    }
    json::String text;
    if (!cursor_.read_string(text)) return false;
    into = text.escaped ? Text{json::decode(text)} : Text{text.raw};
    return true;
  }

  bool read_flag(char first, std::string_view param, bool& into) {
    if (first != 't' && first != 'f' && first != 'n') {
      refuse_type(param, "true or false");
      return cursor_.skip_value();
    }
    into = first == 't';
    return cursor_.skip_value();
  }

  bool read_count(char first, std::string_view param, std::optional<std::int64_t>& into) {
    if (first == 'n') return cursor_.read_word("null");
    json::Number number;
    const bool numeric = first == '-' || static_cast<unsigned>(first - '0') <= 9;
    if (numeric ? !cursor_.read_number(number) : !cursor_.skip_value()) return false;
    std::int64_t value = 0;
    const char* end = number.raw.data() + number.raw.size();
    if (numeric && number.integer && std::from_chars(number.raw.data(), end, value).ec == std::errc{}) {
      into = value;
    } else {
      refuse_type(param, "an integer");
    }
    return true;
  }

  bool read_stream_options(char first) {
    const std::size_t begin = cursor_.offset();
    Once once;
    bool empty = true;
    const auto member = [&](const json::String& key, std::size_t) {
      empty = false;
      bool clash = false;
      const std::size_t name = once.take(key, kStreamOptionNames, clash);
      if (clash) refuse_spelling("stream_options", "include_usage");
      if (name == KeyMatch::other || clash) return cursor_.skip_value();
      const char value = cursor_.peek();
      facts_.include_usage_value.begin = narrow(cursor_.offset());
      if (!read_flag(value, "stream_options.include_usage", facts_.include_usage)) return false;
      facts_.include_usage_value.end = narrow(cursor_.offset());
      return true;
    };
    if (first != '{' && first != 'n') refuse_type("stream_options", "an object");
    if (first == '{' ? !cursor_.read_object(member) : !cursor_.skip_value()) return false;
    facts_.stream_options = {narrow(begin), narrow(cursor_.offset())};
    facts_.stream_options_object = first == '{';
    facts_.stream_options_empty = empty;
    return true;
  }

  bool read_metadata(char first) {
    facts_.metadata.value.begin = narrow(cursor_.offset());
    Once once;
    CommaNotes commas;
    std::uint32_t strangers = 0;
    const auto member = [&](const json::String& key, std::size_t key_offset) {
      ++facts_.metadata_members;
      bool clash = false;
      const std::size_t name = once.take(key, kMetadataNames, clash);
      const bool known = name != KeyMatch::other && !clash;
      const bool ours = known && (name == 0 || shape_.metadata_rule != MetadataRule::task_goes);
      MemberSpan& span = name == 0 ? facts_.task_member : facts_.user_member;
      commas.member_begins(key_offset, ours, &span, body_);
      if (clash) refuse_spelling("metadata", kMetadataNames[name]);
      if (!ours) ++strangers;
      if (!known) return cursor_.skip_value();
      (name == 0 ? facts_.stays_before_task : facts_.stays_before_user) = strangers > 0;
      const char value = cursor_.peek();
      if (!ours) {  // Anthropic's own user_id: read, and left where it is
        return value == 'n' ? cursor_.read_word("null") : read_text(value, "metadata.user_id", facts_.user_id);
      }
      span.value.begin = narrow(cursor_.offset());
      const bool read = name == 0 ? read_text(value, "metadata.task_type", facts_.task_type)
                                  : read_text(value, "metadata.user_id", facts_.user_id);
      span.value.end = narrow(cursor_.offset());
      return read;
    };
    if (first != '{' && first != 'n') refuse_type("metadata", "an object");
    if (first == '{' ? !cursor_.read_object(member) : !cursor_.skip_value()) return false;
    facts_.metadata.value.end = narrow(cursor_.offset());
    return true;
  }

  std::string_view body_;
  const BodyShape& shape_;
  json::Cursor cursor_;
  HistoryEnd end_;
  bool model_seen_ = false;
  bool messages_seen_ = false;
  Once keys_;
  CommaNotes commas_;
  ChatFacts facts_;
  std::optional<std::int64_t> max_tokens_old_;
  Refusal refusal_;
  bool refused_ = false;
};

std::unexpected<Refusal> not_json(std::string_view body) {
  std::string message = describe_json_problem(body);
  if (message.empty()) message = "The body is not JSON.";
  return std::unexpected(Refusal{Failure::client_malformed, std::move(message), "", "invalid_json"});
}

}  // namespace

std::expected<ChatFacts, Refusal> read_request(std::string_view body, const BodyShape& shape) {
  FactsReader reader{body, shape};
  if (!reader.read() || !json::valid_utf8(body)) return not_json(body);
  return std::move(reader).outcome();
}

}  // namespace weir::openai_chat
