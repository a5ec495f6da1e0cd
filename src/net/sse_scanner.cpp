#include "net/sse_scanner.hpp"

#include <algorithm>

namespace weir::net {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// The value of a line whose field name is `name`, with at most one space behind the colon taken away.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  if (line.empty()) return line;
  if (line.front() != ':') return std::nullopt;
  line.remove_prefix(line.starts_with(": ") ? 2 : 1);
  return line;
}

}  // namespace

std::optional<std::string_view> SseScanner::next(std::string_view unconsumed) {
  if (line_feed_may_follow_ && !unconsumed.empty()) {
    line_feed_may_follow_ = false;
    if (unconsumed.front() == '\n') line_begin_ = 1;
  }
  for (;;) {
    const auto line_feed = line_feed_.find(unconsumed, line_begin_);
    const auto carriage_return = carriage_return_.find(unconsumed, line_begin_);
    const auto line_end = std::min(line_feed, carriage_return);
    if (line_end == unconsumed.size()) return std::nullopt;
    const bool blank = line_end == line_begin_;
    auto next_line = line_end + 1;
    if (carriage_return < line_feed) {
      if (next_line < unconsumed.size()) {
        if (unconsumed[next_line] == '\n') ++next_line;
      } else if (blank) {
        line_feed_may_follow_ = true;
      } else {
        return std::nullopt;  // an LF may come, and no event ends here either way
      }
    }
    if (!blank) {
      line_begin_ = next_line;
      continue;
    }
    line_feed_.drop_front(next_line);
    carriage_return_.drop_front(next_line);
    line_begin_ = 0;
    return unconsumed.substr(0, next_line);
  }
}

SseFields parse_sse_event(std::string_view raw, std::string& scratch) {
  if (raw.starts_with(kByteOrderMark)) raw.remove_prefix(kByteOrderMark.size());
  SseFields fields{.event = {}, .data = {}, .comment_only = true};
  std::size_t data_lines = 0;
  NextByte line_feed{'\n'};
  NextByte carriage_return{'\r'};
  // A CR LF makes one more, empty line here: harmless inside one event.
  for (std::size_t begin = 0, end = 0; begin < raw.size(); begin = end + 1) {
    end = std::min(line_feed.find(raw, begin), carriage_return.find(raw, begin));
    const auto line = raw.substr(begin, end - begin);
    if (const auto data = value_of(line, "data")) {
      fields.comment_only = false;
      if (++data_lines == 1) {
        fields.data = *data;
        continue;
      }
      if (data_lines == 2) scratch.assign(fields.data);
      scratch.append(1, '\n').append(*data);
    } else if (const auto event = value_of(line, "event")) {
      fields.comment_only = false;
      fields.event = *event;
    }
  }
  if (data_lines > 1) fields.data = scratch;
  return fields;
}

}  // namespace weir::net
