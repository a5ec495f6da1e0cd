#pragma once
#include <string>
#include <string_view>

#include <weir/exchange/exchange.hpp>

namespace weir::telemetry {

/// A call as the meter leaves it: one good attempt, which tests then change.
struct BookedCall {
  Exchange exchange;
  std::string model{"gpt-4o-mini"};
  std::string provider{"openai"};

  explicit BookedCall(std::int64_t unix_ms = 1'763'701'567'123, std::uint64_t seed = 1) {
    using namespace std::chrono_literals;
    Random random{seed};
    exchange.id = CallId::make(unix_ms, random);
    exchange.request_id = "req-1";
    exchange.started = TimePoint{} + 100s;
    exchange.started_unix_ms = unix_ms;
    exchange.plan.route = "support";
    exchange.plan.target.model = model;
    exchange.plan.target.provider_name = provider;
    exchange.task = "billing";
    exchange.status = 200;
    exchange.took = 850ms;
    attempt();
    exchange.usage = exchange.attempts[0].usage;
    exchange.cost = exchange.attempts[0].cost;
  }

  Attempt& attempt() {
    using namespace std::chrono_literals;
    Attempt& made = exchange.attempts.emplace_back();
    made.provider = provider;
    made.model = model;
    made.reply_model = "gpt-4o-mini-2024-07-18";
    made.provider_request_id = "req_abc";
    made.provider_status = 200;
    made.reused_connection = true;
    made.may_have_been_billed = true;
    made.duration_of(Phase::send) = 100us;
    made.duration_of(Phase::await_headers) = 500ms;
    made.duration_of(Phase::body) = 349ms;
    made.usage.uncached = 1000;
    made.usage.cache_read = 200;
    made.usage.output = 100;
    made.usage.reasoning = 30;
    made.usage.reported = true;
    made.cost = {225'000};
    return made;
  }
};

}  // namespace weir::telemetry
