#include "store/sqlite_pack.hpp"

#include <algorithm>

namespace weir::store::sqlite {
namespace {

constexpr char kVersion = 1;
static_assert(kSums <= 32, "which sums are not zero is one number of 32 bits");

void put(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
  out += static_cast<char>(value);
}

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

template <class Values, class Value>
std::uint64_t place_of(const Values& sorted, const Value& value) {
  return static_cast<std::uint64_t>(std::ranges::lower_bound(sorted, value) - sorted.begin());
}

template <class Values>
void sort_and_unite(Values& values) {
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
}

}  // namespace

void PackWriter::add(const Part& part) {
  sums_[{part.user, part.who, part.target, part.outcome, part.failure, std::string(part.tags)}].add(part.sums);
}

std::string PackWriter::write() const {
  std::vector<std::int64_t> users;
  std::vector<std::string_view> tags;
  for (const auto& [key, sums] : sums_) {
    users.push_back(key.user);
    tags.push_back(key.tags);
  }
  sort_and_unite(users);
  sort_and_unite(tags);
  std::string out(1, kVersion);
  put(out, users.size());
  for (const std::int64_t user : users) out.append(reinterpret_cast<const char*>(&user), sizeof(user));
  put(out, tags.size());
  for (const std::string_view text : tags) {
    put(out, text.size());
    out += text;
  }
  std::uint64_t user = 0;
  for (const auto& [key, sums] : sums_) {
    const std::uint64_t place = place_of(users, key.user);
    put(out, place - user);
    user = place;
    for (const std::int64_t value : {key.who, key.target, key.outcome, key.failure}) {
      put(out, static_cast<std::uint64_t>(value));
    }
    put(out, place_of(tags, std::string_view(key.tags)));
    std::uint64_t present = 0;
    for (std::size_t i = 0; i < kSums; ++i) present |= std::uint64_t{sums.of[i] != 0} << i;
    put(out, present);
    for (const std::int64_t value : sums.of) {
      if (value != 0) put(out, zigzag(value));
    }
  }
  return out;
}

PackReader::PackReader(std::string_view blob) : rest_(blob) {
  sound_ = bytes(1) == std::string_view(&kVersion, 1);
  const std::uint64_t users = number();
  users_ = bytes(users > rest_.size() ? rest_.size() + 1 : users * sizeof(std::int64_t));
  const std::uint64_t tags = number();
  for (std::uint64_t i = 0; i < tags && sound_; ++i) tags_.push_back(bytes(number()));
}

bool PackReader::next(Part& part) {
  if (!sound_ || rest_.empty()) return false;
  user_ += number();
  part.who = static_cast<std::int64_t>(number());
  part.target = static_cast<std::int64_t>(number());
  part.outcome = static_cast<std::int64_t>(number());
  part.failure = static_cast<std::int64_t>(number());
  const std::uint64_t tags = number();
  sound_ = sound_ && user_ < users_.size() / sizeof(std::int64_t) && tags < tags_.size();
  if (!sound_) return false;
  std::memcpy(&part.user, users_.data() + user_ * sizeof(std::int64_t), sizeof(std::int64_t));
  part.tags = tags_[tags];
  part.sums = {};
  std::uint64_t present = number();
  for (std::size_t i = 0; present != 0 && i < kSums; ++i, present >>= 1) {
    if ((present & 1) != 0) part.sums.of[i] = unzigzag(number());
  }
  return sound_;
}

std::uint64_t PackReader::number() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  sound_ = false;
  return 0;
}

std::string_view PackReader::bytes(std::uint64_t size) {
  if (size > rest_.size()) {
    sound_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

}  // namespace weir::store::sqlite
