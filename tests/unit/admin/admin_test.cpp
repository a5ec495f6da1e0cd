#include "admin/admin.hpp"
#include "admin/origin.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <thread>

#include <unistd.h>

namespace weir::admin {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Sources sources_with(std::string not_ready = {}) {
  Sources sources;
  sources.metrics_text = [] { return std::string{"weir_inflight 0\n"}; };
  sources.not_ready_because = [not_ready] { return not_ready; };
  sources.find_calls = [](const std::string& id, const std::function<void(ApiReply)>& done) {
    done(api_body(R"({"calls":[{"id":")" + id + R"("}]})"));
  };
  return sources;
}

net::ControlReply ask(const Endpoints& endpoints, net::ControlRequest request) {
  std::optional<net::ControlReply> got;
  endpoints.handle(request, [&](net::ControlReply reply) { got = std::move(reply); });
  EXPECT_TRUE(got.has_value());
  return got.value_or(net::ControlReply{});
}

net::ControlRequest get(std::string target) {
  net::ControlRequest request;
  request.method = "GET";
  request.target = std::move(target);
  request.host = "127.0.0.1:9090";
  return request;
}

std::string message_of(const net::ControlReply& reply) {
  EXPECT_EQ(reply.content_type, "application/json");
  return nlohmann::json::parse(reply.body).at("error").at("message").get<std::string>();
}

TEST(Endpoints, OpenPagesNeedNoToken) {
  AdminSettings settings;
  settings.host = "0.0.0.0";
  settings.token = "secret";
  const Endpoints endpoints{settings, sources_with()};
  auto metrics = get("/metrics?x=y");
  metrics.host = "weir.internal:9090";
  EXPECT_EQ(ask(endpoints, metrics).body, "weir_inflight 0\n");
  EXPECT_EQ(ask(endpoints, metrics).content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(ask(endpoints, get("/healthz")).body, "ok\n");
  EXPECT_EQ(ask(endpoints, get("/readyz")).status, 200U);
}

TEST(Endpoints, NotReadySaysWhy) {
  const auto reply = ask(Endpoints{{}, sources_with("weir is draining")}, get("/readyz"));
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(reply.body, "weir is draining\n");
}

TEST(Endpoints, UnknownPathsAndMethodsAreJsonErrors) {
  const Endpoints endpoints{{}, sources_with()};
  for (const char* path :
       {"/", "/metric", "/api", "/api/", "/api/keys/a", "/api/keys/a/b", "/api/calls/", "/api/calls/a/b", "/apiary"}) {
    const auto reply = ask(endpoints, get(path));
    EXPECT_EQ(reply.status, 404U) << path;
    EXPECT_FALSE(message_of(reply).empty());
  }
  for (const char* path : {"/metrics", "/api/calls/x"}) {
    auto request = get(path);
    request.method = "DELETE";
    const auto reply = ask(endpoints, request);
    EXPECT_EQ(reply.status, 405U);
    EXPECT_EQ(reply.allow, "GET, HEAD");
  }
}

TEST(Endpoints, CallsAreFoundOnLoopbackWithoutToken) {
  const auto reply = ask(Endpoints{{}, sources_with()}, get("/api/calls/req-1"));
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body, R"({"calls":[{"id":"req-1"}]})");
}

TEST(Endpoints, ATokenIsAskedFor) {
  AdminSettings settings;
  settings.token = "t0ken";
  const Endpoints endpoints{settings, sources_with()};
  for (const char* wrong : {"", "t0ken", "Bearer", "Bearer ", "Bearer t0ke", "Bearer t0ken2", "Basic t0ken"}) {
    auto request = get("/api/calls/x");
    request.authorization = wrong;
    const auto reply = ask(endpoints, request);
    EXPECT_EQ(reply.status, 401U) << wrong;
    EXPECT_THAT(message_of(reply), HasSubstr("admin.token"));
    EXPECT_THAT(reply.www_authenticate, StartsWith("Bearer"));
  }
  auto request = get("/api/calls/x");
  request.authorization = "bearer t0ken";
  EXPECT_EQ(ask(endpoints, request).status, 200U);
}

TEST(Endpoints, AnOpenListenerWithoutTokenClosesTheApi) {
  AdminSettings settings;
  settings.host = "0.0.0.0";
  const auto reply = ask(Endpoints{settings, sources_with()}, get("/api/calls/x"));
  EXPECT_EQ(reply.status, 403U);
  EXPECT_THAT(message_of(reply), HasSubstr("admin.token"));
}

TEST(Endpoints, WebPagesOfOthersAreRefusedEvenWithTheToken) {
  AdminSettings settings;
  settings.token = "t0ken";
  const Endpoints endpoints{settings, sources_with()};
  auto request = get("/api/calls/x");
  request.authorization = "Bearer t0ken";
  request.host = "attacker.example:9090";
  EXPECT_EQ(ask(endpoints, request).status, 403U);
  request.host = "localhost:9090";
  request.origin = "http://localhost:3000";
  EXPECT_EQ(ask(endpoints, request).status, 403U);
  request.origin = "null";
  EXPECT_EQ(ask(endpoints, request).status, 403U);
  request.origin = "http://localhost:9090";
  EXPECT_EQ(ask(endpoints, request).status, 200U);
}

TEST(Endpoints, TheApiTakesOnlyJson) {
  auto request = get("/api/calls/x");
  request.body = "a=b";
  request.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(ask(Endpoints{{}, sources_with()}, request).status, 415U);
}

TEST(Origin, HostMustBeOurs) {
  for (const char* ours : {"localhost", "LOCALHOST:1", "127.0.0.1:9090", "[::1]:9090", "10.1.2.3:9090"}) {
    EXPECT_TRUE(host_is_ours(ours, "10.1.2.3")) << ours;
  }
  for (const char* foreign : {"", "evil.example", "10.1.2.4", "localhost.evil.example", "localhost:80@evil", "[::1",
                              "localhost:", "127.0.0.1:999999", "[::2]:9090"}) {
    EXPECT_FALSE(host_is_ours(foreign, "10.1.2.3")) << foreign;
  }
  EXPECT_TRUE(host_is_ours("172.17.0.2:9090", "0.0.0.0"));
  EXPECT_TRUE(host_is_ours("[fe80::1]:9090", "::"));
  EXPECT_FALSE(host_is_ours("weir.example:9090", "0.0.0.0"));
}

TEST(Origin, SecretsAreCompared) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abd", "abc"));
  EXPECT_FALSE(same_secret("ab", "abc"));
  EXPECT_FALSE(same_secret("abcabc", "abc"));
  EXPECT_FALSE(same_secret("", ""));
}

TEST(Origin, LoopbackIsKnown) {
  EXPECT_TRUE(is_loopback("localhost"));
  EXPECT_TRUE(is_loopback("127.0.0.2"));
  EXPECT_TRUE(is_loopback("::1"));
  EXPECT_FALSE(is_loopback("0.0.0.0"));
  EXPECT_FALSE(is_loopback("192.168.1.1"));
}

/// The whole admin on a free port, asked over a socket.
class AdminOnAPort : public testing::Test {
 protected:
  using Tcp = boost::asio::ip::tcp;

  void SetUp() override {
    AdminSettings settings;
    settings.port = 0;
    auto opened = Admin::open(io, settings, sources_with());
    ASSERT_TRUE(opened) << opened.error().message;
    admin = std::move(*opened);
    thread = std::thread{[this] { io.run(); }};
  }
  void TearDown() override {
    boost::asio::post(io, [this] { io.stop(); });
    if (thread.joinable()) thread.join();
  }

  Tcp::socket connect() {
    Tcp::socket socket{client_io};
    socket.connect({boost::asio::ip::address_v4::loopback(), admin->port()});
    return socket;
  }
  /// Sends and reads until the server closes.
  std::string talk(const std::string& bytes) {
    auto socket = connect();
    boost::asio::write(socket, boost::asio::buffer(bytes));
    std::string answer;
    boost::system::error_code error;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }

  boost::asio::io_context io{1};
  boost::asio::io_context client_io;
  std::unique_ptr<Admin> admin;
  std::thread thread;
};

TEST_F(AdminOnAPort, AnswersOnOneConnectionUntilAskedToClose) {
  const std::string answer = talk(
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /api/calls/abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 16\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("weir_inflight")));
  EXPECT_THAT(answer, EndsWith(R"({"calls":[{"id":"abc"}]})"));
}

TEST_F(AdminOnAPort, RefusesWhatIsTooLargeOrNoHttp) {
  EXPECT_THAT(talk("POST /api/calls/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(talk("GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(talk("hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(AdminOnAPort, AFloodOfConnectionsIsTurnedAway) {
  std::vector<Tcp::socket> held;
  for (int i = 0; i < 64; ++i) held.push_back(connect());
  EXPECT_EQ(talk("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "");
  held.clear();
  std::string answer;
  for (int i = 0; i < 6'000 && answer.empty(); ++i) {
    answer = talk("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  EXPECT_THAT(answer, HasSubstr("200 OK"));
}

TEST_F(AdminOnAPort, APortInUseIsToldByWhom) {
  AdminSettings settings;
  settings.port = admin->port();
  boost::asio::io_context other;
  auto second = Admin::open(other, settings, sources_with());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, StartsWith("admin.listen: 127.0.0.1:" + std::to_string(settings.port)));
  EXPECT_THAT(second.error().message, HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
}

TEST(AdminOpen, AnAddressThatIsNoneNamesTheSetting) {
  AdminSettings settings;
  settings.host = "no such host";
  boost::asio::io_context io;
  auto opened = Admin::open(io, settings, sources_with());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("admin.listen"));
}

TEST(AdminOpen, AnswersMayComeLaterFromAnotherThread) {
  boost::asio::io_context io{1};
  Sources sources = sources_with();
  std::thread answering;
  sources.find_calls = [&](const std::string& id, std::function<void(ApiReply)> done) {
    answering = std::thread{[id, done = std::move(done)] {
      std::this_thread::sleep_for(std::chrono::milliseconds{30});
      done(api_body(R"({"calls":["late )" + id + R"("]})"));
      done(api_body("a second answer is ignored"));
    }};
  };
  AdminSettings settings;
  settings.port = 0;
  auto admin = std::move(*Admin::open(io, settings, sources));
  std::thread thread{[&] { io.run(); }};
  boost::asio::io_context client_io;
  boost::asio::ip::tcp::socket socket{client_io};
  socket.connect({boost::asio::ip::address_v4::loopback(), admin->port()});
  boost::asio::write(
      socket,
      boost::asio::buffer(std::string{"GET /api/calls/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}));
  std::string answer;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
  EXPECT_THAT(answer, EndsWith(R"({"calls":["late x"]})"));
  answering.join();
  io.stop();
  thread.join();
}

}  // namespace
}  // namespace weir::admin
