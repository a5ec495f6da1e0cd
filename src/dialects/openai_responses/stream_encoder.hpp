#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_responses {

/// Writes the events of a response's stream: the first choice. The events that end an item repeat it whole, so what was
/// said is kept until the end.
class StreamEncoder final : public vocabulary::StreamEncoder {
 public:
  explicit StreamEncoder(const vocabulary::ReplyContext& context)
      : call_id_(context.call_id), model_(context.model), created_(context.created), sequence_(context.next_event) {}

  void encode(const vocabulary::StreamEvent& event, std::string& to) override;
  std::int64_t next_event() const override { return sequence_; }

 private:
  struct Writing;
  enum class Kind : std::uint8_t { none, text, refusal, reasoning };
  struct Call {
    std::uint32_t index = 0;
    std::int64_t output_index = 0;
    std::string id;  ///< the item's
    std::string call_id;
    std::string name;
    std::string arguments;  ///< as they are escaped
    bool open = true;
  };

  vocabulary::Writer begin(std::string_view type, std::string& to);
  void start(const vocabulary::StreamStart& event, std::string& to);
  void response_event(std::string_view type, std::string_view status, std::string& to);
  void open(Kind kind, std::string& to);
  void close(std::string& to);
  void close_calls(std::string& to);
  void add_item(const std::string& item, std::int64_t output_index, std::string& to);
  void end_item(const std::string& item, std::int64_t output_index, std::string& to);
  vocabulary::Writer begin_in_item(std::string_view type, std::string& to);
  void part_event(std::string_view type, std::string& to);
  void delta(Kind kind, const vocabulary::Text& text, std::string& to);

  std::string call_id_;
  std::string model_;
  std::string id_;
  std::int64_t created_;
  std::int64_t sequence_;
  std::int64_t next_output_ = 0;
  std::int64_t output_index_ = -1;  ///< of the open item
  std::string item_id_;
  std::string said_;         ///< in the open item, as it is escaped
  std::string annotations_;  ///< of the open text
  std::string sealed_;       ///< of the open reasoning
  Kind open_ = Kind::none;
  std::vector<Call> calls_;
  std::vector<std::string> items_;  ///< by output index
  vocabulary::UsageReport usage_;
  vocabulary::Finish finish_ = vocabulary::Finish::stop;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace weir::openai_responses
