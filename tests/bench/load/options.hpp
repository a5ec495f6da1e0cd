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

enum class Dialect {
  openai,    ///< chat completions
  anthropic  ///< messages, with the same words
};

/// What to send, how much of it, and until when.
struct Options {
  Mode mode = Mode::plain;
  Dialect dialect = Dialect::openai;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t requests = 1000;
  double seconds = 60;  ///< no call starts later
  std::string path;     ///< empty = the dialect's own
  std::string model = "bench-plain";
  std::string task;               ///< metadata.task_type; empty = no metadata
  std::size_t body_bytes = 1100;  ///< of the request's body, about
  std::string content = "text";   ///< of the message: text, image (base64), numbers (a member [0,0,…])
  bool include_usage = false;     ///< streams: ask for the usage chunk
};

/// Prints what is wrong to stderr and returns nothing if the command line cannot be read.
std::optional<Options> read_options(int argc, char** argv);

/// One HTTP request and where its seed stands: kSeedDigits digits to be written over, call by call. Anthropic has no
/// seed; there it is the `metadata.user_id`, which a gateway hands on as OpenAI's `user`.
struct Request {
  std::string text;
  std::size_t seed_at;
};
Request make_request(const Options& options);

inline constexpr std::size_t kSeedDigits = 9;
inline constexpr std::uint64_t kSeedFirst = 100'000'000;  ///< JSON numbers have no leading zero

}  // namespace weir::bench
