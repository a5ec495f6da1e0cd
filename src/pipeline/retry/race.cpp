#include "pipeline/retry/race.hpp"

#include <utility>

namespace weir::pipeline {
namespace {

/// What an attempt has written into its own exchange and the call's is to say of it.
void take_over(Exchange& call, const Exchange& attempt) {
  call.plan.target = attempt.plan.target;
  call.dropped = attempt.dropped;
  call.dropped_fields = attempt.dropped_fields;
  call.dropped_to = attempt.dropped_to;
}

awaitable<Flow> stopped() {
  co_return Flow::stop;
}

}  // namespace

Race::Lane::Lane(Race& race, const Candidates::Choice& to) : exchange(race.exchange_), choice(to), race_(race) {
  exchange.interrupt = {};
  exchange.attempts.clear();
}

Flow Race::Lane::head(const ReplyHead& head) {
  if (race_.winner_ == this) return race_.reply_.head(head);
  if (race_.lost(*this)) return Flow::stop;
  head_ = head;
  content_type_ = head.content_type;
  head_->content_type = content_type_;
  head_->passed_on = {};  // of raw answers only, which nobody hedges
  held_.clear();
  usages_.clear();
  return Flow::go;
}

Flow Race::Lane::event(std::string_view bytes) {
  if (race_.winner_ == this) return race_.reply_.event(bytes);
  if (race_.lost(*this)) return Flow::stop;
  held_.append(bytes);
  return Flow::go;
}

Flow Race::Lane::usage_event(std::string_view bytes, std::size_t usage_end) {
  if (race_.winner_ == this) return race_.reply_.usage_event(bytes, usage_end);
  if (race_.lost(*this)) return Flow::stop;
  usages_.push_back({held_.size(), held_.size() + bytes.size(), usage_end});
  held_.append(bytes);
  return Flow::go;
}

Flow Race::Lane::whole(Buffer&& body) {
  return race_.wins(*this) ? race_.reply_.whole(std::move(body)) : Flow::stop;
}

awaitable<Flow> Race::Lane::flush() {
  return race_.wins(*this) ? race_.reply_.flush() : stopped();
}

void Race::Lane::hand_over(ReplySink& reply) {
  if (!head_) return;
  reply.head(*head_);
  const std::string_view held = held_;
  std::size_t at = 0;
  for (const UsageMark& usage : usages_) {
    if (usage.begin > at) reply.event(held.substr(at, usage.begin - at));
    reply.usage_event(held.substr(usage.begin, usage.end - usage.begin), usage.usage_end);
    at = usage.end;
  }
  if (at < held.size()) reply.event(held.substr(at));
}

bool Race::wins(Lane& lane) {
  if (winner_ != nullptr) return winner_ == &lane;
  winner_ = &lane;
  disarm();
  take_over(exchange_, lane.exchange);  // before the head: it says who answers
  lane.hand_over(reply_);
  std::optional<Lane>& other = &lane == &*first_ ? second_ : first_;
  if (other && !other->ended) other->exchange.interrupt.fire(InterruptReason::outrun);
  return true;
}

void Race::interrupt() {
  disarm();
  for (std::optional<Lane>* lane : {&first_, &second_}) {
    if (*lane && !(*lane)->ended) (*lane)->exchange.interrupt.fire(exchange_.interrupt.reason());
  }
}

void Race::begin(std::optional<Lane>& lane, const Candidates::Choice& choice) {
  lane.emplace(*this, choice);
  lane->trial = begin_attempt(lane->exchange, choice, deadline_, exchange_.attempts.size() + 1, Clock::now());
  // The call's own list has it from now on: who looks for another place must see it, and the head counts it.
  exchange_.attempts.push_back(lane->exchange.attempts.back());
}

void Race::expired() {
  if (winner_ != nullptr || exchange_.interrupt.fired()) return;
  const std::optional<Candidates::Choice> choice = another_();
  if (!choice) return;
  auto room = std::make_unique<Room>(*choice->target);
  if (!room->taken()) return;
  begin(second_, *choice);
  second_->room = std::move(room);
  worker_.spawn("hedge", run_second(shared_from_this()));
}

awaitable<void> Race::run(Lane& lane) {
  Exchange& exchange = lane.exchange;
  try {
    const Target& target = exchange.plan.target;
    lane.ending = co_await target.provider->send(Call{exchange, target}, exchange.attempts.back(), lane);
    if (lane.ending.ok()) wins(lane);
  } catch (...) {
    lane.thrown = std::current_exception();
    lane.ending.failure = Failure::gateway_bug;
  }
  if (lost(lane)) {
    // However it came to its end: it was broken off, or a moment too late.
    lane.ending.failure = Failure::gateway_outrun;
    if (lane.ending.phase == Phase::none) lane.ending.phase = Phase::body;
    lane.ending.back_in.reset();
  }
  end_attempt(exchange, lane.choice, lane.ending, lane.trial);
  lane.room.reset();
  lane.ended = true;
  last_ = &lane;
}

awaitable<void> Race::run_second(std::shared_ptr<Race> race) {
  co_await race->run(*race->second_);
  race->second_ended_.notify();
}

awaitable<Ending> Race::run(Candidates::Choice& choice, Duration patience) {
  const Interrupt::Scope scope(exchange_.interrupt, *this);
  begin(first_, choice);
  if (exchange_.interrupt.fired()) {
    interrupt();
  } else {
    arm(Clock::now() + patience);
  }
  co_await run(*first_);
  disarm();
  while (second_ && !second_->ended) co_await second_ended_.wait();
  co_return settle(choice);
}

Ending Race::settle(Candidates::Choice& choice) {
  Lane& told = winner_ != nullptr ? *winner_ : *last_;
  if (told.thrown) std::rethrow_exception(told.thrown);
  auto at = exchange_.attempts.end() - (second_ ? 2 : 1);
  if (second_) *at++ = std::move((&told == &*first_ ? *second_ : *first_).exchange.attempts.front());
  *at = std::move(told.exchange.attempts.front());
  take_over(exchange_, told.exchange);
  if (told.exchange.interrupt.over()) exchange_.interrupt.fire(told.exchange.interrupt.over_because());
  choice = told.choice;
  return std::move(told.ending);
}

}  // namespace weir::pipeline
