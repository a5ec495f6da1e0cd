#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite_parts.hpp"

/// Parts of many calls as one blob: about 30 bytes for each combination of user, who, target, ending and tags. Pure.
///
/// The blob: 1 (its version); how many users, their hashes; how many texts of tags, the texts; then for each
/// combination the user's place (what was added to the one before), who, target, outcome, failure, the tags' place,
/// which sums are not zero, and those. Numbers are LEB128, sums zigzag, hashes eight bytes.
namespace weir::store::sqlite {

/// Adds up parts that are alike, then writes them.
class PackWriter {
 public:
  void add(const Part& part);
  std::string write() const;
  void clear() { sums_.clear(); }

 private:
  struct Key {
    std::int64_t user, who, target, outcome, failure;
    std::string tags;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, Sums> sums_;
};

/// Reads a blob from its front. Whatever bytes it is given, it reads none beyond them.
class PackReader {
 public:
  explicit PackReader(std::string_view bytes);

  /// The next part; its tags are a view into the blob. False = no more, or not sound.
  bool next(Part& part);
  bool sound() const { return sound_; }

 private:
  std::uint64_t number();
  std::string_view bytes(std::uint64_t size);

  std::string_view rest_;
  std::string_view users_;
  std::vector<std::string_view> tags_;
  std::uint64_t user_ = 0;  ///< the place of the last part's
  bool sound_ = true;
};

}  // namespace weir::store::sqlite
