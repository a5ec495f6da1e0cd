#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/ledger.hpp"

namespace weir::store {

class PostgresNames;

/// Labels are parts of B-tree keys, which end at 2.7 kB; real ones have tens of bytes.
inline constexpr std::size_t kPostgresLabelBytesMax = 256;

/// A batch as the JSON array that postgres_insert_sql() takes: one object per call on a line of its own, its attempts
/// inside, what is 0 or empty left out. Any bytes in, valid UTF-8 without NUL out.
/// Keeps its memory from batch to batch.
class PostgresDocument {
 public:
  /// `names`: which labels may still be new.
  explicit PostgresDocument(PostgresNames& names) : names_(names) {}

  /// Good until the next write().
  std::string_view write(const LedgerBatch& batch);

 private:
  void write_call(const LedgerBatch& batch, const CallRow& call, std::string_view before);

  PostgresNames& names_;
  std::string bytes_;
  std::size_t used_ = 0;
  std::string without_nul_;
};

/// The calls of a document, and a document of some of them: lines break nowhere else, because JSON escapes them in
/// texts.
std::vector<std::string_view> postgres_calls_of(std::string_view document);
std::string postgres_document_of(std::span<const std::string_view> calls);

}  // namespace weir::store
