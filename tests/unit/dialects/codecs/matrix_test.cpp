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
  std::string_view member;  ///< of a feature
  Dialect dialect;
  std::string_view native;  ///< the upstream that gets its bytes as they are
  json plain;
};

const json kUser = json::parse(R"({"role":"user","content":"Hi"})");

std::vector<Client> clients() {
  return {
      {"/v1/chat/completions", "chat", Dialect::openai_chat, "openai", {{"model", "m"}, {"messages", {kUser}}}},
      {"/v1/responses", "responses", Dialect::openai_responses, "openai", {{"model", "m"}, {"input", {kUser}}}},
      {"/v1/messages",
       "messages",
       Dialect::anthropic,
       "anthropic",
       {{"model", "m"}, {"max_tokens", 4000}, {"messages", {kUser}}}},
      {"/v1/completions", "completions", Dialect::openai_completions, "openai", {{"model", "m"}, {"prompt", "Hi"}}}};
}

/// The features, as each dialect writes them: members that are merged into a plain request. tests/sdk/test_matrix.py
/// drives the same ones through the real SDKs.
json features() {
  std::ifstream file(WEIR_SOURCE_DIR "/tests/fakes/dialect_features.json");
  return json::parse(file);
}

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
  const json all = features();
  for (const Client& client : clients()) {
    page += fmt::format("\n#### {}\n\n| of the request | openai |", client.title);
    // A compatible server without the path, and what a translation to chat gives.
    const bool chat_too = client.native == "openai" && client.dialect != Dialect::openai_chat;
    if (chat_too) page += " openai, chat only |";
    page += chat_too ? " anthropic | gemini | bedrock |\n|---|---|---|---|---|---|\n"
                     : " anthropic | gemini | bedrock |\n|---|---|---|---|---|\n";
    for (const json& feature : all) {
      const auto members = feature.find(client.member);
      if (members == feature.end()) continue;  // the dialect has no such thing
      json body = client.plain;
      body.update(*members);
      page += fmt::format("| {} |", feature.at("name").get<std::string>());
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
