#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/spare.hpp>
#include <weir/exchange/service.hpp>
#include "dialects/openai_chat/reply_reader.hpp"
#include "net/body_reader.hpp"
#include "net/offload.hpp"
#include "net/upstream_pool.hpp"
#include "net/worker.hpp"
#include "providers/attempt_timer.hpp"
#include "providers/settings.hpp"
#include "targets/first_byte_times.hpp"

namespace weir::providers {

/// Any server that speaks OpenAI's protocol: sends the client's bytes with their patch, relays the answer, reads usage
/// and errors on the way. Raw pass-throughs take the same road without the reading.
///
/// Thread: one per worker and provider entry. Lifetime: outlives its calls (the exchange's snapshot holds it).
class OpenAiProvider final : public Provider {
 public:
  OpenAiProvider(net::Worker& worker, std::shared_ptr<net::UpstreamPool> pool, const ProviderSettings& settings,
                 targets::FirstByteTimes& first_byte_times, net::Offload& offload);

  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink& reply) override;

 private:
  struct Wire;  // one answer being read off one connection

  std::string request_head(const Call& call, const Attempt& attempt) const;
  awaitable<Ending> exchange_once(const Call& call, Attempt& attempt, ReplySink& reply, AttemptTimer& timer, bool fresh,
                                  bool& stale);
  awaitable<Ending> answer(Wire& wire, ReplySink& reply);
  awaitable<Ending> relay_stream(Wire& wire, ReplySink& reply);
  awaitable<Ending> relay_raw(Wire& wire, ReplySink& reply);
  awaitable<Ending> hold_whole(Wire& wire, ReplySink& reply);
  awaitable<Ending> read_error(Wire& wire);
  void give_back(Wire& wire);
  static awaitable<void> finish_reading(std::shared_ptr<net::UpstreamPool> pool, net::Worker& worker,
                                        std::unique_ptr<net::UpstreamConnection> connection, net::BodyReader body);

  net::Worker& worker_;
  std::shared_ptr<net::UpstreamPool> pool_;
  targets::FirstByteTimes& first_byte_times_;
  net::Offload& offload_;
  openai_chat::ReplyReader reply_reader_;
  Spare<net::ReplyHead> heads_;
  std::string path_prefix_;  ///< of base_url, without a trailing slash
  std::string fixed_head_;   ///< Host and the settings' headers: the same for each request
  std::vector<openai_chat::ErrorCode> error_codes_;
  std::vector<std::string> authorizations_;  ///< the field of each key; empty text where there is no key
};

}  // namespace weir::providers
