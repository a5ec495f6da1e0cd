#include "dialects/openai_completions/codec.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/openai_chat/reply_encoder.hpp"
#include "dialects/openai_completions/request_decoder.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_completions {
namespace {

using namespace vocabulary;

void write_head(Writer& out, const Text& id, const Text& model, std::int64_t created, std::string_view other_id,
                std::string_view other_model) {
  out.open_document();
  out.key("id");
  id.empty() ? out.string(other_id) : out.text(id);
  out.key("object").string("text_completion");
  out.key("created").integer(created);
  out.key("model");
  model.empty() ? out.string(other_model) : out.text(model);
}

void encode_reply(const ChatReply& reply, const ReplyContext& context, std::string& to) {
  Writer out(to);
  write_head(out, reply.id, reply.model, reply.created > 0 ? reply.created : context.created, context.call_id,
             context.model);
  out.key("choices").open_array();
  for (const Choice& choice : reply.choices) {
    out.open_object();
    out.key("text");
    to += '"';
    for (const Part& part : choice.parts) {
      if (const auto* text = part.as<TextPart>()) text->text.append_escaped(to);
      if (const auto* refusal = part.as<RefusalPart>()) refusal->text.append_escaped(to);
    }
    to += '"';
    out.key("index").integer(choice.index);
    out.key("logprobs").raw("null");
    out.key("finish_reason").string(openai_chat::name_of(choice.finish));
    out.close_object();
  }
  out.close_array();
  if (reply.usage.usage.reported) openai_chat::encode_usage(out.key("usage"), reply.usage);
  out.close_object();
}

/// Only text has a place in this dialect: reasoning is left out, tools cannot be asked for.
class Encoder final : public StreamEncoder {
 public:
  explicit Encoder(const ReplyContext& context)
      : call_id_(context.call_id),
        model_(context.model),
        created_(context.created),
        include_usage_(context.include_usage) {
    set_prefix({});
  }

  void encode(const StreamEvent& event, std::string& to) override {
    if (ended_) return;
    if (const auto* start = std::get_if<StreamStart>(&event)) {
      set_prefix(*start);
      usage_ = start->usage;
    } else if (const auto* text = std::get_if<TextDelta>(&event)) {
      chunk(text->choice, text->text, {}, to);
    } else if (const auto* refusal = std::get_if<RefusalDelta>(&event)) {
      chunk(refusal->choice, refusal->text, {}, to);
    } else if (const auto* finish = std::get_if<ChoiceFinish>(&event)) {
      chunk(finish->choice, {}, openai_chat::name_of(finish->reason), to);
    } else if (const auto* usage = std::get_if<UsageSnapshot>(&event)) {
      usage_ = usage->report;
    } else if (std::holds_alternative<Ping>(event)) {
      to += ": keep-alive\n\n";
    } else if (const auto* error = std::get_if<StreamError>(&event)) {
      ended_ = true;
      to += "data: ";
      to += openai_chat::encode_error(error->message, row_of(error->failure).type, {}, error->code);
      to += "\n\n";
    } else if (std::holds_alternative<Done>(event)) {
      done(to);
    }
  }

 private:
  void set_prefix(const StreamStart& start) {
    prefix_ = "data: ";
    Writer out(prefix_);
    write_head(out, start.id, start.model, start.created > 0 ? start.created : created_, call_id_, model_);
    out.key("choices");
  }

  void chunk(std::uint32_t choice, const Text& text, std::string_view finish, std::string& to) {
    to += prefix_;
    Writer out(to);
    out.open_array();
    out.open_object();
    out.key("text").text(text);
    out.key("index").integer(choice);
    out.key("logprobs").raw("null");
    out.key("finish_reason");
    finish.empty() ? out.raw("null") : out.string(finish);
    out.close_object();
    out.close_array();
    to += include_usage_ ? ",\"usage\":null}\n\n" : "}\n\n";
  }

  void done(std::string& to) {
    ended_ = true;
    if (include_usage_ && usage_.usage.reported) {
      to += prefix_;
      to += "[]";
      openai_chat::encode_usage(Writer{to}.key("usage"), usage_);
      to += "}\n\n";
    }
    to += "data: [DONE]\n\n";
  }

  std::string call_id_;
  std::string model_;
  std::int64_t created_;
  bool include_usage_;
  bool ended_ = false;
  std::string prefix_;
  UsageReport usage_;
};

}  // namespace

const Codec& codec() {
  static const Codec verbs{
      .name = "openai_completions",
      .decode_request = decode_request,
      .encode_reply = encode_reply,
      .make_stream_encoder = [](const ReplyContext& context) -> std::unique_ptr<StreamEncoder> {
        return std::make_unique<Encoder>(context);
      },
      .encode_error = openai_chat::codec().encode_error,
  };
  return verbs;
}

}  // namespace weir::openai_completions
