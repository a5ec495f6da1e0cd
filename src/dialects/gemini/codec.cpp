#include "dialects/gemini/codec.hpp"

#include "dialects/gemini/error_reader.hpp"
#include "dialects/gemini/reply_reader.hpp"
#include "dialects/gemini/request_writer.hpp"
#include "dialects/gemini/stream_decoder.hpp"

namespace weir::gemini {

const vocabulary::Codec& codec() {
  static const vocabulary::Codec codec = [] {
    vocabulary::Codec made;
    made.name = "gemini";
    made.encode_request = encode_request;
    made.decode_reply = decode_reply;
    made.make_stream_decoder = make_stream_decoder;
    made.decode_error = decode_error;
    return made;
  }();
  return codec;
}

}  // namespace weir::gemini
