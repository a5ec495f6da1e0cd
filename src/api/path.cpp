#include "api/path.hpp"

#include <algorithm>
#include <array>

namespace weir::api {
namespace {

// The names of section 8 that also work without /v1 (SEMANTICS 33).
constexpr std::array<std::string_view, 9> kNames{"/chat/completions", "/completions", "/embeddings", "/responses",
                                                 "/messages",         "/models",      "/files",      "/batches",
                                                 "/feedback"};

// What is a call of its own when it is posted.
struct Call {
  std::string_view name;
  Path::Kind kind;
  Dialect dialect;
};
constexpr std::array kCalls{Call{"/chat/completions", Path::Kind::call, Dialect::openai_chat},
                            Call{"/messages", Path::Kind::call, Dialect::anthropic},
                            Call{"/messages/count_tokens", Path::Kind::count_tokens, Dialect::anthropic},
                            Call{"/responses", Path::Kind::call, Dialect::openai_responses},
                            Call{"/completions", Path::Kind::call, Dialect::openai_completions},
                            Call{"/embeddings", Path::Kind::embeddings, Dialect::openai_chat}};

}  // namespace

Path read_path(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/healthz") return {.kind = Path::Kind::health};
  std::string_view name = path;
  if (path.starts_with("/v1/")) {
    name = path.substr(3);
  } else {
    const bool ours = std::ranges::any_of(kNames, [&](std::string_view known) {
      return path == known || (path.starts_with(known) && path[known.size()] == '/');
    });
    if (!ours) return {.kind = Path::Kind::unknown};
  }
  if (method == "POST") {
    for (const Call& call : kCalls) {
      if (name == call.name) return {call.kind, {}, call.dialect};
    }
  }
  if (method == "GET" || method == "HEAD") {
    if (name == "/models") return {.kind = Path::Kind::models};
    if (name.starts_with("/models/") && name.size() > 8) return {.kind = Path::Kind::model, .model = name.substr(8)};
  }
  return {.kind = Path::Kind::pass_through};
}

}  // namespace weir::api
