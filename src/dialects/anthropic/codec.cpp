#include "dialects/anthropic/codec.hpp"

#include <memory>
#include <string>

#include "dialects/anthropic/reply_codec.hpp"
#include "dialects/anthropic/request_decoder.hpp"
#include "dialects/anthropic/request_encoder.hpp"
#include "dialects/anthropic/stream_decoder.hpp"
#include "dialects/anthropic/stream_encoder.hpp"
#include "dialects/openai_chat/error_class.hpp"

namespace weir::anthropic {
namespace {

std::string error_for_client(const Ending& ending, int status, std::string_view call_id) {
  return encode_error(ending.message, status, call_id);
}

Ending error_of_provider(int status, std::string_view body, std::string_view retry_after) {
  Ending ending = openai_chat::classify_error(status, body, retry_after);
  ending.provider_body.clear();  // the client speaks another dialect
  return ending;
}

}  // namespace

const vocabulary::Codec& codec() {
  static constexpr vocabulary::Codec verbs{
      .name = "anthropic",
      .decode_request = decode_request,
      .encode_reply = encode_reply,
      .make_stream_encoder = [](const vocabulary::ReplyContext& context) -> std::unique_ptr<vocabulary::StreamEncoder> {
        return std::make_unique<StreamEncoder>(context);
      },
      .encode_error = error_for_client,
      .encode_request = encode_request,
      .decode_reply = decode_reply,
      .make_stream_decoder = [](const vocabulary::ReplyHints& hints) -> std::unique_ptr<vocabulary::StreamDecoder> {
        return std::make_unique<StreamDecoder>(hints);
      },
      .decode_error = error_of_provider,
  };
  return verbs;
}

}  // namespace weir::anthropic
