#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weir/base/spare.hpp>
#include <weir/exchange/meter.hpp>
#include <weir/exchange/observer.hpp>
#include "api/client_reply.hpp"
#include "api/house.hpp"
#include "api/path.hpp"
#include "api/places.hpp"
#include "api/recent_prompts.hpp"
#include "dialects/openai_chat/request_reader.hpp"
#include "net/offload.hpp"
#include "net/server_call.hpp"
#include "net/worker.hpp"

namespace weir::api {

/// The clients' endpoints (ARCHITECTURE, section 8): tells paths apart, reads bodies by their dialect, sends each call
/// into the house and its answer back, booked before its last bytes leave. Every call ends in exactly one record.
///
/// Thread: one per worker; set_house() on that thread too.
class Front final : public net::RequestHandler {
 public:
  /// `places`: of the process's calls in flight. `prompts`: of the process too.
  Front(net::Worker& worker, net::Offload& offload, Observer& observer, Places& places, RecentPrompts& prompts)
      : worker_(worker), offload_(offload), observer_(observer), places_(places), prompts_(prompts) {}

  void set_house(std::shared_ptr<const House> house) { house_ = std::move(house); }

  awaitable<void> handle(net::ServerCall& call) override;
  std::string refusal(std::uint16_t status, std::string_view reason) override;

 private:
  awaitable<void> answer(net::ServerCall& call, Dialect dialect, Path::Kind kind);
  awaitable<void> pass_through(net::ServerCall& call, Path::Kind kind);
  awaitable<void> list_models(net::ServerCall& call, std::string_view id);
  awaitable<void> say_healthy(net::ServerCall& call);
  awaitable<void> refuse_path(net::ServerCall& call);

  struct Short;

  void name(Exchange& exchange);
  void begin(Exchange& exchange);
  void read_head(const net::ServerCall& call, Exchange& exchange);
  awaitable<bool> take_body(net::ServerCall& call, Exchange& exchange, ClientReply& reply);
  awaitable<void> send_into_house(net::ServerCall& call, Exchange& exchange, ClientReply& reply, Path::Kind kind);
  Ending busy() const;
  awaitable<void> refuse(Exchange& exchange, ClientReply& reply, Ending ending);
  /// Before it became a call: counted, but in nobody's books.
  awaitable<void> turn_away(ClientReply& reply, const Ending& ending);
  void book(Exchange& exchange, const Ending& ending, TimePoint now);

  net::Worker& worker_;
  net::Offload& offload_;
  Observer& observer_;
  std::shared_ptr<const House> house_;
  Places& places_;
  RecentPrompts& prompts_;
  Spare<ClientReply::Scratch> scratch_;
};

}  // namespace weir::api
