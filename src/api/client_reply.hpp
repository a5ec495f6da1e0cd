#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <weir/exchange/price.hpp>
#include <weir/exchange/service.hpp>
#include "api/usage_watch.hpp"
#include "net/event.hpp"
#include "net/server_call.hpp"

namespace weir::api {

/// Writes the answer of one call to the client's connection, and the heads that go with it. Appends only; flush() and
/// the finish functions send. Head and first content leave in one write.
///
/// Thread: the connection's worker. Lifetime: one call; the exchange and the ServerCall outlive it.
class ClientReply final : public ReplySink {
 public:
  /// Two buffers that a worker's calls pass on to one another, so that an answer allocates neither head nor body.
  struct Scratch {
    std::string head;
    Buffer body;
  };

  ClientReply(net::ServerCall& call, Exchange& exchange, Scratch& scratch)
      : call_(call), exchange_(exchange), out_(scratch.head), whole_(scratch.body) {
    out_.clear();
  }
  ~ClientReply() override;

  Flow head(const ReplyHead& head) override;
  Flow event(std::string_view bytes) override;
  Flow usage_event(std::string_view bytes, std::size_t usage_end) override;
  Flow whole(Buffer&& body) override;
  awaitable<Flow> flush() override;
  awaitable<void> keep_alive() override;

  /// True once a byte of the answer has left: an error can only be an event from then on.
  bool committed() const { return committed_; }
  std::uint16_t status() const { return status_; }
  /// The end of a good answer, after it was booked.
  awaitable<bool> finish();
  /// The end of a call that failed, after it was booked: an error body, or an error event in a stream that has begun.
  awaitable<bool> finish_with(const Ending& ending);
  /// An answer of our own making, for example the list of models.
  awaitable<bool> finish_with_body(std::uint16_t status, std::string_view content_type, std::string_view body);
  /// Shows it what passes: of a raw answer that is metered.
  void watch(UsageWatch& usage_watch) { usage_watch_ = &usage_watch; }
  /// Writes what it found into the last attempt, before the call is booked.
  void tell_usage();
  /// The status that finish_with() will send for this ending.
  static std::uint16_t status_for(const Ending& ending);

 private:
  void keep(std::string_view bytes);
  void begin_head(std::uint16_t status);
  void add_field(std::string_view name, std::string_view value);
  void add_ids();
  void add_weir_fields(bool with_target);
  void add_length(std::size_t length);
  void end_head();
  void begin_body(bool with_target);
  void turn_into_stream();
  awaitable<bool> send_all(bool last);

  net::ServerCall& call_;
  Exchange& exchange_;
  std::string& out_;     ///< the head
  std::string content_;  ///< a stream's bytes since the last flush
  Buffer& whole_;
  UsageWatch* usage_watch_ = nullptr;
  std::string held_usage_;  ///< the usage chunk, kept back until its cost is known
  std::size_t held_usage_end_ = 0;
  std::size_t held_usage_at_ = 0;  ///< where it belongs in content_
  std::uint16_t status_ = 200;
  std::optional<std::uint64_t> length_;
  bool has_head_ = false;
  bool has_whole_ = false;
  bool chunked_ = false;
  bool event_stream_ = false;
  bool committed_ = false;
  bool kept_alive_ = false;  ///< committed by a comment: a stream, whatever the answer will be
  bool flushed_ = false;     ///< content has left
  bool commenting_ = false;  ///< a comment is on its way: what comes next waits for it
  net::Event commented_;
};

std::string_view reason_phrase(std::uint16_t status);

}  // namespace weir::api
