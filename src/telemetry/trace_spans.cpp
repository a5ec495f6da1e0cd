#include "telemetry/trace_spans.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "telemetry/call_line.hpp"

namespace weir::telemetry {
namespace {

// OTLP's numbers: SpanKind and StatusCode of opentelemetry-proto's trace.proto.
constexpr std::string_view kServer = "2";
constexpr std::string_view kClient = "3";

/// One span; members in order: ids, name and times, attributes, events, status.
class Span {
 public:
  explicit Span(JsonWriter& out) : out_(out) {}

  void ids(const TraceContext& trace, std::uint64_t span, std::uint64_t parent) {
    std::array<char, 32> trace_id;
    write_hex(trace.trace_high, trace_id.data());
    write_hex(trace.trace_low, trace_id.data() + 16);
    out_.raw(R"({"traceId":")");
    out_.raw({trace_id.data(), trace_id.size()});
    out_.raw(R"(","spanId":")");
    hex(span);
    if (parent != 0) {
      out_.raw(R"(","parentSpanId":")");
      hex(parent);
    }
    out_.raw("\"");
  }

  /// "chat <model>", as the gen_ai conventions have it; the model is cut like every text.
  void name(bool raw, std::string_view model) {
    static constexpr std::string_view verb = "chat ";
    std::array<char, verb.size() + logged_text_bytes_max> text;
    model = cut_text(model, logged_text_bytes_max);
    std::memcpy(text.data(), verb.data(), verb.size());
    if (!model.empty()) std::memcpy(text.data() + verb.size(), model.data(), model.size());
    out_.raw(R"(,"name":)");
    out_.string(raw ? std::string_view{"pass-through"}
                    : std::string_view{text.data(), model.empty() ? verb.size() - 1 : verb.size() + model.size()});
  }

  void times(std::string_view kind, std::int64_t begin_ns, std::int64_t end_ns) {
    out_.raw(R"(,"kind":)");
    out_.raw(kind);
    nanoseconds(R"(,"startTimeUnixNano":")", begin_ns);
    nanoseconds(R"(,"endTimeUnixNano":")", end_ns);
  }

  void open(std::string_view member) {
    out_.raw(member);
    first_ = true;
  }
  void close() { out_.raw("]"); }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key, R"("stringValue":)");
    out_.string(value, logged_text_bytes_max);
    out_.raw("}}");
  }
  void number(std::string_view key, std::int64_t value) {
    begin(key, R"("intValue":")");  // 64-bit integers are strings in protobuf's JSON
    out_.number(value);
    out_.raw("\"}}");
  }
  void positive(std::string_view key, std::int64_t value) {
    if (value > 0) number(key, value);
  }
  void decimal(std::string_view key, std::int64_t value, unsigned digits) {
    begin(key, R"("doubleValue":)");
    out_.decimal(value, digits);
    out_.raw("}}");
  }
  void flag(std::string_view key, bool value) {
    begin(key, R"("boolValue":)");
    out_.boolean(value);
    out_.raw("}}");
  }

  void event(std::string_view name, std::int64_t at_ns) {
    out_.raw(first_ ? "" : ",");
    first_ = false;
    nanoseconds(R"({"timeUnixNano":")", at_ns);
    out_.raw(R"(,"name":"weir.)");
    out_.raw(name);
    out_.raw("\"");
  }

  void end(Failure failure) {
    if (failure == Failure::none) {
      out_.raw(R"(,"status":{}},)");
    } else {
      out_.raw(R"(,"status":{"code":2,"message":")");
      out_.raw(name_of(failure));
      out_.raw("\"}},");
    }
  }

  JsonWriter& out() { return out_; }

 private:
  void hex(std::uint64_t id) {
    std::array<char, 16> digits;
    write_hex(id, digits.data());
    out_.raw({digits.data(), digits.size()});
  }
  void nanoseconds(std::string_view member, std::int64_t value) {
    out_.raw(member);
    out_.number(value);
    out_.raw("\"");
  }
  void begin(std::string_view key, std::string_view kind) {
    out_.raw(first_ ? R"({"key":")" : R"(,{"key":")");
    first_ = false;
    out_.raw(key);
    out_.raw(R"(","value":{)");
    out_.raw(kind);
  }

  JsonWriter& out_;
  bool first_ = true;
};

std::int64_t nanoseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

/// What the client did wrong, or did, is no error of the server that says so.
Failure error_of_call(const Exchange& exchange) {
  switch (exchange.outcome) {
    case Outcome::upstream_error:
    case Outcome::gateway_error:
    case Outcome::cut:
      return exchange.failure;
    default:
      return Failure::none;
  }
}

void write_call(Span span, const Exchange& exchange, std::int64_t begin_ns) {
  static const Attempt no_attempt;
  const bool tried = !exchange.attempts.empty();
  const Attempt& last = tried ? exchange.attempts.back() : no_attempt;
  const Target& target = exchange.plan.target;
  span.ids(exchange.trace, exchange.trace.span, exchange.trace.parent_span);
  span.name(exchange.raw, exchange.request.model);
  span.times(kServer, begin_ns, begin_ns + nanoseconds(exchange.took));
  span.open(R"(,"attributes":[)");
  if (!exchange.raw) span.text("gen_ai.operation.name", "chat");
  span.text("gen_ai.request.model", exchange.request.model);
  span.number("http.response.status_code", exchange.status);
  span.text("weir.call_id", exchange.id.text());
  span.text("weir.request_id", exchange.request_id);
  span.text("weir.route", exchange.plan.route);
  span.text("weir.task", exchange.task);
  span.text("weir.model", tried ? last.model : target.model);
  span.text("weir.provider", tried ? last.provider : target.provider_name);
  if (exchange.caller != nullptr) {
    span.text("weir.key", exchange.caller->name);
    span.text("weir.group", exchange.caller->group);
  }
  span.flag("weir.stream", exchange.request.stream);
  span.number("weir.attempts", static_cast<std::int64_t>(exchange.attempts.size()));
  span.text("weir.outcome", name_of(exchange.outcome));
  if (exchange.failure != Failure::none) {
    span.text("error.type", name_of(exchange.failure));
    span.text("weir.phase", name_of(exchange.failure_phase));
  }
  span.decimal("weir.cost_usd", exchange.cost.value, 9);
  span.decimal("weir.wasted_usd", exchange.wasted.value, 9);
  if (!exchange.price_known) span.flag("weir.price_unknown", true);
  span.close();
  if (exchange.first_byte_sent != TimePoint{}) {
    span.open(R"(,"events":[)");
    span.event("first_content", begin_ns + nanoseconds(exchange.first_byte_sent - exchange.started));
    span.out().raw("}");
    span.close();
  }
  span.end(error_of_call(exchange));
}

void write_attempt(Span span, const Exchange& exchange, std::size_t number, std::int64_t begin_ns) {
  const Attempt& attempt = exchange.attempts[number - 1];
  Duration took{};
  for (const Duration phase : attempt.phases) took += phase;
  const std::uint64_t own = attempt.span != 0 ? attempt.span : attempt_span(exchange.trace, number);
  span.ids(exchange.trace, own, exchange.trace.span);
  span.name(exchange.raw, attempt.model);
  span.times(kClient, begin_ns, begin_ns + nanoseconds(took));
  span.open(R"(,"attributes":[)");
  if (!exchange.raw) span.text("gen_ai.operation.name", "chat");
  span.text("gen_ai.provider.name", attempt.provider);
  span.text("gen_ai.request.model", attempt.model);
  span.text("gen_ai.response.model", attempt.reply_model);
  if (attempt.usage.reported || attempt.usage.estimated) {
    span.number("gen_ai.usage.input_tokens", attempt.usage.prompt());
    span.number("gen_ai.usage.output_tokens", attempt.usage.output);
    span.positive("gen_ai.usage.cache_read.input_tokens", attempt.usage.cache_read);
    span.positive("gen_ai.usage.cache_creation.input_tokens", attempt.usage.cache_write);
    span.positive("gen_ai.usage.reasoning.output_tokens", attempt.usage.reasoning);
    if (attempt.usage.estimated) span.flag("weir.tokens_estimated", true);
  }
  span.positive("http.response.status_code", attempt.provider_status);
  span.text("weir.provider_request_id", attempt.provider_request_id);
  span.number("weir.key_index", attempt.key_index);
  span.flag("weir.reused_connection", attempt.reused_connection);
  if (attempt.failure != Failure::none) {
    span.text("error.type", name_of(attempt.failure));
    span.text("weir.phase", name_of(attempt.phase));
    span.flag("weir.may_have_been_billed", attempt.may_have_been_billed);
  }
  span.decimal("weir.cost_usd", attempt.cost.value, 9);
  if (attempt.wasted) span.flag("weir.wasted", true);
  span.close();
  span.open(R"(,"events":[)");
  std::int64_t at = begin_ns;
  for (std::size_t i = 0; i < attempt.phases.size(); ++i) {
    if (attempt.phases[i] <= Duration::zero()) continue;  // not gone through
    span.event(kPhaseNames[i], at);
    span.open(R"(,"attributes":[)");
    span.decimal("weir.phase_ms", nanoseconds(attempt.phases[i]) / 1000, 3);
    span.close();
    span.out().raw("}");
    at += nanoseconds(attempt.phases[i]);
  }
  span.close();
  span.end(attempt.failure);
}

}  // namespace

void write_spans(JsonWriter& out, const Exchange& exchange) {
  const std::int64_t begin_ns = exchange.started_unix_ms * 1'000'000;
  write_call(Span{out}, exchange, begin_ns);
  for (std::size_t number = 1; number <= exchange.attempts.size(); ++number) {
    const Duration offset = std::max(exchange.attempts[number - 1].started - exchange.started, Duration::zero());
    write_attempt(Span{out}, exchange, number, begin_ns + nanoseconds(offset));
  }
}

std::string spans_head() {
  return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"weir"}},)"
         R"({"key":"service.version","value":{"stringValue":")" WEIR_VERSION
         R"("}}]},"scopeSpans":[{"scope":{"name":"weir","version":")" WEIR_VERSION R"("},"spans":[)";
}

}  // namespace weir::telemetry
