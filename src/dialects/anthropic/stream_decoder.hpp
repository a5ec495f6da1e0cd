#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/anthropic/usage_reader.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::anthropic {

/// Reads the events of a message's stream into the vocabulary. What comes out of order (a delta of a block that never
/// began, content before message_start) is an error; event and block types it does not know are counted and passed
/// over.
class StreamDecoder final : public vocabulary::StreamDecoder {
 public:
  explicit StreamDecoder(const vocabulary::ReplyHints& hints) : schema_tool_(hints.schema_tool) {}

  void feed(std::string_view event, std::string_view data, std::vector<vocabulary::StreamEvent>& into) override;
  bool complete() const override { return stopped_ || stop_reason_seen_; }
  void end(std::vector<vocabulary::StreamEvent>& into) override;
  std::uint64_t unknown_events() const override { return unknown_; }

 private:
  enum class Kind : std::uint8_t { closed, text, thinking, redacted, tool, schema, unknown };
  struct Block {
    Kind kind = Kind::closed;
    std::uint32_t call = 0;
  };
  struct Fields;
  using Events = std::vector<vocabulary::StreamEvent>;
  bool read(std::string_view data, Fields& fields);
  bool read_message(json::Cursor& cursor, Fields& fields);
  bool read_block(json::Cursor& cursor, std::string_view data, Fields& fields);
  bool read_delta(json::Cursor& cursor, std::string_view data, Fields& fields);
  void start(Fields& fields, Events& into);
  void block_start(Fields& fields, Events& into);
  void block_delta(Fields& fields, Events& into);
  void block_stop(const Fields& fields, Events& into);
  void message_delta(Fields& fields, Events& into);
  void fail(std::string_view message, Events& into);

  std::string schema_tool_;
  std::vector<Block> blocks_;
  UsageCounters usage_;
  std::uint64_t unknown_ = 0;
  std::uint32_t calls_ = 0;
  bool schema_called_ = false;
  bool started_ = false;
  bool stop_reason_seen_ = false;
  bool stopped_ = false;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace weir::anthropic
