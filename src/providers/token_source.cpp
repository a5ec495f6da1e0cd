#include "providers/token_source.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <weir/base/clock.hpp>

namespace weir::providers {
namespace {

constexpr std::chrono::seconds kFetchTime{10};

std::int64_t unix_seconds() {
  return unix_milliseconds() / 1000;
}

class WaitBreaker final : public Interruptible {
 public:
  explicit WaitBreaker(net::Timer& timer) : timer_(timer) {}
  void interrupt() override { timer_.cancel(); }

 private:
  net::Timer& timer_;
};

}  // namespace

TokenSource::TokenSource(net::Worker& worker, net::Offload& offload, std::shared_ptr<const ServiceAccount> account,
                         std::string ca_file)
    : worker_(worker), offload_(offload), account_(std::move(account)), ca_file_(std::move(ca_file)) {}

bool TokenSource::ready() {
  const std::int64_t now = unix_seconds();
  if (renewal_.begin_if_due(now)) {
    renewing_ = true;
    worker_.spawn("renewal of a token", renew(shared_from_this()));
  }
  return !renewal_.usable(now).empty();
}

std::string_view TokenSource::token() const {
  return renewal_.usable(unix_seconds());
}

awaitable<std::optional<Ending>> TokenSource::wait(Interrupt& interrupt) {
  const auto self = shared_from_this();
  // After a failure not every call asks again: what it said is their answer, too, until the pause is over.
  if (!ready() && renewing_ && !interrupt.fired()) {
    net::Timer timer(worker_.executor(), kFetchTime + std::chrono::seconds(1));
    waiting_.push_back(&timer);
    {
      WaitBreaker breaker(timer);
      const Interrupt::Scope scope(interrupt, breaker);
      co_await timer.async_wait(net::as_value);
    }
    std::erase(waiting_, &timer);
  }
  if (!renewal_.usable(unix_seconds()).empty() || interrupt.fired()) co_return std::nullopt;
  Ending ending;
  ending.failure = Failure::upstream_credentials;
  ending.phase = Phase::connect;
  ending.message = problem_.empty() ? "no token for the service account came in time" : problem_;
  co_return ending;
}

Result<AccessToken> TokenSource::fetch() const {
  const std::int64_t now = unix_seconds();
  const auto assertion = token_assertion(*account_, now);
  if (!assertion) return std::unexpected(assertion.error());
  const auto client = net::ControlClient::make(account_->token_uri, {}, ca_file_);
  if (!client) return failure("the service account's token_uri " + client.error().message);
  const auto answer = client->post(token_request_body(*assertion), "application/x-www-form-urlencoded", kFetchTime);
  if (!answer) return std::unexpected(answer.error());
  return read_token_reply(static_cast<int>(answer->status), answer->body, now);
}

awaitable<void> TokenSource::renew(std::shared_ptr<TokenSource> self) {
  Result<AccessToken> fetched = failure("not asked");
  co_await self->offload_.run(self->worker_.executor(), [&] { fetched = self->fetch(); });
  self->renewing_ = false;
  if (fetched) {
    self->problem_.clear();
    self->renewal_.renewed(std::move(*fetched), unix_seconds());
  } else {
    self->problem_ = fetched.error().message;
    self->renewal_.failed(unix_seconds());
  }
  for (net::Timer* timer : self->waiting_) timer->cancel();
}

}  // namespace weir::providers
