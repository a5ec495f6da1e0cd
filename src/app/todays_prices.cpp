#include "app/todays_prices.hpp"

#include <utility>

namespace weir::app {

TodaysPrices::TodaysPrices(const settings::Settings& settings, std::shared_ptr<const catalogue::Catalogue> catalogue)
    : catalogue_(std::move(catalogue)) {
  for (const pipeline::ModelSettings& model : settings.models) {
    if (model.price.price) own_.emplace(model.name, *model.price.price);
    for (const pipeline::DeploymentSettings& place : model.deployments) {
      if (place.price) places_.emplace(std::pair(model.name, place.provider), *place.price);
    }
    if (!model.id.empty()) ids_.emplace(model.name, model.id);
  }
}

const Price* TodaysPrices::price_of(std::string_view model, std::string_view provider,
                                    std::string_view reply_model) const {
  // Of two places of one model at one provider the books know no difference: the first one's price.
  if (const auto place = places_.find({std::string(model), std::string(provider)}); place != places_.end()) {
    return &place->second;
  }
  if (const auto own = own_.find(model); own != own_.end()) return &own->second;
  if (!reply_model.empty()) {
    if (const auto* facts = catalogue_->find_reply_model(reply_model); facts != nullptr) return &facts->price;
  }
  if (const auto id = ids_.find(model); id != ids_.end()) {
    if (const auto* facts = catalogue_->find(id->second); facts != nullptr) return &facts->price;
  }
  const auto* facts = catalogue_->find(model);
  return facts == nullptr ? nullptr : &facts->price;
}

}  // namespace weir::app
