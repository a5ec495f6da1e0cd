#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_chat {

/// Writes the chunks of a chat completion's stream.
class StreamEncoder final : public vocabulary::StreamEncoder {
 public:
  explicit StreamEncoder(const vocabulary::ReplyContext& context);

  void encode(const vocabulary::StreamEvent& event, std::string& to) override;

 private:
  struct Writing;
  struct Call {
    std::uint32_t choice;
    std::uint32_t index;
    bool arguments;
  };
  struct ChoiceState {
    std::uint32_t choice;
    bool calls;
  };
  void set_prefix(const vocabulary::StreamStart& start);
  void begin(std::string& to) const { to += prefix_; }
  void end(std::string& to) const;
  /// Writes a chunk of one choice; `delta` fills the delta in.
  template <class Delta>
  void chunk(std::uint32_t choice, std::string& to, Delta&& delta);
  template <class Delta>
  void raw_chunk(std::uint32_t choice, std::string& to, std::string_view finish, std::string_view logprobs,
                 Delta&& delta);
  ChoiceState& state_of(std::uint32_t choice, std::string& to);
  void fill_empty_arguments(std::uint32_t choice, std::string& to);
  void arguments(std::uint32_t choice, std::uint32_t index, const vocabulary::Text& fragment, std::string& to);

  std::string call_id_;
  std::string model_;
  std::int64_t created_;
  bool include_usage_;
  bool ended_ = false;
  std::string prefix_;  ///< `data: {"id":…,"choices":` of every chunk
  std::vector<ChoiceState> choices_;
  std::vector<Call> calls_;
  vocabulary::UsageReport usage_;
};

}  // namespace weir::openai_chat
