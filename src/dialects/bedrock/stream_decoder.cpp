#include "dialects/bedrock/stream_decoder.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "dialects/bedrock/error_reader.hpp"
#include "dialects/bedrock/reply_reader.hpp"
#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::bedrock {
namespace {

using namespace vocabulary;

constexpr std::size_t kToolBlocksMax = 1024;  // what is kept per block is small, but a provider gone mad stops here

class Decoder final : public StreamDecoder {
 public:
  explicit Decoder(const ReplyHints& hints) : hints_{hints} {}

  void feed(std::string_view event, std::string_view data, std::vector<StreamEvent>& into) override {
    if (failed_) return;
    const auto is_known = [event](std::string_view name) { return event == name; };
    if (event.ends_with("Exception") || event.ends_with("Error")) return fail(decode_exception(event, data), into);
    using Read = bool (Decoder::*)(json::Cursor&, std::vector<StreamEvent>&);
    Read read = nullptr;
    if (is_known("messageStart")) read = &Decoder::message_start;
    if (is_known("contentBlockStart")) read = &Decoder::block_start;
    if (is_known("contentBlockDelta")) read = &Decoder::block_delta;
    if (is_known("contentBlockStop")) read = &Decoder::block_stop;
    if (is_known("messageStop")) read = &Decoder::message_stop;
    if (is_known("metadata")) read = &Decoder::metadata;
    if (read == nullptr) {
      ++unknown_;
      return;
    }
    const std::size_t before = into.size();
    json::Cursor cursor{data};
    if (json::valid_utf8(data) && cursor.peek() == '{' && (this->*read)(cursor, into) && cursor.at_end()) return;
    if (failed_) return;
    into.resize(before, Ping{});
    const auto expected = cursor.problem().empty() ? std::string_view{"an object in UTF-8"} : cursor.problem();
    fail(protocol(fmt::format("A {} event is not what Bedrock sends: {} was expected", event, expected)), into);
  }

  bool complete() const override { return !failed_ && finish_ != Finish::unset; }

  void end(std::vector<StreamEvent>& into) override {
    if (!complete()) return;
    into.emplace_back(ChoiceFinish{.choice = 0, .reason = finish_, .stop_sequence = {}});
    into.emplace_back(Done{});
  }

  std::uint64_t unknown_events() const override { return unknown_; }

 private:
  struct ToolBlock {
    std::int64_t index = 0;
    std::uint32_t call = 0;
    bool schema = false;  ///< the forced tool: its arguments are the answer's text
    bool said_any = false;
    bool open = true;
  };

  static Ending protocol(std::string message) {
    Ending ending;
    ending.failure = Failure::upstream_protocol;
    ending.message = std::move(message);
    return ending;
  }

  void fail(Ending ending, std::vector<StreamEvent>& into) {
    failed_ = true;
    into.emplace_back(StreamError{.failure = ending.failure,
                                  .status = ending.status,
                                  .message = std::move(ending.message),
                                  .code = std::move(ending.code)});
  }

  bool message_start(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    if (std::exchange(started_, true)) return cursor.fail("one messageStart");
    into.emplace_back(StreamStart{});
    return cursor.skip_value();
  }

  bool in_message(json::Cursor& cursor) const {
    return (started_ && finish_ == Finish::unset) || cursor.fail("messageStart before it and messageStop behind it");
  }

  ToolBlock* tool_block(std::int64_t index) {
    const auto at =
        std::ranges::find_if(tools_, [index](const ToolBlock& block) { return block.open && block.index == index; });
    return at == tools_.end() ? nullptr : &*at;
  }

  bool block_start(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    std::int64_t index = 0;
    Text id;
    Text name;
    bool is_tool = false;
    const bool read = in_message(cursor) && each_member(cursor, [&](std::string_view key) {
                        if (key == "contentBlockIndex") return read_integer(cursor, index);
                        if (key != "start") return cursor.skip_value();
                        return each_member(cursor, [&](std::string_view kind) {
                          if (kind != "toolUse") return cursor.skip_value();
                          is_tool = true;
                          return each_member(cursor, [&](std::string_view field) {
                            if (field == "toolUseId") return read_text(cursor, id);
                            return field == "name" ? read_text(cursor, name) : cursor.skip_value();
                          });
                        });
                      });
    if (!read || !is_tool) return read;
    if (name.empty()) return cursor.fail("the name of a tool call");
    if (tool_block(index) != nullptr) return cursor.fail("an index that no open block has");
    if (tools_.size() == kToolBlocksMax) return cursor.fail("fewer tool calls");
    const bool schema = !hints_.schema_tool.empty() && name == hints_.schema_tool;
    tools_.push_back({.index = index, .call = calls_, .schema = schema});
    if (schema) return true;
    ++calls_;
    into.emplace_back(ToolCallStart{
        .choice = 0, .index = tools_.back().call, .id = std::move(id), .name = std::move(name), .signature = {}});
    return true;
  }

  bool block_delta(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    std::int64_t index = 0;
    std::optional<Text> input;
    const bool read = in_message(cursor) && each_member(cursor, [&](std::string_view key) {
                        if (key == "contentBlockIndex") return read_integer(cursor, index);
                        if (key != "delta") return cursor.skip_value();
                        return each_member(cursor, [&](std::string_view kind) {
                          if (kind == "text") {
                            Text text;
                            if (!read_text(cursor, text)) return false;
                            if (!text.empty()) into.emplace_back(TextDelta{.choice = 0, .text = std::move(text)});
                            return true;
                          }
                          if (kind == "reasoningContent") return reasoning(cursor, into);
                          if (kind == "toolUse") {
                            return each_member(cursor, [&](std::string_view field) {
                              return field == "input" ? read_text(cursor, input.emplace()) : cursor.skip_value();
                            });
                          }
                          return cursor.skip_value();
                        });
                      });
    if (!read || !input) return read;
    ToolBlock* block = tool_block(index);
    if (block == nullptr) return cursor.fail("the start of this tool call before it");
    if (input->empty()) return true;
    block->said_any = true;
    if (block->schema) {
      into.emplace_back(TextDelta{.choice = 0, .text = std::move(*input)});
    } else {
      into.emplace_back(ToolArgumentsDelta{.choice = 0, .index = block->call, .fragment = std::move(*input)});
    }
    return true;
  }

  static bool reasoning(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    return each_member(cursor, [&](std::string_view kind) {
      if (kind != "text" && kind != "signature" && kind != "redactedContent") return cursor.skip_value();
      Text text;
      if (!read_text(cursor, text)) return false;
      if (text.empty()) return true;
      if (kind == "text")
        into.emplace_back(ThinkingDelta{.choice = 0, .text = std::move(text)});
      else if (kind == "signature")
        into.emplace_back(SignatureDelta{.choice = 0, .signature = std::move(text)});
      else
        into.emplace_back(RedactedThinking{.choice = 0, .data = std::move(text)});
      return true;
    });
  }

  bool block_stop(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    std::int64_t index = 0;
    const bool read = in_message(cursor) && each_member(cursor, [&](std::string_view key) {
                        return key == "contentBlockIndex" ? read_integer(cursor, index) : cursor.skip_value();
                      });
    if (!read) return false;
    if (ToolBlock* block = tool_block(index)) {
      block->open = false;
      if (!block->said_any && !block->schema) {
        into.emplace_back(ToolArgumentsDelta{.choice = 0, .index = block->call, .fragment = Text::plain("{}")});
      }
    }
    into.emplace_back(BlockFinish{.choice = 0});
    return true;
  }

  bool message_stop(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    Text reason;
    const bool read = in_message(cursor) && each_member(cursor, [&](std::string_view key) {
                        return key == "stopReason" ? read_text(cursor, reason) : cursor.skip_value();
                      });
    if (!read) return false;
    if (reason.empty()) return cursor.fail("a stopReason");
    const auto finish = finish_of(reason, calls_ > 0);
    if (finish) {
      finish_ = *finish;
    } else {
      fail(protocol(finish.error()), into);
    }
    return true;
  }

  bool metadata(json::Cursor& cursor, std::vector<StreamEvent>& into) {
    UsageReport report;
    const bool read = each_member(cursor, [&](std::string_view key) {
      return key == "usage" ? read_usage(cursor, report) : cursor.skip_value();
    });
    if (read && report.usage.reported) into.emplace_back(UsageSnapshot{report});
    return read;
  }

  ReplyHints hints_;
  std::vector<ToolBlock> tools_;
  std::uint32_t calls_ = 0;
  std::uint64_t unknown_ = 0;
  Finish finish_ = Finish::unset;
  bool started_ = false;
  bool failed_ = false;
};

}  // namespace

std::string_view event_name(const EventMessage& message) {
  for (const std::string_view header : {":event-type", ":exception-type"}) {
    const auto name = event_header_text(message.headers, header);
    if (!name.empty()) return name;
  }
  // An error of the framing itself has a code of any form, and no payload.
  return event_header_text(message.headers, ":message-type") == "error" ? std::string_view{"streamError"}
                                                                        : std::string_view{};
}

std::unique_ptr<StreamDecoder> make_stream_decoder(const ReplyHints& hints) {
  return std::make_unique<Decoder>(hints);
}

}  // namespace weir::bedrock
