#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/stream_scanner.hpp"
#include "fuzz/require.hpp"
#include "net/sse_scanner.hpp"

/// Events of a stream: offsets stay inside the event, a cut leaves JSON without usage, what is no JSON is malformed.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::openai_chat;
  using weir::fuzz::require;
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  weir::net::SseScanner scanner;
  std::string scratch;
  StreamState stream;
  while (const auto raw = scanner.next(rest)) {
    const auto fields = weir::net::parse_sse_event(*raw, scratch);
    const ChunkFacts chunk = read_chunk(*raw, fields.event, fields.data);
    const std::string_view event = chunk.rewritten.empty() ? *raw : std::string_view{chunk.rewritten};
    stream.add(chunk);
    require(weir::usage_holds(chunk.usage) && weir::usage_holds(stream.usage_or_estimate(100)),
            "weir::usage_holds(chunk.usage) && weir::usage_holds(stream.usage_or_estimate(100))");
    require(chunk.text_bytes <= raw->size(), "chunk.text_bytes <= raw->size()");
    if (chunk.usage.reported) require(event.at(chunk.usage_end) == '}', "event.at(chunk.usage_end) == '}'");
    if (chunk.kind == ChunkKind::error) static_cast<void>(classify_error(200, fields.data, ""));
    const bool object =
        chunk.kind == ChunkKind::other || chunk.kind == ChunkKind::content || chunk.kind == ChunkKind::usage_only;
    if (object) {
      // The scanner leaves UTF-8 to the client: nlohmann is asked about the text with other bytes in their place.
      std::string ascii{fields.data};
      for (char& c : ascii) c = static_cast<signed char>(c) < 0 ? 'u' : c;
      require(nlohmann::json::accept(ascii), "nlohmann::json::accept(ascii)");
    }
    if (chunk.kind != ChunkKind::malformed && chunk.has_usage_member) {
      require(chunk.usage_cut.begin < chunk.usage_cut.end && chunk.usage_cut.end <= event.size(),
              "chunk.usage_cut.begin < chunk.usage_cut.end && chunk.usage_cut.end <= event.size()");
      std::string cut{event};
      cut.erase(chunk.usage_cut.begin, chunk.usage_cut.size());
      std::string more;
      const auto again = weir::net::parse_sse_event(cut, more);
      require(read_chunk(cut, again.event, again.data).kind != ChunkKind::malformed,
              "read_chunk(cut, again.event, again.data).kind != ChunkKind::malformed");
    }
    rest.remove_prefix(raw->size());
  }
  return 0;
}
