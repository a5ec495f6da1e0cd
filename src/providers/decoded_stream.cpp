#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialects/bedrock/event_stream.hpp"
#include "dialects/bedrock/stream_decoder.hpp"
#include "net/sse_scanner.hpp"
#include "providers/stream_loop.hpp"
#include "providers/translation.hpp"

namespace weir::providers {
namespace {

/// A stream that is decoded on its way: to be written anew in the client's dialect, or, where its bytes are the
/// client's already, beside them, for the books.
class DecodedRelay {
 public:
  DecodedRelay(std::unique_ptr<vocabulary::StreamDecoder> decoder, std::unique_ptr<vocabulary::StreamEncoder> encoder,
               Framing framing, ReplySink& reply)
      : decoder_(std::move(decoder)), writer_(std::move(encoder), reply), reply_(reply), framing_(framing) {}

  std::size_t take(std::string_view ready) {
    std::size_t taken = 0;
    while (!failed() && !done_seen()) {
      const std::string_view rest = ready.substr(taken);
      const std::size_t size = framing_ == Framing::sse ? take_sse(rest) : take_message(rest);
      if (size == 0) break;
      taken += size;
    }
    return taken;
  }
  void take_last(std::string_view rest) {
    if (framing_ == Framing::aws_events) return;  // half a message: complete() decides
    rest = scanner_.at_end(rest);
    if (!rest.empty() && !failed() && !done_seen()) take_event(rest);
  }
  void at_end() {
    if (done_seen()) return;
    events_.clear();
    decoder_->end(events_);
    writer_.write(events_);
  }

  void fail(std::string error) {
    if (problem_.empty()) problem_ = std::move(error);
  }
  bool failed() const { return !problem_.empty() || writer_.error().has_value(); }
  void failure_into(Ending& ending) const {
    ending.failure = Failure::upstream_protocol;
    ending.message = problem_;
    if (!problem_.empty() || !writer_.error()) return;
    ending.failure = writer_.error()->failure;
    ending.status = writer_.error()->status;
    ending.message = writer_.error()->message;
    ending.code = writer_.error()->code;
  }
  bool done_seen() const { return writer_.tally().done(); }
  bool complete() const { return decoder_->complete(); }
  bool content_seen() const { return writer_.tally().content_seen(); }
  std::size_t held_bytes() const { return relayed_bytes_ + writer_.written_bytes(); }
  const std::string& model() const { return writer_.tally().model(); }
  const Usage& usage() const { return writer_.tally().usage(); }
  std::uint64_t text_bytes() const { return writer_.tally().text_bytes(); }
  std::uint64_t unknown_events() const { return decoder_->unknown_events(); }
  std::int64_t next_event() const { return writer_.writes() ? writer_.next_event() : decoder_->next_event(); }

 private:
  std::size_t take_sse(std::string_view rest) {
    const auto raw = scanner_.next(rest);
    if (!raw) return 0;
    take_event(*raw);
    return raw->size();
  }
  std::size_t take_message(std::string_view rest) {
    const auto message = bedrock::next_event_message(rest);
    if (!message) fail(message.error().message);
    if (!message || !*message) return 0;
    feed(bedrock::event_name(**message), (*message)->payload);
    return (*message)->raw.size();
  }
  void take_event(std::string_view raw) {
    const net::SseFields fields = net::parse_sse_event(raw, scratch_);
    if (!fields.data.empty() || !fields.event.empty()) feed(fields.event, fields.data);
    if (writer_.writes() || failed()) return;
    relayed_bytes_ += raw.size();
    reply_.event(raw);
  }
  void feed(std::string_view event, std::string_view data) {
    events_.clear();
    decoder_->feed(event, data, events_);
    writer_.write(events_);
  }

  std::unique_ptr<vocabulary::StreamDecoder> decoder_;
  StreamWriter writer_;
  ReplySink& reply_;
  net::SseScanner scanner_;
  std::vector<vocabulary::StreamEvent> events_;
  std::string scratch_;
  std::string problem_;
  std::size_t relayed_bytes_ = 0;
  const Framing framing_;
};

}  // namespace

awaitable<Ending> HttpProvider::relay_decoded_stream(Wire& wire, ReplySink& reply) {
  const Translation* const translation = wire.translation;
  const vocabulary::ReplyHints none;
  auto decoder = translation != nullptr
                     ? translation->upstream().make_stream_decoder(translation->request().hints)
                     : rules_->native_codec(wire.call.exchange.request.dialect).make_stream_decoder(none);
  auto encoder = translation != nullptr ? translation->client().make_stream_encoder(translation->context()) : nullptr;
  return run_stream(wire, reply, DecodedRelay(std::move(decoder), std::move(encoder), rules_->framing(), reply));
}

}  // namespace weir::providers
