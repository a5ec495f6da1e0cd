#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weir/exchange/request.hpp>
#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::api {

/// What a client asks of weir itself, by headers. Views into the request's head.
struct Asked {
  std::string_view request_id;  ///< its own, if it may be echoed (RULINGS 20); else empty
  std::string_view task;        ///< x-weir-task
  std::string_view route;       ///< x-weir-route
  bool include_cost = false;    ///< x-weir-include: cost
  std::string_view traceparent;
};

/// Reads them; unknown x-weir-* headers are ignored. Nothing is checked here but the request id.
Asked read_asked(std::span<const HeaderField> fields);

/// Whether a task's name may become a label (RULINGS 23); the refusal names where it was given.
std::optional<openai_chat::Refusal> check_task(std::string_view task, std::string_view given_in);

}  // namespace weir::api
