#include "dialects/openai_responses/codec.hpp"

#include <memory>

#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_responses/reply_codec.hpp"
#include "dialects/openai_responses/request_decoder.hpp"
#include "dialects/openai_responses/request_encoder.hpp"
#include "dialects/openai_responses/stream_decoder.hpp"
#include "dialects/openai_responses/stream_encoder.hpp"

namespace weir::openai_responses {

const vocabulary::Codec& codec() {
  static const vocabulary::Codec verbs{
      .name = "openai_responses",
      .decode_request = decode_request,
      .encode_reply = encode_reply,
      .make_stream_encoder = [](const vocabulary::ReplyContext& context) -> std::unique_ptr<vocabulary::StreamEncoder> {
        return std::make_unique<StreamEncoder>(context);
      },
      .encode_error = openai_chat::codec().encode_error,  // errors are the same in both of OpenAI's dialects
      .encode_request = encode_request,
      .decode_reply = decode_reply,
      .make_stream_decoder = [](const vocabulary::ReplyHints&) -> std::unique_ptr<vocabulary::StreamDecoder> {
        return std::make_unique<StreamDecoder>();
      },
      .decode_error = openai_chat::codec().decode_error,
  };
  return verbs;
}

}  // namespace weir::openai_responses
