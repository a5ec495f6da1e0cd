#include "dialects/openai_chat/stream_decoder.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

constexpr std::size_t kCallsMax = 1024;  // a provider gone mad stops here

}  // namespace

struct StreamDecoder::Delta {
  struct Piece {
    std::optional<std::int64_t> index;
    Text id, name, arguments, signature;
  };
  std::uint32_t choice = 0;
  Text text, thinking, refusal, signature, finish;
  std::vector<Text> redacted;
  std::vector<Piece> pieces;
  std::string_view logprobs;
};

struct StreamDecoder::Chunk {
  StreamStart start;
  Text object;
  UsageReport usage;
  std::vector<Delta> deltas;
  bool error = false;
  bool choices = false;
};

void StreamDecoder::feed(std::string_view event, std::string_view data, std::vector<StreamEvent>& into) {
  if (failed_ || done_ || data.empty()) return;
  if (data == "[DONE]") {
    done_ = true;
    return end(into);
  }
  if (event == "error") return fail(std::string{data}, into);
  json::Cursor cursor(data);
  Chunk chunk;
  if (cursor.peek() != '{' || !read_chunk(cursor, data, chunk) || !cursor.at_end()) {
    failed_ = true;
    into.push_back(StreamError{.failure = Failure::upstream_protocol,
                               .message = "The provider sent an event that is no chunk of a chat completion.",
                               .code = {}});
    return;
  }
  if (chunk.error) return fail(std::string{data}, into);
  if (!chunk.choices && !chunk.usage.usage.reported && !(chunk.object == "chat.completion.chunk")) {
    ++unknown_;
    return;
  }
  if (!started_) {
    started_ = true;
    into.push_back(std::move(chunk.start));
  }
  for (Delta& delta : chunk.deltas) {
    emit(delta, into);
    if (failed_) return;
  }
  if (chunk.usage.usage.reported) into.push_back(UsageSnapshot{chunk.usage});
}

void StreamDecoder::end(std::vector<StreamEvent>& into) {
  if (ended_ || failed_ || !complete()) return;
  ended_ = true;
  into.push_back(Done{});
}

void StreamDecoder::fail(std::string message, std::vector<StreamEvent>& into) {
  failed_ = true;
  const Ending ending = classify_error(200, message, {});
  into.push_back(
      StreamError{.failure = ending.failure, .status = ending.status, .message = ending.message, .code = ending.code});
}

bool StreamDecoder::read_chunk(json::Cursor& cursor, std::string_view data, Chunk& chunk) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "choices") {
      return each_element(cursor, [&] {
        chunk.choices = true;
        return read_choice(cursor, data, chunk.deltas.emplace_back());
      });
    }
    if (key == "id" && cursor.peek() == '"') return read_text(cursor, chunk.start.id);
    if (key == "model" && cursor.peek() == '"') return read_text(cursor, chunk.start.model);
    if (key == "created") return read_seconds(cursor, chunk.start.created);
    if (key == "object" && cursor.peek() == '"') return read_text(cursor, chunk.object);
    if (key == "usage") return read_usage_report(cursor, data, chunk.usage);
    if (key == "error") chunk.error = cursor.peek() != 'n';
    return cursor.skip_value();
  });
}

bool StreamDecoder::read_choice(json::Cursor& cursor, std::string_view data, Delta& delta) {
  std::int64_t index = 0;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "delta") return read_delta(cursor, data, delta);
    if (key == "finish_reason") return read_text(cursor, delta.finish);
    if (key == "index") return read_integer(cursor, index);
    if (key == "logprobs") return read_raw(cursor, data, delta.logprobs);
    return cursor.skip_value();
  });
  if (index < 0 || index > 1023) return cursor.fail("an index of a choice");
  delta.choice = static_cast<std::uint32_t>(index);
  return read;
}

bool StreamDecoder::read_delta(json::Cursor& cursor, std::string_view data, Delta& delta) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "content" && cursor.peek() == '"') return read_text(cursor, delta.text);
    if (key == "content" && cursor.peek() == '[') return read_parts(cursor, delta);
    if (key == "tool_calls") return each_element(cursor, [&] { return read_tool_call(cursor, data, delta); });
    if (key == "reasoning_content" || key == "reasoning") {
      return cursor.peek() == '"' ? read_text(cursor, delta.thinking) : cursor.skip_value();
    }
    if (key == "refusal") return read_text(cursor, delta.refusal);
    if (key != "thinking_blocks") return cursor.skip_value();
    return each_element(cursor, [&] {
      Text redacted;
      const bool read = each_member(cursor, [&](std::string_view member) {
        if (member == "signature") return read_text(cursor, delta.signature);
        return member == "data" ? read_text(cursor, redacted) : cursor.skip_value();
      });
      if (!redacted.empty()) delta.redacted.push_back(std::move(redacted));
      return read;
    });
  });
}

/// Mistral's reasoning models: {"type": "text", "text": …} and {"type": "thinking", "thinking": [texts]}.
bool StreamDecoder::read_parts(json::Cursor& cursor, Delta& delta) {
  std::string text, thinking;
  const auto append = [&cursor](std::string& to) {
    Text piece;
    if (!read_text(cursor, piece)) return false;
    piece.append_plain(to);
    return true;
  };
  const bool read = each_element(cursor, [&] {
    return each_member(cursor, [&](std::string_view key) {
      if (key == "text") return append(text);
      if (key != "thinking" || cursor.peek() != '[') return cursor.skip_value();
      return each_element(cursor, [&] {
        return each_member(
            cursor, [&](std::string_view member) { return member == "text" ? append(thinking) : cursor.skip_value(); });
      });
    });
  });
  delta.text = Text::owned(std::move(text));
  delta.thinking = Text::owned(std::move(thinking));
  return read;
}

bool StreamDecoder::read_tool_call(json::Cursor& cursor, std::string_view data, Delta& delta) {
  Delta::Piece& piece = delta.pieces.emplace_back();
  return each_member(cursor, [&](std::string_view key) {
    if (key == "index") return read_integer(cursor, piece.index);
    if (key == "id") return read_text(cursor, piece.id);
    if (key == "extra_content") {
      return each_member(cursor, [&](std::string_view) {
        return each_member(cursor, [&](std::string_view member) {
          return member == "thought_signature" ? read_text(cursor, piece.signature) : cursor.skip_value();
        });
      });
    }
    if (key != "function") return cursor.skip_value();
    return each_member(cursor, [&](std::string_view member) {
      if (member == "name") return read_text(cursor, piece.name);
      if (member != "arguments") return cursor.skip_value();
      if (cursor.peek() == '"') return read_text(cursor, piece.arguments);
      std::string_view object;
      if (!read_raw(cursor, data, object)) return false;
      if (!object.empty()) piece.arguments = Text::plain(object);
      return true;
    });
  });
}

void StreamDecoder::emit(Delta& delta, std::vector<StreamEvent>& into) {
  const std::uint32_t choice = delta.choice;
  if (!delta.thinking.empty()) into.push_back(ThinkingDelta{choice, std::move(delta.thinking)});
  if (!delta.signature.empty()) into.push_back(SignatureDelta{choice, std::move(delta.signature)});
  for (Text& data : delta.redacted) into.push_back(RedactedThinking{choice, std::move(data)});
  if (!delta.text.empty()) into.push_back(TextDelta{choice, std::move(delta.text)});
  if (!delta.refusal.empty()) into.push_back(RefusalDelta{choice, std::move(delta.refusal)});
  if (!delta.logprobs.empty()) into.push_back(LogprobsDelta{choice, delta.logprobs});
  for (Delta::Piece& piece : delta.pieces) {
    const std::int64_t upstream_index = piece.index.value_or(0);
    const auto here = [&](const Call& call) { return call.choice == choice && call.upstream_index == upstream_index; };
    auto call = std::find_if(calls_.rbegin(), calls_.rend(), here);
    // Some servers say index 0 for every parallel call and tell them apart by id alone; some repeat the id each time.
    const bool begins =
        !piece.name.empty() && (call == calls_.rend() || (!piece.id.empty() && !(piece.id == call->id)));
    if (begins) {
      if (calls_.size() == kCallsMax) return fail("{}", into);
      const auto before =
          std::count_if(calls_.begin(), calls_.end(), [choice](const Call& one) { return one.choice == choice; });
      calls_.push_back({choice, upstream_index, static_cast<std::uint32_t>(before), piece.id.str()});
      call = calls_.rbegin();
      into.push_back(
          ToolCallStart{choice, call->index, std::move(piece.id), std::move(piece.name), std::move(piece.signature)});
    }
    if (call == calls_.rend()) {
      failed_ = true;
      into.push_back(StreamError{.failure = Failure::upstream_protocol,
                                 .message = "The provider sent arguments of a tool call that never began.",
                                 .code = {}});
      return;
    }
    if (!piece.arguments.empty()) {
      into.push_back(ToolArgumentsDelta{choice, call->index, std::move(piece.arguments)});
    }
  }
  if (delta.finish.empty() || std::find(finished_.begin(), finished_.end(), choice) != finished_.end()) return;
  finished_.push_back(choice);
  ++finishes_;
  into.push_back(ChoiceFinish{choice, finish_of(delta.finish), {}});
}

}  // namespace weir::openai_chat
