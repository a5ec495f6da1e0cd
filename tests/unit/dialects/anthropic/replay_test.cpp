#include "dialects/vocabulary/replay.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;

TEST(Replay, Semantics32AWholeReplyComesAsAStreamOfEitherDialect) {
  const std::string body =
      R"({"id":"msg_1","model":"claude-x","content":[{"type":"thinking","thinking":"Hm.","signature":"s"},
    {"type":"text","text":"a\n"},{"type":"tool_use","id":"t1","name":"f","input":{"x": 1.50}},
    {"type":"tool_use","id":"t2","name":"g","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4}})";
  const auto reply = weir::anthropic::codec().decode_reply(body, {});
  ASSERT_TRUE(reply);
  std::vector<StreamEvent> events;
  replay(*reply, events);
  for (const Codec* codec : {&weir::anthropic::codec(), &weir::openai_chat::codec()}) {
    const auto encoder = codec->make_stream_encoder(weir::test::kContext);
    std::string out;
    for (const StreamEvent& event : events) encoder->encode(event, out);
    // Read again, the stream says what the reply said.
    const auto decoder = codec->make_stream_decoder({});
    std::string content, thinking, arguments, signature;
    Finish finish = Finish::unset;
    const auto pieces = weir::test::data_of(out);
    std::vector<StreamEvent> read;
    for (const std::string& data : pieces) decoder->feed("", data, read);
    for (const StreamEvent& event : read) {
      if (const auto* text = std::get_if<TextDelta>(&event)) text->text.append_plain(content);
      if (const auto* hm = std::get_if<ThinkingDelta>(&event)) hm->text.append_plain(thinking);
      if (const auto* mark = std::get_if<SignatureDelta>(&event)) mark->signature.append_plain(signature);
      if (const auto* piece = std::get_if<ToolArgumentsDelta>(&event)) piece->fragment.append_plain(arguments);
      if (const auto* end = std::get_if<ChoiceFinish>(&event)) finish = end->reason;
    }
    EXPECT_TRUE(decoder->complete()) << codec->name;
    EXPECT_EQ(content, "a\n") << codec->name;
    EXPECT_EQ(thinking, "Hm.") << codec->name;
    EXPECT_EQ(signature, "s") << codec->name;
    EXPECT_EQ(arguments, R"({"x": 1.50}{})") << codec->name;
    EXPECT_EQ(finish, Finish::tool_calls) << codec->name;
  }
}

}  // namespace
