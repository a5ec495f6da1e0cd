#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_chat {

/// Reads the chunks of a chat completion's stream into the vocabulary. read_chunk() is for streams that are relayed.
class StreamDecoder final : public vocabulary::StreamDecoder {
 public:
  void feed(std::string_view event, std::string_view data, std::vector<vocabulary::StreamEvent>& into) override;
  bool complete() const override { return done_ || finishes_ > 0; }
  void end(std::vector<vocabulary::StreamEvent>& into) override;
  std::uint64_t unknown_events() const override { return unknown_; }

 private:
  struct Call {
    std::uint32_t choice = 0;
    std::int64_t upstream_index = 0;
    std::uint32_t index = 0;
    std::string id;
  };
  struct Chunk;
  struct Delta;
  bool read_chunk(json::Cursor& cursor, std::string_view data, Chunk& chunk);
  bool read_choice(json::Cursor& cursor, std::string_view data, Delta& delta);
  bool read_delta(json::Cursor& cursor, std::string_view data, Delta& delta);
  bool read_parts(json::Cursor& cursor, Delta& delta);
  bool read_tool_call(json::Cursor& cursor, std::string_view data, Delta& delta);
  void emit(Delta& delta, std::vector<vocabulary::StreamEvent>& into);
  void fail(std::string message, std::vector<vocabulary::StreamEvent>& into);

  std::vector<Call> calls_;
  std::vector<std::uint32_t> finished_;  ///< choices
  std::uint64_t unknown_ = 0;
  std::size_t finishes_ = 0;
  bool started_ = false;
  bool done_ = false;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace weir::openai_chat
