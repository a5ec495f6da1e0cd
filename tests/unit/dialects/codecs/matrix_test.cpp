// The matrix of docs/dialects.md: what of a call each upstream carries, found out by translating it. With
// WEIR_WRITE_DOCS=1 in the environment the page is written, otherwise compared.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "dialects/bedrock/codec.hpp"
#include "dialects/codecs/codecs.hpp"
#include "dialects/gemini/codec.hpp"

namespace weir::dialects {
namespace {

using nlohmann::json;
using vocabulary::Codec;

struct Upstream {
  std::string_view name;
  const Codec& codec;
};

std::vector<Upstream> upstreams() {
  return {{"openai", codec_of(Dialect::openai_chat)},
          {"anthropic", codec_of(Dialect::anthropic)},
          {"gemini", gemini::codec()},
          {"bedrock", bedrock::codec()}};
}

struct Client {
  std::string_view title;
  Dialect dialect;
  std::string_view native;  ///< the upstream that gets its bytes as they are
  json plain;
};

const json kUser = json::parse(R"({"role":"user","content":"Hi"})");

std::vector<Client> clients() {
  return {
      {"/v1/chat/completions", Dialect::openai_chat, "openai", {{"model", "m"}, {"messages", {kUser}}}},
      {"/v1/responses", Dialect::openai_responses, "openai", {{"model", "m"}, {"input", {kUser}}}},
      {"/v1/messages", Dialect::anthropic, "anthropic", {{"model", "m"}, {"max_tokens", 4000}, {"messages", {kUser}}}},
      {"/v1/completions", Dialect::openai_completions, "openai", {{"model", "m"}, {"prompt", "Hi"}}}};
}

/// One feature, as each dialect writes it: members that are merged into a plain request; empty = the dialect has no
/// such thing.
struct Feature {
  std::string_view name;
  std::string_view chat, responses, anthropic, completions;

  std::string_view in(Dialect dialect) const {
    switch (dialect) {
      case Dialect::openai_chat:
        return chat;
      case Dialect::openai_responses:
        return responses;
      case Dialect::anthropic:
        return anthropic;
      case Dialect::openai_completions:
        break;
    }
    return completions;
  }
};

#define WEIR_SCHEMA \
  R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false})"
#define WEIR_CHAT_TOOLS R"("tools":[{"type":"function","function":{"name":"f","parameters":)" WEIR_SCHEMA R"(}}])"
#define WEIR_RESPONSES_TOOLS \
  R"("tools":[{"type":"function","name":"f","parameters":)" WEIR_SCHEMA R"(,"strict":false}])"
#define WEIR_ANTHROPIC_TOOLS R"("tools":[{"name":"f","input_schema":)" WEIR_SCHEMA R"(}])"

constexpr auto kFeatures = std::to_array<Feature>({
    {"text", "{}", "{}", "{}", "{}"},
    {"stream", R"({"stream":true})", R"({"stream":true})", R"({"stream":true})", R"({"stream":true})"},
    {"system prompt", R"({"messages":[{"role":"system","content":"k"},{"role":"user","content":"Hi"}]})",
     R"({"instructions":"k"})", R"({"system":"k"})", ""},
    {"developer prompt", R"({"messages":[{"role":"developer","content":"k"},{"role":"user","content":"Hi"}]})",
     R"({"input":[{"role":"developer","content":"k"},{"role":"user","content":"Hi"}]})", "", ""},
    {"image in base64",
     R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0="}}]}]})",
     R"({"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0="}]}]})",
     R"({"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0="}}]}]})",
     ""},
    {"image by URL",
     R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]})",
     R"({"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://example.com/a.png"}]}]})",
     R"({"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]})",
     ""},
    {"document (PDF in base64)",
     R"({"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]})",
     R"({"input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}]}]})",
     R"({"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}]})",
     ""},
    {"tools", "{" WEIR_CHAT_TOOLS "}", "{" WEIR_RESPONSES_TOOLS "}", "{" WEIR_ANTHROPIC_TOOLS "}", ""},
    {"tool choice: one of them", "{" WEIR_CHAT_TOOLS R"(,"tool_choice":{"type":"function","function":{"name":"f"}}})",
     "{" WEIR_RESPONSES_TOOLS R"(,"tool_choice":{"type":"function","name":"f"}})",
     "{" WEIR_ANTHROPIC_TOOLS R"(,"tool_choice":{"type":"tool","name":"f"}})", ""},
    {"no parallel calls", "{" WEIR_CHAT_TOOLS R"(,"parallel_tool_calls":false})",
     "{" WEIR_RESPONSES_TOOLS R"(,"parallel_tool_calls":false})",
     "{" WEIR_ANTHROPIC_TOOLS R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}})", ""},
    {"parallel calls and their results",
     R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}],)" WEIR_CHAT_TOOLS
     "}",
     R"({"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":"2"}],)" WEIR_RESPONSES_TOOLS
     "}",
     R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"tool_result","tool_use_id":"b","content":"2"}]}],)" WEIR_ANTHROPIC_TOOLS
     "}",
     ""},
    {"tool result with an image", "",
     R"({"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0="}]}],)" WEIR_RESPONSES_TOOLS
     "}",
     R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0="}}]}]}],)" WEIR_ANTHROPIC_TOOLS
     "}",
     ""},
    {"tools that the provider runs", R"({"tools":[{"type":"custom","custom":{"name":"x"}}]})",
     R"({"tools":[{"type":"web_search"}]})", R"({"tools":[{"type":"web_search_20250305","name":"web_search"}]})", ""},
    {"JSON mode", R"({"response_format":{"type":"json_object"}})", R"({"text":{"format":{"type":"json_object"}}})", "",
     ""},
    {"JSON Schema",
     R"({"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":)" WEIR_SCHEMA "}}}",
     R"({"text":{"format":{"type":"json_schema","name":"s","strict":true,"schema":)" WEIR_SCHEMA "}}}",
     R"({"output_config":{"format":{"type":"json_schema","schema":)" WEIR_SCHEMA "}}}", ""},
    {"reasoning: effort or budget", R"({"reasoning_effort":"high"})", R"({"reasoning":{"effort":"high"}})",
     R"({"thinking":{"type":"enabled","budget_tokens":2000}})", ""},
    {"reasoning with its signature, sent back", "",
     R"({"input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"sig"},{"role":"assistant","content":[{"type":"output_text","text":"x"}]},{"role":"user","content":"Go on"}]})",
     R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"sig"},{"type":"text","text":"x"}]},{"role":"user","content":"Go on"}]})",
     ""},
    {"stop texts", R"({"stop":["x"]})", "", R"({"stop_sequences":["x"]})", R"({"stop":["x"]})"},
    {"temperature and top_p", R"({"temperature":0.5,"top_p":0.9})", R"({"temperature":0.5,"top_p":0.9})",
     R"({"temperature":0.5,"top_p":0.9})", R"({"temperature":0.5,"top_p":0.9})"},
    {"top_k", "", "", R"({"top_k":5})", ""},
    {"penalties", R"({"frequency_penalty":0.5,"presence_penalty":0.5})", "", "",
     R"({"frequency_penalty":0.5,"presence_penalty":0.5})"},
    {"seed", R"({"seed":7})", "", "", R"({"seed":7})"},
    {"n above one", R"({"n":2})", "", "", R"({"n":2})"},
    {"logprobs", R"({"logprobs":true,"top_logprobs":2})", R"({"top_logprobs":2})", "", R"({"logprobs":2})"},
    {"cache markers", "", "", R"({"system":[{"type":"text","text":"k","cache_control":{"type":"ephemeral"}}]})", ""},
    {"max tokens", R"({"max_completion_tokens":100})", R"({"max_output_tokens":100})", R"({"max_tokens":100})",
     R"({"max_tokens":100})"},
    {"the caller's user id", R"({"user":"u"})", R"({"user":"u"})", R"({"metadata":{"user_id":"u"}})",
     R"({"user":"u"})"},
    {"stored conversation", "", R"({"previous_response_id":"resp_1"})", "", ""},
    {"a field nobody knows", R"({"x_new":1})", R"({"x_new":1})", R"({"x_new":1})", R"({"x_new":1})"},
});

/// Footnotes, each sentence once, numbered as they come.
class Notes {
 public:
  std::string of(const std::string& sentence) {
    const auto found = std::find(sentences_.begin(), sentences_.end(), sentence);
    const auto number = found - sentences_.begin() + 1;
    if (found == sentences_.end()) sentences_.push_back(sentence);
    return fmt::format("[^{}]", number);
  }
  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < sentences_.size(); ++i) text += fmt::format("[^{}]: {}\n", i + 1, sentences_[i]);
    return text;
  }

 private:
  std::vector<std::string> sentences_;
};

std::string cell(const Codec& from, const Codec& to, const std::string& body, Notes& notes) {
  const auto request = from.decode_request(body);
  if (!request) return "refused " + notes.of("400: " + request.error().message);
  const vocabulary::TargetTraits able{.model = to.name == "bedrock" ? "anthropic.claude-sonnet-4" : "m",
                                      .image_urls = to.name != "gemini" && to.name != "bedrock",
                                      .native_schema = to.name != "anthropic",
                                      .reasoning = true};
  vocabulary::Dropped dropped;
  const auto encoded = to.encode_request(*request, able, dropped);
  if (!encoded) return "refused " + notes.of("400: " + encoded.error().message);
  if (dropped.empty()) return "yes";
  return "dropped " + notes.of(fmt::format("`x-weir-dropped: {}`", dropped.header_value()));
}

std::string requests(Notes& notes) {
  std::string page;
  for (const Client& client : clients()) {
    page += fmt::format("\n#### {}\n\n| of the request | openai |", client.title);
    // A compatible server without the path, and what a translation to chat gives.
    const bool chat_too = client.native == "openai" && client.dialect != Dialect::openai_chat;
    if (chat_too) page += " openai, chat only |";
    page += chat_too ? " anthropic | gemini | bedrock |\n|---|---|---|---|---|---|\n"
                     : " anthropic | gemini | bedrock |\n|---|---|---|---|---|\n";
    for (const Feature& feature : kFeatures) {
      const std::string_view members = feature.in(client.dialect);
      if (members.empty()) continue;
      json body = client.plain;
      body.update(json::parse(members));
      page += fmt::format("| {} |", feature.name);
      for (const Upstream& upstream : upstreams()) {
        const bool native = upstream.name == client.native;
        if (native) page += " as sent |";
        if (native && !chat_too) continue;
        page += fmt::format(" {} |", cell(codec_of(client.dialect), upstream.codec, body.dump(), notes));
      }
      page += "\n";
    }
  }
  return page;
}

/// What answers hold, and a text of it that must be found again in the client's answer.
struct Part {
  std::string_view name;
  std::string_view mark;
};
constexpr auto kParts = std::to_array<Part>({{"text", "MARK_TEXT"},
                                             {"tool calls, several", "MARK_SECOND"},
                                             {"reasoning", "MARK_THINKING"},
                                             {"its signature", "MARK_SIGNATURE"},
                                             {"reasoning that was blanked out", "MARK_REDACTED"},
                                             {"citations", "MARK_CITED"},
                                             {"tokens, in and out", "4321"},
                                             {"tokens read from the cache", "1234"},
                                             {"tokens written to the cache", "5678"}});
constexpr std::string_view kAnswer =
    R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[)"
    R"({"type":"thinking","thinking":"MARK_THINKING","signature":"MARK_SIGNATURE"},)"
    R"({"type":"redacted_thinking","data":"MARK_REDACTED"},)"
    R"({"type":"text","text":"MARK_TEXT","citations":[{"type":"web_search_result_location","cited_text":"x",)"
    R"("url":"https://example.com/MARK_CITED","title":"t","encrypted_index":"e"}]},)"
    R"({"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"MARK_SECOND","input":{}}],)"
    R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5678,)"
    R"("cache_read_input_tokens":1234,"output_tokens":4321}})";

std::string replies(Notes& notes) {
  std::string page = "\n#### Answers\n\n| of the answer |";
  std::vector<std::string> texts;
  for (const Client& client : clients()) {
    page += fmt::format(" {} |", client.title);
    const auto reply = codec_of(Dialect::anthropic).decode_reply(kAnswer, {});
    EXPECT_TRUE(reply.has_value());
    texts.emplace_back();
    if (reply) codec_of(client.dialect).encode_reply(*reply, {.call_id = "c", .model = "m"}, texts.back());
  }
  page += "\n|---|---|---|---|---|\n";
  EXPECT_EQ(texts.size(), 4U);
  for (const Part& part : kParts) {
    page += fmt::format("| {} |", part.name);
    for (const std::string& text : texts)
      page += text.find(part.mark) != text.npos ? " yes |"
                                                : " no " + notes.of("A completion is text and nothing else.") + " |";
    page += "\n";
  }
  return page;
}

TEST(DialectMatrix, TheDocsSayWhatTheCodecsDo) {
  const std::string path = WEIR_SOURCE_DIR "/docs/dialects.md";
  std::ifstream file(path);
  std::stringstream whole;
  whole << file.rdbuf();
  std::string page = whole.str();
  const std::string begin = "<!-- The matrix: written by tests/unit/dialects/codecs/matrix_test.cpp -->\n";
  const std::size_t at = page.find(begin);
  ASSERT_NE(at, std::string::npos) << path;
  Notes notes;
  std::string matrix = requests(notes) + replies(notes);
  matrix += "\n" + notes.text();
  const std::string wanted = page.substr(0, at + begin.size()) + matrix;
  if (std::getenv("WEIR_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << wanted;
    return;
  }
  EXPECT_EQ(page, wanted) << "run this test with WEIR_WRITE_DOCS=1 to renew docs/dialects.md";
}

}  // namespace
}  // namespace weir::dialects
