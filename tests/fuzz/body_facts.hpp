#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dialects/codecs/codecs.hpp"
#include "dialects/openai_chat/request_patch.hpp"
#include "dialects/openai_chat/request_reader.hpp"
#include "fuzz/require.hpp"
#include "unit/dialects/simdjson_oracle.hpp"

namespace weir::fuzz {

/// Our reader, simdjson's and nlohmann's agree on every body of a dialect; what passes can be patched, and says
/// afterwards what it should, with the caller's own fields still there.
inline void body_facts(Dialect dialect, std::string_view body) {
  const openai_chat::BodyShape& shape = dialects::shape_of(dialect);
  const auto facts = openai_chat::read_request(body, shape);
  if (!facts) return;
  require(json::simdjson_accepts(body), "simdjson takes it too");
  const nlohmann::json before = nlohmann::json::parse(body);
  require(before["model"] == facts->model.view(), "the model is what others read");
  require(facts->stream == (before.value("stream", nlohmann::json{}) == true), "so is stream");
  require(facts->include_usage, "its streams always say their usage");
  std::string after;
  openai_chat::make_patch(*facts, "other \"model\"", false).for_each_piece(body, [&](std::string_view piece) {
    after += piece;
  });
  const auto again = openai_chat::read_request(after, shape);
  require(again.has_value(), "what is patched is read again");
  require(again->model.view() == "other \"model\"", "with its new name");
  require(!again->task_type, "without weir's task");
  require(again->prompt_hash == facts->prompt_hash && again->system_hash == facts->system_hash,
          "the prompt is as it was");
  const bool keeps_user = dialect == Dialect::anthropic;
  require(again->user_id.has_value() == (keeps_user && facts->user_id.has_value()), "Anthropic's user_id stays");
  require(openai_chat::make_patch(*again, "other \"model\"", false).empty(), "nothing is left to patch");
}

}  // namespace weir::fuzz
