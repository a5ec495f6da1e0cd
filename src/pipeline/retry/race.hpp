#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/service.hpp>
#include "net/event.hpp"
#include "net/worker.hpp"
#include "pipeline/retry/attempt_run.hpp"

namespace weir::pipeline {

/// Two attempts of one call, the second beside a first that is slow. The first to have content for the client wins;
/// the other is broken off at once and its answer thrown away.
///
/// Each runs on an exchange of its own, a copy with its own target, patch, interrupt and attempt: a provider is not to
/// know that another is at work. The call's own exchange gets what came of them.
/// Held by the second attempt's coroutine too, since a worker that ends destroys the two in any order.
/// Thread: the worker's. Lifetime: one run(), at whose end both attempts have ended.
class Race final : public std::enable_shared_from_this<Race>, private net::Deadline, private Interruptible {
 public:
  /// Where the second attempt goes, paid for; none = there is none.
  using Another = std::function<std::optional<Candidates::Choice>()>;

  Race(net::Worker& worker, Exchange& exchange, ReplySink& reply, const CallDeadline& deadline, Another another)
      : Deadline(worker.deadlines()),
        worker_(worker),
        exchange_(exchange),
        reply_(reply),
        deadline_(deadline),
        another_(std::move(another)) {}

  /// Sends the call to `choice`, and after `patience` without content to another place too. Both are in the exchange's
  /// attempts then, the one that `choice` and the ending are of as the last.
  awaitable<Ending> run(Candidates::Choice& choice, Duration patience);

 private:
  /// One attempt: holds what it has to say until it has won.
  class Lane final : public ReplySink {
   public:
    Lane(Race& race, const Candidates::Choice& to);
    Flow head(const ReplyHead& head) override;
    Flow event(std::string_view bytes) override;
    Flow usage_event(std::string_view bytes, std::size_t usage_end) override;
    Flow whole(Buffer&& body) override;
    awaitable<Flow> flush() override;
    void hand_over(ReplySink& reply);

    Exchange exchange;
    Candidates::Choice choice;
    std::unique_ptr<Room> room;  ///< of the second; the first one's is its caller's
    bool trial = false;
    Ending ending;
    std::exception_ptr thrown;
    bool ended = false;

   private:
    struct UsageMark {
      std::size_t begin, end, usage_end;
    };
    Race& race_;
    std::optional<ReplyHead> head_;
    std::string content_type_;
    std::string held_;
    std::vector<UsageMark> usages_;
  };

  void expired() override;
  void interrupt() override;
  bool wins(Lane& lane);
  bool lost(const Lane& lane) const { return winner_ != nullptr && winner_ != &lane; }
  void begin(std::optional<Lane>& lane, const Candidates::Choice& choice);
  awaitable<void> run(Lane& lane);
  static awaitable<void> run_second(std::shared_ptr<Race> race);
  Ending settle(Candidates::Choice& choice);

  net::Worker& worker_;
  Exchange& exchange_;
  ReplySink& reply_;
  const CallDeadline& deadline_;
  Another another_;
  std::optional<Lane> first_;
  std::optional<Lane> second_;
  Lane* winner_ = nullptr;
  Lane* last_ = nullptr;  ///< that ended
  net::Event second_ended_;
};

}  // namespace weir::pipeline
