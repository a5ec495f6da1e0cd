#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/service.hpp>
#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/stream_tally.hpp"

namespace weir::providers {

/// One attempt whose provider does not speak the client's dialect: its request in the provider's, and what its answer
/// needs on the way back. Lifetime: the attempt's; refers to the exchange.
class Translation {
 public:
  Translation(const Exchange& exchange, const Target& target, const vocabulary::Codec& upstream);

  /// Reads the client's body into asked(). A refusal is for the client. May run on another thread, as encode().
  std::optional<Ending> decode(const Exchange& exchange);
  /// Makes request() of asked(), and writes into the exchange what it could not carry. Requires: decode() took it.
  std::optional<Ending> encode(Exchange& exchange, const Target& target, const vocabulary::TargetTraits& traits);

  /// What the client asks, until encode(): what is changed here, is sent.
  vocabulary::ChatRequest& asked() { return asked_; }

  const vocabulary::EncodedRequest& request() const { return request_; }
  const vocabulary::Codec& client() const { return client_; }
  const vocabulary::Codec& upstream() const { return upstream_; }
  const vocabulary::ReplyContext& context() const { return context_; }

 private:
  const vocabulary::Codec& client_;
  const vocabulary::Codec& upstream_;
  vocabulary::ChatRequest asked_;
  vocabulary::EncodedRequest request_;
  vocabulary::ReplyContext context_;
};

/// What the client's encoder is told of a call.
vocabulary::ReplyContext context_of(const Exchange& exchange, const Target& target);

/// Takes back what an earlier attempt could not carry.
void forget_dropped(Exchange& exchange);

/// Events of one stream on their way to the client: counted, and written in its dialect. Without an encoder they are
/// only counted.
class StreamWriter {
 public:
  StreamWriter(std::unique_ptr<vocabulary::StreamEncoder> encoder, ReplySink& reply)
      : encoder_(std::move(encoder)), reply_(reply) {}

  /// Stops at a StreamError, which is kept and not written: the caller ends the call with it.
  void write(const std::vector<vocabulary::StreamEvent>& events);

  bool writes() const { return encoder_ != nullptr; }
  /// Requires: writes().
  std::int64_t next_event() const { return encoder_->next_event(); }
  const vocabulary::StreamTally& tally() const { return tally_; }
  const std::optional<vocabulary::StreamError>& error() const { return error_; }
  std::size_t written_bytes() const { return written_bytes_; }

 private:
  void send(bool last);

  std::unique_ptr<vocabulary::StreamEncoder> encoder_;
  ReplySink& reply_;
  vocabulary::StreamTally tally_;
  std::optional<vocabulary::StreamError> error_;
  std::string text_;
  std::size_t written_bytes_ = 0;
};

}  // namespace weir::providers
