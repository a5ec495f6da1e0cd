#include "providers/translation.hpp"

#include <utility>
#include <variant>

#include <weir/base/clock.hpp>
#include "dialects/codecs/codecs.hpp"
#include "providers/abilities.hpp"

namespace weir::providers {

vocabulary::ReplyContext context_of(const Exchange& exchange, const Target& target) {
  return {.call_id = exchange.request_id,
          .model = target.upstream_model,
          .created = unix_milliseconds() / 1000,
          .include_usage = exchange.request.include_usage || exchange.request.wants_cost};
}

void forget_dropped(Exchange& exchange) {
  exchange.dropped.clear();
  exchange.dropped_fields.clear();
  exchange.dropped_to = {};
}

Translation::Translation(const Exchange& exchange, const Target& target, const vocabulary::Codec& upstream)
    : client_(dialects::codec_of(exchange.request.dialect)),
      upstream_(upstream),
      context_(context_of(exchange, target)) {}

std::optional<Ending> Translation::decode(const Exchange& exchange) {
  auto request = client_.decode_request(exchange.request.body);
  if (!request) return ending_of(request.error());
  asked_ = std::move(*request);
  return std::nullopt;
}

std::optional<Ending> Translation::encode(Exchange& exchange, const Target& target,
                                          const vocabulary::TargetTraits& traits) {
  if (const auto refusal = lacking(asked_, target, traits)) return ending_of(*refusal);
  vocabulary::Dropped dropped;
  auto encoded = upstream_.encode_request(asked_, traits, dropped);
  asked_ = {};  // the answer may take minutes
  if (!encoded) return ending_of(encoded.error());
  request_ = std::move(*encoded);
  if (dropped.empty()) return std::nullopt;
  if (exchange.plan.strict) {
    if (const auto refusal = dropped.refusal(target.provider_name)) return ending_of(*refusal);
  }
  exchange.dropped = dropped.header_value();
  exchange.dropped_fields = dropped.known();
  if (!dropped.unknown().empty()) exchange.dropped_fields.emplace_back("other");
  exchange.dropped_to = upstream_.name;
  return std::nullopt;
}

void StreamWriter::write(const std::vector<vocabulary::StreamEvent>& events) {
  bool last = false;
  for (const vocabulary::StreamEvent& event : events) {
    if (error_) break;
    tally_.add(event);
    if (const auto* error = std::get_if<vocabulary::StreamError>(&event)) {
      error_ = *error;
      break;
    }
    if (encoder_) encoder_->encode(event, text_);
    last = last || std::holds_alternative<vocabulary::Done>(event);
  }
  if (!text_.empty()) send(last);
}

void StreamWriter::send(bool last) {
  // OpenAI's chunk with the usage goes by its own door, so that the meter may add the cost.
  constexpr std::string_view done = "}}\n\ndata: [DONE]\n\n";
  written_bytes_ += text_.size();
  const std::string_view text = text_;
  if (last && text.ends_with(done)) {
    const std::size_t end = text.size() - done.size();
    const std::size_t previous = text.rfind("\n\n", end);
    const std::size_t begin = previous == std::string_view::npos ? 0 : previous + 2;
    if (begin != 0) reply_.event(text.substr(0, begin));
    if (text.substr(begin, end - begin).find("\"usage\":{") != std::string_view::npos) {
      reply_.usage_event(text.substr(begin, end + 4 - begin), end - begin);
    } else {
      reply_.event(text.substr(begin, end + 4 - begin));
    }
    reply_.event(text.substr(end + 4));
  } else {
    reply_.event(text);
  }
  text_.clear();
}

}  // namespace weir::providers
