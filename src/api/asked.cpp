#include "api/asked.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::api {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A header of weir's own, by the rest of its name.
void read_own(std::string_view name, std::string_view value, Asked& asked) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Power::passthrough); ++i) {
    const auto power = static_cast<Power>(i);
    if (!equals_ignoring_case(name, name_of(power))) continue;
    asked.powers.add(power);
    if (power == Power::task) asked.task = value;
    if (power == Power::route) asked.route = value;
    if (power == Power::tags) asked.tags = value;
    if (power == Power::include) asked.include_cost = equals_ignoring_case(value, "cost");
  }
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
    if (name.size() > 7 && equals_ignoring_case(name.substr(0, 7), "x-weir-")) {
      read_own(name.substr(7), field.value, asked);
    } else if (equals_ignoring_case(name, "x-stainless-retry-count")) {
      std::from_chars(field.value.data(), field.value.data() + field.value.size(), asked.client_retry);
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

std::optional<openai_chat::Refusal> check_tags(std::string_view tags) {
  constexpr std::size_t tags_max = 8;
  std::size_t count = 0;
  bool good = true;
  while (good && !tags.empty()) {
    const std::string_view tag = tags.substr(0, tags.find(','));
    tags.remove_prefix(std::min(tags.size(), tag.size() + 1));
    const std::size_t equals = tag.find('=');
    good = ++count <= tags_max && equals != std::string_view::npos;
    if (!good) break;
    for (const std::string_view part : {tag.substr(0, equals), tag.substr(equals + 1)}) {
      good = good && !part.empty() && part.size() <= limits::task_name_bytes_max && plain_name(part, "_.:/@-");
    }
  }
  if (good) return std::nullopt;
  openai_chat::Refusal refusal;
  refusal.param = "x-weir-tags";
  refusal.message =
      "x-weir-tags: send at most 8 tags as k=v,k=v without blanks, each part of 1 to 64 of A-Z a-z 0-9 _ . : / @ -";
  return refusal;
}

}  // namespace weir::api
