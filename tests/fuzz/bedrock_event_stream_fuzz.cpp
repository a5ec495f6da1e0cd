// A stream of binary events, at once and byte by byte: the same messages or the same error, and never a byte too far.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/bedrock/event_stream.hpp"
#include "fuzz/require.hpp"

namespace {

using weir::fuzz::ExactCopy;
using weir::fuzz::require;

struct Read {
  std::vector<std::string> payloads;
  std::string error;
  std::size_t consumed = 0;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view stream, std::size_t portion) {
  Read read;
  for (std::size_t end = std::min(portion, stream.size());; end = std::min(stream.size(), end + portion)) {
    for (;;) {
      const ExactCopy held(stream.substr(read.consumed, end - read.consumed));
      const auto message = weir::bedrock::next_event_message(held.view());
      if (!message) {
        read.error = message.error().message;
        return read;
      }
      if (!*message) break;
      const auto& found = **message;
      require(found.raw.data() == held.view().data() && found.raw.size() >= 16, "a message is the front of the buffer");
      require(found.headers.size() + found.payload.size() + 16 == found.raw.size(), "its parts add up");
      weir::bedrock::event_header_text(found.headers, ":event-type");
      read.payloads.emplace_back(found.payload);
      read.consumed += found.raw.size();
    }
    if (end == stream.size()) return read;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;  // byte by byte with copies
  // A fuzzer does not guess checksums: the first byte says whether they are mended first.
  std::string stream(reinterpret_cast<const char*>(data), size);
  const bool mend = !stream.empty() && stream.front() == '!';
  if (mend) stream.erase(0, 1);
  const auto store = [&stream](std::size_t at, std::uint32_t value) {
    for (int i = 3; i >= 0; --i, value >>= 8) stream[at + static_cast<std::size_t>(i)] = static_cast<char>(value);
  };
  for (std::size_t at = 0; mend && at + 16 <= stream.size();) {
    std::size_t whole = 0;
    for (std::size_t i = 0; i < 4; ++i) whole = whole << 8 | static_cast<unsigned char>(stream[at + i]);
    store(at + 8, weir::bedrock::crc32(std::string_view{stream}.substr(at, 8)));
    if (whole < 16 || whole > stream.size() - at) break;
    store(at + whole - 4, weir::bedrock::crc32(std::string_view{stream}.substr(at, whole - 4)));
    at += whole;
  }
  require(read(stream, stream.size() + 1) == read(stream, 1), "the same at once and byte by byte");
  return 0;
}
