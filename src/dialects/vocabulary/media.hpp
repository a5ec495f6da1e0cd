#pragma once
#include <optional>
#include <string>

#include "dialects/vocabulary/content.hpp"

namespace weir::vocabulary {

/// What an image_url or a file's data names: base64 where it is a data URL, otherwise a URL. Nothing of the base64 is
/// copied. nullopt: a data URL that is not base64.
std::optional<Media> media_of_url(const Text& url);

/// Appends the media as a URL in quotes: as it is, or as a data URL. Requires: url or base64.
void append_url(const Media& media, std::string& to);

}  // namespace weir::vocabulary
