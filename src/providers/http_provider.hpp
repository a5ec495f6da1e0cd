#pragma once
#include <expected>
#include <memory>
#include <optional>
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
#include "providers/image_fetcher.hpp"
#include "providers/protocol_rules.hpp"
#include "providers/settings.hpp"
#include "providers/translation.hpp"
#include "targets/first_byte_times.hpp"

namespace weir::providers {

/// Any server behind HTTP. Where it speaks the client's dialect it gets the client's bytes with their patch, and its
/// answer is relayed as it is, read for usage and errors on the way; otherwise both are translated. Raw pass-throughs
/// take the same road without the reading. What differs between protocols is in its ProtocolRules.
///
/// Thread: one per worker and provider entry. Lifetime: outlives its calls (the exchange's snapshot holds it).
class HttpProvider final : public Provider {
 public:
  HttpProvider(net::Worker& worker, std::shared_ptr<net::UpstreamPool> pool, const ProviderSettings& settings,
               targets::FirstByteTimes& first_byte_times, net::Offload& offload,
               std::shared_ptr<const ServiceAccount> account = nullptr, ImageFetcher* images = nullptr);

  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink& reply) override;

 private:
  struct Wire;  // one answer being read off one connection

  std::optional<Ending> refuse_raw(const Call& call) const;
  awaitable<std::optional<Ending>> make_ready(const Call& call, std::optional<Translation>& translation);
  std::string request_head(const Outgoing& outgoing) const;
  awaitable<Ending> exchange_once(const Outgoing& outgoing, Attempt& attempt, ReplySink& reply,
                                  const Translation* translation, AttemptTimer& timer, bool fresh, bool& stale);
  awaitable<Ending> answer(Wire& wire, ReplySink& reply);
  awaitable<Ending> relay_chat_stream(Wire& wire, ReplySink& reply);
  awaitable<Ending> relay_decoded_stream(Wire& wire, ReplySink& reply);
  template <class Relay>
  awaitable<Ending> run_stream(Wire& wire, ReplySink& reply, Relay relay);
  awaitable<Ending> relay_raw(Wire& wire, ReplySink& reply);
  awaitable<Ending> hold_whole(Wire& wire, ReplySink& reply);
  static std::optional<Ending> pass_whole(Wire& wire, std::expected<openai_chat::ReplyFacts, std::string> facts,
                                          Buffer& whole, ReplySink& reply);
  awaitable<std::optional<Ending>> decode_whole(Wire& wire, Buffer& whole, ReplySink& reply);
  static Ending too_large(const Wire& wire);
  awaitable<Ending> read_error(Wire& wire);
  void give_back(Wire& wire);
  static awaitable<void> finish_reading(std::shared_ptr<net::UpstreamPool> pool, net::Worker& worker,
                                        std::unique_ptr<net::UpstreamConnection> connection, net::BodyReader body);

  net::Worker& worker_;
  std::shared_ptr<net::UpstreamPool> pool_;
  targets::FirstByteTimes& first_byte_times_;
  net::Offload& offload_;
  ImageFetcher* const images_;  ///< null = no call may have one fetched
  Spare<net::ReplyHead> heads_;
  std::string fixed_head_;  ///< Host and the settings' headers: the same for each request
  std::unique_ptr<ProtocolRules> rules_;
};

}  // namespace weir::providers
