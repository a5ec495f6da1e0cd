#include "dialects/gemini/vertex.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::gemini {
namespace {

/// Both become part of a host name or a path: nothing else may come in by them.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.';
  });
}

}  // namespace

Result<std::string> vertex_base_url(std::string_view project, std::string_view location) {
  if (!is_name(project)) return failure("project must be the id of a Google Cloud project, such as my-shop-123");
  if (!is_name(location) || location.find_first_of(":.") != std::string_view::npos) {
    return failure("location must be a region of Vertex AI, such as europe-west4, or global");
  }
  const std::string host = location == "global" ? std::string{"aiplatform.googleapis.com"}
                                                : fmt::format("{}-aiplatform.googleapis.com", location);
  return fmt::format("https://{}/v1/projects/{}/locations/{}/publishers/google", host, project, location);
}

}  // namespace weir::gemini
