#include "net/server_call.hpp"

#include <algorithm>
#include <cstring>

#include "net/http1_chunked.hpp"

namespace weir::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

HeadLimits head_limits(const LimitSettings& limits) {
  HeadLimits result;
  result.head_bytes_max = static_cast<std::uint32_t>(limits.head_bytes);
  return result;
}

}  // namespace

bool ServerCall::body_at_hand() const {
  if (!has_body()) return true;
  const auto size = head_.content_length();
  return size && connection_.input().size() - head_.head_bytes() >= *size;
}

awaitable<BodyState> ServerCall::read_body() {
  if (!has_body()) {
    deadline_.disarm();
    body_read_ = true;
    co_return BodyState::complete;
  }
  const auto size = head_.content_length();
  if (size && *size > limits_.body_bytes) co_return BodyState::too_large;
  if (size && !share_.cover(*size)) co_return BodyState::no_room;
  const bool whole = body_at_hand();
  if (!whole) {
    deadline_.arm(Clock::now() + limits_.body_time);
    if (head_.expects_continue() && connection_.input().size() == head_.head_bytes()) {
      progress_.waiting = Progress::Waiting::answer;  // a write that does not get on ends the connection
      if (!co_await connection_.write(kContinue)) co_return BodyState::left;
      progress_.waiting = Progress::Waiting::message;
    }
  }
  const char* was_at = connection_.input().data();
  BodyState state = BodyState::complete;
  if (!size) {
    state = co_await read_chunked_body();
  } else if (whole) {
    body_size_ = *size;
  } else {
    state = co_await read_sized_body(*size);
  }
  deadline_.disarm();
  body_read_ = state == BodyState::complete;
  find_head_again(was_at);
  co_return state;
}

awaitable<BodyState> ServerCall::read_sized_body(std::uint64_t size) {
  Buffer& input = connection_.input();
  const std::size_t end = head_.head_bytes() + size;
  while (input.size() < end) {
    // The whole body's room at once: memory is touched only as bytes come in, and nothing is copied while it grows.
    co_await connection_.more(end - input.size());
    if (input.size() >= end) break;
    if (connection_.ended() || progress_.timed_out) co_return interrupted();
  }
  body_size_ = size;
  co_return BodyState::complete;
}

awaitable<BodyState> ServerCall::read_chunked_body() {
  Buffer& input = connection_.input();
  ChunkedDecoder decoder;
  std::size_t decoded_end = head_.head_bytes();
  for (;;) {
    const std::size_t raw = input.size() - decoded_end;
    const auto progress = decoder.decode(input.data() + decoded_end, raw);
    const std::size_t left = raw - progress.consumed;
    if (decoder.failed()) co_return BodyState::malformed;
    if (left != 0) {
      std::memmove(input.data() + decoded_end + progress.produced, input.data() + decoded_end + progress.consumed,
                   left);
    }
    decoded_end += progress.produced;
    input.truncate(decoded_end + left);
    body_size_ = decoded_end - head_.head_bytes();
    if (body_size_ > limits_.body_bytes) co_return BodyState::too_large;
    if (!share_.cover(body_size_)) co_return BodyState::no_room;
    if (decoder.done()) co_return BodyState::complete;
    const std::size_t before = input.size();
    co_await connection_.more(std::clamp<std::size_t>(body_size_ / 2, 4096, 1U << 20));
    if (input.size() == before && (connection_.ended() || progress_.timed_out)) co_return interrupted();
  }
}

void ServerCall::find_head_again(const char* was_at) {
  // The buffer moved while it grew: the head's views are made anew from the same bytes.
  if (connection_.input().data() == was_at) return;
  head_.reset();
  const ScanState state =
      head_.scan(connection_.input().view().substr(0, connection_.input().size()), head_limits(limits_));
  WEIR_ENSURE(state == ScanState::complete);
}

awaitable<bool> ServerCall::send(std::span<asio::const_buffer> buffers) {
  answered_ = true;
  progress_.waiting = Progress::Waiting::answer;
  const bool sent = co_await connection_.write(buffers, this);
  deadline_.disarm();
  co_return sent;
}

}  // namespace weir::net
