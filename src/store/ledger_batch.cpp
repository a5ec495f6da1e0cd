#include <cstring>

#include "store/ledger.hpp"

namespace weir::store {

std::string_view LedgerBatch::keep(std::string_view text) {
  if (text.empty()) return {};
  text_bytes_ += text.size();
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < text.size()) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const std::size_t size = text.size() > kChunkBytes ? text.size() : kChunkBytes;
    chunks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    used_ = 0;
  }
  char* const at = chunks_[chunk_].bytes.get() + used_;
  std::memcpy(at, text.data(), text.size());
  used_ += text.size();
  return {at, text.size()};
}

void LedgerBatch::clear() {
  calls.clear();
  attempts.clear();
  chunk_ = used_ = text_bytes_ = 0;
}

}  // namespace weir::store
