#include "dialects/openai_chat/error_class.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/redact.hpp"

namespace weir::openai_chat {
namespace {

std::string lower(std::string_view text) {
  std::string folded{text.substr(0, 8U << 10)};
  for (char& c : folded) c = static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c;
  return folded;
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

/// What the error says in small letters; providers agree on few codes, so messages have to help.
struct Words {
  explicit Words(const ProviderError& error)
      : code(lower(error.code)),
        type(lower(error.type)),
        mark(code + " " + type),
        message(lower(error.message)),
        param(lower(error.param)) {}
  std::string code;
  std::string type;
  std::string mark;  ///< code and type
  std::string message;
  std::string param;

  bool context_length() const {
    return holds_any(mark, {"context_length_exceeded", "exceed_context_size", "context_window"}) ||
           holds_any(message, {"maximum context length", "context length", "context window", "context size",
                               "prompt is too long", "input is too long", "too many tokens", "max_model_len",
                               "exceeds the maximum number of tokens", "reduce the length of the messages",
                               "maximum input length", "maximum prompt length", "tokens + `max_new_tokens` must be"});
  }
  bool content_policy() const {
    return holds_any(mark, {"content_filter", "content_policy", "moderation", "responsibleaipolicy", "safety"}) ||
           holds_any(message, {"content management policy", "content policy", "usage policies", "safety system",
                               "flagged by moderation", "input was flagged", "data_inspection_failed"});
  }
  bool quota() const {
    return holds_any(mark, {"insufficient_quota", "spend_limit", "billing", "insufficient_balance", "quota_exceeded",
                            "payment_required", "insufficient_credits", "account_deactivated"}) ||
           holds_any(message, {"insufficient balance", "credit balance is too low", "insufficient credits"});
  }
  /// The same words are used for a free tier's requests per minute: only where nothing invites back.
  bool perhaps_quota() const { return holds_any(message, {"check your plan and billing", "exceeded your monthly"}); }
  bool says_when() const { return holds_any(message, {"retry in", "try again in", "per minute", "per second"}); }
  bool credentials() const {
    return holds_any(mark, {"invalid_api_key", "api_key_invalid", "authentication_error"}) ||
           holds_any(message, {"api key not valid", "incorrect api key", "invalid api key"});
  }
  bool model_missing() const {
    if (holds_any(mark, {"model_not_found", "deploymentnotfound", "model_not_available", "invalid_model"})) return true;
    return holds_any(message, {"model", "deployment"}) &&
           holds_any(message, {"not found", "does not exist", "not a valid model", "invalid model", "unknown model",
                               "no such model", "not supported for generatecontent", "model not exist"});
  }
  /// A 404 about something the request named, such as a file.
  bool thing_missing() const {
    return holds_any(message, {"file", "thread", "assistant", "vector store", "response with id", "conversation"});
  }
};

Failure class_of_client_error(const Words& words, Failure otherwise) {
  if (words.context_length()) return Failure::client_context_length;
  if (words.content_policy()) return Failure::client_content_policy;
  if (words.quota()) return Failure::limit_quota;
  if (words.credentials()) return Failure::upstream_credentials;
  if (words.model_missing()) return Failure::upstream_model_missing;
  return otherwise;
}

Failure class_of_rate(const Words& words, std::string_view retry_after) {
  if (words.quota()) return Failure::limit_quota;
  if (words.mark.find("slow_down") != std::string::npos) return Failure::upstream_overloaded;
  const bool invited = !retry_after.empty() || words.says_when();
  return !invited && words.perhaps_quota() ? Failure::limit_quota : Failure::limit_rate;
}

Failure class_of_server_error(int status, const Words& words) {
  const bool overloaded = status == 503 || status == 529 || holds_any(words.mark, {"overloaded", "slow_down"});
  return overloaded ? Failure::upstream_overloaded : Failure::upstream_error;
}

/// An error inside a 200 that names no status: by its code or type.
Failure class_of_mark(const Words& words) {
  if (holds_any(words.mark, {"rate_limit", "too_many_requests"})) return Failure::limit_rate;
  if (holds_any(words.mark, {"overloaded", "slow_down", "unavailable"})) return Failure::upstream_overloaded;
  if (holds_any(words.mark, {"server_error", "internal", "api_error"})) return Failure::upstream_error;
  const Failure otherwise =
      holds_any(words.mark, {"invalid_request"}) ? Failure::client_malformed : Failure::upstream_protocol;
  return class_of_client_error(words, otherwise);
}

Failure class_of(int status, const Words& words, std::string_view retry_after) {
  switch (status) {
    case 400:
    case 422:
      return class_of_client_error(words, Failure::client_malformed);
    case 413:
      return words.context_length() ? Failure::client_context_length : Failure::client_too_large;
    case 404:
      if (words.model_missing()) return Failure::upstream_model_missing;
      return words.thing_missing() ? Failure::client_not_found : Failure::upstream_model_missing;
    case 401:
      return words.quota() ? Failure::limit_quota : Failure::upstream_credentials;
    case 402:
      return Failure::limit_quota;
    case 403:
      if (words.quota() || words.perhaps_quota()) return Failure::limit_quota;
      if (words.context_length()) return Failure::client_context_length;  // Together's
      return words.content_policy() ? Failure::client_content_policy : Failure::upstream_credentials;
    case 429:
      return class_of_rate(words, retry_after);
    default:
      if (status >= 200 && status < 300) return class_of_mark(words);
      if (status < 400) return Failure::upstream_protocol;  // a redirect is not followed
      return class_of_server_error(status, words);
  }
}

/// By the provider's own code, then by its type; none = it has no entry.
Failure class_of_code(const Words& words, std::span<const ErrorCode> codes) {
  for (const std::string_view said : {std::string_view(words.code), std::string_view(words.type)}) {
    if (said.empty()) continue;
    for (const ErrorCode& known : codes) {
      if (known.code == said) return known.failure;
    }
  }
  return Failure::none;
}

bool keeps_status(int status) {
  return status == 400 || status == 404 || status == 413 || status == 422 || status == 429;
}

/// Classes whose own words are for the client; what went wrong between weir and a provider is not.
bool is_for_client(Failure failure) {
  switch (failure) {
    case Failure::client_malformed:
    case Failure::client_not_found:
    case Failure::client_too_large:
    case Failure::client_content_policy:
    case Failure::client_context_length:
    case Failure::limit_rate:
    case Failure::limit_quota:
    case Failure::upstream_model_missing:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool passes_wait_on(Failure failure) {
  return failure == Failure::limit_rate || failure == Failure::limit_quota || failure == Failure::upstream_overloaded;
}

Ending classify_error(int status, std::string_view body, std::string_view retry_after,
                      std::span<const ErrorCode> codes) {
  const ProviderError error = read_error(body);
  const bool inside_success = status >= 200 && status < 300;
  const int meant = inside_success && error.status != 0 ? error.status : status;
  const Words words{error};

  Ending ending;
  ending.failure = class_of_code(words, codes);
  if (ending.failure == Failure::none) ending.failure = class_of(meant, words, retry_after);
  ending.permanent = meant == 501;  // SEMANTICS 10: it will never do this
  const bool for_client = is_for_client(ending.failure);
  if (for_client && keeps_status(meant)) ending.status = static_cast<std::uint16_t>(meant);
  if (for_client && ending.status == 0 && row_of(ending.failure).status == 0) ending.status = 400;
  ending.message = redact(error.message);
  if (ending.message.empty()) {
    ending.message = inside_success ? "The provider sent an error without a message."
                                    : fmt::format("The provider answered {} without a message.", status);
  }
  if (for_client) {
    const bool number = !error.code.empty() && std::all_of(error.code.begin(), error.code.end(),
                                                           [](char c) { return static_cast<unsigned>(c - '0') <= 9; });
    if (!number) ending.code = redact(error.code);
    ending.param = redact(error.param);
    if (!inside_success && keeps_status(status) && is_well_formed_error(body)) ending.provider_body = body;
  }
  if (passes_wait_on(ending.failure)) ending.retry_after = retry_after;
  return ending;
}

}  // namespace weir::openai_chat
