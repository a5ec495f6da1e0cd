#include "catalogue/nearest.hpp"

#include <algorithm>
#include <array>

namespace weir::catalogue {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Optimal string alignment: insert, delete, replace, swap two neighbours. `a` is in lower case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, Nearest::longest + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& now = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == lower(b[j - 1]);
      now[j] = std::min({above[j] + 1, now[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == lower(b[j - 2]) && a[i - 2] == lower(b[j - 1])) {
        now[j] = std::min(now[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

Nearest::Nearest(std::string_view name) : name_{name.substr(0, longest + 1)}, limit_{name_.size() / 3} {
  std::transform(name_.begin(), name_.end(), name_.begin(), lower);
  if (limit_ == 0 && name_.size() >= 2) limit_ = 1;
}

void Nearest::offer(std::string_view candidate) {
  if (name_.empty() || name_.size() > longest || candidate.empty() || candidate.size() > longest) return;
  const std::size_t gap =
      candidate.size() > name_.size() ? candidate.size() - name_.size() : name_.size() - candidate.size();
  if (gap > limit_ || (found_ && limit_ == 0)) return;
  const std::size_t edits = distance(name_, candidate);
  // Ties keep the earlier one: a later candidate must be nearer, not as near.
  if (edits > limit_ || (found_ && edits == limit_)) return;
  best_ = candidate;
  limit_ = edits;
  found_ = true;
}

std::optional<std::string_view> Nearest::best() const {
  return found_ ? std::optional{best_} : std::nullopt;
}

std::optional<std::string_view> nearest(std::string_view name, std::span<const std::string_view> candidates) {
  Nearest search{name};
  for (const auto candidate : candidates) search.offer(candidate);
  return search.best();
}

}  // namespace weir::catalogue
