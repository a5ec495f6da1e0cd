// A reply, an error or a stream (one event per line) of Gemini, whatever it holds: never more than one error, never an
// event after it, and every part is whole.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/gemini/codec.hpp"
#include "dialects/gemini/schema_words.hpp"
#include "dialects/json/object_text.hpp"
#include "fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::vocabulary;
  using weir::fuzz::ExactCopy;
  using weir::fuzz::require;
  const auto& codec = weir::gemini::codec();
  const ExactCopy copy{{reinterpret_cast<const char*>(data), size}};
  const std::string_view body = copy.view();

  if (const auto reply = codec.decode_reply(body, {})) {
    require(nlohmann::json::accept(body), "a reply is JSON");
    require(weir::usage_holds(reply->usage.usage), "usage holds");
    for (const Choice& choice : reply->choices) {
      require(choice.finish != Finish::unset, "a choice of a whole reply has ended");
      for (const Part& part : choice.parts) {
        const auto* call = part.as<ToolCallPart>();
        require(call == nullptr || call->arguments.empty() || weir::json::is_object(call->arguments.str()),
                "arguments are an object");
      }
    }
  }
  for (const int status : {200, 400, 403, 429, 503}) {
    const weir::Ending ending = codec.decode_error(status, body, "");
    require(!ending.ok() && !ending.message.empty() && ending.provider_body.empty(), "an error is one");
  }
  Dropped dropped;
  weir::gemini::note_unsupported_words(body, dropped);

  const auto decoder = codec.make_stream_decoder({});
  std::vector<StreamEvent> events;
  bool failed = false;
  for (std::size_t begin = 0; begin < body.size();) {
    const auto end = std::min(body.find('\n', begin), body.size());
    const ExactCopy line{body.substr(begin, end - begin)};
    events.clear();
    decoder->feed({}, line.view(), events);
    require(!failed || events.empty(), "nothing comes after an error");
    for (const StreamEvent& event : events) {
      failed = failed || std::holds_alternative<StreamError>(event);
      if (const auto* text = std::get_if<TextDelta>(&event)) text->text.str();
      if (const auto* usage = std::get_if<UsageSnapshot>(&event)) {
        require(weir::usage_holds(usage->report.usage), "usage holds");
      }
    }
    begin = end + 1;
  }
  events.clear();
  const bool complete = decoder->complete();
  require(!failed || !complete, "an error is no end");
  decoder->end(events);
  const bool done = !events.empty() && std::holds_alternative<Done>(events.back());
  require(done == complete, "done exactly when it is complete");
  return 0;
}
