#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dialects/openai_chat/find_model.hpp"
#include "dialects/openai_chat/request_patch.hpp"
#include "dialects/openai_chat/request_reader.hpp"
#include "fuzz/require.hpp"
#include "unit/dialects/simdjson_oracle.hpp"

namespace {

using namespace weir::openai_chat;
using weir::fuzz::require;

std::string patched_by(const weir::Patch& patch, std::string_view body) {
  std::string after;
  patch.for_each_piece(body, [&after](std::string_view piece) { after += piece; });
  return after;
}

}  // namespace

/// Our reader, simdjson's and nlohmann's agree on every body; what passes can be patched, and says afterwards what it
/// should.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  const auto facts = read_request(body);
  static_cast<void>(find_model(body));
  if (!facts) return 0;
  require(weir::json::simdjson_accepts(body), "simdjson takes it too");
  nlohmann::json before = nlohmann::json::parse(body);
  require(before["model"] == facts->model.view(), "before[\"model\"] == facts->model.view()");
  require(facts->stream == (before.value("stream", nlohmann::json{}) == true),
          "facts->stream == (before.value(\"stream\", nlohmann::json{}) == true)");
  const auto found = find_model(body);
  require(found && *found && (*found)->name.view() == facts->model.view(),
          "found && *found && (*found)->name.view() == facts->model.view()");
  for (const bool inject : {false, true}) {
    const std::string after = patched_by(make_patch(*facts, "other \"model\"", inject), body);
    const auto again = read_request(after);
    require(again.has_value(), "again.has_value()");
    require(again->model.view() == "other \"model\"", "again->model.view() == \"other \\\"model\\\"\"");
    require(!again->task_type && !again->user_id, "!again->task_type && !again->user_id");
    require(again->metadata.present() ? again->store : true, "again->metadata.present() ? again->store : true");
    require(again->include_usage == (inject || facts->include_usage),
            "again->include_usage == (inject || facts->include_usage)");
    require(make_patch(*again, "other \"model\"", inject).empty(),
            "make_patch(*again, \"other \\\"model\\\"\", inject).empty()");
  }
  return 0;
}
