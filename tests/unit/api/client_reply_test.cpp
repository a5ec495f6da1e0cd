#include "api/client_reply.hpp"

#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::api {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class NoDeadline final : public net::Deadline {
 public:
  using Deadline::Deadline;

 private:
  void expired() override {}
};

class ClientReplyTest : public testing::Test {
 protected:
  ClientReplyTest() {
    fakes::Pair pair(*worker);
    connection = std::make_shared<net::Connection>(std::move(pair.socket));
    peer = std::move(pair.peer);
    exchange.request_id = "id-1";
    exchange.task = "support";
    exchange.plan.target.model = "fast";
    exchange.plan.target.provider_name = "openai";
    exchange.attempts.emplace_back();
    ask("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ~ClientReplyTest() override {
    reply.reset();
    call.reset();
    connection->close();
    connection.reset();
    worker.settle();
  }
  void ask(std::string_view request) {
    connection->input().clear();
    connection->input().append(request);
    request_head.reset();
    ASSERT_EQ(request_head.scan(connection->input().view(), {}), net::ScanState::complete);
    reply.reset();
    call.emplace(*connection, deadline, limits, request_head, draining, progress);
    reply.emplace(*call, exchange, scratch);
  }
  void begin_stream() {
    ReplyHead head;
    head.content_type = "text/event-stream";
    head.event_stream = true;
    reply->head(head);
  }
  void whole(std::string_view body) {
    ReplyHead head;
    head.content_type = "application/json";
    reply->head(head);
    Buffer buffer;
    buffer.append(body);
    reply->whole(std::move(buffer));
  }
  /// What the client got, as far as the kernel has it.
  std::string got() {
    worker.settle();
    return peer.got();
  }

  fakes::TurnedWorker worker;
  std::shared_ptr<net::Connection> connection;
  fakes::Peer peer;
  NoDeadline deadline{worker->deadlines()};
  net::LimitSettings limits;
  net::RequestHead request_head;
  net::ServerCall::Progress progress;
  bool draining = false;
  Exchange exchange;
  ClientReply::Scratch scratch;
  std::optional<net::ServerCall> call;
  std::optional<ClientReply> reply;
};

TEST_F(ClientReplyTest, AWholeReplyGoesOutWithLengthAndCost) {
  whole(R"({"ok":true})");
  exchange.cost = {123'456};
  EXPECT_EQ(got(), "");  // nothing before it is booked
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_EQ(got(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: id-1\r\nx-weir-model: fast\r\n"
            "x-weir-provider: openai\r\nx-weir-attempts: 1\r\nx-weir-task: support\r\n"
            "x-weir-cost-usd: 0.000123456\r\nx-weir-saved-usd: 0.000000000\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
  EXPECT_TRUE(reply->committed());
}

TEST_F(ClientReplyTest, AnUnknownCostIsNotSaid) {
  exchange.price_known = false;
  whole("{}");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), AllOf(EndsWith("\r\n\r\n{}"), Not(HasSubstr("x-weir-cost-usd"))));
}

TEST_F(ClientReplyTest, HeadHasNoBody) {
  ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  whole("{}");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), EndsWith("Content-Length: 2\r\n\r\n"));
}

TEST_F(ClientReplyTest, AStreamIsChunkedAndHeadAndContentLeaveTogether) {
  begin_stream();
  reply->event("data: 1\n\n");
  EXPECT_FALSE(reply->committed());
  EXPECT_EQ(got(), "");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_THAT(got(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"),
                           HasSubstr("Cache-Control: no-cache\r\n"), EndsWith("\r\n\r\n9\r\ndata: 1\n\n\r\n")));
  EXPECT_NE(exchange.first_byte_sent, TimePoint{});
  peer.forget();
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_EQ(got(), "");  // nothing new: no empty chunk, which would end it
  reply->event("data: 2\n\n");
  reply->event("data: [DONE]\n\n");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_EQ(got(), "17\r\ndata: 2\n\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

TEST_F(ClientReplyTest, AStreamToHttp10EndsWithItsConnection) {
  ask("POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
  begin_stream();
  reply->event("data: 1\n\n");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), AllOf(EndsWith("Connection: close\r\n\r\ndata: 1\n\n"), Not(HasSubstr("Transfer-Encoding"))));
  EXPECT_FALSE(call->keep_alive());
}

TEST_F(ClientReplyTest, TheUsageEventWaitsForItsCostAndKeepsItsPlace) {
  exchange.request.wants_cost = true;
  begin_stream();
  reply->event("data: 1\n\n");
  const std::string usage = R"(data: {"usage":{"n":1}})"
                            "\n\n";
  reply->usage_event(usage, usage.find('}'));
  reply->event("data: [DONE]\n\n");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_THAT(got(), EndsWith("9\r\ndata: 1\n\n\r\n"));  // what is behind it waits too
  peer.forget();
  exchange.cost = {1};
  EXPECT_TRUE(worker.run(reply->finish()));
  const std::string wanted = R"(data: {"usage":{"n":1,"weir":{"cost_usd":0.000000001}}})"
                             "\n\ndata: [DONE]\n\n";
  EXPECT_THAT(got(), HasSubstr("\r\n" + wanted + "\r\n0\r\n\r\n"));
}

TEST_F(ClientReplyTest, OfSeveralUsageEventsTheLastGetsTheCost) {
  exchange.request.wants_cost = true;
  begin_stream();
  reply->usage_event("a{}", 2);
  reply->event("b");
  reply->usage_event("c{}", 2);
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), HasSubstr("a{}bc{,\"weir\":{\"cost_usd\":0.000000000}}"));
}

TEST_F(ClientReplyTest, AFailureBeforeTheFirstByteIsAnHonestStatus) {
  begin_stream();  // what the provider had said is forgotten
  reply->event("data: 1\n\n");
  Ending ending;
  ending.failure = Failure::upstream_protocol;
  ending.phase = Phase::body;
  ending.message = "it \"broke\"";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(),
              AllOf(StartsWith("HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n"),
                    HasSubstr("x-weir-failure: upstream.protocol/body\r\n"), HasSubstr("x-should-retry: false\r\n"),
                    HasSubstr(R"("message":"it \"broke\"")"), Not(HasSubstr("data: 1"))));
}

TEST_F(ClientReplyTest, AFailureInsideAStreamIsAnEventAndTheEnd) {
  begin_stream();
  reply->event("data: 1\n\n");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  peer.forget();
  Ending ending;
  ending.failure = Failure::upstream_timeout_between_bytes;
  ending.message = "silent";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), AllOf(HasSubstr("\r\ndata: {\"error\":"), HasSubstr("upstream.timeout.between_bytes"),
                           EndsWith("\n\n\r\n0\r\n\r\n")));
  EXPECT_FALSE(call->keep_alive());
}

TEST_F(ClientReplyTest, ABrokenRawAnswerIsCutOff) {
  ReplyHead head;
  head.content_type = "audio/mpeg";
  head.length = 100;
  reply->head(head);
  reply->event("half");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_THAT(got(), AllOf(HasSubstr("Content-Length: 100\r\n"), EndsWith("\r\n\r\nhalf")));
  peer.forget();
  Ending ending;
  ending.failure = Failure::upstream_protocol;
  EXPECT_FALSE(worker.run(reply->finish_with(ending)));
  EXPECT_EQ(got(), "");
  EXPECT_FALSE(call->keep_alive());
}

TEST_F(ClientReplyTest, TheProvidersOwnErrorGoesDownByteForByte) {
  Ending ending;
  ending.failure = Failure::limit_rate;
  ending.status = 429;
  ending.provider_body = R"({"error": {"message": "slow down", "type": "t", "param": null, "code": "c"}})";
  ending.retry_after = "20";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"), HasSubstr("Retry-After: 20\r\n"),
                           EndsWith("\r\n\r\n" + ending.provider_body)));
}

TEST_F(ClientReplyTest, AnErrorOfAnotherDialectIsSaidAgainInTheClients) {
  exchange.request.dialect = Dialect::anthropic;
  Ending ending;
  ending.failure = Failure::limit_rate;
  ending.status = 429;
  ending.message = "slow down";
  ending.provider_body = R"({"error": {"message": "slow down", "type": "t", "param": null, "code": "c"}})";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), AllOf(HasSubstr("\r\nrequest-id: id-1\r\n"),
                           EndsWith(R"({"type":"error","error":{"type":"rate_limit_error","message":"slow down"},)"
                                    R"("request_id":"id-1"})")));
}

TEST_F(ClientReplyTest, AnthropicsOwnErrorGoesDownByteForByteToItsClients) {
  exchange.request.dialect = Dialect::anthropic;
  Ending ending;
  ending.failure = Failure::client_malformed;
  ending.provider_body = R"({"type":"error", "error": {"type":"x","message":"m"}})";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), EndsWith("\r\n\r\n" + ending.provider_body));
}

TEST_F(ClientReplyTest, WhatWasDroppedIsSaidInTheHead) {
  exchange.dropped = "top_k, seed";
  begin_stream();
  reply->event("data: 1\n\n");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_THAT(got(), HasSubstr("\r\nx-weir-dropped: top_k, seed\r\n"));
}

TEST_F(ClientReplyTest, ABrokenStreamEndsInAnErrorOfTheClientsDialect) {
  Ending ending;
  ending.failure = Failure::upstream_protocol;
  ending.content_sent = true;
  ending.message = "cut";
  exchange.request.dialect = Dialect::anthropic;
  begin_stream();
  reply->event("event: message_start\ndata: {}\n\n");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), AllOf(HasSubstr("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
                                     "\"message\":\"cut\"},\"request_id\":\"id-1\"}\n\n"),
                           Not(HasSubstr("message_stop"))));

  exchange.request.dialect = Dialect::openai_responses;
  ask("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
  begin_stream();
  reply->event("event: response.created\ndata: {}\n\n");
  EXPECT_EQ(worker.run(reply->flush()), Flow::go);
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(), AllOf(HasSubstr("event: error\n"), HasSubstr("\"code\":\"upstream.protocol\",\"message\":\"cut\""),
                           Not(HasSubstr("response.completed"))));
}

TEST_F(ClientReplyTest, AnAnthropicClientIsKeptAliveByPings) {
  exchange.request.dialect = Dialect::anthropic;
  worker.run(reply->keep_alive());
  EXPECT_THAT(got(), EndsWith("\r\n\r\n24\r\nevent: ping\ndata: {\"type\": \"ping\"}\n\n\r\n"));
}

TEST_F(ClientReplyTest, AWholeMessageAfterAPingBecomesItsStream) {
  exchange.request.dialect = Dialect::anthropic;
  worker.run(reply->keep_alive());
  whole(R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],)"
        R"("stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}})");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), AllOf(HasSubstr("event: message_start\n"), HasSubstr(R"("text":"Hi")"),
                           HasSubstr("event: message_stop\n")));
}

TEST_F(ClientReplyTest, OurOwnBusyInvitesBack) {
  Ending ending;
  ending.failure = Failure::gateway_busy;
  ending.message = "busy";
  EXPECT_TRUE(worker.run(reply->finish_with(ending)));
  EXPECT_THAT(got(),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"), Not(HasSubstr("x-should-retry"))));
}

TEST_F(ClientReplyTest, WhoLeftHearsNothing) {
  Ending ending;
  ending.failure = Failure::client_left;
  EXPECT_FALSE(worker.run(reply->finish_with(ending)));
  EXPECT_EQ(got(), "");
}

TEST_F(ClientReplyTest, ANameCannotEndItsLine) {
  exchange.plan.target.model = "m\r\nSet-Cookie: x\x7f";
  whole("{}");
  EXPECT_TRUE(worker.run(reply->finish()));
  EXPECT_THAT(got(), AllOf(HasSubstr("x-weir-model: m??Set-Cookie: x?\r\n"), Not(HasSubstr("\r\nSet-Cookie"))));
}

TEST_F(ClientReplyTest, AStatusOfTheTableOrTheProviders) {
  Ending ending;
  ending.failure = Failure::client_context_length;
  EXPECT_EQ(ClientReply::status_for(ending), 400);
  ending.status = 413;
  EXPECT_EQ(ClientReply::status_for(ending), 413);
  ending = {};
  ending.failure = Failure::upstream_overloaded;
  EXPECT_EQ(ClientReply::status_for(ending), 503);
}

TEST_F(ClientReplyTest, AClientThatIsGoneStopsTheStream) {
  peer.reset();
  begin_stream();
  reply->event(std::string(100'000, 'x'));
  EXPECT_EQ(worker.run(reply->flush()), Flow::stop);
}

}  // namespace
}  // namespace weir::api
