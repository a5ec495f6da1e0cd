#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/vocabulary/refusal.hpp"

namespace weir::openai_chat {

/// A range of bytes of a body, [begin, end).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool empty() const { return begin == end; }
  std::size_t size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

/// Where one member of an object stands, with the commas around it, so that it can be cut out.
struct MemberSpan {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t key = 0;  ///< the key's opening quote
  Span value;
  std::uint32_t comma_before = none;  ///< none = the first member
  std::uint32_t comma_after = none;   ///< none = the last member

  bool present() const { return !value.empty(); }
  /// The bytes to take out so that an object stays behind. `stays_before`: a member before it remains.
  Span cut(bool stays_before) const {
    if (stays_before) return {comma_before, value.end};
    return {key, comma_after == none ? value.end : comma_after + 1};
  }
};

/// A decoded string: a view into the body, or owned if it was written with escapes.
class Text {
 public:
  Text() = default;
  explicit Text(std::string_view plain) : plain_(plain) {}
  explicit Text(std::string decoded) : decoded_(std::move(decoded)), owned_(true) {}
  std::string_view view() const { return owned_ ? std::string_view{decoded_} : plain_; }

 private:
  std::string_view plain_;
  std::string decoded_;
  bool owned_ = false;
};

/// What becomes of `metadata` on the way up.
enum class MetadataRule : std::uint8_t {
  goes_unless_stored,  ///< chat: as a whole, and with `store` weir's own two members (SEMANTICS 38)
  ours_go,             ///< Responses: it is the caller's own; weir's two members go
  task_goes            ///< Anthropic: `user_id` is the API's own and stays
};

/// What weir reads from a chat request: what it decides on, and where the few bytes stand that it may change.
/// Lifetime: views point into the body.
struct ChatFacts {
  Text model;
  Span model_value;  ///< with its quotes

  bool stream = false;
  bool include_usage = false;  ///< the client asked for it itself, or its dialect always has it
  Span stream_options;         ///< the value; empty = absent
  bool stream_options_object = false;
  bool stream_options_empty = false;
  Span include_usage_value;

  bool store = false;  ///< literally true
  MetadataRule metadata_rule = MetadataRule::goes_unless_stored;
  MemberSpan metadata;
  std::uint32_t metadata_members = 0;
  MemberSpan task_member;  ///< metadata.task_type
  MemberSpan user_member;  ///< metadata.user_id
  bool stays_before_task = false;
  bool stays_before_user = false;
  std::optional<Text> task_type;  ///< metadata.task_type; its characters are not checked here
  std::optional<Text> user_id;    ///< metadata.user_id
  std::optional<Text> user;       ///< `user`

  bool tools = false;   ///< there are some that the caller runs
  bool schema = false;  ///< the answer is to follow a JSON Schema

  std::uint32_t messages = 0;     ///< how many there are
  std::uint64_t system_hash = 0;  ///< of the first message's bytes, if its role is system or developer
  std::uint64_t prompt_hash = 0;  ///< of the bytes of `messages`, from the first one's first to the last one's last
  std::uint64_t reask_of = 0;     ///< the prompt_hash of the call that this one looks like asking again; 0 = none

  std::optional<std::int64_t> n;
  std::optional<std::int64_t> max_tokens;  ///< max_completion_tokens, else max_tokens

  std::uint32_t tail_insert = 0;  ///< the closing brace: a further member goes before it, after a comma
};

using vocabulary::Refusal;

}  // namespace weir::openai_chat
