#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// Under which names a dialect's request body has what weir acts on (RULINGS 15). A dialect's folder gives its own;
/// one reader reads them all. Lifetime: static.
struct BodyShape {
  enum class Key : std::uint8_t {
    none,
    model,
    messages,
    system,
    stream,
    stream_options,
    metadata,
    store,
    user,
    n,
    max_tokens_old,
    max_tokens,
    tools,
    format  ///< of the answer: has, or holds, the type json_schema
  };
  std::span<const std::string_view> names;
  std::span<const Key> keys;         ///< of the same length: what each name means
  bool needs_messages = true;        ///< an array of them must be there; otherwise they may be a text, or absent
  bool system_is_a_message = false;  ///< the first of them, by its role
  bool usage_always = false;         ///< streams say their usage without being asked
  MetadataRule metadata_rule = MetadataRule::goes_unless_stored;
};

/// /v1/chat/completions.
const BodyShape& chat_shape();

}  // namespace weir::openai_chat
