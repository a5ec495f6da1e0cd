#include "dialects/bedrock/codec.hpp"

#include "dialects/bedrock/error_reader.hpp"
#include "dialects/bedrock/reply_reader.hpp"
#include "dialects/bedrock/request_writer.hpp"
#include "dialects/bedrock/stream_decoder.hpp"

namespace weir::bedrock {

const vocabulary::Codec& codec() {
  static const vocabulary::Codec codec = [] {
    vocabulary::Codec made;
    made.name = "bedrock";
    made.encode_request = encode_request;
    made.decode_reply = decode_reply;
    made.make_stream_decoder = make_stream_decoder;
    made.decode_error = decode_error;
    return made;
  }();
  return codec;
}

}  // namespace weir::bedrock
