// One head, read at once, in two portions at any place, and byte by byte: the same result; and of what is accepted
// a second, naive reader must say the same.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "net/http1_head.hpp"

namespace {

using namespace weir::net;
using weir::fuzz::ExactCopy;
using weir::fuzz::require;

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return copy;
}

template <class Head>
std::string summary(const Head& head, ScanState state) {
  std::string text(1, static_cast<char>('0' + static_cast<int>(state)));
  if (state == ScanState::refused) return text.append(head.reason());
  if (state == ScanState::need_more) return text;
  text += std::to_string(head.head_bytes()) + (head.keep_alive() ? "k" : "c") + (head.chunked() ? "t" : "");
  text += std::to_string(head.content_length().value_or(0)) + (head.content_length() ? "l" : "");
  if constexpr (std::is_same_v<Head, RequestHead>) {
    text.append(head.method()).append(" ").append(head.target()).append(" ").append(head.host());
  } else {
    text += std::to_string(head.status());
  }
  for (const auto& [name, value] : head.fields()) text.append("\n").append(name).append(":").append(value);
  return text;
}

/// Line by line, without any cleverness: what must hold of an accepted head.
template <class Head>
void compare_with_naive_reader(const Head& head, std::string_view bytes) {
  require(head.head_bytes() <= bytes.size(), "the head is inside the bytes");
  const auto text = bytes.substr(0, head.head_bytes());
  require(text.ends_with("\r\n\r\n"), "a head ends with an empty line");
  std::size_t line_begin = text.starts_with("\r\n") ? 2 : 0;
  std::size_t lines = 0;
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  while (true) {
    const auto line_end = text.find("\r\n", line_begin);
    const auto line = text.substr(line_begin, line_end - line_begin);
    line_begin = line_end + 2;
    for (char c : line) {
      const auto code = static_cast<unsigned char>(c);
      require(code == '\t' || (code >= 0x20 && code != 0x7f), "no control characters");
    }
    if (line.empty()) break;
    if (++lines == 1) continue;
    require(line.front() != ' ' && line.front() != '\t', "no folded line");
    const auto colon = line.find(':');
    require(colon != line.npos && colon > 0, "each line has a name");
    const auto name = lower(line.substr(0, colon));
    require(name.find_first_of(" \t\"(),/;<=>?@[\\]{}") == name.npos, "a name is a token");
    const auto& field = head.fields()[lines - 2];
    require(lower(field.name) == name && field.value.data() >= line.data(), "fields are in order");
    require(!field.value.starts_with(' ') && !field.value.ends_with(' '), "values are trimmed");
    hosts += name == "host";
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
    if (name == "content-length") require(std::to_string(*head.content_length()).size() <= 19, "a plain number");
    if (name == "content-length") require(field.value.find_first_not_of("0123456789") == field.value.npos, "digits");
    if (name == "transfer-encoding") require(lower(field.value) == "chunked", "exactly chunked");
  }
  require(line_begin == text.size(), "no empty line inside");
  require(head.fields().size() + 1 == lines, "every line is a field");
  require(codings <= 1 && !(codings > 0 && lengths > 0), "one framing");
  require(head.chunked() == (codings == 1) && head.content_length().has_value() == (lengths > 0), "framing is known");
  require(!(head.chunked() && head.minor_version() == 0), "no coding in HTTP/1.0");
  if constexpr (std::is_same_v<Head, RequestHead>) {
    require(hosts == 1, "one Host");
    require(lengths <= 1, "one Content-Length");
    require(head.target().starts_with('/') || head.target() == "*", "a path");
  }
}

template <class Head>
void check(std::string_view bytes, const HeadLimits& limits, std::size_t cut) {
  const ExactCopy whole(bytes);
  Head at_once;
  const auto state = at_once.scan(whole.view(), limits);
  const auto expected = summary(at_once, state);
  if (state == ScanState::complete) compare_with_naive_reader(at_once, whole.view());

  Head resumed;
  auto resumed_state = ScanState::need_more;
  std::optional<ExactCopy> part;
  for (const std::size_t end : {cut / 2, cut, bytes.size()}) {
    part.emplace(bytes.substr(0, end));
    resumed_state = resumed.scan(part->view(), limits);
    if (resumed_state != ScanState::need_more) break;
  }
  require(summary(resumed, resumed_state) == expected, "the same in three portions");

  Head slow;
  auto slow_state = ScanState::need_more;
  for (std::size_t end = 0; end <= bytes.size() && slow_state == ScanState::need_more; ++end) {
    slow_state = slow.scan(whole.view().substr(0, end), limits);
  }
  require(summary(slow, slow_state) == expected, "the same byte by byte");

  slow.reset();
  require(summary(slow, slow.scan(whole.view(), limits)) == expected, "the same after reset");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = size == 0 ? 0 : (data[size - 1] * 257U + data[size / 2]) % (size + 1);
  const HeadLimits small{.head_bytes_max = 160, .line_bytes_max = 64, .target_bytes_max = 24};
  for (const auto& limits : {HeadLimits{}, small}) {
    check<RequestHead>(bytes, limits, cut);
    check<ReplyHead>(bytes, limits, cut);
  }
  return 0;
}
