#include "targets/first_byte_times.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir::targets {
namespace {

// Prompts up to 4 kB, 32 kB, 256 kB and above: reading the prompt is what the first byte waits for.
unsigned size_class(std::uint64_t bytes) {
  return bytes <= 4096 ? 0 : bytes <= 32768 ? 1 : bytes <= 262144 ? 2 : 3;
}

unsigned size_class(std::uint64_t bytes, Awaited awaited) {
  return size_class(bytes) + (awaited == Awaited::whole ? 4 : 0);
}

constexpr double kSmallestMs = 10;
constexpr double kPerDoubling = 6;

std::size_t bucket_of(Duration took, std::size_t buckets) {
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  if (ms <= kSmallestMs) return 0;
  return std::min(buckets - 1, static_cast<std::size_t>(std::ceil(std::log2(ms / kSmallestMs) * kPerDoubling)));
}

std::size_t mix(std::string_view provider, std::string_view model, unsigned size_class) {
  const std::hash<std::string_view> hash;
  return hash(provider) ^ std::rotl(hash(model), 21) ^ size_class;
}

}  // namespace

std::size_t FirstByteTimes::Hash::operator()(const KeyView& key) const {
  return mix(key.provider, key.model, key.size_class);
}
std::size_t FirstByteTimes::Hash::operator()(const Key& key) const {
  const std::string_view both = key.provider_and_model;
  const std::size_t cut = both.find('\0');
  return mix(both.substr(0, cut), both.substr(cut + 1), key.size_class);
}
bool FirstByteTimes::Equal::operator()(const Key& a, const Key& b) const {
  return a.size_class == b.size_class && a.provider_and_model == b.provider_and_model;
}
bool FirstByteTimes::Equal::operator()(const KeyView& a, const Key& b) const {
  const std::string_view both = b.provider_and_model;
  return a.size_class == b.size_class && both.size() == a.provider.size() + 1 + a.model.size() &&
         both.starts_with(a.provider) && both[a.provider.size()] == '\0' && both.ends_with(a.model);
}

void FirstByteTimes::record(std::string_view provider, std::string_view model, std::uint64_t prompt_bytes,
                            Duration took, Awaited awaited) {
  const KeyView view{provider, model, size_class(prompt_bytes, awaited)};
  auto at = series_.find(view);
  if (at == series_.end()) {
    if (series_.size() >= kSeriesMax) return;
    std::string name(provider);
    name.push_back('\0');
    name.append(model);
    at = series_.emplace(Key{std::move(name), view.size_class}, Series{}).first;
  }
  ++at->second.counts[bucket_of(took, kBuckets)];
  ++at->second.total;
}

double FirstByteTimes::Series::quantile_ms(unsigned percent) const {
  const std::uint64_t wanted = (static_cast<std::uint64_t>(total) * percent + 99) / 100;
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && (seen += counts[bucket]) < wanted) ++bucket;
  return kSmallestMs * std::exp2(static_cast<double>(bucket) / kPerDoubling);
}

std::optional<std::chrono::milliseconds> FirstByteTimes::p95(std::string_view provider, std::string_view model,
                                                             std::uint64_t prompt_bytes, Awaited awaited) const {
  const auto at = series_.find(KeyView{provider, model, size_class(prompt_bytes, awaited)});
  if (at == series_.end() || at->second.total < kCallsNeeded) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(at->second.quantile_ms(95))));
}

std::chrono::milliseconds FirstByteTimes::limit(std::string_view provider, std::string_view model,
                                                std::uint64_t prompt_bytes, std::chrono::milliseconds total) const {
  const auto at = series_.find(KeyView{provider, model, size_class(prompt_bytes)});
  if (at == series_.end() || at->second.total < kCallsNeeded) return total;
  const auto learned = std::chrono::milliseconds(static_cast<std::int64_t>(4 * at->second.quantile_ms(99)));
  return std::min(total, std::max<std::chrono::milliseconds>(learned, kFloor));
}

}  // namespace weir::targets
