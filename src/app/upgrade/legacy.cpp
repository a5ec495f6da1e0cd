#include "app/upgrade/legacy.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>

namespace weir::app {
namespace {

constexpr std::size_t kHeadBytes = 5;

std::optional<int> number(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string address_text(std::string_view host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : std::string(host), error);
  const std::string text = error ? std::string(host) : address.to_string();
  return text.find(':') == std::string::npos ? fmt::format("{}:{}", text, port) : fmt::format("[{}]:{}", text, port);
}

std::string Legacy::text() const {
  std::string text = fmt::format("channel={}", channel);
  for (const Listener& one : listeners) text += fmt::format(" {}={}", one.descriptor, one.address);
  return text;
}

Legacy Legacy::parse(std::string_view text) {
  Legacy legacy;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (name == "channel") {
      if (const auto descriptor = number(value)) legacy.channel = *descriptor;
    } else if (const auto descriptor = number(name)) {
      legacy.listeners.push_back({std::string(value), *descriptor});
    }
  }
  return legacy;
}

int Legacy::take(std::string_view host, std::uint16_t port) {
  const std::string wanted = address_text(host, port);
  const auto found = std::ranges::find(listeners, wanted, &Listener::address);
  if (found == listeners.end()) return -1;
  const int descriptor = found->descriptor;
  listeners.erase(found);
  return descriptor;
}

std::string frame_of(const Message& message) {
  const std::string_view text = std::string_view(message.text).substr(0, Messages::kTextBytesMax);
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame.push_back(static_cast<char>(text.size() >> shift & 0xff));
  frame.push_back(static_cast<char>(message.note));
  return frame.append(text);
}

std::optional<Message> Messages::next() {
  while (!broken_ && bytes_.size() >= kHeadBytes) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes_[i]);
    if (size > kTextBytesMax) {
      broken_ = true;
      break;
    }
    if (bytes_.size() < kHeadBytes + size) break;
    Message message{static_cast<Note>(bytes_[4]), bytes_.substr(kHeadBytes, size)};
    bytes_.erase(0, kHeadBytes + size);
    switch (message.note) {
      case Note::ready:
      case Note::failed:
      case Note::owner:
        return message;
    }
  }
  return std::nullopt;
}

}  // namespace weir::app
