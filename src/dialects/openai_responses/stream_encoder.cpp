#include "dialects/openai_responses/stream_encoder.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "dialects/openai_responses/item_decoder.hpp"
#include "dialects/openai_responses/items.hpp"
#include "dialects/openai_responses/reply_codec.hpp"

namespace weir::openai_responses {

using namespace vocabulary;

namespace {

void finish(Writer& out) {
  out.close_object();
  out.target() += "\n\n";
}

}  // namespace

/// The beginning of an event, up to and with its type and number; finish() ends it.
Writer StreamEncoder::begin(std::string_view type, std::string& to) {
  to += "event: ";
  to += type;
  to += "\ndata: ";
  Writer out(to);
  out.open_document();
  out.key("type").string(type);
  out.key("sequence_number").integer(sequence_++);
  return out;
}

void StreamEncoder::response_event(std::string_view type, std::string_view status, std::string& to) {
  std::string output;
  Writer list(output);
  for (const std::string& item : items_) {
    if (!item.empty()) list.raw(item);
  }
  Writer out = begin(type, to);
  encode_response(
      out.key("response"),
      {.id = id_, .model = model_, .created = created_, .status = status, .incomplete = incomplete_reason(finish_)},
      output, usage_);
  finish(out);
}

void StreamEncoder::start(const StreamStart& event, std::string& to) {
  if (started_) return;
  started_ = true;
  id_ = event.id.empty() ? fmt::format("resp_{}", call_id_) : event.id.str();
  if (!event.model.empty()) model_ = event.model.str();
  if (event.created > 0) created_ = event.created;
  response_event("response.created", "in_progress", to);
  response_event("response.in_progress", "in_progress", to);
  usage_ = event.usage;
}

void StreamEncoder::add_item(const std::string& item, std::int64_t output_index, std::string& to) {
  items_.resize(static_cast<std::size_t>(output_index) + 1);
  Writer out = begin("response.output_item.added", to);
  out.key("output_index").integer(output_index);
  out.key("item").raw(item);
  finish(out);
}

void StreamEncoder::end_item(const std::string& item, std::int64_t output_index, std::string& to) {
  items_[static_cast<std::size_t>(output_index)] = item;
  Writer out = begin("response.output_item.done", to);
  out.key("output_index").integer(output_index);
  out.key("item").raw(item);
  finish(out);
}

Writer StreamEncoder::begin_in_item(std::string_view type, std::string& to) {
  Writer out = begin(type, to);
  out.key("item_id").string(item_id_);
  out.key("output_index").integer(output_index_);
  out.key(open_ == Kind::reasoning ? "summary_index" : "content_index").integer(0);
  return out;
}

/// The part of the open item as it is now.
void StreamEncoder::part_event(std::string_view type, std::string& to) {
  Writer out = begin_in_item(type, to);
  out.key("part");
  if (open_ == Kind::text) {
    write_text_part(out, Text::escaped(said_), annotations_);
  } else if (open_ == Kind::refusal) {
    write_refusal_part(out, Text::escaped(said_));
  } else {
    out.open_object();
    out.key("type").string("summary_text");
    out.key("text").text(Text::escaped(said_));
    out.close_object();
  }
  finish(out);
}

void StreamEncoder::open(Kind kind, std::string& to) {
  start({}, to);
  if (open_ == kind) return;
  close(to);
  close_calls(to);
  open_ = kind;
  output_index_ = next_output_++;
  item_id_ = fmt::format("{}_{}_{}", kind == Kind::reasoning ? "rs" : "msg", call_id_, output_index_);
  std::string item;
  Writer out(item);
  kind == Kind::reasoning ? write_reasoning(out, item_id_, {}, {}) : write_message(out, item_id_, "in_progress", "");
  add_item(item, output_index_, to);
  part_event(kind == Kind::reasoning ? "response.reasoning_summary_part.added" : "response.content_part.added", to);
}

void StreamEncoder::close(std::string& to) {
  if (open_ == Kind::none) return;
  const bool reasoning = open_ == Kind::reasoning;
  std::string_view done = "response.output_text.done";
  if (open_ == Kind::refusal) done = "response.refusal.done";
  if (reasoning) done = "response.reasoning_summary_text.done";
  Writer out = begin_in_item(done, to);
  out.key(open_ == Kind::refusal ? "refusal" : "text").text(Text::escaped(said_));
  if (open_ == Kind::text) out.key("logprobs").raw("[]");
  finish(out);
  part_event(reasoning ? "response.reasoning_summary_part.done" : "response.content_part.done", to);
  std::string item;
  Writer whole(item);
  if (reasoning) {
    write_reasoning(whole, item_id_, Text::escaped(said_), Text::escaped(sealed_));
  } else {
    std::string part;
    Writer content(part);
    open_ == Kind::text ? write_text_part(content, Text::escaped(said_), annotations_)
                        : write_refusal_part(content, Text::escaped(said_));
    write_message(whole, item_id_, "completed", part);
  }
  end_item(item, output_index_, to);
  open_ = Kind::none;
  said_.clear();
  annotations_.clear();
  sealed_.clear();
}

/// Calls may interleave here, each by its output_index: they end together.
void StreamEncoder::close_calls(std::string& to) {
  for (Call& call : calls_) {
    if (!std::exchange(call.open, false)) continue;
    const Text arguments = call.arguments.empty() ? Text::plain("{}") : Text::escaped(call.arguments);
    Writer out = begin("response.function_call_arguments.done", to);
    out.key("item_id").string(call.id);
    out.key("output_index").integer(call.output_index);
    out.key("name").string(call.name);
    out.key("arguments").text(arguments);
    finish(out);
    std::string item;
    Writer whole(item);
    write_call(whole, call.id, "completed", Text::plain(call.call_id), Text::plain(call.name), arguments);
    end_item(item, call.output_index, to);
  }
}

void StreamEncoder::delta(Kind kind, const Text& text, std::string& to) {
  if (text.empty()) return;
  open(kind, to);
  std::string_view type = "response.output_text.delta";
  if (kind == Kind::refusal) type = "response.refusal.delta";
  if (kind == Kind::reasoning) type = "response.reasoning_summary_text.delta";
  Writer out = begin_in_item(type, to);
  out.key("delta").text(text);
  if (kind == Kind::text) out.key("logprobs").raw("[]");
  finish(out);
  text.append_escaped(said_);
}

struct StreamEncoder::Writing {
  StreamEncoder& self;
  std::string& to;

  void operator()(const StreamStart& event) const { self.start(event, to); }
  void operator()(const TextDelta& event) const {
    if (event.choice == 0) self.delta(Kind::text, event.text, to);
  }
  void operator()(const RefusalDelta& event) const {
    if (event.choice == 0) self.delta(Kind::refusal, event.text, to);
  }
  void operator()(const ThinkingDelta& event) const {
    if (event.choice == 0) self.delta(Kind::reasoning, event.text, to);
  }
  void operator()(const SignatureDelta& event) const {
    if (event.choice != 0) return;
    self.open(Kind::reasoning, to);
    event.signature.append_escaped(self.sealed_);
  }
  void operator()(const RedactedThinking& event) const {
    if (event.choice != 0) return;
    self.start({}, to);
    self.close(to);
    self.close_calls(to);
    const std::int64_t output_index = self.next_output_++;
    std::string item;
    Writer out(item);
    write_reasoning(out, fmt::format("rs_{}_{}", self.call_id_, output_index), {},
                    Text::owned(std::string{kRedacted} + event.data.str()));
    self.add_item(item, output_index, to);
    self.end_item(item, output_index, to);
  }
  void operator()(const ToolCallStart& event) const {
    if (event.choice != 0) return;
    self.start({}, to);
    self.close(to);
    Call call;
    call.index = event.index;
    call.output_index = self.next_output_++;
    call.id = fmt::format("fc_{}_{}", self.call_id_, call.output_index);
    call.call_id = event.id.empty() ? call.id : event.id.str();
    call.name = event.name.str();
    std::string item;
    Writer out(item);
    write_call(out, call.id, "in_progress", Text::plain(call.call_id), event.name, {});
    self.add_item(item, call.output_index, to);
    self.calls_.push_back(std::move(call));
  }
  void operator()(const ToolArgumentsDelta& event) const {
    if (event.choice != 0 || event.fragment.empty()) return;
    for (Call& call : self.calls_) {
      if (call.index != event.index || !call.open) continue;
      Writer out = self.begin("response.function_call_arguments.delta", to);
      out.key("item_id").string(call.id);
      out.key("output_index").integer(call.output_index);
      out.key("delta").text(event.fragment);
      finish(out);
      event.fragment.append_escaped(call.arguments);
    }
  }
  void operator()(const CitationDelta& event) const {
    if (event.choice != 0 || event.citation.url.empty()) return;
    self.open(Kind::text, to);
    std::string annotation;
    Writer element(annotation);
    write_annotation(element, event.citation);
    Writer out = self.begin_in_item("response.output_text.annotation.added", to);
    out.key("annotation_index").integer(0);
    out.key("annotation").raw(annotation);
    finish(out);
    Writer{self.annotations_}.raw(annotation);
  }
  void operator()(const LogprobsDelta&) const {}
  void operator()(const BlockFinish& event) const {
    if (event.choice == 0) self.close(to);
  }
  void operator()(const ChoiceFinish& event) const {
    if (event.choice != 0) return;
    self.start({}, to);
    self.close(to);
    self.close_calls(to);
    self.finish_ = event.reason;
  }
  void operator()(const UsageSnapshot& event) const { self.usage_ = event.report; }
  void operator()(const Ping&) const { to += ": keep-alive\n\n"; }
  void operator()(const StreamError& event) const {
    self.ended_ = true;
    Writer out = self.begin("error", to);
    out.key("code");
    event.code.empty() ? out.string(row_of(event.failure).type) : out.string(event.code);
    out.key("message").string(event.message);
    out.key("param").raw("null");
    finish(out);
  }
  void operator()(const Done&) const {
    self.start({}, to);
    self.close(to);
    self.close_calls(to);
    self.ended_ = true;
    const bool whole = incomplete_reason(self.finish_).empty();
    self.response_event(whole ? "response.completed" : "response.incomplete", whole ? "completed" : "incomplete", to);
  }
};

void StreamEncoder::encode(const StreamEvent& event, std::string& to) {
  if (!ended_) std::visit(Writing{*this, to}, event);
}

}  // namespace weir::openai_responses
