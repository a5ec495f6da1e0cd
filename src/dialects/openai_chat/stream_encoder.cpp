#include "dialects/openai_chat/stream_encoder.hpp"

#include <algorithm>
#include <variant>

#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/openai_chat/reply_encoder.hpp"

namespace weir::openai_chat {

using namespace vocabulary;

StreamEncoder::StreamEncoder(const ReplyContext& context)
    : call_id_(context.call_id),
      model_(context.model),
      created_(context.created),
      include_usage_(context.include_usage) {
  set_prefix({});
}

void StreamEncoder::set_prefix(const StreamStart& start) {
  prefix_ = "data: ";
  Writer out(prefix_);
  out.open_document();
  out.key("id");
  start.id.empty() ? out.string(call_id_) : out.text(start.id);
  out.key("object").string("chat.completion.chunk");
  out.key("created").integer(start.created > 0 ? start.created : created_);
  out.key("model");
  start.model.empty() ? out.string(model_) : out.text(start.model);
  out.key("choices");
}

void StreamEncoder::end(std::string& to) const {
  to += include_usage_ ? ",\"usage\":null}\n\n" : "}\n\n";
}

template <class Delta>
void StreamEncoder::raw_chunk(std::uint32_t choice, std::string& to, std::string_view finish, std::string_view logprobs,
                              Delta&& delta) {
  begin(to);
  Writer out(to);
  out.open_array();
  out.open_object();
  out.key("index").integer(choice);
  out.key("delta").open_object();
  delta(out);
  out.close_object();
  out.key("logprobs").raw(logprobs.empty() ? "null" : logprobs);
  out.key("finish_reason");
  finish.empty() ? out.raw("null") : out.string(finish);
  out.close_object();
  out.close_array();
  end(to);
}

template <class Delta>
void StreamEncoder::chunk(std::uint32_t choice, std::string& to, Delta&& delta) {
  state_of(choice, to);
  raw_chunk(choice, to, {}, {}, delta);
}

/// The first chunk of a choice says its role.
StreamEncoder::ChoiceState& StreamEncoder::state_of(std::uint32_t choice, std::string& to) {
  const auto known =
      std::find_if(choices_.begin(), choices_.end(), [choice](const ChoiceState& one) { return one.choice == choice; });
  if (known != choices_.end()) return *known;
  raw_chunk(choice, to, {}, {}, [](Writer& out) {
    out.key("role").string("assistant");
    out.key("content").string("");
    out.key("refusal").raw("null");
  });
  return choices_.emplace_back(ChoiceState{choice, false});
}

void StreamEncoder::arguments(std::uint32_t choice, std::uint32_t index, const Text& fragment, std::string& to) {
  chunk(choice, to, [&](Writer& out) {
    out.key("tool_calls").open_array();
    out.open_object();
    out.key("index").integer(index);
    out.key("function").open_object();
    out.key("arguments").text(fragment);
    out.close_object();
    out.close_object();
    out.close_array();
  });
}

/// A call without arguments says so as {}: clients parse the whole as JSON.
void StreamEncoder::fill_empty_arguments(std::uint32_t choice, std::string& to) {
  for (Call& call : calls_) {
    if (call.choice != choice || call.arguments) continue;
    call.arguments = true;
    arguments(choice, call.index, Text::plain("{}"), to);
  }
}

struct StreamEncoder::Writing {
  StreamEncoder& self;
  std::string& to;

  void operator()(const StreamStart& event) const {
    self.set_prefix(event);
    self.usage_ = event.usage;
    self.state_of(0, to);
  }
  void operator()(const TextDelta& event) const {
    self.chunk(event.choice, to, [&](Writer& out) { out.key("content").text(event.text); });
  }
  void operator()(const ThinkingDelta& event) const {
    self.chunk(event.choice, to, [&](Writer& out) { out.key("reasoning_content").text(event.text); });
  }
  void operator()(const SignatureDelta& event) const {
    self.chunk(event.choice, to, [&](Writer& out) { block(out, "thinking", "signature", event.signature); });
  }
  void operator()(const RedactedThinking& event) const {
    self.chunk(event.choice, to, [&](Writer& out) { block(out, "redacted_thinking", "data", event.data); });
  }
  static void block(Writer& out, std::string_view type, std::string_view key, const Text& value) {
    out.key("thinking_blocks").open_array();
    out.open_object();
    out.key("type").string(type);
    out.key(key).text(value);
    out.close_object();
    out.close_array();
  }
  void operator()(const RefusalDelta& event) const {
    self.chunk(event.choice, to, [&](Writer& out) { out.key("refusal").text(event.text); });
  }
  void operator()(const ToolCallStart& event) const {
    self.state_of(event.choice, to).calls = true;
    self.calls_.push_back({event.choice, event.index, false});
    self.chunk(event.choice, to, [&](Writer& out) {
      out.key("tool_calls").open_array();
      out.open_object();
      out.key("index").integer(event.index);
      out.key("id").text(event.id);
      out.key("type").string("function");
      out.key("function").open_object();
      out.key("name").text(event.name);
      out.key("arguments").string("");
      out.close_object();
      if (!event.signature.empty()) {
        out.key("extra_content").open_object();
        out.key("google").open_object();
        out.key("thought_signature").text(event.signature);
        out.close_object();
        out.close_object();
      }
      out.close_object();
      out.close_array();
    });
  }
  void operator()(const ToolArgumentsDelta& event) const {
    if (event.fragment.empty()) return;
    for (Call& call : self.calls_) {
      if (call.choice == event.choice && call.index == event.index) call.arguments = true;
    }
    self.arguments(event.choice, event.index, event.fragment, to);
  }
  void operator()(const CitationDelta& event) const {
    if (event.citation.url.empty()) return;
    self.chunk(event.choice, to, [&](Writer& out) {
      out.key("annotations").open_array();
      encode_annotation(out, event.citation);
      out.close_array();
    });
  }
  void operator()(const LogprobsDelta& event) const {
    self.state_of(event.choice, to);
    self.raw_chunk(event.choice, to, {}, event.raw, [](Writer&) {});
  }
  void operator()(const BlockFinish&) const {}
  void operator()(const ChoiceFinish& event) const {
    self.fill_empty_arguments(event.choice, to);
    const bool calls = self.state_of(event.choice, to).calls;
    const Finish reason = event.reason == Finish::unset && calls ? Finish::tool_calls : event.reason;
    self.raw_chunk(event.choice, to, name_of(reason), {}, [](Writer&) {});
  }
  void operator()(const UsageSnapshot& event) const { self.usage_ = event.report; }
  void operator()(const Ping&) const { to += ": keep-alive\n\n"; }
  void operator()(const StreamError& event) const {
    self.ended_ = true;
    to += "data: ";
    to += encode_error(event.message, row_of(event.failure).type, {}, event.code);
    to += "\n\n";
  }
  void operator()(const Done&) const {
    self.ended_ = true;
    if (self.include_usage_ && self.usage_.usage.reported) {
      self.begin(to);
      to += "[]";
      encode_usage(Writer{to}.key("usage"), self.usage_);
      to += "}\n\n";
    }
    to += "data: [DONE]\n\n";
  }
};

void StreamEncoder::encode(const StreamEvent& event, std::string& to) {
  if (!ended_) std::visit(Writing{*this, to}, event);
}

}  // namespace weir::openai_chat
