// A stream, given at once, in two portions and byte by byte: no byte lost or added, and the events that a reader
// written straight from the standard finds.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/require.hpp"
#include "net/sse_scanner.hpp"

namespace {

using weir::fuzz::ExactCopy;
using weir::fuzz::require;

using Events = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// The whole stream, normalised to LF, line by line.
Events read_naively(std::string_view stream) {
  if (stream.starts_with(kByteOrderMark)) stream.remove_prefix(3);
  std::string text;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    if (stream[i] == '\n' && i > 0 && stream[i - 1] == '\r') continue;
    text += stream[i] == '\r' ? '\n' : stream[i];
  }
  if (!text.ends_with('\n')) text += '\n';
  text += '\n';  // the last event counts without its blank line
  Events events;
  std::string event;
  std::string data;
  bool any = false;
  bool any_data = false;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    const auto line = text.substr(begin, end - begin);
    if (line.empty()) {
      if (any) events.emplace_back(event, data);
      event.clear();
      data.clear();
      any = any_data = false;
      continue;
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == line.npos ? std::string() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (name == "event") {
      event = value;
      any = true;
    } else if (name == "data") {
      if (any_data) data += '\n';
      data += value;
      any = any_data = true;
    }
  }
  return events;
}

Events relay(std::string_view stream, std::size_t first_portion, std::size_t portion) {
  weir::net::SseScanner scanner;
  Events events;
  std::string scratch;
  std::size_t consumed = 0;
  bool first = true;
  const auto take = [&](std::string_view raw) {
    // The standard knows a byte order mark at the start of the stream only.
    if (raw.starts_with(kByteOrderMark) && !std::exchange(first, false)) raw = {};
    first = false;
    const auto fields = weir::net::parse_sse_event(raw, scratch);
    if (!fields.comment_only) events.emplace_back(fields.event, fields.data);
  };
  for (std::size_t end = std::min(first_portion, stream.size());; end = std::min(stream.size(), end + portion)) {
    while (true) {
      const ExactCopy held(stream.substr(consumed, end - consumed));
      const auto raw = scanner.next(held.view());
      if (!raw) break;
      require(!raw->empty() && raw->data() == held.view().data(), "an event is the front of the buffer");
      require(raw->ends_with('\n') || raw->ends_with('\r'), "an event ends with a line end");
      take(*raw);
      consumed += raw->size();
    }
    if (end == stream.size()) break;
  }
  const auto rest = scanner.at_end(stream.substr(consumed));
  require(rest == stream.substr(consumed), "what is left is left whole");
  take(rest);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;  // byte by byte with copies
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A mark in the middle is a name that no field has; ours takes one off each raw event, and no server sends that.
  if (bytes.find(kByteOrderMark, 1) != bytes.npos) return 0;
  const auto expected = read_naively(bytes);
  require(relay(bytes, size, 1) == expected, "the same at once");
  require(relay(bytes, 0, 1) == expected, "the same byte by byte");
  const std::size_t cut = size == 0 ? 0 : (data[size - 1] * 257U + data[size / 2]) % (size + 1);
  require(relay(bytes, cut, size + 1) == expected, "the same in two portions");
  return 0;
}
