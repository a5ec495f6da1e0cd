#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::anthropic {

/// Whether a JSON object that comes in pieces is whole: counts brackets outside strings.
class ObjectEnd {
 public:
  void feed(std::string_view piece);
  bool reached() const { return reached_; }

 private:
  std::uint32_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool reached_ = false;
};

/// Writes the events of a message's stream: the first choice. Blocks come one after the other: where another dialect's
/// parallel tool calls interleave, the pieces of a later call wait until the one before it is whole.
class StreamEncoder final : public vocabulary::StreamEncoder {
 public:
  explicit StreamEncoder(const vocabulary::ReplyContext& context) : call_id_(context.call_id), model_(context.model) {}

  void encode(const vocabulary::StreamEvent& event, std::string& to) override;

 private:
  struct Writing;
  enum class Kind : std::uint8_t { none, text, thinking, tool };
  enum class Stage : std::uint8_t { waiting, open, closed };
  struct Call {
    std::uint32_t index = 0;
    std::string id;
    std::string name;
    std::string waiting;  ///< pieces of its arguments, as they are escaped in JSON
    ObjectEnd end;
    Stage stage = Stage::waiting;
  };

  void start(const vocabulary::StreamStart& event, std::string& to);
  void start_if_needed(std::string& to);
  void open(Kind kind, std::string& to);
  void close(std::string& to);
  void close_all(std::string& to);
  void open_call(Call& call, std::string& to);
  void open_waiting(std::string& to);
  void call_arguments(Call& call, const vocabulary::Text& fragment, std::string& to);
  Call* find(std::uint32_t index);
  void write_delta(std::string_view type, std::string_view key, const vocabulary::Text& value, std::string& to);
  void write_error(std::string_view message, int status, std::string& to);

  std::string call_id_;
  std::string model_;
  std::vector<Call> calls_;
  std::size_t open_call_ = 0;  ///< in calls_; with Kind::tool
  Kind open_ = Kind::none;
  std::int64_t index_ = -1;  ///< of the open block, or of the last
  vocabulary::UsageReport usage_;
  vocabulary::Finish finish_ = vocabulary::Finish::unset;
  std::string stop_sequence_;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace weir::anthropic
