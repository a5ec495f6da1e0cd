#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace weir::bench {

enum class Mode {
  plain,   ///< whole replies
  stream,  ///< streamed replies
  idle     ///< each connection makes one call, then all are held open until stdin ends
};

/// What to send, how much of it, and until when.
struct Options {
  Mode mode = Mode::plain;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t requests = 1000;
  double seconds = 60;  ///< no call starts later
  std::string path = "/v1/chat/completions";
  std::string model = "bench-plain";
  std::string task;               ///< metadata.task_type; empty = no metadata
  std::size_t body_bytes = 1100;  ///< of the request's body, about
  std::string content = "text";   ///< of the message: text, image (base64), numbers (a member [0,0,…])
  bool include_usage = false;     ///< streams: ask for the usage chunk
};

/// Prints what is wrong to stderr and returns nothing if the command line cannot be read.
std::optional<Options> read_options(int argc, char** argv);

/// One HTTP request whose body says `"seed":` and then kSeedDigits digits to be written over, call by call.
std::string make_request(const Options& options);

inline constexpr std::size_t kSeedDigits = 9;
inline constexpr std::uint64_t kSeedFirst = 100'000'000;  ///< JSON numbers have no leading zero

}  // namespace weir::bench
