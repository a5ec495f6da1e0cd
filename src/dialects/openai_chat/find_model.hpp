#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

struct FoundModel {
  Text name;
  Span value;  ///< with its quotes, to be replaced
};

/// The top-level `model` of a body that weir passes through raw (RULINGS 16). Nothing if the body is not a JSON object
/// or names no model by a string: it is relayed as it is. A refusal if the key stands twice or misspelt, since weir
/// and the provider could then read two different models.
///
/// Pure; reads the whole body, so a large one is for a pool thread.
std::expected<std::optional<FoundModel>, Refusal> find_model(std::string_view body);

}  // namespace weir::openai_chat
