#include "app/todays_prices.hpp"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

catalogue::ModelFacts facts(std::string id, std::int64_t input) {
  catalogue::ModelFacts model;
  model.id = std::move(id);
  model.price.input = {input};
  return model;
}

pipeline::ModelSettings model(std::string name, std::string id) {
  pipeline::ModelSettings made;
  made.name = std::move(name);
  made.id = std::move(id);
  return made;
}

TEST(TodaysPrices, AreTakenInTheOrderOfRuling22) {
  settings::Settings settings;
  settings.models = {model("fast", "gpt-4o-mini"), model("own", "gpt-4o"), model("odd", "nobody-knows")};
  settings.models[1].price.price = Price{{7}, {7}, {7}, {7}};
  const TodaysPrices prices(settings, std::make_shared<const catalogue::Catalogue>(std::vector<catalogue::ModelFacts>{
                                          facts("gpt-4o-mini", 150), facts("gpt-4o", 2'500), facts("odd", 9)}));

  EXPECT_EQ(prices.price_of("own", "any", "gpt-4o-mini")->input.value, 7) << "the override";
  EXPECT_EQ(prices.price_of("fast", "any", "gpt-4o-2024-08-06")->input.value, 2'500)
      << "the reply's model, without its date";
  EXPECT_EQ(prices.price_of("fast", "any", "")->input.value, 150) << "what is sent upstream";
  EXPECT_EQ(prices.price_of("fast", "any", "some-alias")->input.value, 150);
  EXPECT_EQ(prices.price_of("odd", "any", "")->input.value, 9) << "weir's name";
  EXPECT_EQ(prices.price_of("gpt-4o", "any", "")->input.value, 2'500) << "no entry under models:";
  EXPECT_EQ(prices.price_of("unheard-of", "any", ""), nullptr);
}

TEST(TodaysPrices, OfAPlaceAreItsOwn) {
  settings::Settings settings;
  settings.models = {model("large", "gpt-4o")};
  settings.models[0].price.price = Price{{7}, {7}, {7}, {7}};
  settings.models[0].deployments = {{"cloud", "", "", 1, 0, {}}, {"local", "", "", 1, 0, Price{{1}, {1}, {1}, {1}}}};
  const TodaysPrices prices(
      settings, std::make_shared<const catalogue::Catalogue>(std::vector<catalogue::ModelFacts>{facts("gpt-4o", 9)}));
  EXPECT_EQ(prices.price_of("large", "local", "gpt-4o")->input.value, 1);
  EXPECT_EQ(prices.price_of("large", "cloud", "gpt-4o")->input.value, 7) << "the model's";
}

}  // namespace
}  // namespace weir::app
