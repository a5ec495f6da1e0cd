#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include <weir/exchange/patch.hpp>
#include <weir/exchange/powers.hpp>

namespace weir {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// The client's body as its dialect has read it: knows how to address it to another model. Lifetime: the call's.
class AddressedBody {
 public:
  virtual ~AddressedBody() = default;
  /// What changes in the body for an attempt at `upstream_model`; all other bytes stay the client's.
  virtual Patch patch_for(std::string_view upstream_model) const = 0;
};

/// The wire format in which a client asks and wants its answer and its errors.
enum class Dialect : std::uint8_t { openai_chat, openai_completions, openai_responses, anthropic };

/// A client's request as the stages see it. All views point into the connection's buffer, which stands still until the
/// call has ended.
struct Request {
  std::string_view method;
  std::string_view target;  ///< path and query as sent
  std::span<const HeaderField> headers;
  std::string_view body;
  const AddressedBody* addressed = nullptr;  ///< null = the body goes as it is
  std::string_view route;                    ///< x-weir-route
  Powers used_powers;                        ///< which x-weir-* headers it sent

  Dialect dialect = Dialect::openai_chat;

  // Read from the body by the dialect; empty or false where the body has none.
  std::string_view model;
  bool stream = false;
  bool include_usage = false;      ///< the client asked for it itself
  bool wants_cost = false;         ///< x-weir-include: cost
  bool needs_tools = false;        ///< it has some that the caller runs
  bool needs_schema = false;       ///< its answer is to follow a JSON Schema
  std::uint64_t prompt_bytes = 0;  ///< size class and estimate; the body's size
  std::uint32_t messages = 0;      ///< how long the history is; 0 = not known
  std::uint64_t system_hash = 0;   ///< of the system prompt's bytes as sent, to see it change; 0 = none
  std::uint64_t prompt_hash = 0;   ///< of all messages' bytes as sent, to see them repeat; 0 = not known
  std::uint64_t reask_of = 0;  ///< the prompt_hash of a call that it looks like asking again (SEMANTICS 41); 0 = none
  std::uint32_t client_retry = 0;  ///< x-stainless-retry-count (SEMANTICS 41)
};

}  // namespace weir
