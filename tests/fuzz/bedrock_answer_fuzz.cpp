// A reply, an error or a stream (one event per line: name, space, data) of Bedrock, whatever it holds: never more than
// one error, never an event after it, and every part is whole.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/bedrock/codec.hpp"
#include "dialects/json/object_text.hpp"
#include "fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::vocabulary;
  using weir::fuzz::ExactCopy;
  using weir::fuzz::require;
  const auto& codec = weir::bedrock::codec();
  const ReplyHints hints{.schema_tool = "person"};
  const ExactCopy copy{{reinterpret_cast<const char*>(data), size}};
  const std::string_view body = copy.view();

  if (const auto reply = codec.decode_reply(body, hints)) {
    require(nlohmann::json::accept(body), "a reply is JSON");
    require(weir::usage_holds(reply->usage.usage), "usage holds");
    require(reply->choices.size() == 1 && reply->choices.front().finish != Finish::unset, "one choice that has ended");
    for (const Part& part : reply->choices.front().parts) {
      const auto* call = part.as<ToolCallPart>();
      require(call == nullptr || call->arguments.empty() || weir::json::is_object(call->arguments.str()),
              "arguments are an object");
    }
  }
  for (const int status : {200, 400, 403, 424, 429, 503}) {
    const weir::Ending ending = codec.decode_error(status, body, "");
    require(!ending.ok() && !ending.message.empty() && ending.provider_body.empty(), "an error is one");
  }

  const auto decoder = codec.make_stream_decoder(hints);
  std::vector<StreamEvent> events;
  bool failed = false;
  std::uint32_t calls = 0;
  for (std::size_t begin = 0; begin < body.size();) {
    const auto end = std::min(body.find('\n', begin), body.size());
    const auto line = body.substr(begin, end - begin);
    const auto space = std::min(line.find(' '), line.size());
    const ExactCopy payload{line.substr(std::min(space + 1, line.size()))};
    events.clear();
    decoder->feed(line.substr(0, space), payload.view(), events);
    require(!failed || events.empty(), "nothing comes after an error");
    for (const StreamEvent& event : events) {
      failed = failed || std::holds_alternative<StreamError>(event);
      if (const auto* call = std::get_if<ToolCallStart>(&event)) require(call->index == calls++, "calls count from 0");
      if (const auto* piece = std::get_if<ToolArgumentsDelta>(&event)) require(piece->index < calls, "of a known call");
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
