#include "telemetry/call_line.hpp"

#include <algorithm>
#include <ctime>

namespace weir::telemetry {
namespace {

void two_digits(char* at, int value) {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

std::int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void name_or_none(JsonWriter& out, std::string_view key, std::string_view text) {
  out.raw(key);
  out.string(text.empty() ? std::string_view{"none"} : text, logged_text_bytes_max);
}

void text_or_null(JsonWriter& out, std::string_view key, std::string_view text) {
  out.raw(key);
  if (text.empty()) {
    out.raw("null");
  } else {
    out.string(text, logged_text_bytes_max);
  }
}

void known_name(JsonWriter& out, std::string_view key, std::string_view name) {
  out.raw(key);
  out.raw(name);
  out.raw("\"");
}

void flag(JsonWriter& out, std::string_view key, bool value) {
  out.raw(key);
  out.boolean(value);
}

void number(JsonWriter& out, std::string_view key, std::int64_t value) {
  out.raw(key);
  out.number(value);
}

}  // namespace

std::string_view TimeText::of(std::int64_t unix_ms) {
  const std::int64_t second = unix_ms / 1000;
  if (second != second_) {
    second_ = second;
    const std::time_t when = second;
    std::tm utc{};
    gmtime_r(&when, &utc);
    const int year = utc.tm_year + 1900;
    text_ = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':', '0', '0', ':', '0', '0', '.'};
    two_digits(text_.data(), year / 100);
    two_digits(text_.data() + 2, year % 100);
    two_digits(text_.data() + 5, utc.tm_mon + 1);
    two_digits(text_.data() + 8, utc.tm_mday);
    two_digits(text_.data() + 11, utc.tm_hour);
    two_digits(text_.data() + 14, utc.tm_min);
    two_digits(text_.data() + 17, utc.tm_sec);
    text_[23] = 'Z';
  }
  const int ms = static_cast<int>(unix_ms % 1000);
  text_[20] = static_cast<char>('0' + ms / 100);
  two_digits(text_.data() + 21, ms % 100);
  return {text_.data(), text_.size()};
}

void write_tokens(JsonWriter& out, const Usage& usage) {
  number(out, R"({"uncached":)", usage.uncached);
  number(out, R"(,"cache_read":)", usage.cache_read);
  number(out, R"(,"cache_write":)", usage.cache_write);
  number(out, R"(,"output":)", usage.output - usage.reasoning);
  number(out, R"(,"reasoning":)", usage.reasoning);
  flag(out, R"(,"estimated":)", usage.estimated);
  out.raw("}");
}

void write_phases(JsonWriter& out, const std::array<Duration, static_cast<std::size_t>(Phase::count_)>& phases) {
  out.raw("{");
  std::string_view comma = "\"";
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (phases[i] <= Duration::zero()) continue;  // not gone through
    out.raw(comma);
    out.raw(kPhaseNames[i]);
    out.raw("\":");
    out.decimal(microseconds(phases[i]), 3);
    comma = ",\"";
  }
  out.raw("}");
}

namespace {

/// Where a call went before it ended, for the calls that went further than to one place.
void write_attempts(JsonWriter& out, const Exchange& exchange) {
  out.raw(R"(,"tried":[)");
  const std::size_t shown = std::min(exchange.attempts.size(), logged_attempts_max);
  for (std::size_t i = 0; i < shown; ++i) {
    const Attempt& attempt = exchange.attempts[i];
    out.raw(i == 0 ? "{" : ",{");
    name_or_none(out, R"("provider":)", attempt.provider);
    name_or_none(out, R"(,"model":)", attempt.model);
    number(out, R"(,"key_index":)", attempt.key_index);
    known_name(out, R"(,"failure":")", name_of(attempt.failure));
    known_name(out, R"(,"phase":")", name_of(attempt.phase));
    number(out, R"(,"status":)", attempt.provider_status);
    Duration took{};
    for (const Duration phase : attempt.phases) took += phase;
    out.raw(R"(,"ms":)");
    out.decimal(microseconds(took), 3);
    out.raw(R"(,"cost_usd":)");
    out.decimal(attempt.cost.value, 9);
    out.raw("}");
  }
  out.raw("]");
}

}  // namespace

void write_call_line(JsonWriter& out, const Exchange& exchange, TimeText& time) {
  static const Attempt no_attempt;
  const bool tried = !exchange.attempts.empty();
  const Attempt& last = tried ? exchange.attempts.back() : no_attempt;
  const Target& target = exchange.plan.target;

  out.raw(R"({"time":")");
  out.raw(time.of(exchange.started_unix_ms + microseconds(exchange.took) / 1000));
  out.raw(R"(","event":"call","id":")");
  out.raw(exchange.id.text());
  out.raw("\"");
  text_or_null(out, R"(,"request_id":)", exchange.request_id);
  name_or_none(out, R"(,"route":)", exchange.plan.route);
  name_or_none(out, R"(,"task":)", exchange.task);
  name_or_none(out, R"(,"model":)", tried ? last.model : target.model);
  name_or_none(out, R"(,"provider":)", tried ? last.provider : target.provider_name);
  text_or_null(out, R"(,"key":)", exchange.caller != nullptr ? std::string_view{exchange.caller->name} : "");
  text_or_null(out, R"(,"group":)", exchange.caller != nullptr ? std::string_view{exchange.caller->group} : "");
  text_or_null(out, R"(,"reply_model":)", last.reply_model);
  flag(out, R"(,"stream":)", exchange.request.stream);
  flag(out, R"(,"raw":)", exchange.raw);
  number(out, R"(,"status":)", exchange.status);
  known_name(out, R"(,"outcome":")", name_of(exchange.outcome));
  known_name(out, R"(,"failure":")", name_of(exchange.failure));
  known_name(out, R"(,"phase":")", name_of(exchange.failure_phase));
  number(out, R"(,"attempts":)", static_cast<std::int64_t>(exchange.attempts.size()));
  flag(out, R"(,"reused_connection":)", last.reused_connection);
  if (last.provider_status == 0) {
    out.raw(R"(,"provider_status":null)");
  } else {
    number(out, R"(,"provider_status":)", last.provider_status);
  }
  text_or_null(out, R"(,"provider_request_id":)", last.provider_request_id);
  out.raw(R"(,"tokens":)");
  write_tokens(out, exchange.usage);
  out.raw(R"(,"cost_usd":)");
  out.decimal(exchange.cost.value, 9);
  out.raw(R"(,"wasted_usd":)");
  out.decimal(exchange.wasted.value, 9);
  flag(out, R"(,"price_unknown":)", !exchange.price_known);
  out.raw(R"(,"took_ms":)");
  out.decimal(microseconds(exchange.took), 3);
  out.raw(R"(,"first_byte_ms":)");
  if (exchange.first_byte_sent == TimePoint{}) {
    out.raw("null");
  } else {
    out.decimal(microseconds(exchange.first_byte_sent - exchange.started), 3);
  }
  auto phases = last.phases;
  for (std::size_t i = 0; i + 1 < exchange.attempts.size(); ++i) {
    for (std::size_t p = 0; p < phases.size(); ++p) phases[p] += exchange.attempts[i].phases[p];
  }
  out.raw(R"(,"phases_ms":)");
  write_phases(out, phases);
  if (exchange.request.client_retry > 0) number(out, R"(,"client_retry":)", exchange.request.client_retry);
  if (exchange.reask) out.raw(R"(,"reask":"appended")");
  if (exchange.attempts.size() > 1) write_attempts(out, exchange);
  out.raw("}\n");
}

void write_refusal_line(JsonWriter& out, Failure failure, std::uint16_t status, std::int64_t unix_ms, TimeText& time) {
  out.raw(R"({"time":")");
  out.raw(time.of(unix_ms));
  number(out, R"(","event":"refused","status":)", status);
  known_name(out, R"(,"outcome":")", name_of(row_of(failure).outcome));
  known_name(out, R"(,"failure":")", name_of(failure));
  out.raw("}\n");
}

}  // namespace weir::telemetry
