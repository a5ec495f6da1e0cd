#include "dialects/openai_chat/codec.hpp"

#include <memory>
#include <string>

#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/openai_chat/reply_encoder.hpp"
#include "dialects/openai_chat/request_decoder.hpp"
#include "dialects/openai_chat/request_encoder.hpp"
#include "dialects/openai_chat/stream_decoder.hpp"
#include "dialects/openai_chat/stream_encoder.hpp"

namespace weir::openai_chat {
namespace {

std::string error_for_client(const Ending& ending, int, std::string_view) {
  return encode_error(ending.message, row_of(ending.failure).type, ending.param, ending.code);
}

Ending error_of_provider(int status, std::string_view body, std::string_view retry_after) {
  Ending ending = classify_error(status, body, retry_after);
  ending.provider_body.clear();  // the client speaks another dialect
  return ending;
}

}  // namespace

const vocabulary::Codec& codec() {
  static constexpr vocabulary::Codec verbs{
      .name = "openai_chat",
      .decode_request = decode_request,
      .encode_reply = encode_reply,
      .make_stream_encoder = [](const vocabulary::ReplyContext& context) -> std::unique_ptr<vocabulary::StreamEncoder> {
        return std::make_unique<StreamEncoder>(context);
      },
      .encode_error = error_for_client,
      .encode_request = encode_request,
      .decode_reply = decode_reply,
      .make_stream_decoder = [](const vocabulary::ReplyHints&) -> std::unique_ptr<vocabulary::StreamDecoder> {
        return std::make_unique<StreamDecoder>();
      },
      .decode_error = error_of_provider,
  };
  return verbs;
}

}  // namespace weir::openai_chat
