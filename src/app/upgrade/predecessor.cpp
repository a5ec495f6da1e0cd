#include "app/upgrade/predecessor.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <cstdlib>

#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <weir/base/log.hpp>

namespace weir::app {

Predecessor::Predecessor(boost::asio::io_context& control) : channel_(control) {
  const char* text = std::getenv(Legacy::kVariable);
  if (text == nullptr) return;
  legacy_ = Legacy::parse(text);
  unsetenv(Legacy::kVariable);
  boost::system::error_code error;
  if (legacy_.channel >= 0) channel_.assign({}, legacy_.channel, error);
  if (legacy_.channel < 0 || error) {
    log::warning("{} is set, but not by a weir that hands over: it is ignored", Legacy::kVariable);
    legacy_ = {};
    return;
  }
  there_ = true;
}

void Predecessor::say(Note note, std::string_view text) {
  boost::system::error_code ignored;  // one that is gone is found by read()
  boost::asio::write(channel_, boost::asio::buffer(frame_of({note, std::string(text)})), ignored);
}

void Predecessor::say_failed(std::string_view why) {
  if (there_) say(Note::failed, why);
}

void Predecessor::say_ready(std::function<void()> owner) {
  if (!there_) return owner();
  for (const Legacy::Listener& left : legacy_.listeners) ::close(left.descriptor);
  legacy_.listeners.clear();
  owner_ = std::move(owner);
  say(Note::ready, "");
  read();
}

void Predecessor::read() {
  channel_.async_read_some(boost::asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t bytes) {
    messages_.feed({buffer_.data(), bytes});
    bool ours = static_cast<bool>(error) || messages_.broken();
    while (const auto message = messages_.next()) ours |= message->note == Note::owner;
    if (!ours) return read();
    boost::system::error_code ignored;
    channel_.close(ignored);
    std::exchange(owner_, nullptr)();
  });
}

}  // namespace weir::app
