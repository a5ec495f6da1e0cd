#include <weir/exchange/failure.hpp>
#include <weir/exchange/plan.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace weir {
namespace {

struct Wanted {
  Failure failure;
  std::string_view name;
  std::uint16_t status;  // 0: as the provider said
  Outcome outcome;
};
// The statuses that the contract promises to clients, written down a second time on purpose.
constexpr std::array kWanted{
    Wanted{Failure::none, "none", 200, Outcome::ok},
    Wanted{Failure::client_malformed, "client.malformed", 400, Outcome::client_error},
    Wanted{Failure::client_unauthorized, "client.unauthorized", 401, Outcome::client_error},
    Wanted{Failure::client_not_found, "client.not_found", 404, Outcome::client_error},
    Wanted{Failure::client_too_large, "client.too_large", 413, Outcome::client_error},
    Wanted{Failure::client_content_policy, "client.content_policy", 0, Outcome::client_error},
    Wanted{Failure::client_context_length, "client.context_length", 0, Outcome::client_error},
    Wanted{Failure::client_left, "client.left", 499, Outcome::client_left},
    Wanted{Failure::limit_rate, "limit.rate", 429, Outcome::limited},
    Wanted{Failure::limit_quota, "limit.quota", 429, Outcome::limited},
    Wanted{Failure::upstream_credentials, "upstream.credentials", 502, Outcome::upstream_error},
    Wanted{Failure::upstream_model_missing, "upstream.model_missing", 404, Outcome::upstream_error},
    Wanted{Failure::upstream_unreachable, "upstream.unreachable", 502, Outcome::upstream_error},
    Wanted{Failure::upstream_timeout_connect, "upstream.timeout.connect", 504, Outcome::upstream_error},
    Wanted{Failure::upstream_timeout_first_byte, "upstream.timeout.first_byte", 504, Outcome::upstream_error},
    Wanted{Failure::upstream_timeout_between_bytes, "upstream.timeout.between_bytes", 504, Outcome::upstream_error},
    Wanted{Failure::upstream_timeout_total, "upstream.timeout.total", 504, Outcome::upstream_error},
    Wanted{Failure::upstream_overloaded, "upstream.overloaded", 503, Outcome::upstream_error},
    Wanted{Failure::upstream_error, "upstream.error", 502, Outcome::upstream_error},
    Wanted{Failure::upstream_protocol, "upstream.protocol", 502, Outcome::upstream_error},
    Wanted{Failure::gateway_busy, "gateway.busy", 503, Outcome::gateway_error},
    Wanted{Failure::gateway_budget, "gateway.budget", 429, Outcome::gateway_error},
    Wanted{Failure::gateway_bug, "gateway.bug", 500, Outcome::gateway_error},
    Wanted{Failure::gateway_outrun, "gateway.outrun", 500, Outcome::gateway_error}};
static_assert(kWanted.size() == static_cast<std::size_t>(Failure::count_));

TEST(FailureTable, ClientsGetThePromisedStatus) {
  for (const Wanted& wanted : kWanted) {
    const FailureRow& row = row_of(wanted.failure);
    EXPECT_EQ(row.name, wanted.name);
    EXPECT_EQ(name_of(wanted.failure), wanted.name);
    EXPECT_EQ(row.status, wanted.status) << row.name;
    EXPECT_EQ(row.outcome, wanted.outcome) << row.name;
  }
}

TEST(FailureTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const FailureRow& row : kFailures) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(FailureTable, WhatAnotherProviderMayDoBetterIsTriedElsewhere) {
  for (const Failure failure :
       {Failure::upstream_credentials, Failure::upstream_model_missing, Failure::upstream_protocol,
        Failure::upstream_overloaded, Failure::upstream_error, Failure::limit_rate}) {
    EXPECT_EQ(row_of(failure).policy, Policy::retry_elsewhere) << name_of(failure);
  }
  for (const Failure failure : {Failure::client_malformed, Failure::client_left, Failure::client_content_policy,
                                Failure::gateway_busy, Failure::gateway_bug}) {
    EXPECT_EQ(row_of(failure).policy, Policy::give_up) << name_of(failure);
  }
  EXPECT_EQ(row_of(Failure::client_context_length).policy, Policy::bigger_context);
}

TEST(FailureTable, OnlyOurOwnRefusalsInviteBack) {
  for (const FailureRow& row : kFailures) {
    const bool ours = row.failure == Failure::gateway_busy || row.failure == Failure::gateway_budget;
    EXPECT_EQ(row.may_invite_back, ours) << row.name;
  }
}

TEST(FailureTable, EveryErrorBodyHasAType) {
  for (const FailureRow& row : kFailures) {
    const bool nobody_reads = row.failure == Failure::none || row.failure == Failure::client_left;
    EXPECT_EQ(row.type.empty(), nobody_reads) << row.name;
  }
}

TEST(Names, OfPhasesAndOutcomes) {
  EXPECT_EQ(name_of(Phase::none), "none");
  EXPECT_EQ(name_of(Phase::await_headers), "await_headers");
  EXPECT_EQ(name_of(Phase::body), "body");
  EXPECT_EQ(name_of(Outcome::ok), "ok");
  EXPECT_EQ(name_of(Outcome::cut), "cut");
}

TEST(TimeoutOverrides, ReplaceOnlyWhatTheyName) {
  using namespace std::chrono_literals;
  TimeLimits limits;
  TimeoutOverrides overrides;
  overrides.apply_to(limits);
  EXPECT_EQ(limits, TimeLimits{});
  overrides.first_byte = 7s;
  overrides.total = 9s;
  overrides.apply_to(limits);
  EXPECT_EQ(limits, (TimeLimits{2s, 7s, 120s, 9s}));
}

}  // namespace
}  // namespace weir
