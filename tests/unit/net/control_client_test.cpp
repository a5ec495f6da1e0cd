#include "net/control_client.hpp"

#include "fakes/certificate.hpp"
#include "fakes/loopback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Takes one connection after another, reads a whole request, answers with given bytes and closes.
class Server {
 public:
  explicit Server(std::string answer, std::shared_ptr<TlsContext> tls = nullptr)
      : answer_(std::move(answer)), tls_(std::move(tls)) {
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Server() {
    ErrorCode ignored;
    stopping_ = true;
    Tcp::socket knock{io_};
    knock.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::string url(const char* scheme = "http", const char* host = "127.0.0.1") const {
    return std::string(scheme) + "://" + host + ":" + std::to_string(acceptor_.local_endpoint().port()) + "/v1/traces";
  }
  std::string got() {
    std::lock_guard lock{mutex_};
    return got_;
  }

 private:
  void serve() {
    while (true) {
      ErrorCode error;
      Tcp::socket socket{io_};
      acceptor_.accept(socket, error);
      if (error || stopping_) return;
      if (tls_ == nullptr) {
        talk(socket);
      } else {
        asio::ssl::stream<Tcp::socket&> stream{socket, *tls_};
        stream.handshake(asio::ssl::stream_base::server, error);
        if (!error) talk(stream);
      }
    }
  }
  template <class Stream>
  void talk(Stream& stream) {
    std::string request;
    char bytes[4096];
    ErrorCode error;
    while (!whole(request)) {
      const std::size_t size = stream.read_some(asio::buffer(bytes), error);
      if (error) return;
      request.append(bytes, size);
    }
    {
      std::lock_guard lock{mutex_};
      got_ = request;
    }
    asio::write(stream, asio::buffer(answer_), error);
  }
  static bool whole(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t at = request.find("Content-Length: ");
    return request.size() >= end + 4 + std::stoul(request.substr(at + 16));
  }

  const std::string answer_;
  std::shared_ptr<TlsContext> tls_;
  asio::io_context io_;
  Tcp::acceptor acceptor_{io_, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::string got_;
  std::thread thread_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

Result<ControlAnswer> post(const std::string& url, ControlClient::Headers headers = {}, const std::string& ca = {},
                           std::chrono::milliseconds timeout = 60s, std::string_view body = R"({"a":1})") {
  auto client = ControlClient::make(url, std::move(headers), ca);
  if (!client) return std::unexpected(client.error());
  return client->post(body, "application/json", timeout);
}

TEST(ControlClient, PostsABodyWithItsHeaders) {
  Server server{kOk};
  const auto answer = post(server.url(), {{"x-team", "blue"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200U);
  EXPECT_EQ(answer->body, "{}");
  EXPECT_EQ(answer->retry_after, "");
  EXPECT_THAT(server.got(), AllOf(StartsWith("POST /v1/traces HTTP/1.1\r\n"), HasSubstr("Host: 127.0.0.1:"),
                                  HasSubstr("x-team: blue\r\n"), HasSubstr("Content-Type: application/json\r\n"),
                                  HasSubstr("Content-Length: 7\r\n"), HasSubstr("Connection: close\r\n"),
                                  EndsWith("\r\n\r\n{\"a\":1}")));
}

TEST(ControlClient, ALargeBodyGoesWhole) {
  Server server{kOk};
  const std::string body(3U << 20, 'x');
  const auto answer = post(server.url(), {}, {}, 60s, body);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(server.got(), EndsWith(body));
}

TEST(ControlClient, OtherAnswersAreAnswersToo) {
  Server server{"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nConnection: close\r\n\r\nlater"};
  const auto answer = post(server.url());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 503U);
  EXPECT_EQ(answer->retry_after, "7");
  EXPECT_EQ(answer->body, "later");
}

TEST(ControlClient, AnEndlessAnswerIsLeftOut) {
  Server server{"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x')};
  const auto answer = post(server.url());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200U);
  EXPECT_EQ(answer->body, "");
}

TEST(ControlClient, WhatIsNoHttpIsAnError) {
  Server server{"hello\r\n\r\n"};
  const auto answer = post(server.url(), {{"authorization", "hunter2"}});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, AllOf(StartsWith("reading the answer of 127.0.0.1:"), Not(HasSubstr("hunter2"))));
}

TEST(ControlClient, NobodyThereIsAnError) {
  std::uint16_t port = 0;
  {
    fakes::LoopbackListener listener;
    port = listener.port();
  }
  const auto answer = post("http://127.0.0.1:" + std::to_string(port));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, AllOf(StartsWith("connecting to 127.0.0.1:"), HasSubstr("refused")));
}

TEST(ControlClient, ASilentServerIsLeftInTime) {
  fakes::LoopbackListener listener;  // the kernel completes the connection; nobody answers
  const auto before = std::chrono::steady_clock::now();
  const auto answer = post("http://127.0.0.1:" + std::to_string(listener.port()), {}, {}, 50ms);
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("no answer within 50 ms"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 50ms);
}

TEST(ControlClient, ByTlsTheNameIsVerified) {
  const fakes::Certificate certificate{"localhost"};
  Server server{kOk, *make_server_tls(certificate.certificate_file(), certificate.key_file())};
  const auto good = post(server.url("https", "localhost"), {}, certificate.certificate_file());
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->status, 200U);
  const auto unknown = post(server.url("https", "localhost"));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, StartsWith("TLS with localhost:"));
  EXPECT_FALSE(post(server.url("https", "127.0.0.1"), {}, certificate.certificate_file())) << "another name";
}

TEST(ControlClient, AddressesAreTakenApart) {
  const auto authority = [](const char* url) {
    const auto client = ControlClient::make(url, {});
    return client ? client->authority() : "refused: " + client.error().message;
  };
  EXPECT_EQ(authority("http://collector:4318/v1/traces"), "collector:4318");
  EXPECT_EQ(authority("https://collector.example"), "collector.example");
  EXPECT_EQ(authority("http://[::1]:4318/v1/traces"), "[::1]:4318");
  for (const char* bad : {"", "ftp://x", "collector:4318", "http://", "http://:80/"}) {
    EXPECT_THAT(authority(bad), StartsWith("refused: ")) << bad;
  }
}

}  // namespace
}  // namespace weir::net
