#include "store/sqlite_part_groups.hpp"

#include <weir/exchange/failure.hpp>

namespace weir::store::sqlite {
namespace {

/// Where RowReader::Who has it; -1 = not of a call's who.
int place_in_who(Dimension dimension) {
  switch (dimension) {
    case Dimension::route:
      return 0;
    case Dimension::task:
      return 1;
    case Dimension::model:
      return 2;
    case Dimension::provider:
      return 3;
    case Dimension::key:
      return 4;
    case Dimension::group:
      return 5;
    default:
      return -1;
  }
}

}  // namespace

std::int64_t PartGroups::number_of(std::string_view text) {
  tag_ = text;
  const auto [at, is_new] = numbers_.try_emplace(tag_, static_cast<std::int64_t>(texts_.size()));
  if (is_new) texts_.push_back(tag_);
  return at->second;
}

const PartGroups::Values& PartGroups::of(std::int64_t who, std::int64_t target) {
  const auto [at, is_new] = known_.try_emplace({who, target});
  if (!is_new) return at->second;
  for (std::size_t i = 0; i < query_.by.size(); ++i) {
    const int place = place_in_who(query_.by[i]);
    if (place < 0) continue;
    std::string_view text = rows_.who(who)[static_cast<std::size_t>(place)];
    if (target != 0 && query_.by[i] == Dimension::model) text = rows_.target(target).model;
    if (target != 0 && query_.by[i] == Dimension::provider) text = rows_.target(target).provider;
    at->second[i] = number_of(text);
  }
  return at->second;
}

void PartGroups::add(std::int64_t hour, const Part& part) {
  Values values = of(part.who, part.target);
  for (std::size_t i = 0; i < query_.by.size(); ++i) {
    switch (query_.by[i]) {
      case Dimension::outcome:
        values[i] = part.outcome;
        break;
      case Dimension::failure:
        values[i] = part.failure;
        break;
      case Dimension::hour:
        values[i] = hour;
        break;
      case Dimension::day:
        values[i] = hour / 24;
        break;
      case Dimension::week:
        values[i] = hour / 24 - (hour / 24 + 3) % 7;
        break;
      case Dimension::user:
        values[i] = part.user;
        break;
      case Dimension::tag:
        values[i] = number_of(tag_of(part.tags, query_.tag));
        break;
      default:
        break;
    }
  }
  sums_[values].add(part.sums);
}

std::string PartGroups::text_of(Dimension dimension, std::int64_t value) {
  switch (dimension) {
    case Dimension::outcome:
      return outcome_text(value);
    case Dimension::failure:
      return failure_text(value);
    case Dimension::hour:
      return hour_text(value);
    case Dimension::day:
    case Dimension::week:
      return day_text(value * 24);
    case Dimension::user:
      return value == 0 ? "none" : rows_.user(value);
    default:
      return texts_[static_cast<std::size_t>(value)];
  }
}

void PartGroups::into(Groups& groups) {
  for (const auto& [values, sums] : sums_) {
    std::vector<std::string> by;
    for (std::size_t i = 0; i < query_.by.size(); ++i) by.push_back(text_of(query_.by[i], values[i]));
    groups.at(std::move(by)).add(sums);
  }
}

}  // namespace weir::store::sqlite
