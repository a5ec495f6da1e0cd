#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weir/exchange/powers.hpp>
#include <weir/exchange/request.hpp>
#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::api {

/// What a client asks of weir itself, by headers. Views into the request's head.
struct Asked {
  std::string_view request_id;     ///< its own, if it may be echoed (RULINGS 20); else empty
  std::string_view task;           ///< x-weir-task
  std::string_view route;          ///< x-weir-route
  bool include_cost = false;       ///< x-weir-include: cost
  std::string_view tags;           ///< x-weir-tags
  Powers powers;                   ///< which of weir's own headers were sent
  std::uint32_t client_retry = 0;  ///< x-stainless-retry-count (SEMANTICS 41)
  std::string_view traceparent;    ///< a client's trace, unchecked
};

/// Reads them; unknown x-weir-* headers are ignored. Nothing is checked here but the request id.
Asked read_asked(std::span<const HeaderField> fields);

/// Whether a task's name may become a label (RULINGS 23); the refusal names where it was given.
std::optional<openai_chat::Refusal> check_task(std::string_view task, std::string_view given_in);

/// Whether tags may be kept: at most 8 of k=v, parted by commas, each part of 1 to 64 of A-Z a-z 0-9 _ . : / @ -.
std::optional<openai_chat::Refusal> check_tags(std::string_view tags);

}  // namespace weir::api
