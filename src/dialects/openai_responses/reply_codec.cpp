#include "dialects/openai_responses/reply_codec.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/openai_responses/item_decoder.hpp"
#include "dialects/openai_responses/items.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_responses {

using namespace vocabulary;

namespace {

/// Collects the output items of a choice; words that stand together are one message.
class OutputWriter {
 public:
  OutputWriter(const ReplyContext& context, std::string& to) : context_(context), out_(to) {}

  void write(const std::vector<Part>& parts) {
    for (const Part& part : parts) std::visit(*this, part.value);
    end_message();
  }

  void operator()(const TextPart& part) {
    std::string annotations;
    Writer list(annotations);
    for (const Citation& citation : part.citations) {
      if (!citation.url.empty()) write_annotation(list, citation);
    }
    Writer content(content_);
    write_text_part(content, part.text, annotations);
  }
  void operator()(const RefusalPart& part) {
    Writer content(content_);
    write_refusal_part(content, part.text);
  }
  void operator()(const ThinkingPart& part) {
    end_message();
    write_reasoning(out_, id("rs"), part.text, part.signature);
  }
  void operator()(const RedactedThinkingPart& part) {
    end_message();
    write_reasoning(out_, id("rs"), {}, Text::owned(std::string{kRedacted} + part.data.str()));
  }
  void operator()(const ToolCallPart& part) {
    end_message();
    const std::string own = id("fc");
    write_call(out_, own, "completed", part.id.empty() ? Text::plain(own) : part.id, part.name,
               part.arguments.empty() ? Text::plain("{}") : part.arguments);
  }
  // Not in an answer of this dialect.
  void operator()(const ImagePart&) {}
  void operator()(const DocumentPart&) {}
  void operator()(const AudioPart&) {}
  void operator()(const ToolResultPart&) {}

 private:
  std::string id(std::string_view kind) { return fmt::format("{}_{}_{}", kind, context_.call_id, count_++); }
  void end_message() {
    if (content_.empty()) return;
    write_message(out_, id("msg"), "completed", content_);
    content_.clear();
  }

  const ReplyContext& context_;
  Writer out_;
  std::string content_;
  std::size_t count_ = 0;
};

void encode_usage(Writer& out, const Usage& usage) {
  out.open_object();
  out.key("input_tokens").integer(usage.prompt());
  out.key("input_tokens_details").open_object();
  out.key("cached_tokens").integer(usage.cache_read);
  if (usage.cache_write > 0) out.key("cache_write_tokens").integer(usage.cache_write);
  out.close_object();
  out.key("output_tokens").integer(usage.output);
  out.key("output_tokens_details").open_object();
  out.key("reasoning_tokens").integer(usage.reasoning);
  out.close_object();
  out.key("total_tokens").integer(usage.prompt() + usage.output);
  out.close_object();
}

}  // namespace

std::string_view incomplete_reason(Finish finish) {
  if (finish == Finish::length) return "max_output_tokens";
  return finish == Finish::content_filter || finish == Finish::refusal ? "content_filter" : "";
}

void encode_response(Writer& out, const ResponseHead& head, std::string_view output, const UsageReport& usage) {
  out.open_object();
  out.key("id").string(head.id);
  out.key("object").string("response");
  out.key("created_at").integer(head.created);
  out.key("status").string(head.status);
  out.key("error").raw("null");
  out.key("incomplete_details");
  if (head.incomplete.empty()) {
    out.raw("null");
  } else {
    out.open_object();
    out.key("reason").string(head.incomplete);
    out.close_object();
  }
  out.key("instructions").raw("null");
  out.key("metadata").raw("{}");
  out.key("model").string(head.model);
  out.key("output").open_array();
  if (!output.empty()) out.raw(output);
  out.close_array();
  out.key("parallel_tool_calls").boolean(true);
  out.key("previous_response_id").raw("null");
  out.key("store").boolean(false);
  out.key("temperature").raw("null");
  out.key("text").raw(R"({"format":{"type":"text"}})");
  out.key("tool_choice").string("auto");
  out.key("tools").raw("[]");
  out.key("top_p").raw("null");
  out.key("usage");
  usage.usage.reported ? encode_usage(out, usage.usage) : out.raw("null");
  out.close_object();
}

void encode_reply(const ChatReply& reply, const ReplyContext& context, std::string& to) {
  std::string output;
  Finish finish = Finish::stop;
  if (!reply.choices.empty()) {
    OutputWriter{context, output}.write(reply.choices.front().parts);
    finish = reply.choices.front().finish;
  }
  const std::string id = reply.id.empty() ? fmt::format("resp_{}", context.call_id) : reply.id.str();
  const std::string model = reply.model.empty() ? std::string{context.model} : reply.model.str();
  const std::string_view incomplete = incomplete_reason(finish);
  std::string whole;
  Writer out(whole);
  encode_response(out,
                  {.id = id,
                   .model = model,
                   .created = reply.created > 0 ? reply.created : context.created,
                   .status = incomplete.empty() ? "completed" : "incomplete",
                   .incomplete = incomplete},
                  output, reply.usage);
  to.empty() ? to.swap(whole) : void(to += whole);
}

std::expected<ChatReply, std::string> decode_reply(std::string_view body, const ReplyHints&) {
  if (!json::valid_utf8(body)) return std::unexpected("The provider's answer is not UTF-8.");
  json::Cursor cursor(body);
  if (cursor.peek() != '{') return std::unexpected("The provider's answer is no JSON object.");
  ChatReply reply;
  std::vector<Message> messages;
  Text status, reason;
  bool output = false;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "id") return read_text(cursor, reply.id);
    if (key == "model") return read_text(cursor, reply.model);
    if (key == "created_at") return read_seconds(cursor, reply.created);
    if (key == "status") return read_text(cursor, status);
    if (key == "service_tier") return read_text(cursor, reply.service_tier);
    if (key == "usage") return openai_chat::read_usage_report(cursor, body, reply.usage);
    if (key == "error") {
      reply.error = cursor.peek() != 'n';
      return cursor.skip_value();
    }
    if (key == "incomplete_details") {
      return each_member(cursor, [&](std::string_view member) {
        return member == "reason" ? read_text(cursor, reason) : cursor.skip_value();
      });
    }
    if (key != "output") return cursor.skip_value();
    output = true;
    messages.clear();
    ItemDecoder items(cursor, body);
    return each_element(cursor, [&] { return items.read_item(messages); });
  });
  if (!read || !cursor.at_end()) {
    return std::unexpected(fmt::format("The provider's answer is not a response: at byte {} should be {}.",
                                       cursor.offset(), cursor.problem()));
  }
  reply.error |= status == "failed";
  if (!reply.error && !output) return std::unexpected("The provider's answer has no output.");
  Choice choice;
  bool calls = false;
  for (Message& message : messages) {
    if (message.role != Role::assistant) continue;
    for (Part& part : message.parts) {
      calls |= part.as<ToolCallPart>() != nullptr;
      choice.parts.push_back(std::move(part));
    }
  }
  choice.finish = calls ? Finish::tool_calls : Finish::stop;
  if (status == "incomplete") choice.finish = reason == "content_filter" ? Finish::content_filter : Finish::length;
  reply.choices.push_back(std::move(choice));
  return reply;
}

}  // namespace weir::openai_responses
