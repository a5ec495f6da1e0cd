#include "net/server_session.hpp"

#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using namespace std::chrono_literals;

/// Answers each request with what it understood of it; what it does beyond that is the test's.
class Echo final : public RequestHandler {
 public:
  awaitable<void> handle(ServerCall& call) override {
    ++calls;
    const std::string target_before(call.head().target());
    if (read_body) {
      state = co_await call.read_body();
      if (state != BodyState::complete) {
        call.close_after();
        const std::string refused = refusal(400, "body");
        const bool sent = co_await call.send(piece(refused));
        EXPECT_TRUE(sent || state == BodyState::left);
        co_return;
      }
    }
    EXPECT_EQ(call.head().target(), target_before) << "views of the head must be made anew";
    const std::string_view body = read_body ? call.body() : std::string_view{};
    const std::string copy(body);
    if (gate != nullptr) {
      call.watch(watcher);
      co_await gate->wait();
      call.stop_watching();
    }
    EXPECT_EQ(body, copy) << "the body must stand still while the call runs";
    EXPECT_EQ(call.head().target(), target_before);
    const std::string text = target_before + " " + copy;
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n";
    if (!call.settle_keep_alive()) answer += "Connection: close\r\n";
    answer += "\r\n" + text;
    if (gate_after_head != nullptr) co_await gate_after_head->wait();
    answer.append(answer_bytes, 'x');  // what the head does not announce: only for who reads none of it
    co_await call.send(piece(answer));
  }
  std::string refusal(std::uint16_t status, std::string_view) override {
    ++refusals;
    return "HTTP/1.1 " + std::to_string(status) + " Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  }
  std::span<asio::const_buffer> piece(const std::string& text) {
    one_ = asio::buffer(text);
    return {&one_, 1};
  }

  struct Watching final : Connection::Watcher {
    void peer_left() override { ++left; }
    int left = 0;
  } watcher;
  bool read_body = true;
  BodyState state = BodyState::complete;
  Event* gate = nullptr;             ///< the answer waits for it
  Event* gate_after_head = nullptr;  ///< its bytes do
  std::size_t answer_bytes = 0;      ///< more of them
  int calls = 0;
  int refusals = 0;

 private:
  asio::const_buffer one_;
};

std::string ok(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

class ServerSessionTest : public testing::Test {
 protected:
  ServerSessionTest() { limits.body_bytes = 1'000'000; }
  ~ServerSessionTest() override {
    if (door_) {
      door_->abort();
      worker.until([&] { return door_->sessions() == 0; });
      EXPECT_EQ(connections.load(), 0U);
    }
    worker.settle();
  }
  Door& door() {
    if (!door_) door_ = std::make_unique<Door>(*worker, handler, limits, connections, bodies ? &*bodies : nullptr);
    return *door_;
  }
  fakes::Peer connect() {
    fakes::Pair pair(*worker);
    connections.fetch_add(1);
    door().take(std::move(pair.socket), nullptr);
    worker.settle();
    return std::move(pair.peer);
  }
  void expect_answer(fakes::Peer& peer, const std::string& wanted) {
    worker.until([&] { return peer.got().size() >= wanted.size() || peer.ended(); });
    EXPECT_EQ(peer.got(), wanted);
    peer.forget();
  }

  fakes::TurnedWorker worker;
  LimitSettings limits;
  Echo handler;
  std::atomic<std::size_t> connections{0};
  std::optional<BodyBudget> bodies;

 private:
  std::unique_ptr<Door> door_;
};

TEST_F(ServerSessionTest, AnswersRequestAfterRequest) {
  fakes::Peer peer = connect();
  for (int i = 0; i < 3; ++i) {
    peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_answer(peer, ok("/a "));
    peer.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    expect_answer(peer, ok("/b body"));
  }
  EXPECT_EQ(handler.calls, 6);
  EXPECT_EQ(door().sessions(), 1U);
}

TEST_F(ServerSessionTest, ARequestCutAtEveryPlaceIsTheSame) {
  const std::string whole =
      "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=f\r\nde\r\n0\r\n\r\n";
  fakes::Peer peer = connect();
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    peer.send(whole.substr(0, cut));
    worker.settle();
    peer.send(whole.substr(cut));
    expect_answer(peer, ok("/cut abcde"));
  }
}

TEST_F(ServerSessionTest, PipelinedRequestsAreAnsweredInOrder) {
  fakes::Peer peer = connect();
  peer.send(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_answer(peer, ok("/1 one") + ok("/2 two") + ok("/3 "));
}

TEST_F(ServerSessionTest, TheBodyStandsStillWhileTheNextRequestComes) {
  Event gate;
  handler.gate = &gate;
  fakes::Peer peer = connect();
  const std::string body(3000, 'b');
  peer.send("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n" + body);
  worker.until([&] { return gate.awaited(); });
  peer.send("POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + std::string(9000, 'c'));
  worker.settle();
  gate.notify();
  worker.until([&] { return gate.awaited(); });
  gate.notify();
  expect_answer(peer, ok("/1 " + body) + ok("/2 " + std::string(9000, 'c')));
}

TEST_F(ServerSessionTest, ALargeChunkedBodyArrivesWhole) {
  std::string body, wire = "POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 3000; ++i) {
    const std::string chunk(static_cast<std::size_t>(i % 97 + 1), static_cast<char>('a' + i % 26));
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    wire += size + chunk + "\r\n";
    body += chunk;
  }
  wire += "0\r\n\r\n";
  fakes::Peer peer = connect();
  for (std::size_t at = 0; at < wire.size(); at += 10'007) {
    peer.send(std::string_view(wire).substr(at, 10'007));
    worker.settle();
  }
  expect_answer(peer, ok("/large " + body));
}

TEST_F(ServerSessionTest, ABodyAboveTheLimitIsRefusedUnread) {
  fakes::Peer peer = connect();
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n");
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(handler.state, BodyState::too_large);
  EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 400 ")) << peer.got();
}

TEST_F(ServerSessionTest, AChunkedBodyIsRefusedOnceItIsAboveTheLimit) {
  limits.body_bytes = 10;
  fakes::Peer peer = connect();
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n");
  worker.settle();
  EXPECT_EQ(handler.refusals, 0);  // just what is allowed
  peer.send("1\r\nx\r\n");
  worker.until([&] { return handler.refusals == 1; });
  EXPECT_EQ(handler.state, BodyState::too_large);
}

TEST_F(ServerSessionTest, ContinueIsSaidOnceTheBodyIsWanted) {
  fakes::Peer peer = connect();
  peer.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  expect_answer(peer, "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("body");
  expect_answer(peer, ok("/c body"));
}

TEST_F(ServerSessionTest, ContinueIsNotSaidToWhatIsRefusedOrHasCome) {
  fakes::Peer peer = connect();
  peer.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
  expect_answer(peer, ok("/c body"));
  peer.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\nExpect: 100-continue\r\n\r\n");
  worker.until([&] { return peer.ended(); });
  EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 400 ")) << peer.got();
}

TEST_F(ServerSessionTest, LargeBodiesShareTheMemoryForThem) {
  Event gate;
  handler.gate = &gate;
  bodies.emplace(300'000);
  const auto request = [](std::size_t size) {
    return "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  fakes::Peer first = connect();
  first.send(request(200'000) + std::string(200'000, 'x'));
  worker.until([&] { return gate.awaited(); });
  EXPECT_EQ(bodies->held(), 200'000U);
  handler.gate = nullptr;

  fakes::Peer second = connect();
  second.send(request(200'000));  // refused before its body came
  expect_answer(second, handler.refusal(400, ""));
  EXPECT_EQ(handler.state, BodyState::no_room);
  fakes::Peer third = connect();
  third.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  third.send("1d4c0\r\n" + std::string(120'000, 'x') + "\r\n");
  expect_answer(third, handler.refusal(400, ""));
  EXPECT_EQ(handler.state, BodyState::no_room);
  fakes::Peer small = connect();
  small.send(request(60'000) + std::string(60'000, 'x'));
  worker.until([&] { return small.got().starts_with("HTTP/1.1 200"); });

  gate.notify();
  worker.until([&] { return first.got().size() > 200'000; });
  worker.until([&] { return bodies->held() == 0; });
  fakes::Peer again = connect();
  again.send(request(200'000) + std::string(200'000, 'x'));
  worker.until([&] { return again.got().starts_with("HTTP/1.1 200"); });
}

TEST_F(ServerSessionTest, AMalformedChunkIsSaid) {
  fakes::Peer peer = connect();
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(handler.state, BodyState::malformed);
}

TEST_F(ServerSessionTest, AClientThatLeavesInItsBodyIsNoticed) {
  for (const char* framing : {"Content-Length: 10", "Transfer-Encoding: chunked"}) {
    fakes::Peer peer = connect();
    handler.state = BodyState::complete;
    peer.send(std::string("POST / HTTP/1.1\r\nHost: x\r\n") + framing + "\r\n\r\n5\r\nab");
    worker.settle();
    peer.close();
    worker.until([&] { return door().sessions() == 0; });
    EXPECT_EQ(handler.state, BodyState::left) << framing;
  }
}

TEST_F(ServerSessionTest, ABodyThatIsNotReadClosesTheConnection) {
  handler.read_body = false;
  fakes::Peer peer = connect();
  peer.send("POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(peer.got(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n/n ");
}

TEST_F(ServerSessionTest, ConnectionCloseIsHeld) {
  fakes::Peer peer = connect();
  peer.send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(peer.got(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n/x ");
  peer.close();
  worker.until([&] { return door().sessions() == 0; });
}

TEST_F(ServerSessionTest, WhatIsNoRequestIsRefusedAndNeverReachesTheHandler) {
  for (const char* rubbish : {"rubbish\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/3.0\r\nHost: x\r\n\r\n"}) {
    fakes::Peer peer = connect();
    peer.send(rubbish);
    worker.until([&] { return peer.ended(); });
    EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 ")) << rubbish;
  }
  EXPECT_EQ(handler.refusals, 3);
  EXPECT_EQ(handler.calls, 0);
}

TEST_F(ServerSessionTest, ASlowHeadHearsWhy) {
  fakes::Peer peer = connect();
  peer.send("GET / HTTP/1.1\r\nHo");
  worker.settle();
  worker.skip(5s);
  worker.settle();
  EXPECT_EQ(peer.got(), "");
  worker.skip(5100ms);
  worker.until([&] { return peer.ended(); });
  EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 408 ")) << peer.got();
}

TEST_F(ServerSessionTest, ASlowBodyIsTooSlow) {
  for (const char* framing : {"Content-Length: 10", "Transfer-Encoding: chunked"}) {
    fakes::Peer peer = connect();
    handler.state = BodyState::complete;
    peer.send(std::string("POST / HTTP/1.1\r\nHost: x\r\n") + framing + "\r\n\r\n5\r\nab");
    worker.settle();
    worker.skip(61s);
    worker.until([&] { return peer.ended(); });
    EXPECT_EQ(handler.state, BodyState::too_slow) << framing;
    EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 400 "));
  }
}

TEST_F(ServerSessionTest, AnIdleConnectionIsClosedInTimeAndNotBefore) {
  fakes::Peer peer = connect();
  worker.skip(60s);
  worker.settle();
  EXPECT_FALSE(peer.ended());
  worker.skip(16s);
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(peer.got(), "");
}

TEST_F(ServerSessionTest, TheWatcherHearsThatTheClientLeft) {
  Event gate;
  handler.gate = &gate;
  fakes::Peer peer = connect();
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  worker.until([&] { return gate.awaited(); });
  peer.close();
  worker.until([&] { return handler.watcher.left == 1; });
  gate.notify();
  worker.until([&] { return door().sessions() == 0; });
}

TEST_F(ServerSessionTest, DrainingClosesIdleOnesAndLetsTheOthersFinish) {
  Event gate;
  handler.gate = &gate;
  fakes::Peer idle = connect(), busy = connect();
  busy.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
  worker.until([&] { return gate.awaited(); });
  door().drain(Door::Drain::at_once);
  worker.until([&] { return idle.ended(); });
  EXPECT_FALSE(busy.ended());
  gate.notify();
  worker.until([&] { return busy.ended(); });
  EXPECT_EQ(busy.got(), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n/busy ");
}

TEST_F(ServerSessionTest, APatientDrainAnswersAnIdleConnectionOnceMore) {
  fakes::Peer idle = connect();
  idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_answer(idle, ok("/a "));
  door().drain(Door::Drain::patient);
  fakes::Peer fresh = connect();  // was in the acceptor's hands when the drain began
  worker.settle();
  EXPECT_FALSE(idle.ended());
  for (fakes::Peer* peer : {&idle, &fresh}) {
    peer->send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    worker.until([&] { return peer->ended(); });
    EXPECT_EQ(peer->got(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n/b ");
  }
}

TEST_F(ServerSessionTest, APatientDrainEndsWithTheIdleLimitOrWithADrainAtOnce) {
  fakes::Peer waits = connect();
  door().drain(Door::Drain::patient);
  worker.settle();
  EXPECT_FALSE(waits.ended());
  worker.skip(limits.idle + 100ms);
  worker.until([&] { return waits.ended(); });
  fakes::Peer other = connect();
  worker.settle();
  EXPECT_FALSE(other.ended());
  door().drain(Door::Drain::at_once);
  worker.until([&] { return other.ended(); });
}

TEST_F(ServerSessionTest, PipelinedRequestsAreAllAnsweredBeforeADrainCloses) {
  for (const Door::Drain how : {Door::Drain::patient, Door::Drain::at_once}) {
    Event gate;
    handler.gate = &gate;
    fakes::Peer peer = connect();
    const std::string request = "GET /p HTTP/1.1\r\nHost: x\r\n\r\n";
    peer.send(request + request);
    worker.until([&] { return gate.awaited(); });
    door().drain(how);
    gate.notify();
    worker.until([&] { return gate.awaited(); });
    gate.notify();
    worker.until([&] { return peer.ended(); });
    EXPECT_EQ(peer.got(), ok("/p ") + "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n/p ");
    handler.gate = nullptr;
  }
}

/// A head that said nothing of a close is kept to: the request that the client sends next is answered.
TEST_F(ServerSessionTest, APatientDrainKeepsWhatAnAnswersHeadHasSaid) {
  Event gate;
  handler.gate_after_head = &gate;
  fakes::Peer peer = connect();
  peer.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  worker.until([&] { return gate.awaited(); });
  door().drain(Door::Drain::patient);
  gate.notify();
  expect_answer(peer, ok("/s "));
  handler.gate_after_head = nullptr;
  peer.send("GET /t HTTP/1.1\r\nHost: x\r\n\r\n");
  worker.until([&] { return peer.ended(); });
  EXPECT_EQ(peer.got(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n/t ");
}

/// Whoever takes no byte of the answer has left; whoever takes some is waited for.
TEST_F(ServerSessionTest, AClientThatTakesNothingIsLeftAfterItsTime) {
  handler.answer_bytes = 16 << 20;
  fakes::Peer peer = connect();
  peer.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  worker.settle();
  EXPECT_EQ(door().sessions(), 1U);
  worker.skip(limits::client_write_time - 20s);
  worker.settle();
  EXPECT_EQ(door().sessions(), 1U);
  worker.skip(21s);
  worker.until([&] { return door().sessions() == 0; });
}

TEST_F(ServerSessionTest, ALingeringCloseTakesWhatStillComes) {
  handler.read_body = false;
  fakes::Peer peer = connect();
  peer.send("POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
  worker.until([&] { return peer.ended(); });
  peer.send(std::string(60'000, 'x'));  // not reset: the answer arrived and more may come for a moment
  worker.settle();
  EXPECT_EQ(door().sessions(), 1U);
  worker.skip(1100ms);
  worker.until([&] { return door().sessions() == 0; });
}

}  // namespace
}  // namespace weir::net
