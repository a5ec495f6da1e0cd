#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "app/upgrade/legacy.hpp"

namespace weir::app {

/// The new process's side of a hot restart: what the one before it has left, and the channel to it. Without one,
/// nothing is inherited and everything is owned at once.
/// Thread: the control plane's; made before any other thread, since it takes a variable out of the environment.
class Predecessor {
 public:
  explicit Predecessor(boost::asio::io_context& control);

  bool there() const { return there_; }
  /// The inherited descriptor that listens on this address, or -1.
  int take_listener(std::string_view host, std::uint16_t port) { return legacy_.take(host, port); }
  /// Says that calls are taken here. `owner` is called once all that one process owns is ours: the other has let go of
  /// it or died. Listeners that nobody took are closed.
  void say_ready(std::function<void()> owner);
  void say_failed(std::string_view why);

 private:
  void read();
  void say(Note note, std::string_view text);

  Legacy legacy_;
  bool there_ = false;
  boost::asio::local::stream_protocol::socket channel_;
  Messages messages_;
  std::array<char, 1024> buffer_{};
  std::function<void()> owner_;
};

}  // namespace weir::app
