#include "api/path.hpp"

#include <algorithm>
#include <array>

namespace weir::api {
namespace {

// The names of section 8 that also work without /v1 (SEMANTICS 33).
constexpr std::array<std::string_view, 9> kNames{"/chat/completions", "/completions", "/embeddings", "/responses",
                                                 "/messages",         "/models",      "/files",      "/batches",
                                                 "/feedback"};

}  // namespace

Path read_path(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/healthz") return {Path::Kind::health, {}};
  std::string_view name = path;
  if (path.starts_with("/v1/")) {
    name = path.substr(3);
  } else {
    const bool ours = std::ranges::any_of(kNames, [&](std::string_view known) {
      return path == known || (path.starts_with(known) && path[known.size()] == '/');
    });
    if (!ours) return {Path::Kind::unknown, {}};
  }
  if (name == "/chat/completions" && method == "POST") return {Path::Kind::chat, {}};
  if (method == "GET" || method == "HEAD") {
    if (name == "/models") return {Path::Kind::models, {}};
    if (name.starts_with("/models/") && name.size() > 8) return {Path::Kind::model, name.substr(8)};
  }
  return {Path::Kind::pass_through, {}};
}

}  // namespace weir::api
