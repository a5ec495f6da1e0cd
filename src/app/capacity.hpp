#pragma once
#include <cstddef>

namespace weir::app {

/// What this process may use of its machine, and what `auto` makes of it.
struct Capacity {
  std::size_t open_files = 1024;
  std::size_t memory_bytes = std::size_t{1} << 30;

  /// Raises the soft limit of open files to the hard one first. Memory: the machine's, or the cgroup's limit if lower.
  static Capacity of_process();

  /// `limits.in_flight: auto`: each call may hold two descriptors (its client's and its provider's), and about 64 KiB
  /// of buffers out of a quarter of the memory. At least 16.
  std::size_t calls() const;
  /// `limits.bodies: auto`: a quarter of the memory, at least 64 MiB, for bodies above 64 KiB.
  std::size_t body_bytes() const;
};

}  // namespace weir::app
