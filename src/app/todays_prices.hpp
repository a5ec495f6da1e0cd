#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <weir/exchange/price.hpp>
#include "catalogue/catalogue.hpp"
#include "settings/settings.hpp"

namespace weir::app {

/// What models cost as settings and catalogue say now, in the order of RULINGS 22. What `weir report --reprice` asks.
class TodaysPrices {
 public:
  TodaysPrices(const settings::Settings& settings, std::shared_ptr<const catalogue::Catalogue> catalogue);
  /// `model` and `provider` as the books call them; null = unknown.
  const Price* price_of(std::string_view model, std::string_view provider, std::string_view reply_model) const;

 private:
  std::shared_ptr<const catalogue::Catalogue> catalogue_;
  std::map<std::string, Price, std::less<>> own_;                ///< overrides under models:, by weir's name
  std::map<std::pair<std::string, std::string>, Price> places_;  ///< those of one of its places, by provider too
  std::map<std::string, std::string, std::less<>> ids_;          ///< sent upstream, by weir's name
};

}  // namespace weir::app
