#include "dialects/vocabulary/media.hpp"

#include <algorithm>
#include <string_view>

namespace weir::vocabulary {

std::optional<Media> media_of_url(const Text& url) {
  constexpr std::string_view scheme = "data:";
  constexpr std::string_view marker = ";base64";
  const std::string_view bytes = url.bytes();
  if (!bytes.starts_with(scheme)) return Media{.source = Media::Source::url, .media_type = {}, .data = url};
  const std::size_t comma = bytes.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto part = [&](std::string_view view) { return url.is_escaped() ? Text::escaped(view) : Text::plain(view); };
  const std::string_view before = bytes.substr(scheme.size(), comma - scheme.size());
  // Some encoders write "\/" for a slash: only the head is decoded, the base64 stays as it is.
  std::string head = part(before).str();
  if (!head.ends_with(marker)) return std::nullopt;
  head.resize(head.size() - marker.size());
  head.resize(std::min(head.size(), head.find(';')));  // image/png;charset=...
  return Media{.source = Media::Source::base64,
               .media_type = Text::owned(std::move(head)),
               .data = part(bytes.substr(comma + 1))};
}

void append_url(const Media& media, std::string& to) {
  if (media.source != Media::Source::base64) return media.data.append_quoted(to);
  to += "\"data:";
  media.media_type.append_escaped(to);
  to += ";base64,";
  media.data.append_escaped(to);
  to += '"';
}

}  // namespace weir::vocabulary
