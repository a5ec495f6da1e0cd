#include "api/asked.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::api {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool plain_name(std::string_view text, std::string_view also) {
  return std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || also.find(c) != also.npos; });
}

}  // namespace

Asked read_asked(std::span<const HeaderField> fields) {
  Asked asked;
  for (const HeaderField& field : fields) {
    const std::string_view name = field.name;
    if (name.size() == 11 && equals_ignoring_case(name, "traceparent")) {
      // Given twice it is not valid (W3C Trace Context, 3.2): no parser takes the comma.
      asked.traceparent = asked.traceparent.empty() ? field.value : std::string_view{","};
      continue;
    }
    if (name.size() < 11 || (name[0] | 0x20) != 'x' || name[1] != '-') continue;
    if (equals_ignoring_case(name, "x-weir-task")) {
      asked.task = field.value;
    } else if (equals_ignoring_case(name, "x-weir-route")) {
      asked.route = field.value;
    } else if (equals_ignoring_case(name, "x-weir-include")) {
      asked.include_cost = equals_ignoring_case(field.value, "cost");
    } else if (equals_ignoring_case(name, "x-request-id")) {
      const bool good =
          !field.value.empty() && field.value.size() <= limits::request_id_bytes_max && plain_name(field.value, "._:-");
      if (good) asked.request_id = field.value;
    }
  }
  return asked;
}

std::optional<openai_chat::Refusal> check_task(std::string_view task, std::string_view given_in) {
  openai_chat::Refusal refusal;
  refusal.param = given_in;
  if (task.empty() || task.size() > limits::task_name_bytes_max || !plain_name(task, "_.:-")) {
    refusal.message = fmt::format("{}: a task's name has 1 to {} characters of A-Z a-z 0-9 _ . : -", given_in,
                                  limits::task_name_bytes_max);
    return refusal;
  }
  if (task.starts_with("weir:")) {
    refusal.message = fmt::format("{}: names that begin with weir: are weir's own; choose another task name", given_in);
    return refusal;
  }
  return std::nullopt;
}

}  // namespace weir::api
