#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/call_id.hpp>
#include <weir/base/clock.hpp>
#include <weir/exchange/attempt.hpp>
#include <weir/exchange/caller.hpp>
#include <weir/exchange/interrupt.hpp>
#include <weir/exchange/patch.hpp>
#include <weir/exchange/plan.hpp>
#include <weir/exchange/request.hpp>
#include <weir/exchange/savings.hpp>
#include <weir/exchange/trace_context.hpp>

namespace weir {

/// One client call on its way through the house. Owned by whoever runs it (api), passed by reference; each field is
/// written by the one room named beside it. Thread: the worker that owns the client's connection.
struct Exchange {
  // api
  CallId id;
  std::string_view request_id;  ///< echoed to the client: its own, or `id`
  TimePoint started{};          ///< the request's last head byte was here
  std::int64_t started_unix_ms = 0;
  std::shared_ptr<const void> snapshot;  ///< keeps the settings alive that this call began with
  Request request;
  std::string_view asked_task;  ///< x-weir-task, else metadata.task_type
  std::string_view user;        ///< metadata.user_id, else the body's `user`; empty = none
  std::string_view tags;        ///< x-weir-tags, checked: "k=v,k=v"
  bool raw = false;             ///< a pass-through: relayed as it is
  bool reask = false;           ///< asks an earlier call again, because of its answer's form (SEMANTICS 41)
  TraceContext trace;           ///< as the observer chose it; all zero where the call is not traced
  Interrupt interrupt;

  // admission
  const Caller* caller = nullptr;  ///< null = weir has no keys: whoever reaches it may call
  std::string_view own_key;        ///< the caller's own provider key, for a route that passes it on; secret

  // resolve
  Plan plan;
  std::string_view task = "none";

  // retry
  Patch patch;  ///< what changes in the body on its way up, for the attempt that runs
  std::vector<Attempt> attempts;

  // repair
  bool json_repaired = false;  ///< the reply's content was mended (repair_json)

  // provider, of the attempt that ran last
  std::string dropped;                      ///< fields that its protocol cannot carry, for x-weir-dropped; empty = none
  std::vector<std::string> dropped_fields;  ///< the same for the metric: names that are fit for a label, once each
  std::string_view dropped_to;              ///< the dialect that could not carry them
  std::int64_t next_event = 0;              ///< Responses: the number of the stream's next event

  std::string kept_reply;  ///< api: the reply's text, only where the plan keeps it

  // provider, by way of the sink
  TimePoint first_byte_sent{};  ///< api: the first content left for the client

  // meter
  Usage usage;
  NanoDollars cost;
  NanoDollars wasted;
  Savings saved;
  bool price_known = true;
  Outcome outcome = Outcome::ok;
  Failure failure = Failure::none;
  Phase failure_phase = Phase::none;
  std::uint16_t status = 0;  ///< what the client got
  Duration took{};           ///< from `started` to booking
};

}  // namespace weir
