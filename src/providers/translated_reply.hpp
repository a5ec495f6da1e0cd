#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dialects/openai_chat/codec.hpp"
#include "net/sse_scanner.hpp"
#include "providers/translation.hpp"

namespace weir::providers {

/// Takes an answer in OpenAI's chat, one whole event at a time, and gives the client its own dialect. For answers that
/// weir makes itself: what comes in is well-formed.
class TranslatedReply final : public ReplySink {
 public:
  TranslatedReply(const Translation& translation, ReplySink& reply)
      : translation_(translation),
        reply_(reply),
        decoder_(openai_chat::codec().make_stream_decoder({})),
        writer_(translation.client().make_stream_encoder(translation.context()), reply) {}

  Flow head(const ReplyHead& head) override { return reply_.head(head); }
  Flow event(std::string_view bytes) override {
    const net::SseFields fields = net::parse_sse_event(bytes, scratch_);
    events_.clear();
    decoder_->feed(fields.event, fields.data, events_);
    writer_.write(events_);
    return Flow::go;
  }
  Flow whole(Buffer&& body) override {
    const Buffer taken = std::move(body);
    const auto decoded = openai_chat::codec().decode_reply(taken.view(), {});
    std::string text;
    if (decoded) translation_.client().encode_reply(*decoded, translation_.context(), text);
    Buffer translated;
    translated.append(text);
    return reply_.whole(std::move(translated));
  }
  awaitable<Flow> flush() override { return reply_.flush(); }
  awaitable<void> keep_alive() override { return reply_.keep_alive(); }
  std::int64_t next_event() const { return writer_.next_event(); }

 private:
  const Translation& translation_;
  ReplySink& reply_;
  std::unique_ptr<vocabulary::StreamDecoder> decoder_;
  StreamWriter writer_;
  std::vector<vocabulary::StreamEvent> events_;
  std::string scratch_;
};

}  // namespace weir::providers
