#include "accounting/calls_json.hpp"

#include <span>
#include <string_view>

#include <fmt/format.h>

#include "accounting/moment.hpp"
#include "base/json_writer.hpp"

namespace weir::accounting {
namespace {

using store::AttemptRow;
using store::CallRow;

std::string name_or_none(std::string_view text) {
  return json_string(text.empty() ? std::string_view{"none"} : text);
}

std::string tokens(const Usage& usage) {
  return fmt::format(R"({{"uncached":{},"cache_read":{},"cache_write":{},"output":{},"reasoning":{},"estimated":{}}})",
                     usage.uncached, usage.cache_read, usage.cache_write, usage.output - usage.reasoning,
                     usage.reasoning, usage.estimated);
}

std::string phases(const AttemptRow& attempt) {
  std::string json;
  for (std::size_t i = 0; i < attempt.phases_us.size(); ++i) {
    const std::int64_t us = attempt.phases_us[i];
    if (us <= 0) continue;  // not gone through
    json += fmt::format(R"({}"{}":{}.{:03})", json.empty() ? "" : ",", kPhaseNames[i], us / 1000, us % 1000);
  }
  return "{" + json + "}";
}

std::string attempt_json(const CallRow& call, const AttemptRow& attempt, std::size_t number) {
  return fmt::format(
      R"({{"id":"{}/{}","provider":{},"model":{},"key_index":{},"phases_ms":{},"failure":"{}","phase":"{}",)"
      R"("status":{},"provider_request_id":{},"may_have_been_billed":{},"tokens":{},"cost_usd":{},"booked":"{}"}})",
      call.id.text(), number, name_or_none(attempt.provider), name_or_none(attempt.model), attempt.key_index,
      phases(attempt), name_of(attempt.failure), name_of(attempt.phase), attempt.status,
      json_string(attempt.provider_request_id), attempt.may_have_been_billed, tokens(attempt.usage),
      dollars_text(attempt.cost), attempt.wasted ? "wasted" : "served");
}

std::string call_json(const CallRow& call, std::span<const AttemptRow> attempts) {
  Usage usage;
  NanoDollars cost;
  std::string tried;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Usage& part = attempts[i].usage;
    usage.uncached += part.uncached;
    usage.cache_read += part.cache_read;
    usage.cache_write += part.cache_write;
    usage.output += part.output;
    usage.reasoning += part.reasoning;
    usage.estimated |= part.estimated;
    cost = cost + attempts[i].cost;
    tried += (i == 0 ? "" : ",") + attempt_json(call, attempts[i], i + 1);
  }
  return fmt::format(R"({{"id":"{}","request_id":{},"started":"{}","task":{},"route":{},"model":{},"provider":{},)"
                     R"("outcome":"{}","failure":"{}","phase":"{}","tokens":{},"cost_usd":{},"attempts":[{}]}})",
                     call.id.text(), json_string(call.request_id.empty() ? call.id.text() : call.request_id),
                     millisecond_text(call.started_unix_ms), name_or_none(call.task), name_or_none(call.route),
                     name_or_none(call.model), name_or_none(call.provider), name_of(call.outcome),
                     name_of(call.failure), name_of(call.phase), tokens(usage), dollars_text(cost), tried);
}

}  // namespace

std::string calls_json(const store::LedgerBatch& batch) {
  std::string json;
  for (const CallRow& call : batch.calls) json += (json.empty() ? "" : ",") + call_json(call, batch.attempts_of(call));
  return R"({"calls":[)" + json + "]}";
}

}  // namespace weir::accounting
