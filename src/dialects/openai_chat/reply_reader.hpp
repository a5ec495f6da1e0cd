#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <weir/exchange/usage.hpp>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// What weir reads from a whole reply. Lifetime: nothing points into the body.
struct ReplyFacts {
  std::string model;          ///< as the provider named it; empty = not named
  std::string finish_reason;  ///< of the last choice that has one
  std::size_t choices = 0;
  std::size_t text_bytes = 0;   ///< generated text, for an estimate
  Usage usage;                  ///< `reported` if the reply has it
  std::uint32_t usage_end = 0;  ///< the usage object's closing brace; set if `usage.reported`
  bool error = false;           ///< an error object inside a 200; read_error() reads the body
};

/// Reads replies that are not streams. What is not a JSON object as a whole (empty, HTML, cut) is an error whose text
/// says so, for upstream.protocol. A pure function that makes no tree; above limits::read_at_once_bytes_max it belongs
/// on a pool thread.
std::expected<ReplyFacts, std::string> read_reply(std::string_view body);

}  // namespace weir::openai_chat
