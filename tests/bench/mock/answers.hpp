#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

/// What the mock reads from a chat call's body. Gateways do not pass unknown header fields, so the body says it all.
struct Call {
  bool stream = false;
  bool include_usage = false;
  bool block = false;                 ///< model "bench-block": the whole stream in one write
  std::uint64_t seed = 0;             ///< makes the answer's text
  std::chrono::microseconds pace{0};  ///< between events, from a model name like "bench-paced-2ms"; 0 = a burst
};

/// Looks only for what it needs, by string search: "stream", "include_usage", "seed", "model".
Call read_call(std::string_view body);

/// A whole HTTP response with a chat completion of about 0.8 kB.
std::string plain_reply(const Call& call);
/// The head of a streamed answer.
std::string_view stream_head();
/// Appends event `index` as one HTTP chunk: role, 50 × content, finish, usage if asked for, then [DONE] with the last
/// chunk. Returns the next index, or -1 after the last.
int append_event(std::string& out, const Call& call, int index);

/// A whole HTTP response with this JSON body.
std::string json_reply(std::string_view status, std::string_view body);

}  // namespace weir::bench
