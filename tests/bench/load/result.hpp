#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/options.hpp"

namespace weir::bench {

/// What a run counted. Times in microseconds, one entry per good call: exact percentiles, 16 bytes a call.
struct Result {
  std::vector<float> latency_us;
  std::vector<float> first_byte_us;  ///< of the body
  std::size_t calls = 0;             ///< ended well or not
  std::size_t errors = 0;            ///< not 200, cut, or with other text than expected
  std::size_t reconnects = 0;        ///< the server closed between calls
  std::size_t bytes_expected = 0;    ///< of answer text
  std::size_t bytes_lost = 0;        ///< of it missing or different
  std::size_t bytes_body = 0;        ///< of reply bodies
  double seconds = 0;
  std::string first_error;

  /// Counts a call that went wrong; keeps the first reason.
  void fail(std::string_view why);
  /// One line of JSON.
  std::string json();
};

/// Compares the text in a reply's body (plain or events, of the options' dialect) with what the mock must have said,
/// and counts the bytes that are missing or different, and all.
void check_text(std::string_view body, const Options& options, std::uint64_t seed, Result& result);

}  // namespace weir::bench
