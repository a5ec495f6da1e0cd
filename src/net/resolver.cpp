#include "net/resolver.hpp"

#include <list>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/ip/basic_resolver.hpp>

namespace weir::net {

struct Resolver::Entry {
  std::vector<asio::ip::address> addresses;
  std::string error;
  TimePoint known_at{};
  bool known = false;
  bool asking = false;
  std::list<Event*> waiting;
};

namespace {

/// One waiter for a lookup; breaking the call off wakes it, the lookup itself goes on for the others.
class LookupWait final : public Interruptible {
 public:
  explicit LookupWait(std::list<Event*>& waiting) : waiting_(waiting), at_(waiting.insert(waiting.end(), &event_)) {}
  ~LookupWait() {
    if (!woken_) waiting_.erase(at_);
  }
  void interrupt() override {
    if (woken_) return;
    woken_ = true;
    waiting_.erase(at_);
    event_.notify();
  }
  awaitable<void> wait() { return event_.wait(); }
  void woken() { woken_ = true; }

 private:
  Event event_;
  std::list<Event*>& waiting_;
  std::list<Event*>::iterator at_;
  bool woken_ = false;
};

}  // namespace

awaitable<Resolver::Answer> Resolver::resolve(std::string host, std::uint16_t port, Interrupt& interrupt) {
  Answer answer;
  ErrorCode not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) {
    answer.endpoints.emplace_back(literal, port);
    co_return answer;
  }
  auto& slot = entries_[host];
  if (!slot) slot = std::make_shared<Entry>();
  const std::shared_ptr<Entry> entry = slot;
  if (!entry->known || Clock::now() - entry->known_at > kKept) {
    if (!entry->asking) {
      entry->asking = true;
      resolver_.async_resolve(host, "", [entry](ErrorCode error, const Tcp::resolver::results_type& results) {
        entry->asking = false;
        entry->error = error ? error.message() : std::string{};
        if (!error) {
          entry->addresses.clear();
          for (const auto& result : results) entry->addresses.push_back(result.endpoint().address());
          entry->known = true;
          entry->known_at = Clock::now();
        }
        while (!entry->waiting.empty()) {
          Event* event = entry->waiting.front();
          entry->waiting.pop_front();
          event->notify();
        }
      });
    }
    if (!entry->known) {  // else the old addresses serve until the new ones are there
      LookupWait wait(entry->waiting);
      const Interrupt::Scope scope(interrupt, wait);
      co_await wait.wait();
      wait.woken();
    }
  }
  if (interrupt.fired()) co_return answer;
  for (const auto& address : entry->addresses) answer.endpoints.emplace_back(address, port);
  if (answer.endpoints.empty()) answer.error = fmt::format("cannot resolve {}: {}", host, entry->error);
  co_return answer;
}

}  // namespace weir::net
