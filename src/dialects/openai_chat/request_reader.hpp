#pragma once
#include <cstddef>
#include <expected>
#include <string_view>

#include "dialects/openai_chat/body_shape.hpp"
#include "dialects/openai_chat/chat_facts.hpp"
#include "dialects/openai_chat/json_gate.hpp"

namespace weir::openai_chat {

/// Reads a chat request body, or that of another dialect by its shape. The same bodies pass, with the same facts, by
/// read() and by read_large(): whether a body is small must not decide what is JSON. A key that weir acts on and that
/// stands twice, or could be read by another reader as one of ours, is refused: what weir decides on must be what the
/// provider reads.
///
/// Thread: one reader per worker.
class RequestReader {
 public:
  /// Requires: at most limits::dom_bytes_max. `readable_slack`: bytes behind the body that may be read
  /// (Buffer::kSlack); with fewer than 64 the body is copied first.
  std::expected<ChatFacts, Refusal> read(std::string_view body, std::size_t readable_slack,
                                         const BodyShape& shape = chat_shape());

 private:
  JsonGate gate_;
};

/// For bodies of any size up to 4 GiB; makes no tree and takes no memory that grows with the body. A pure function,
/// for a pool thread: 32 MiB take tens of milliseconds.
std::expected<ChatFacts, Refusal> read_large(std::string_view body, const BodyShape& shape = chat_shape());

}  // namespace weir::openai_chat
