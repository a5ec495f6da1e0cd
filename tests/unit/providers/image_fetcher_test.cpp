// By plain HTTP, which read_image_url() never leads to: what is fetched, and how it ends. TLS and names are
// tests/flow/test_fetch_images.py.
#include "providers/image_fetcher.hpp"

#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include <weir/exchange/limits.hpp>

namespace weir::providers {
namespace {

using testing::HasSubstr;
using vocabulary::Media;
using vocabulary::Text;

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n";

class ImageFetcherTest : public testing::Test {
 protected:
  ImageFetcherTest() {
    hosts.push_back("127.0.0.1:" + std::to_string(listener.port()));
    add("https://" + hosts[0] + "/a.png?secret");
  }
  void add(const std::string& url) {
    vocabulary::Message message;
    message.parts.push_back({vocabulary::ImagePart{{Media::Source::url, {}, Text::owned(url)}, {}}});
    request.messages.push_back(std::move(message));
  }
  const Media& media(std::size_t index = 0) const {
    return request.messages[index].parts[0].as<vocabulary::ImagePart>()->media;
  }
  void start() { worker.start(fetcher.fill_in(request, hosts, interrupt), ended); }
  fakes::Peer asked() {
    worker.until([&] { return listener.knocked(); });
    fakes::Peer peer = listener.accept();
    worker.until([&] { return peer.got().ends_with("\r\n\r\n"); });
    return peer;
  }
  const std::optional<Ending>& end() {
    worker.until([&] { return ended.has_value(); });
    return *ended;
  }

  fakes::TurnedWorker worker;
  fakes::LoopbackListener listener;
  net::Resolver resolver{*worker};
  ImageFetcher fetcher{*worker, resolver, nullptr};
  std::vector<std::string> hosts;
  vocabulary::ChatRequest request;
  Interrupt interrupt;
  std::optional<std::optional<Ending>> ended;
};

TEST_F(ImageFetcherTest, TheDataTakesTheUrlsPlace) {
  add("https://elsewhere.example/b.png");
  start();
  fakes::Peer peer = asked();
  EXPECT_THAT(peer.got(), testing::StartsWith("GET /a.png?secret HTTP/1.1\r\nHost: 127.0.0.1:"));
  peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n");
  peer.send(kPng.substr(0, 3));
  worker.settle();
  peer.send("\r\n5\r\n" + std::string(kPng.substr(3)) + "\r\n0\r\n\r\n");
  EXPECT_FALSE(end().has_value());
  EXPECT_EQ(media().source, Media::Source::base64);
  EXPECT_EQ(media().media_type.str(), "image/png");
  EXPECT_EQ(media().data.str(), "iVBORw0KGgo=");
  EXPECT_EQ(media(1).source, Media::Source::url) << "the encoder refuses it";
}

TEST_F(ImageFetcherTest, ItsTimeLimitIsNotTheCalls) {
  start();
  const fakes::Peer peer = asked();
  worker.skip(limits::fetched_images_time + std::chrono::seconds(1));
  ASSERT_TRUE(end().has_value());
  EXPECT_EQ(end()->failure, Failure::client_malformed);
  EXPECT_THAT(end()->message, testing::AllOf(HasSubstr("not within 10 s"), testing::Not(HasSubstr("secret"))));
  EXPECT_FALSE(interrupt.fired());
}

TEST_F(ImageFetcherTest, AClientThatLeavesEndsIt) {
  start();
  fakes::Peer peer = asked();
  interrupt.fire(InterruptReason::client_left);
  ASSERT_TRUE(end().has_value());
  EXPECT_EQ(end()->failure, Failure::client_left);
  worker.until([&] { return peer.ended(); });
}

TEST_F(ImageFetcherTest, CutAtEveryByteItIsARefusal) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + std::string(kPng);
  for (std::size_t size = 0; size < answer.size(); ++size) {
    ended.reset();
    start();
    fakes::Peer peer = asked();
    peer.send(std::string_view(answer).substr(0, size));
    peer.shutdown_send();
    ASSERT_TRUE(end().has_value()) << size;
    ASSERT_EQ(end()->code, "image_not_fetched") << size;
    ASSERT_EQ(media().source, Media::Source::url) << size;
  }
}

}  // namespace
}  // namespace weir::providers
