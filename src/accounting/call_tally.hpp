#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <weir/base/result.hpp>

namespace weir::accounting {

/// How many calls each worker ended, in a small mapped file: the kernel keeps it when the process is killed, so that
/// the next start can say how many of them never came into the ledger. Locked while its process lives.
///
/// Thread: ended(i) is written by worker i only, read by any. Lifetime: outlives the workers.
class CallTally {
 public:
  /// A file `prefix` + ".calls-" + instance. The error names `stores.ledger`.
  static Result<std::unique_ptr<CallTally>> make(const std::string& prefix, std::uint64_t instance,
                                                 std::size_t workers);
  ~CallTally();
  CallTally(const CallTally&) = delete;
  CallTally& operator=(const CallTally&) = delete;

  std::atomic<std::uint64_t>& ended(std::size_t worker) { return slots_[worker + 1].calls; }
  std::uint64_t sum() const;
  void remove();  ///< all is accounted for: nothing is left for the next start

  /// A file whose process is gone.
  struct Left {
    std::string path;
    std::uint64_t instance = 0;
    std::uint64_t ended = 0;
  };
  static std::vector<Left> left_behind(const std::string& prefix);

 private:
  struct alignas(64) Slot {  // the first is the head: `calls` is then the instance, `mark` says what the file is
    std::atomic<std::uint64_t> calls;
    std::uint64_t mark;
  };
  CallTally() = default;

  std::string path_;
  int descriptor_ = -1;
  Slot* slots_ = nullptr;
  std::size_t workers_ = 0;
};

}  // namespace weir::accounting
