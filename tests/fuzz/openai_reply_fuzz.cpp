#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/redact.hpp"
#include "dialects/openai_chat/reply_reader.hpp"
#include "fuzz/require.hpp"
#include "unit/dialects/simdjson_oracle.hpp"

/// A provider's reply or error body, whatever it holds.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::openai_chat;
  using weir::fuzz::require;
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  if (const auto facts = read_reply(body)) {
    require(nlohmann::json::accept(body), "nlohmann::json::accept(body)");
    require(weir::json::simdjson_accepts(body), "simdjson takes it too");
    require(weir::usage_holds(facts->usage), "weir::usage_holds(facts->usage)");
    if (facts->usage.reported) require(body.at(facts->usage_end) == '}', "body.at(facts->usage_end) == '}'");
  }
  for (const int status : {200, 400, 401, 404, 429, 500}) {
    const weir::Ending ending = classify_error(status, body, "");
    require(!ending.ok() && !ending.message.empty(), "!ending.ok() && !ending.message.empty()");
    const std::string own = encode_error(ending.message, "api_error", ending.param, ending.code);
    require(is_well_formed_error(own), "is_well_formed_error(own)");
  }
  const std::string shown = redact(body);
  require(shown.size() <= 500, "shown.size() <= 500");
  require(!weir::json::valid_utf8(body) || weir::json::valid_utf8(shown),
          "!weir::json::valid_utf8(body) || weir::json::valid_utf8(shown)");
  return 0;
}
