#include "net/tls.hpp"

#include "fakes/certificate.hpp"
#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"
#include "net/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace weir::net {
namespace {

using testing::HasSubstr;

TEST(Tls, AGoodPairIsTaken) {
  const fakes::Certificate own("localhost");
  EXPECT_TRUE(make_server_tls(own.certificate_file(), own.key_file()));
  EXPECT_TRUE(make_client_tls(own.certificate_file(), true));
  EXPECT_TRUE(make_client_tls("", true));
  EXPECT_TRUE(make_client_tls("", false));
}

TEST(Tls, ErrorsNameTheFileAndTheSetting) {
  const fakes::Certificate own("localhost"), other("localhost");
  const fakes::TextFile no_pem("no certificate");

  auto made = make_server_tls("/nowhere/chain.pem", own.key_file());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("tls.cert"), HasSubstr("/nowhere/chain.pem")));

  made = make_server_tls(no_pem.path(), own.key_file());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("tls.cert"), HasSubstr(no_pem.path())));

  made = make_server_tls(own.certificate_file(), "/nowhere/key.pem");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("tls.key"), HasSubstr("/nowhere/key.pem")));

  made = make_server_tls(own.certificate_file(), no_pem.path());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("tls.key"), HasSubstr(no_pem.path())));

  made = make_server_tls(own.certificate_file(), other.key_file());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr(other.key_file()), HasSubstr(own.certificate_file())));

  for (const std::string& ca : {std::string("/nowhere/ca.pem"), no_pem.path()}) {
    made = make_client_tls(ca, true);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("tls.ca"), HasSubstr(ca)));
  }
}

awaitable<void> read(Connection& link, std::size_t room) {
  co_await link.more(room);
}

/// Both ends of one connection under TLS, on one worker.
class TlsConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    fakes::Pair pair(*worker);
    server = std::make_shared<Connection>(std::move(pair.socket));
    Socket other(worker->executor());
    other.assign(Tcp::v4(), pair.peer.release());
    client = std::make_shared<Connection>(std::move(other));
    server_tls = *make_server_tls(own.certificate_file(), own.key_file());
  }
  void TearDown() override {
    server->close();
    client->close();
    server.reset();
    client.reset();
    worker.settle();
  }
  void shake_hands(std::shared_ptr<TlsContext> client_tls, const std::string& host) {
    worker.start(server->start_tls(*server_tls, ""), server_error);
    worker.start(client->start_tls(*client_tls, host), client_error);
    worker.until([&] { return client_error.has_value(); });
    if (*client_error) client->close();
    worker.until([&] { return server_error.has_value(); });
  }

  fakes::TurnedWorker worker;
  fakes::Certificate own{"localhost"};
  std::shared_ptr<TlsContext> server_tls;
  std::shared_ptr<Connection> server, client;
  std::optional<ErrorCode> server_error, client_error;
};

TEST_F(TlsConnectionTest, CarriesBytesBothWays) {
  const auto client_tls = *make_client_tls(own.certificate_file(), true);
  shake_hands(client_tls, "localhost");
  ASSERT_FALSE(*client_error) << client_error->message();
  ASSERT_FALSE(*server_error) << server_error->message();

  EXPECT_TRUE(worker.run(client->write("question")));
  worker.run(read(*server, 100));
  EXPECT_EQ(server->input().view(), "question");

  std::string large;
  while (large.size() < 300'000) large += std::to_string(large.size());
  std::optional<bool> written;
  worker.start(server->write(large), written);
  while (client->input().size() < large.size() && !client->ended()) worker.run(read(*client, 65536));
  EXPECT_TRUE(client->input().view() == large);
  worker.until([&] { return written.has_value(); });
  EXPECT_TRUE(*written);

  server->close();
  worker.run(read(*client, 1));
  EXPECT_TRUE(client->ended());
}

TEST_F(TlsConnectionTest, AnotherHostsCertificateIsRefused) {
  shake_hands(*make_client_tls(own.certificate_file(), true), "example.com");
  EXPECT_TRUE(*client_error);
  EXPECT_TRUE(*server_error);
}

TEST_F(TlsConnectionTest, AnUnknownAuthorityIsRefused) {
  const fakes::Certificate other("localhost");
  shake_hands(*make_client_tls(other.certificate_file(), true), "localhost");
  EXPECT_TRUE(*client_error);
}

}  // namespace
}  // namespace weir::net
