#include "net/connection.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace weir::net {

struct Connection::Tls {
  asio::ssl::stream<Socket&> stream;
  std::string plain;  // TLS writes record by record: pieces are joined first, so that head and body are one record
};

Connection::Connection(Socket socket) : socket_(std::move(socket)), round_(WriteRound::of(socket_.get_executor())) {
  ErrorCode ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() = default;

awaitable<ErrorCode> Connection::start_tls(TlsContext& context, const std::string& host) {
  tls_ = std::make_unique<Tls>(Tls{asio::ssl::stream<Socket&>(socket_, context), {}});
  const bool client = !host.empty();
  if (client) {
    ErrorCode not_an_address;
    asio::ip::make_address(host, not_an_address);
    if (not_an_address) SSL_set_tlsext_host_name(tls_->stream.native_handle(), host.c_str());  // SNI takes names only
    tls_->stream.set_verify_callback(asio::ssl::host_name_verification(host));
  }
  auto [error] = co_await tls_->stream.async_handshake(
      client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server, as_value);
  co_return error;
}

void Connection::start_read(bool into_input, std::size_t room) {
  reading_ = true;
  into_input_ = into_input;
  if (landed_begin_ == landed_end_) landed_begin_ = landed_end_ = 0;
  asio::mutable_buffer where = asio::buffer(landing_) + landed_end_;
  if (into_input) {
    input_.reserve_tail(room);
    where = asio::buffer(input_.tail().data(), input_.tail_size());
  }
  auto done = [self = shared_from_this()](ErrorCode error, std::size_t bytes) { self->read_done(error, bytes); };
  if (tls_) {
    tls_->stream.async_read_some(where, std::move(done));
  } else {
    socket_.async_read_some(where, std::move(done));
  }
}

void Connection::read_done(ErrorCode error, std::size_t bytes) {
  reading_ = false;
  if (error) {
    ended_ = true;
    error_ = error == asio::error::eof ? ErrorCode{} : error;
  } else if (into_input_) {
    input_.commit(bytes);
  } else {
    landed_end_ += bytes;
  }
  if (changed_.awaited()) {
    take_landed();
    changed_.notify();
  } else if (watcher_ != nullptr && ended_) {
    std::exchange(watcher_, nullptr)->peer_left();
  } else if (answer_ends_write_) {
    ErrorCode ignored;
    socket_.cancel(ignored);
  } else if (watcher_ != nullptr && landed_end_ < landing_.size()) {
    start_read(false,
               0);  // what came may be a pipelined request or a stray line: the peer's leaving is still to be seen
  }
}

void Connection::take_landed() {
  if (landed_begin_ == landed_end_) return;
  input_.append({landing_.data() + landed_begin_, landed_end_ - landed_begin_});
  landed_begin_ = landed_end_;  // a read that is pending writes behind it
}

namespace {
awaitable<void> at_once() {
  co_return;
}
}  // namespace

awaitable<void> Connection::more(std::size_t room) {
  if (has_landed()) {
    take_landed();
    return at_once();
  }
  if (!reading_) start_read(true, room);
  return changed_.wait();
}

void Connection::watch(Watcher* watcher) {
  watcher_ = watcher;
  if (!reading_ && !ended_ && landed_end_ - landed_begin_ < landing_.size()) start_read(false, 0);
}

awaitable<bool> Connection::write(std::string_view bytes) {
  std::array<asio::const_buffer, 1> one{asio::buffer(bytes)};
  co_return co_await write(std::span<asio::const_buffer>(one));
}

awaitable<bool> Connection::write_until_answered(std::span<asio::const_buffer> buffers) {
  watch(nullptr);
  answer_ends_write_ = true;
  const bool written = co_await write(buffers);
  answer_ends_write_ = false;
  co_return written;
}

awaitable<bool> Connection::write(std::span<asio::const_buffer> buffers, WriteProgress* progress) {
  if (tls_) co_return co_await write_tls(buffers, progress);
  for (bool first = true;; first = false) {
    ErrorCode error;
    std::size_t written = 0;
    if (first && round_.gathers()) {
      WriteRound::Turn turn(round_, socket_, buffers);
      co_await turn.made();
      error = turn.error();
      written = turn.written();
    } else {
      written = socket_.write_some(buffers, error);
    }
    if (error && error != asio::error::would_block && error != asio::error::try_again) co_return false;
    while (!buffers.empty() && written >= buffers.front().size()) {
      written -= buffers.front().size();
      buffers = buffers.subspan(1);
    }
    if (buffers.empty()) co_return true;
    buffers.front() += written;
    if (answer_ends_write_ && has_landed()) co_return false;
    if (progress != nullptr) progress->moved();
    auto [waited] = co_await socket_.async_wait(Socket::wait_write, as_value);
    if (waited) co_return false;
  }
}

awaitable<bool> Connection::write_tls(std::span<asio::const_buffer> buffers, WriteProgress* progress) {
  tls_->plain.clear();
  if (progress != nullptr) progress->moved();
  for (const auto& piece : buffers) tls_->plain.append(static_cast<const char*>(piece.data()), piece.size());
  bool whole = true;
  for (std::size_t at = 0; whole && at < tls_->plain.size(); at += limits::stream_read_bytes) {
    const auto piece = asio::buffer(asio::buffer(tls_->plain) + at, limits::stream_read_bytes);
    auto [error, written] = co_await asio::async_write(tls_->stream, piece, as_value);
    whole = !error;
    if (progress != nullptr) progress->moved();
  }
  if (tls_->plain.capacity() > limits::stream_read_bytes * 4) tls_->plain = {};
  co_return whole;
}

void Connection::shutdown_send() {
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::abort() {
  aborted_ = true;
  close();
  // Later, not here: whoever hears of it may end the session that somebody is going through right now.
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->watcher_ != nullptr) std::exchange(self->watcher_, nullptr)->peer_left();
  });
}

void Connection::close() {
  ErrorCode ignored;
  ended_ = true;
  socket_.close(ignored);
}

}  // namespace weir::net
