#pragma once
#include <string_view>

#include <weir/exchange/patch.hpp>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// What weir changes in a chat request on its way up; all other bytes stay the client's.
/// - `model`: if `upstream_model` is neither empty nor what the client wrote;
/// - `metadata`: goes as a whole unless `store` is true, since OpenAI refuses it then; with `store` only weir's own two
///   members go, and an object that this would empty goes too;
/// - `stream_options.include_usage` is set to true if `inject_include_usage`.
Patch make_patch(const ChatFacts& facts, std::string_view upstream_model, bool inject_include_usage);

}  // namespace weir::openai_chat
