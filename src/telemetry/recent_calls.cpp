#include "telemetry/recent_calls.hpp"

#include "base/json_writer.hpp"
#include "telemetry/call_line.hpp"

namespace weir::telemetry {
namespace {

void named(JsonWriter& out, std::string_view key, std::string_view text) {
  out.raw(key);
  out.string(text.empty() ? std::string_view{"none"} : text);
}

}  // namespace

RecentCalls::Piece RecentCalls::Record::keep(std::string_view from) {
  from = cut_text(from, logged_text_bytes_max);
  const Piece piece{static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(from.size())};
  text.append(from);
  return piece;
}

void RecentCalls::add(const Exchange& exchange) {
  if (calls_max_ == 0) return;
  if (ring_.size() < calls_max_ && next_ == ring_.size()) ring_.emplace_back();
  Record& record = ring_[next_];
  next_ = (next_ + 1) % calls_max_;

  record.text.clear();
  record.id = exchange.id;
  record.started_unix_ms = exchange.started_unix_ms;
  record.request_id = record.keep(exchange.request_id);
  record.task = record.keep(exchange.task);
  record.route = record.keep(exchange.plan.route);
  const bool tried = !exchange.attempts.empty();
  const Target& target = exchange.plan.target;
  record.model = record.keep(tried ? exchange.attempts.back().model : target.model);
  record.provider = record.keep(tried ? exchange.attempts.back().provider : target.provider_name);
  record.outcome = exchange.outcome;
  record.failure = exchange.failure;
  record.phase = exchange.failure_phase;
  record.usage = exchange.usage;
  record.cost = exchange.cost;

  record.attempts.resize(exchange.attempts.size());
  for (std::size_t i = 0; i < record.attempts.size(); ++i) {
    const Attempt& from = exchange.attempts[i];
    AttemptRecord& to = record.attempts[i];
    const bool is_last = i + 1 == record.attempts.size();
    to.provider = is_last ? record.provider : record.keep(from.provider);
    to.model = is_last ? record.model : record.keep(from.model);
    to.provider_request_id = record.keep(from.provider_request_id);
    to.phases = from.phases;
    to.failure = from.failure;
    to.phase = from.phase;
    to.status = from.provider_status;
    to.key_index = from.key_index;
    to.may_have_been_billed = from.may_have_been_billed;
    to.wasted = from.wasted;
    to.usage = from.usage;
    to.cost = from.cost;
  }
}

std::vector<std::string> RecentCalls::find(std::string_view id) const {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const Record& record = ring_[(next_ + ring_.size() - 1 - i) % ring_.size()];
    if (record.id.text() == id || (!id.empty() && record.at(record.request_id) == id)) found.push_back(json_of(record));
  }
  return found;
}

std::string RecentCalls::json_of(const Record& record) {
  std::string json(call_line_bytes_max * (1 + record.attempts.size()), '\0');
  JsonWriter out{json.data(), json.data() + json.size()};
  TimeText time;
  out.raw(R"({"id":")");
  out.raw(record.id.text());
  named(out, R"(","request_id":)", record.at(record.request_id));
  out.raw(R"(,"started":")");
  out.raw(time.of(record.started_unix_ms));
  named(out, R"(","task":)", record.at(record.task));
  named(out, R"(,"route":)", record.at(record.route));
  named(out, R"(,"model":)", record.at(record.model));
  named(out, R"(,"provider":)", record.at(record.provider));
  named(out, R"(,"outcome":)", name_of(record.outcome));
  named(out, R"(,"failure":)", name_of(record.failure));
  named(out, R"(,"phase":)", name_of(record.phase));
  out.raw(R"(,"tokens":)");
  write_tokens(out, record.usage);
  out.raw(R"(,"cost_usd":)");
  out.decimal(record.cost.value, 9);
  out.raw(R"(,"attempts":[)");
  for (std::size_t i = 0; i < record.attempts.size(); ++i) {
    const AttemptRecord& attempt = record.attempts[i];
    out.raw(i == 0 ? R"({"id":")" : R"(,{"id":")");
    out.raw(record.id.text());
    out.raw("/");
    out.number(static_cast<std::int64_t>(i + 1));
    named(out, R"(","provider":)", record.at(attempt.provider));
    named(out, R"(,"model":)", record.at(attempt.model));
    out.raw(R"(,"key_index":)");
    out.number(attempt.key_index);
    out.raw(R"(,"phases_ms":)");
    write_phases(out, attempt.phases);
    named(out, R"(,"failure":)", name_of(attempt.failure));
    named(out, R"(,"phase":)", name_of(attempt.phase));
    out.raw(R"(,"status":)");
    out.number(attempt.status);
    out.raw(R"(,"provider_request_id":)");
    out.string(record.at(attempt.provider_request_id));
    out.raw(R"(,"may_have_been_billed":)");
    out.boolean(attempt.may_have_been_billed);
    out.raw(R"(,"tokens":)");
    write_tokens(out, attempt.usage);
    out.raw(R"(,"cost_usd":)");
    out.decimal(attempt.cost.value, 9);
    named(out, R"(,"booked":)", attempt.wasted ? "wasted" : "served");
    out.raw("}");
  }
  out.raw("]}");
  json.resize(static_cast<std::size_t>(out.at() - json.data()));
  return json;
}

}  // namespace weir::telemetry
