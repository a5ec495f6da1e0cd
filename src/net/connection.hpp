#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include <weir/base/buffer.hpp>
#include <weir/exchange/interrupt.hpp>
#include <weir/exchange/limits.hpp>
#include "net/asio_types.hpp"
#include "net/event.hpp"
#include "net/tls.hpp"
#include "net/write_round.hpp"

namespace weir::net {

/// One TCP or TLS connection, either door. There is always at most one read pending: more() reads on behalf of a
/// waiting coroutine, watch() reads behind a running call, so that the peer's leaving (and what it sends early) is seen
/// at once.
///
/// Thread: one worker's. Lifetime: shared by its owner and the pending read, whose handler may run after the owner
/// closed it; nobody else keeps it. Writes are made at once, or at the end of a busy loop's round (WriteRound), and
/// wait for longer only when the kernel's buffer is full.
class Connection final : public Interruptible, public std::enable_shared_from_this<Connection> {
 public:
  /// Told when the read behind a call ended.
  class Watcher {
   public:
    virtual void peer_left() = 0;

   protected:
    ~Watcher() = default;
  };

  explicit Connection(Socket socket);
  ~Connection();

  /// TLS from here on. Server: `host` is empty. Client: SNI and verification by `host`.
  awaitable<ErrorCode> start_tls(TlsContext& context, const std::string& host);

  Buffer& input() { return input_; }
  bool ended() const { return ended_; }       ///< end of input, reset or closed
  ErrorCode error() const { return error_; }  ///< why it ended; empty = orderly end (TLS: with its close_notify)
  Socket& socket() { return socket_; }

  /// Returns when input() has grown, the connection ended, or wake() was called. Reads straight into input(), up to
  /// `room` bytes at once.
  awaitable<void> more(std::size_t room);
  /// Begins the read behind a call. Bytes that come are kept aside, since views into input() are in use then, until
  /// take_landed() or the next more().
  void watch(Watcher* watcher);
  /// Moves what came behind a call into input(): only where no view into it is in use.
  void take_landed();
  bool has_landed() const { return landed_end_ != landed_begin_; }
  void stop_watching() { watcher_ = nullptr; }
  /// Ends a more() early; the read stays pending.
  void wake() { changed_.notify(); }

  /// Told before a write waits for the peer, and each time when it got on.
  class WriteProgress {
   public:
    virtual void moved() = 0;

   protected:
    ~WriteProgress() = default;
  };

  /// Writes everything; false = the peer is gone. Not to be called twice at once.
  awaitable<bool> write(std::span<asio::const_buffer> buffers, WriteProgress* progress = nullptr);
  /// The same, but gives up (false) when the peer answers before it has taken everything: it refuses what it was sent.
  /// Plain connections only; with TLS like write().
  awaitable<bool> write_until_answered(std::span<asio::const_buffer> buffers);
  awaitable<bool> write(std::string_view bytes);

  void shutdown_send();
  void close();
  /// close(), on our own behalf: the watcher is told even if no read is pending, and aborted() says why.
  void abort();
  bool aborted() const { return aborted_; }
  void interrupt() override { close(); }
  bool is_open() const { return socket_.is_open(); }

 private:
  struct Tls;
  void start_read(bool into_input, std::size_t room);
  void read_done(ErrorCode error, std::size_t bytes);
  awaitable<bool> write_tls(std::span<asio::const_buffer> buffers, WriteProgress* progress);

  Socket socket_;
  WriteRound& round_;
  std::unique_ptr<Tls> tls_;
  Buffer input_;
  Event changed_;
  Watcher* watcher_ = nullptr;
  ErrorCode error_;
  bool reading_ = false;
  bool into_input_ = false;
  bool ended_ = false;
  bool aborted_ = false;
  bool answer_ends_write_ = false;
  std::size_t landed_begin_ = 0;  // what landed and was not taken yet; a read behind a call goes on at landed_end_
  std::size_t landed_end_ = 0;
  std::array<char, limits::connection_read_bytes> landing_;  // the read behind a call lands here, so input() may move
};

}  // namespace weir::net
