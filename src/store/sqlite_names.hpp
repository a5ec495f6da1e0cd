#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <weir/exchange/limits.hpp>
#include "store/ledger.hpp"
#include "store/sqlite_coding.hpp"
#include "store/sqlite_database.hpp"

namespace weir::store::sqlite {

/// Numbers of rows that were found by texts before. Looked up by views, so that nothing is allocated for what is known.
template <std::size_t N>
class KnownRows {
 public:
  using Views = std::array<std::string_view, N>;

  std::int64_t find(const Views& texts) const {  ///< 0 = not known
    // Mostly it is the one of the row before: then nothing is hashed.
    if (last_ != nullptr && Equal{}(last_->first, texts)) return last_->second;
    const auto at = rows_.find(texts);
    if (at == rows_.end()) return 0;
    last_ = &*at;
    return at->second;
  }
  void add(const Views& texts, std::int64_t row) {
    if (rows_.size() >= kRowsMax) clear();  // a flood of names: what is still used comes back at once
    Texts copy;
    for (std::size_t i = 0; i < N; ++i) copy[i] = texts[i];
    rows_.emplace(std::move(copy), row);
  }
  void clear() {
    rows_.clear();
    last_ = nullptr;
  }

 private:
  static constexpr std::size_t kRowsMax = 16'384;  // far above any configuration; a few MiB when clients invent names

  using Texts = std::array<std::string, N>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const auto& texts) const {
      std::size_t sum = 0;
      for (const std::string_view text : texts) {
        sum = (sum ^ text_hash(text)) * 0x9e3779b97f4a7c15U;
      }
      return sum;
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      for (std::size_t i = 0; i < N; ++i) {
        if (std::string_view(a[i]) != std::string_view(b[i])) return false;
      }
      return true;
    }
  };
  using Rows = std::unordered_map<Texts, std::int64_t, Hash, Equal>;
  Rows rows_;
  mutable const typename Rows::value_type* last_ = nullptr;  ///< stays where it is until clear()
};

/// Turns what recurs in rows (names, who a call belongs to, targets with their price, users) into numbers, adding rows
/// for what is new. Negative = an error of the database. Part of the writer's transaction.
class Names {
 public:
  /// `names_max`: further names, which clients may invent, are kept as "other".
  static Result<Names> prepare(Database& database, std::int64_t names_max = limits::ledger_names_max);

  std::int64_t name(std::string_view text);
  /// Of a call; `model` and `provider` are the call's own or those of one of its attempts.
  std::int64_t who(const CallRow& call, std::string_view model, std::string_view provider);
  std::int64_t target(const AttemptRow& attempt);
  /// The user's hash, 0 for none, after it was noted as seen in that hour.
  bool note_user(std::int64_t hash, std::string_view text, std::int64_t hour);

  /// After a rollback: what was added in it is not there.
  void forget();

 private:
  std::int64_t find_or_add(Statement& find, Statement& add, const std::int64_t* values, int count);

  Statement find_name_, add_name_, find_who_, add_who_, find_price_, add_price_, find_target_, add_target_;
  Statement add_user_, add_user_hour_;
  KnownRows<1> names_;
  KnownRows<6> who_;
  KnownRows<4> targets_;
  std::unordered_set<std::uint64_t> users_;  ///< of user and hour
  std::int64_t names_max_ = 0;
  std::int64_t last_name_ = 0;  ///< the highest number so far
};

}  // namespace weir::store::sqlite
