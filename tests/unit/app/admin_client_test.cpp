#include "app/admin_client.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

namespace weir::app {
namespace {

/// A server on loopback for one connection: gives `reply`, whatever is asked, and keeps what was asked.
class OneReply {
 public:
  explicit OneReply(std::string reply) : reply_(std::move(reply)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      char asked[1024];
      const ssize_t got = recv(client, asked, sizeof asked, 0);
      if (got > 0) asked_.assign(asked, static_cast<std::size_t>(got));
      send(client, reply_.data(), reply_.size(), MSG_NOSIGNAL);
      close(client);
    });
  }
  ~OneReply() { end(); }
  OneReply(const OneReply&) = delete;
  OneReply& operator=(const OneReply&) = delete;

  const std::string& url() const { return url_; }
  const std::string& asked() {
    end();
    return asked_;
  }

 private:
  void end() {
    if (!thread_.joinable()) return;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string reply_;
  std::string asked_;
  std::string url_;
  int listener_;
  std::thread thread_;
};

TEST(Health, GoodIs200) {
  OneReply server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
  EXPECT_TRUE(ask_health(server.url() + "/"));
  EXPECT_TRUE(server.asked().starts_with("GET /healthz HTTP/1.1\r\n"));
}

TEST(Health, AnotherStatusIsNamed) {
  OneReply server("HTTP/1.1 503 Service Unavailable\r\n\r\n");
  const auto asked = ask_health(server.url());
  ASSERT_FALSE(asked);
  EXPECT_NE(asked.error().message.find("503"), std::string::npos) << asked.error().message;
}

TEST(Health, NobodyThereIsSaid) {
  const auto asked = ask_health("http://127.0.0.1:1");
  ASSERT_FALSE(asked);
  EXPECT_NE(asked.error().message.find("refused"), std::string::npos) << asked.error().message;
}

TEST(Health, AnEmptyAnswerIsNotGood) {
  OneReply server("");
  EXPECT_FALSE(ask_health(server.url()));
}

TEST(Health, WhatIsNoUrlSaysHowToWriteIt) {
  for (const char* url : {"", "9090", "http://", "http://127.0.0.1", "http://127.0.0.1:metrics", ":9090"}) {
    const auto asked = ask_health(url);
    ASSERT_FALSE(asked) << url;
    EXPECT_NE(asked.error().message.find("http://127.0.0.1:9090"), std::string::npos) << asked.error().message;
  }
}

}  // namespace
}  // namespace weir::app
