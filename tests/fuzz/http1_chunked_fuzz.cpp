// A chunked body, decoded in place at once, in two portions and byte by byte: the same payload and the same end;
// nothing outside of the consumed bytes is written. Then the input is taken as payload, encoded and decoded again.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "net/http1_chunked.hpp"

namespace {

using weir::fuzz::ExactCopy;
using weir::fuzz::require;
using weir::net::ChunkedDecoder;

struct Decoded {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view wire, std::size_t first_portion, std::size_t portion) {
  ChunkedDecoder decoder;
  Decoded result;
  std::size_t take = first_portion;
  while (result.consumed < wire.size() && !decoder.done() && !decoder.failed()) {
    const auto part = wire.substr(result.consumed, take);
    take = portion;
    ExactCopy block(part);
    const auto [consumed, produced] = decoder.decode(block.data(), part.size());
    require(produced <= consumed && consumed <= part.size(), "payload fits into what was consumed");
    require(consumed == part.size() || decoder.done() || decoder.failed(), "all is consumed before the end");
    require(block.view().substr(consumed) == part.substr(consumed), "bytes behind stay as they are");
    result.payload.append(block.view().substr(0, produced));
    result.consumed += consumed;
  }
  result.done = decoder.done();
  result.failed = decoder.failed();
  require(decoder.reason().empty() != decoder.failed(), "a failure has a reason");
  return result;
}

void decode_own_encoding(std::string_view payload) {
  std::string wire;
  for (std::size_t at = 0; at < payload.size();) {
    const auto part = payload.substr(at, 1 + static_cast<unsigned char>(payload[at]));
    char size[20];
    std::snprintf(size, sizeof size, "%zX\r\n", part.size());
    wire.append(size).append(part).append("\r\n");
    at += part.size();
  }
  wire += "0\r\n\r\n";
  const auto decoded = decode(wire + "GET", std::string::npos, std::string::npos);
  require(decoded.done && decoded.payload == payload && decoded.consumed == wire.size(), "what we encode we decode");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = decode(bytes, std::string::npos, std::string::npos);
  require(!(whole.done && whole.failed), "one end");
  if (whole.done) require(bytes.substr(0, whole.consumed).ends_with("\r\n"), "a body ends with CR LF");
  require(decode(bytes, 1, 1) == whole, "the same byte by byte");
  const std::size_t cut = size == 0 ? 1 : 1 + (data[size - 1] * 257U + data[size / 2]) % size;
  require(decode(bytes, cut, std::string::npos) == whole, "the same in two portions");
  decode_own_encoding(bytes);
  return 0;
}
