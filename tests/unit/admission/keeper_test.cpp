#include "admission/keeper.hpp"

#include <gmock/gmock.h>

#include <vector>

#include "admission/key_text.hpp"

namespace weir::admission {
namespace {

using testing::HasSubstr;

KeySettings key(std::string name, std::string_view text) {
  KeySettings settings;
  settings.name = std::move(name);
  settings.hash = hash_of_key(text);
  return settings;
}

/// A request at the door.
struct Visit {
  Exchange exchange;
  std::vector<HeaderField> fields;

  explicit Visit(std::vector<HeaderField> given = {}) : fields(std::move(given)) {
    exchange.request.headers = fields;
    exchange.started_unix_ms = 1'000'000;
  }
};

Keeper keeper_of(std::vector<KeySettings> keys) {
  return Keeper{std::make_shared<const KeyRing>(keys)};
}

Ending refused(const Keeper& keeper, Visit& visit) {
  auto ending = keeper.admit(visit.exchange);
  if (!ending) ending = keeper.allow(visit.exchange);
  EXPECT_TRUE(ending.has_value());
  return ending.value_or(Ending{});
}

bool comes_in(const Keeper& keeper, Visit& visit) {
  return !keeper.admit(visit.exchange) && !keeper.allow(visit.exchange);
}

TEST(Keeper, BearerAndApiKeyBothOpen) {
  const Keeper keeper = keeper_of({key("one", "k-1"), key("two", "k-2")});
  for (const auto& [field, value, name] :
       {std::tuple{"Authorization", "Bearer k-1", "one"}, std::tuple{"authorization", "bearer  k-2 ", "two"},
        std::tuple{"x-api-key", "k-2", "two"}, std::tuple{"X-Api-Key", "k-1", "one"}}) {
    Visit visit({{field, value}});
    EXPECT_TRUE(comes_in(keeper, visit)) << value;
    EXPECT_EQ(visit.exchange.caller->name, name);
    EXPECT_TRUE(visit.exchange.own_key.empty());
  }
}

// SEMANTICS 34.
TEST(Keeper, AKeyMayContainSpaces) {
  const Keeper keeper = keeper_of({key("tenant", "acme support team")});
  Visit visit({{"Authorization", "Bearer acme support team"}});
  EXPECT_TRUE(comes_in(keeper, visit));
}

TEST(Keeper, NoKeyAWrongKeyAndAnotherSchemeAre401) {
  const Keeper keeper = keeper_of({key("one", "k-1")});
  for (const auto& fields :
       {std::vector<HeaderField>{}, std::vector<HeaderField>{{"Authorization", "Basic k-1"}},
        std::vector<HeaderField>{{"Authorization", "Bearer "}},
        std::vector<HeaderField>{{"Authorization", "Bearer k-2"}}, std::vector<HeaderField>{{"x-api-key", "k-1x"}}}) {
    Visit visit(fields);
    const Ending ending = refused(keeper, visit);
    EXPECT_EQ(ending.failure, Failure::client_unauthorized);
    EXPECT_EQ(ending.status, 401);
    EXPECT_EQ(ending.message.find("k-"), std::string::npos) << "a key is never repeated: " << ending.message;
    EXPECT_EQ(visit.exchange.caller, nullptr);
  }
}

TEST(Keeper, TheOtherKeyIsTheCallersOwn) {
  const Keeper keeper = keeper_of({key("one", "k-1")});
  Visit visit({{"Authorization", "Bearer sk-own"}, {"x-api-key", "k-1"}});
  EXPECT_TRUE(comes_in(keeper, visit));
  EXPECT_EQ(visit.exchange.own_key, "sk-own");
  Visit swapped({{"Authorization", "Bearer k-1"}, {"x-api-key", "sk-own"}});
  EXPECT_TRUE(comes_in(keeper, swapped));
  EXPECT_EQ(swapped.exchange.own_key, "sk-own");
}

TEST(Keeper, AnEndedKeySaysWhenItEnded) {
  KeySettings old = key("old", "k-1");
  old.expires_unix_ms = 1'000'000;
  const Keeper keeper = keeper_of({old});
  Visit visit({{"x-api-key", "k-1"}});
  EXPECT_THAT(refused(keeper, visit).message, HasSubstr("key old ended at 1970-01-01 00:16 UTC"));
  Visit before({{"x-api-key", "k-1"}});
  before.exchange.started_unix_ms = 999'999;
  EXPECT_TRUE(comes_in(keeper, before));
}

TEST(Keeper, ModelsAreAListOfWhatMayBeAsked) {
  KeySettings narrow = key("narrow", "k-1");
  narrow.models = {"support", "gpt-4o-mini", "local/*"};
  const Keeper keeper = keeper_of({narrow});
  for (const auto& [model, good] :
       {std::pair{"support", true}, std::pair{"gpt-4o-mini", true}, std::pair{"gpt-4o", false},
        std::pair{"local/qwen", true}, std::pair{"openai/gpt-4o-mini", false}, std::pair{"locals/x", false},
        std::pair{"local", false}}) {
    Visit visit({{"x-api-key", "k-1"}});
    visit.exchange.request.model = model;
    EXPECT_EQ(comes_in(keeper, visit), good) << model;
    EXPECT_EQ(keeper.shows(visit.exchange.caller, model), good) << model;
  }
  Visit visit({{"x-api-key", "k-1"}});
  visit.exchange.request.model = "gpt-4o";
  const Ending ending = refused(keeper, visit);
  EXPECT_EQ(ending.status, 403);
  EXPECT_EQ(ending.param, "model");
  EXPECT_THAT(ending.message, HasSubstr("add it to its models:"));
}

TEST(Keeper, RoutesAreAllowedByNameAsModelAndAsHeader) {
  KeySettings narrow = key("narrow", "k-1");
  narrow.routes = {"support"};
  narrow.may.add(Power::route);
  const Keeper keeper = keeper_of({narrow});
  Visit by_model({{"x-api-key", "k-1"}});
  by_model.exchange.request.model = "support";
  EXPECT_TRUE(comes_in(keeper, by_model));
  Visit other({{"x-api-key", "k-1"}});
  other.exchange.request.model = "gpt-4o";
  EXPECT_EQ(refused(keeper, other).status, 403);
  Visit by_header({{"x-api-key", "k-1"}});
  by_header.exchange.request.route = "billing";
  by_header.exchange.request.used_powers.add(Power::route);
  EXPECT_THAT(refused(keeper, by_header).message, HasSubstr("may not use route billing"));
}

TEST(Keeper, APowerThatTheKeyLacksIsNamed) {
  KeySettings plain = key("plain", "k-1");
  plain.may.add(Power::task);
  const Keeper keeper = keeper_of({plain});
  for (std::size_t i = 0; i < static_cast<std::size_t>(Power::passthrough); ++i) {
    const auto power = static_cast<Power>(i);
    Visit visit({{"x-api-key", "k-1"}});
    visit.exchange.request.model = "m";
    visit.exchange.request.used_powers.add(power);
    if (power == Power::task) {
      EXPECT_TRUE(comes_in(keeper, visit));
      continue;
    }
    const Ending ending = refused(keeper, visit);
    EXPECT_EQ(ending.status, 403);
    EXPECT_THAT(ending.message, HasSubstr("may:"));
    EXPECT_THAT(ending.message, HasSubstr(std::string(name_of(power))));
  }
}

// RULINGS 16.
TEST(Keeper, AKeyForModelsPassesThroughOnlyWithThePower) {
  KeySettings narrow = key("narrow", "k-1");
  narrow.models = {"m"};
  KeySettings wide = key("wide", "k-2");
  KeySettings passing = key("passing", "k-3");
  passing.models = {"m"};
  passing.may.add(Power::passthrough);
  const Keeper keeper = keeper_of({narrow, wide, passing});
  for (const auto& [text, model, good] :
       {std::tuple{"k-1", "", false}, std::tuple{"k-1", "m", false}, std::tuple{"k-2", "", true},
        std::tuple{"k-3", "", true}, std::tuple{"k-3", "m", true}, std::tuple{"k-3", "other", false}}) {
    Visit visit({{"x-api-key", text}});
    visit.exchange.raw = true;
    visit.exchange.request.model = model;
    EXPECT_EQ(comes_in(keeper, visit), good) << text << " " << model;
  }
}

TEST(OpenDoor, EverybodyComesInAndAKeyIsTheCallersOwn) {
  const OpenDoor door;
  Visit visit({{"Authorization", "Bearer sk-own"}});
  EXPECT_FALSE(door.admit(visit.exchange));
  EXPECT_FALSE(door.allow(visit.exchange));
  EXPECT_EQ(visit.exchange.caller, nullptr);
  EXPECT_EQ(visit.exchange.own_key, "sk-own");
}

TEST(KeyRing, FindsEachOfManyAndNoOther) {
  std::vector<KeySettings> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(key("n" + std::to_string(i), "k-" + std::to_string(i)));
  const KeyRing ring{keys};
  for (int i = 0; i < 3000; ++i) {
    const Key* found = ring.find("k-" + std::to_string(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, "n" + std::to_string(i));
    EXPECT_EQ(ring.find("x-" + std::to_string(i)), nullptr);
  }
}

}  // namespace
}  // namespace weir::admission
