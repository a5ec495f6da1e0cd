#pragma once
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::gemini {

/// Where Vertex AI answers for a project and a location ("europe-west4", "global"): a base URL, to which the codec's
/// path ("/models/…:generateContent") is appended. The error names the setting that cannot be one.
Result<std::string> vertex_base_url(std::string_view project, std::string_view location);

}  // namespace weir::gemini
