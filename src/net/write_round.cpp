#include "net/write_round.hpp"

#include <chrono>

#include <boost/asio/post.hpp>

namespace weir::net {
namespace {

// So many writes within so short a time: the loop is busy, and its rounds have several. The clock is only read once for
// them.
constexpr unsigned kCounted = 8;
constexpr std::chrono::microseconds kBusy{200};
// A round of one write has waited for nobody: one more look at the kernel's events, a tenth of a microsecond.
constexpr unsigned kLonelyRoundsMost = 4;
// So many are made at once, also in the middle of a round: the first of them shall not wait for long.
constexpr std::size_t kRowMost = 32;

}  // namespace

asio::execution_context::id WriteRound::id;

bool WriteRound::gathers() {
  if (gathers_ || ++counted_ < kCounted) return gathers_;
  const TimePoint now = Clock::now();
  gathers_ = now - counted_since_ < kBusy;
  counted_ = lonely_rounds_ = 0;
  counted_since_ = now;
  return gathers_;
}

WriteRound::Turn::Turn(WriteRound& round, Socket& socket, std::span<asio::const_buffer> buffers)
    : round_(round), socket_(socket), buffers_(buffers) {
  if (round.waiting_.first == nullptr) {
    round.waiting_.first = this;
    asio::post(socket.get_executor(), [&round] { round.end(); });
  } else {
    round.waiting_.last->next_ = this;
  }
  round.waiting_.last = this;
  if (round.unmade_ == nullptr) round.unmade_ = this;
  ++round.turns_;
  if (++round.unmade_count_ == kRowMost) round.make_waiting();
}

WriteRound::Turn::~Turn() {
  if (!listed_) return;
  // With its loop: what waits is destroyed unfinished.
  if (round_.unmade_ == this) round_.unmade_ = next_;
  if (!round_.waiting_.remove(*this)) round_.resuming_.remove(*this);
}

bool WriteRound::List::remove(const Turn& turn) {
  Turn* before = nullptr;
  for (Turn* at = first; at != nullptr; before = at, at = at->next_) {
    if (at != &turn) continue;
    (before != nullptr ? before->next_ : first) = turn.next_;
    if (last == at) last = before;
    return true;
  }
  return false;
}

/// Whoever waits would never be woken, and owns itself.
void WriteRound::shutdown() {
  unmade_ = nullptr;
  for (List* list : {&waiting_, &resuming_}) {
    while (Turn* turn = list->first) {
      list->first = turn->next_;
      turn->listed_ = false;
      turn->made_.abandon();
    }
  }
}

void WriteRound::make_waiting() {
  for (; unmade_ != nullptr; unmade_ = unmade_->next_) {
    unmade_->written_ = unmade_->socket_.write_some(unmade_->buffers_, unmade_->error_);
  }
  unmade_count_ = 0;
}

void WriteRound::end() {
  make_waiting();
  lonely_rounds_ = turns_ > 1 ? 0 : lonely_rounds_ + 1;
  if (lonely_rounds_ > kLonelyRoundsMost) gathers_ = false;
  turns_ = 0;
  resuming_ = waiting_;
  waiting_ = {};
  while (Turn* turn = resuming_.first) {
    resuming_.first = turn->next_;
    turn->listed_ = false;
    turn->made_.notify();  // whoever goes on may write again: into the next round
  }
}

}  // namespace weir::net
