#include "api/path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::api {
namespace {

using Kind = Path::Kind;

TEST(ReadPath, OnlyPostOfChatCompletionsIsACall) {
  EXPECT_EQ(read_path("POST", "/v1/chat/completions").kind, Kind::call);
  EXPECT_EQ(read_path("POST", "/chat/completions").kind, Kind::call);
  EXPECT_EQ(read_path("POST", "/v1/chat/completions?x=/healthz").kind, Kind::call);
  for (const char* method : {"GET", "DELETE", "HEAD", "PUT", "post"}) {
    EXPECT_EQ(read_path(method, "/v1/chat/completions").kind, Kind::pass_through) << method;
  }
  EXPECT_EQ(read_path("POST", "/v1/chat/completions/").kind, Kind::pass_through);
  EXPECT_EQ(read_path("POST", "/v1/chat/completions/abc").kind, Kind::pass_through);
}

TEST(ReadPath, EachDialectHasItsPath) {
  for (const std::string prefix : {"/v1", ""}) {
    for (const std::string query : {"", "?beta=true"}) {
      const auto read = [&](const char* name, const char* method = "POST") {
        static std::string target;
        target = prefix + name + query;
        return read_path(method, target);
      };
      EXPECT_EQ(read("/chat/completions").dialect, Dialect::openai_chat);
      EXPECT_EQ(read("/messages").kind, Kind::call);
      EXPECT_EQ(read("/messages").dialect, Dialect::anthropic);
      EXPECT_EQ(read("/messages/count_tokens").kind, Kind::count_tokens);
      EXPECT_EQ(read("/messages/count_tokens").dialect, Dialect::anthropic);
      EXPECT_EQ(read("/responses").kind, Kind::call);
      EXPECT_EQ(read("/responses").dialect, Dialect::openai_responses);
      EXPECT_EQ(read("/completions").kind, Kind::call);
      EXPECT_EQ(read("/completions").dialect, Dialect::openai_completions);
      EXPECT_EQ(read("/embeddings").kind, Kind::embeddings);
      EXPECT_EQ(read("/messages/batches").kind, Kind::pass_through);
      EXPECT_EQ(read("/responses/resp_1").kind, Kind::pass_through);
      EXPECT_EQ(read("/responses", "GET").kind, Kind::pass_through);
    }
  }
}

TEST(ReadPath, ModelsAreOursToList) {
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(read_path(method, "/v1/models").kind, Kind::models);
    EXPECT_EQ(read_path(method, "/models").kind, Kind::models);
    EXPECT_EQ(read_path(method, "/v1/models?limit=1").kind, Kind::models);
    const Path one = read_path(method, "/v1/models/openai/gpt%2D4o?x=1");
    EXPECT_EQ(one.kind, Kind::model);
    EXPECT_EQ(one.model, "openai/gpt%2D4o");
    EXPECT_EQ(read_path(method, "/models/m").model, "m");
  }
  EXPECT_EQ(read_path("GET", "/v1/models/").kind, Kind::pass_through);
  EXPECT_EQ(read_path("DELETE", "/v1/models/ft").kind, Kind::pass_through);
  EXPECT_EQ(read_path("POST", "/v1/models").kind, Kind::pass_through);
}

TEST(ReadPath, EverythingElseUnderV1PassesThrough) {
  for (const char* target :
       {"/v1/embeddings/x", "/v1/audio/speech", "/v1/anything/at/all", "/v1/", "/v1/modelsx", "/v1/files?purpose=x"}) {
    EXPECT_EQ(read_path("POST", target).kind, Kind::pass_through) << target;
    EXPECT_EQ(read_path("GET", target).kind, Kind::pass_through) << target;
  }
}

TEST(ReadPath, WithoutV1OnlyTheKnownNames) {
  for (const char* target : {"/completions/x", "/responses/abc", "/messages/batches", "/files", "/files/abc/content",
                             "/batches", "/feedback", "/files?x"}) {
    EXPECT_EQ(read_path("POST", target).kind, Kind::pass_through) << target;
  }
  for (const char* target : {"/", "/v1", "/v2/chat/completions", "/embeddingsx", "/audio/speech", "/metrics", "*",
                             "/V1/chat/completions", "/chat", "/v1x/files", "/?/v1/files"}) {
    EXPECT_EQ(read_path("POST", target).kind, Kind::unknown) << target;
  }
}

TEST(ReadPath, HealthIsForEveryMethod) {
  EXPECT_EQ(read_path("GET", "/healthz").kind, Kind::health);
  EXPECT_EQ(read_path("HEAD", "/healthz?probe=1").kind, Kind::health);
  EXPECT_EQ(read_path("GET", "/healthz/").kind, Kind::unknown);
  EXPECT_EQ(read_path("GET", "/v1/healthz").kind, Kind::pass_through);
}

}  // namespace
}  // namespace weir::api
