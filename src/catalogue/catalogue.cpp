#include "catalogue/catalogue.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "catalogue/nearest.hpp"

namespace weir::catalogue {
namespace {

/// Whether `tail` has the shape of `pattern`, in which 0 stands for a digit.
bool has_shape(std::string_view tail, std::string_view pattern) {
  return std::equal(tail.begin(), tail.end(), pattern.begin(), pattern.end(),
                    [](char c, char p) { return p == '0' ? c >= '0' && c <= '9' : c == p; });
}

}  // namespace

Catalogue::Catalogue(std::vector<ModelFacts> models) : models_{std::move(models)} {
  std::size_t names = models_.size();
  for (const auto& model : models_) names += model.aliases.size();
  slots_.resize(std::bit_ceil(std::max<std::size_t>(names * 2, 2)));
  mask_ = slots_.size() - 1;
  // Ids first: an alias never hides another model's own name.
  for (std::uint32_t i = 0; i < models_.size(); ++i) insert(models_[i].id, i);
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    for (const auto& alias : models_[i].aliases) insert(alias, i);
  }
}

void Catalogue::insert(std::string_view name, std::uint32_t model) {
  if (name.empty()) return;
  std::size_t at = std::hash<std::string_view>{}(name)&mask_;
  for (; !slots_[at].name.empty(); at = (at + 1) & mask_) {
    if (slots_[at].name == name) return;
  }
  slots_[at] = {name, model};
}

const ModelFacts* Catalogue::find(std::string_view name) const {
  if (name.empty()) return nullptr;
  for (std::size_t at = std::hash<std::string_view>{}(name)&mask_; !slots_[at].name.empty(); at = (at + 1) & mask_) {
    if (slots_[at].name == name) return &models_[slots_[at].model];
  }
  return nullptr;
}

const ModelFacts* Catalogue::find_reply_model(std::string_view name) const {
  if (const auto* exact = find(name)) return exact;
  for (const std::string_view suffix : {"-0000-00-00", "-00000000", "-latest"}) {
    if (name.size() > suffix.size() && has_shape(name.substr(name.size() - suffix.size()), suffix)) {
      return find(name.substr(0, name.size() - suffix.size()));
    }
  }
  return nullptr;
}

std::string_view Catalogue::nearest(std::string_view name) const {
  Nearest search{name};
  for (const auto& model : models_) search.offer(model.id);
  for (const auto& model : models_) {
    for (const auto& alias : model.aliases) search.offer(alias);
  }
  return search.best().value_or(std::string_view{});
}

}  // namespace weir::catalogue
