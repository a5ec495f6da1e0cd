#include "process/message.hpp"

#include <strings.h>
#include <algorithm>
#include <charconv>

namespace weir::bench {
namespace {

constexpr std::size_t kHeadMax = 64U << 10;

std::size_t number(std::string_view text, int base, bool& ok) {
  std::size_t value = 0;
  ok = std::from_chars(text.data(), text.data() + text.size(), value, base).ec == std::errc{};
  return value;
}

}  // namespace

std::size_t Message::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !complete() && !broken()) {
    const auto rest = bytes.substr(taken);
    switch (stage_) {
      case Stage::head:
        taken += feed_head(rest);
        break;
      case Stage::length:
      case Stage::chunk_data:
        taken += feed_data(rest);
        break;
      default:
        taken += feed_line(rest);
    }
  }
  return taken;
}

void Message::reset() {
  stage_ = Stage::head;
  head_.clear();
  body_.clear();
  line_.clear();
  body_bytes_ = left_ = 0;
}

std::string_view Message::field(std::string_view name) const {
  std::string_view rest = head_;
  for (auto end = rest.find("\r\n"); end != std::string_view::npos && end != 0; end = rest.find("\r\n")) {
    const auto line = rest.substr(0, end);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      auto value = line.substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return value;
    }
    rest.remove_prefix(end + 2);
  }
  return {};
}

std::size_t Message::feed_head(std::string_view bytes) {
  const auto before = head_.size();
  head_ += bytes;
  const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() > kHeadMax) stage_ = Stage::broken;
    return bytes.size();
  }
  head_.resize(end + 4);
  start_body();
  return head_.size() - before;
}

void Message::start_body() {
  if (!field("transfer-encoding").empty()) {
    stage_ = Stage::chunk_size;
    return;
  }
  const auto length = field("content-length");
  bool ok = true;
  left_ = length.empty() ? 0 : number(length, 10, ok);
  stage_ = !ok ? Stage::broken : left_ == 0 ? Stage::done : Stage::length;
}

std::size_t Message::feed_data(std::string_view bytes) {
  const auto count = std::min(left_, bytes.size());
  if (body_.size() < body_kept_max_) body_ += bytes.substr(0, std::min(count, body_kept_max_ - body_.size()));
  body_bytes_ += count;
  left_ -= count;
  if (left_ == 0) stage_ = stage_ == Stage::length ? Stage::done : Stage::chunk_end;
  return count;
}

std::size_t Message::feed_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    line_ += bytes;
    return bytes.size();
  }
  line_ += bytes.substr(0, end);
  end_line();
  line_.clear();
  return end + 1;
}

void Message::end_line() {
  if (stage_ == Stage::chunk_end) {
    stage_ = Stage::chunk_size;
  } else if (stage_ == Stage::trailer) {
    if (line_ == "\r" || line_.empty()) stage_ = Stage::done;
  } else {
    bool ok = true;
    left_ = number(line_, 16, ok);
    stage_ = !ok ? Stage::broken : left_ == 0 ? Stage::trailer : Stage::chunk_data;
  }
}

}  // namespace weir::bench
