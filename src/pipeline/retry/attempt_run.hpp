#pragma once
#include <cstdint>

#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>
#include "pipeline/retry/call_deadline.hpp"
#include "pipeline/retry/candidates.hpp"
#include "targets/place.hpp"

namespace weir::pipeline {

// What stands around one Provider::send(): plain functions, since a coroutine more would cost as much as all they do.

/// One attempt's room under max_in_flight.
class Room {
 public:
  explicit Room(const Target& target)
      : place_(target.place), taken_(place_ == nullptr || place_->enter(target.max_in_flight)) {}
  ~Room() {
    if (taken_ && place_ != nullptr) place_->leave();
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  bool taken() const { return taken_; }

 private:
  targets::Place* place_;
  bool taken_;
};

/// Makes `exchange` ready for an attempt at `choice`: target, patch, and a further one of its attempts, the call's
/// `number`th. What it returns goes back into end_attempt().
bool begin_attempt(Exchange& exchange, const Candidates::Choice& choice, const CallDeadline& deadline,
                   std::size_t number, TimePoint now);
/// Writes down how the last of the exchange's attempts ended, for its place too.
void end_attempt(Exchange& exchange, const Candidates::Choice& choice, const Ending& ending, bool trial);

/// Whether sending the call once more, to `target`, is estimated to cost no more than `most`. A price that is not known
/// forbids nothing; it is counted when it is booked (RULINGS 9).
bool affordable(const Target& target, const Exchange& exchange, NanoDollars most);

/// The second that budgets and windows count by.
std::int64_t second_of(TimePoint at);

}  // namespace weir::pipeline
