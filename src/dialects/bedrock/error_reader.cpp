#include "dialects/bedrock/error_reader.hpp"

#include <array>
#include <string>

#include <weir/base/ascii.hpp>
#include "dialects/json/cursor.hpp"
#include "dialects/openai_chat/error_class.hpp"

namespace weir::bedrock {
namespace {

struct Exception {
  std::string_view name;  // small letters
  int status;
};
constexpr auto kExceptions = std::to_array<Exception>({{"validationexception", 400},
                                                       {"servicequotaexceededexception", 429},
                                                       {"conflictexception", 400},
                                                       {"accessdeniedexception", 403},
                                                       {"unrecognizedclientexception", 403},
                                                       {"invalidsignatureexception", 403},
                                                       {"incompletesignatureexception", 403},
                                                       {"missingauthenticationtokenexception", 403},
                                                       {"expiredtokenexception", 403},
                                                       {"resourcenotfoundexception", 404},
                                                       {"modeltimeoutexception", 504},
                                                       {"modelerrorexception", 502},
                                                       {"modelstreamerrorexception", 502},
                                                       {"modelnotreadyexception", 503},
                                                       {"throttlingexception", 429},
                                                       {"internalserverexception", 500},
                                                       {"serviceunavailableexception", 503}});

/// Shape names come with a namespace before and an address behind: "com.amazon#X:http://…".
std::string_view bare_name(std::string_view name) {
  if (const auto hash = name.rfind('#'); hash != std::string_view::npos) name.remove_prefix(hash + 1);
  return name.substr(0, name.find(':'));
}

int status_of(std::string_view name) {
  for (const auto& exception : kExceptions) {
    if (equals_ignoring_case(bare_name(name), exception.name)) return exception.status;
  }
  return 0;
}

struct Said {
  std::string type;
  std::string message;
};

Said read(std::string_view body) {
  Said said;
  json::Cursor cursor{body};
  if (cursor.peek() != '{') return said;
  cursor.read_object([&](const json::String& key, std::size_t) {
    if (cursor.peek() != '"') return cursor.skip_value();
    json::String value;
    if (!cursor.read_string(value)) return false;
    if (key.raw == "__type") said.type = json::decode(value);
    if (key.raw == "message" || key.raw == "Message") said.message = json::decode(value);
    return true;
  });
  return said;
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Ending classify(int status, std::string_view body, std::string_view retry_after, const Said& said) {
  Ending ending = openai_chat::classify_error(status, body, retry_after);
  ending.provider_body.clear();  // another dialect's
  if (status == 403 || ending.failure == Failure::upstream_credentials) {
    ending.failure = Failure::upstream_credentials;
    const bool permission = holds(said.message, "not authorized") || holds(said.message, "access to the model") ||
                            holds(said.message, "don't have access");
    ending.message = permission ? "AWS does not allow this account to use the model: give it access to the model in "
                                  "Bedrock, or mend the policy of the provider's access_key_id."
                                : "AWS refused the credentials of this provider: check its access_key_id, "
                                  "secret_access_key, session_token and region.";
    ending.status = 0;
    ending.code.clear();
  }
  // Ids that are none, and models that are only served through an inference profile.
  if (ending.failure == Failure::client_malformed &&
      (holds(said.message, "model identifier is invalid") || holds(said.message, "on-demand throughput"))) {
    ending.failure = Failure::upstream_model_missing;
  }
  return ending;
}

}  // namespace

Ending decode_error(int status, std::string_view body, std::string_view retry_after) {
  const Said said = read(body);
  const int named = status_of(said.type);
  if (named == 0 && status == 424) status = 502;  // the model itself failed
  if (named == 0 && status == 408) status = 504;
  return classify(named != 0 ? named : status, body, retry_after, said);
}

Ending decode_exception(std::string_view name, std::string_view body) {
  const int status = status_of(name);
  return classify(status != 0 ? status : 500, body, {}, read(body));
}

}  // namespace weir::bedrock
