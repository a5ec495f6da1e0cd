#include "dialects/openai_chat/request_patch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "dialects/openai_chat/find_model.hpp"
#include "dialects/openai_chat/request_reader.hpp"

namespace weir::openai_chat {
namespace {

using nlohmann::ordered_json;

std::string patched_by(const Patch& patch, std::string_view body) {
  std::string patched;
  patch.for_each_piece(body, [&](std::string_view piece) { patched += piece; });
  EXPECT_EQ(patched.size(), patch.patched_size(body.size()));
  return patched;
}

std::string patched(std::string_view body, std::string_view model = "", bool inject = false) {
  const auto facts = read_request(body);
  EXPECT_TRUE(facts.has_value()) << body << (facts ? "" : facts.error().message);
  return facts ? patched_by(make_patch(*facts, model, inject), body) : "";
}

TEST(RequestPatch, with_nothing_to_change_the_body_is_the_clients) {
  const std::string body = R"( { "model" : "m" , "messages" : [ ] , "temperature" : 1.0 } )";
  EXPECT_EQ(patched(body), body);
  EXPECT_EQ(patched(body, "m"), body);
  EXPECT_TRUE(make_patch(*read_request(body), "m", false).empty());
}

TEST(RequestPatch, only_the_models_value_is_replaced) {
  EXPECT_EQ(patched(R"({ "model" :  "m" ,"messages":[{"model":"m"}]})", "org/\"x\""),
            R"({ "model" :  "org/\"x\"" ,"messages":[{"model":"m"}]})");
  EXPECT_EQ(patched(R"({"model":"\u006d","messages":[]})", "m"), R"({"model":"\u006d","messages":[]})");
}

TEST(RequestPatch, semantics_1_usage_is_always_asked_for) {
  const std::string head = R"({"model":"m","messages":[],"stream":true)";
  EXPECT_EQ(patched(head + "}", "", true), head + R"(,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(patched(head + "\n}", "", true), head + "\n" + R"(,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":null})", "", true),
            head + R"(,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{}})", "", true),
            head + R"(,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{ }})", "", true),
            head + R"(,"stream_options":{"include_usage":true }})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{"include_usage":false,"x":1}})", "", true),
            head + R"(,"stream_options":{"include_usage":true,"x":1}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{"include_usage":null}})", "", true),
            head + R"(,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{ "x":1}})", "", true),
            head + R"(,"stream_options":{"include_usage":true, "x":1}})");
  EXPECT_EQ(patched(head + R"(,"stream_options":{"include_usage":true}})", "", true),
            head + R"(,"stream_options":{"include_usage":true}})");
}

TEST(RequestPatch, semantics_38_metadata_goes_unless_store_is_true) {
  EXPECT_EQ(patched(R"({"model":"m","metadata":{"a":"b"},"messages":[]})"), R"({"model":"m","messages":[]})");
  EXPECT_EQ(patched(R"({"metadata":{"a":"b"} , "model":"m","messages":[]})"), R"({ "model":"m","messages":[]})");
  EXPECT_EQ(patched(R"({"model":"m","messages":[] , "metadata":{"a":"b"} })"), R"({"model":"m","messages":[]  })");
  EXPECT_EQ(patched(R"({"model":"m","messages":[],"store":false,"metadata":null})"),
            R"({"model":"m","messages":[],"store":false})");
  EXPECT_EQ(patched(R"({"model":"m","messages":[],"metadata":{"task_type":"x"}})", "", true),
            R"({"model":"m","messages":[],"stream_options":{"include_usage":true}})");
}

TEST(RequestPatch, semantics_38_with_store_only_our_two_members_go) {
  const auto with_store = [](const std::string& metadata) {
    return R"({"model":"m","messages":[],"store":true)" + metadata + "}";
  };
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"task_type":"t","a":"b","user_id":"u"})")),
            with_store(R"(,"metadata":{"a":"b"})"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"task_type":"t","user_id":"u", "a":"b"})")),
            with_store(R"(,"metadata":{ "a":"b"})"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"a":"b" , "task_type":"t" , "user_id":"u" })")),
            with_store(R"(,"metadata":{"a":"b"   })"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"a":"b","task_type":"t","c":"d"})")),
            with_store(R"(,"metadata":{"a":"b","c":"d"})"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"user_id":"u","task_type":"t"})")), with_store(""));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"user_id":"u"})")), with_store(""));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{"a":"b"})")), with_store(R"(,"metadata":{"a":"b"})"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":{})")), with_store(R"(,"metadata":{})"));
  EXPECT_EQ(patched(with_store(R"(,"metadata":null)")), with_store(R"(,"metadata":null)"));
}

/// Bodies with members in any order and odd white space, against the same change made on a tree.
class RandomBody {
 public:
  explicit RandomBody(std::uint32_t seed) : dice_(seed) {}

  std::string make() {
    std::vector<std::string> members{
        R"("model":)" + pick({R"("m")", R"("a\u0062")", R"("ünï")"}),
        R"("messages":)" + pick({R"([])", R"([{"role":"user","content":"say \"model\":\"x\" {,}"}])",
                                 R"([{"model":"n","metadata":{"task_type":1},"stream":0}])"})};
    const auto maybe = [&](const std::string& member) {
      if (dice_() % 2 == 0) members.push_back(member);
    };
    maybe(R"("stream":)" + pick({"true", "false", "null"}));
    maybe(R"("store":)" + pick({"true", "true", "false", "null"}));
    maybe(R"("stream_options":)" +
          pick({"null", "{}", "{ }", R"({"include_usage":false})", R"({"include_usage":true,"x":{}})",
                R"({"x":[1,2],"include_usage" : null})", R"({"x":1})"}));
    maybe(R"("temperature":1.0)");
    maybe(R"("tools":[{"function":{"name":"f","parameters":{"metadata":{"user_id":"}"}}}}])");
    if (dice_() % 3 != 0) members.push_back(R"("metadata":)" + metadata());
    std::shuffle(members.begin(), members.end(), dice_);
    return object(members);
  }

 private:
  std::string metadata() {
    std::vector<std::string> members;
    for (const char* member : {R"("task_type":"support")", R"("user_id":"ü\n")", R"("a":"b")", R"("c":"{}")"}) {
      if (dice_() % 2 == 0) members.emplace_back(member);
    }
    std::shuffle(members.begin(), members.end(), dice_);
    return object(members);
  }
  std::string object(const std::vector<std::string>& members) {
    std::string text = "{" + space();
    for (std::size_t i = 0; i < members.size(); ++i) text += (i == 0 ? "" : "," + space()) + members[i] + space();
    return text + "}";
  }
  std::string space() { return pick({"", "", " ", "\n\t", "\r\n  "}); }
  std::string pick(std::initializer_list<const char*> of) { return *(of.begin() + dice_() % of.size()); }

  std::mt19937 dice_;
};

ordered_json expected_document(const std::string& body, const std::string& model, bool inject) {
  ordered_json document = ordered_json::parse(body);
  if (!model.empty()) document["model"] = model;
  if (document.contains("metadata")) {
    const bool store = document.contains("store") && document["store"] == true;
    if (!store) {
      document.erase("metadata");
    } else if (document["metadata"].is_object()) {
      auto& metadata = document["metadata"];
      const auto cut = metadata.erase("task_type") + metadata.erase("user_id");
      if (cut > 0 && metadata.empty()) document.erase("metadata");
    }
  }
  if (inject) {
    if (!document.contains("stream_options") || document["stream_options"].is_null()) {
      document["stream_options"] = ordered_json::object();
    }
    document["stream_options"]["include_usage"] = true;
  }
  return document;
}

TEST(RequestPatch, random_bodies_say_after_it_what_a_tree_would_say) {
  RandomBody bodies{7};
  for (int round = 0; round < 5'000; ++round) {
    const std::string body = bodies.make();
    const auto facts = read_request(body);
    ASSERT_TRUE(facts.has_value()) << body << facts.error().message;
    for (const std::string model : {"", "other/model"}) {
      for (const bool inject : {false, true}) {
        const Patch patch = make_patch(*facts, model, inject);
        const std::string after = patched_by(patch, body);
        // nlohmann::json compares members in any order.
        ASSERT_EQ(nlohmann::json(ordered_json::parse(after)), nlohmann::json(expected_document(body, model, inject)))
            << body << "\n"
            << after;
        // All bytes outside the ranges are the client's, in their order.
        std::size_t at = 0;
        std::size_t out = 0;
        for (const Patch::Edit& edit : patch) {
          ASSERT_LE(at, edit.begin);
          ASSERT_EQ(body.substr(at, edit.begin - at), after.substr(out, edit.begin - at));
          out += edit.begin - at + edit.replacement.size();
          at = edit.end;
        }
        ASSERT_EQ(body.substr(at), after.substr(out));
        ASSERT_TRUE(read_request(after).has_value()) << after;
      }
    }
  }
}

TEST(FindModel, in_any_object_with_a_model) {
  const std::string body = R"({"input":["a",{"model":"no"}], "model" : "text-embedding-3-small"})";
  const auto found = find_model(body);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->name.view(), "text-embedding-3-small");
  EXPECT_EQ(body.substr((*found)->value.begin, (*found)->value.size()), "\"text-embedding-3-small\"");
  for (const std::string_view none :
       {"", "[]", "{}", R"({"model":7})", R"({"model":"m")", "--boundary", "{\"model\":\"\xff\"}"}) {
    const auto nothing = find_model(none);
    ASSERT_TRUE(nothing.has_value()) << none;
    EXPECT_FALSE(*nothing) << none;
  }
  EXPECT_FALSE(find_model(R"({"model":"a","model":"b"})").has_value());
  EXPECT_FALSE(find_model(R"({"model":"a","MODEL":"b"})").has_value());
}

}  // namespace
}  // namespace weir::openai_chat
