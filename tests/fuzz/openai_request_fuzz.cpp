#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dialects/openai_chat/find_model.hpp"
#include "dialects/openai_chat/request_patch.hpp"
#include "dialects/openai_chat/request_reader.hpp"
#include "fuzz/require.hpp"

namespace {

using namespace weir::openai_chat;
using weir::fuzz::require;

std::string patched_by(const weir::Patch& patch, std::string_view body) {
  std::string after;
  patch.for_each_piece(body, [&after](std::string_view piece) { after += piece; });
  return after;
}

}  // namespace

/// Both readers and nlohmann's agree on every body; what passes can be patched, and says afterwards what it should.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static RequestReader reader;
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  const auto small = reader.read(body, 0);
  const auto large = read_large(body);
  require(small.has_value() == large.has_value(), "small.has_value() == large.has_value()");
  static_cast<void>(find_model(body));
  if (!small) {
    require(small.error() == large.error(), "small.error() == large.error()");
    return 0;
  }
  require(small->model.view() == large->model.view(), "small->model.view() == large->model.view()");
  nlohmann::json before = nlohmann::json::parse(body);
  require(before["model"] == small->model.view(), "before[\"model\"] == small->model.view()");
  require(small->stream == (before.value("stream", nlohmann::json{}) == true),
          "small->stream == (before.value(\"stream\", nlohmann::json{}) == true)");
  const auto found = find_model(body);
  require(found && *found && (*found)->name.view() == small->model.view(),
          "found && *found && (*found)->name.view() == small->model.view()");
  for (const bool inject : {false, true}) {
    const std::string after = patched_by(make_patch(*small, "other \"model\"", inject), body);
    const auto again = read_large(after);
    require(again.has_value(), "again.has_value()");
    require(again->model.view() == "other \"model\"", "again->model.view() == \"other \\\"model\\\"\"");
    require(!again->task_type && !again->user_id, "!again->task_type && !again->user_id");
    require(again->metadata.present() ? again->store : true, "again->metadata.present() ? again->store : true");
    require(again->include_usage == (inject || small->include_usage),
            "again->include_usage == (inject || small->include_usage)");
    require(make_patch(*again, "other \"model\"", inject).empty(),
            "make_patch(*again, \"other \\\"model\\\"\", inject).empty()");
  }
  return 0;
}
