#include "net/http1_chunked.hpp"

#include <algorithm>
#include <cstring>

#include "net/http1_characters.hpp"

namespace weir::net {
namespace {
constexpr std::uint32_t kExtensionDebtMax = 4096;
constexpr std::uint32_t kTrailerBytesMax = 4096;
constexpr std::uint8_t kSizeDigitsMax = 15;
}  // namespace

ChunkedDecoder::Progress ChunkedDecoder::decode(char* bytes, std::size_t size) {
  std::size_t in = 0;
  std::size_t out = 0;
  while (in < size && state_ < State::done) {
    if (state_ != State::data) {
      state_ = step(bytes[in]);
      if (state_ != State::failed) ++in;
      continue;
    }
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, size - in));
    if (in != out) std::memmove(bytes + out, bytes + in, part);
    in += part;
    out += part;
    chunk_left_ -= part;
    extension_debt_ -= static_cast<std::uint32_t>(std::min<std::size_t>(extension_debt_, part));
    if (chunk_left_ == 0) state_ = State::data_carriage_return;
  }
  return {in, out};
}

ChunkedDecoder::State ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size:
      return step_size(c);
    case State::size_line_feed:
      size_digits_ = 0;
      return expect('\n', c, chunk_left_ > 0 ? State::data : State::trailer_begin);
    case State::data_carriage_return:
      return expect('\r', c, State::data_line_feed);
    case State::data_line_feed:
      return expect('\n', c, State::size);
    case State::trailer_begin:
    case State::trailer_name:
    case State::trailer_value:
      return step_trailer(c);
    case State::trailer_line_feed:
      return expect('\n', c, State::trailer_begin);
    case State::last_line_feed:
      return expect('\n', c, State::done);
    case State::extension_begin:
    case State::extension_name:
    case State::extension_equals:
    case State::extension_token:
    case State::extension_quoted:
    case State::extension_end:
      return step_extension(c);
    case State::data:
    case State::done:
    case State::failed:
      break;
  }
  return state_;
}

ChunkedDecoder::State ChunkedDecoder::step_size(char c) {
  if (is(kHexDigit, c)) {
    if (++size_digits_ > kSizeDigitsMax) return fail("A chunk size has more than 15 digits.");
    const unsigned digit = c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10);
    chunk_left_ = chunk_left_ * 16 + digit;
    return State::size;
  }
  if (size_digits_ == 0) return fail("A chunk does not begin with its size in hexadecimal digits.");
  if (c == '\r') return State::size_line_feed;
  if (c == ';') return State::extension_begin;
  return fail("A chunk size is followed by something other than `;` or CR LF.");
}

/// *( ";" name [ "=" ( token / quoted-string ) ] ), without the spaces and backslashes that nobody sends.
ChunkedDecoder::State ChunkedDecoder::step_extension(char c) {
  if (++extension_debt_ > kExtensionDebtMax) return fail("The chunk extensions are too long.");
  const bool complete =
      state_ == State::extension_name || state_ == State::extension_token || state_ == State::extension_end;
  if (state_ == State::extension_quoted) {
    if (c == '"') return State::extension_end;
    if (is(kValue, c) && c != '\\') return State::extension_quoted;
  } else if (is(kToken, c)) {
    if (state_ == State::extension_begin || state_ == State::extension_name) return State::extension_name;
    if (state_ == State::extension_equals || state_ == State::extension_token) return State::extension_token;
  } else if (c == '=' && state_ == State::extension_name) {
    return State::extension_equals;
  } else if (c == '"' && state_ == State::extension_equals) {
    return State::extension_quoted;
  } else if (c == ';' && complete) {
    return State::extension_begin;
  } else if (c == '\r' && complete) {
    return State::size_line_feed;
  }
  return fail("A chunk extension is malformed.");
}

ChunkedDecoder::State ChunkedDecoder::step_trailer(char c) {
  if (state_ == State::trailer_begin && c == '\r') return State::last_line_feed;
  if (++trailer_bytes_ > kTrailerBytesMax) return fail("The trailers are too long.");
  if (state_ == State::trailer_value) {
    if (c == '\r') return State::trailer_line_feed;
    if (is(kValue, c)) return State::trailer_value;
  } else {
    if (is(kToken, c)) return State::trailer_name;
    if (c == ':' && state_ == State::trailer_name) return State::trailer_value;
  }
  return fail("A trailer is malformed.");
}

ChunkedDecoder::State ChunkedDecoder::expect(char wanted, char c, State next) {
  return c == wanted ? next : fail("A chunk or trailer does not end with CR LF where it must.");
}

ChunkedDecoder::State ChunkedDecoder::fail(std::string_view reason) {
  reason_ = reason;
  return State::failed;
}

}  // namespace weir::net
