#include "dialects/anthropic/stream_encoder.hpp"

#include <variant>

#include <fmt/format.h>

#include "dialects/anthropic/block_encoder.hpp"
#include "dialects/anthropic/reply_codec.hpp"
#include "dialects/anthropic/stop_reason.hpp"
#include "dialects/anthropic/usage_reader.hpp"

namespace weir::anthropic {

using namespace vocabulary;

namespace {

/// The beginning of an event, up to and with its type; finish() ends it.
Writer begin(std::string_view type, std::string& to) {
  to += "event: ";
  to += type;
  to += "\ndata: ";
  Writer out(to);
  out.open_document();
  out.key("type").string(type);
  return out;
}

void finish(Writer& out) {
  out.close_object();
  out.target() += "\n\n";
}

}  // namespace

void ObjectEnd::feed(std::string_view piece) {
  for (const char c : piece) {
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      reached_ |= --depth_ == 0;
    }
  }
}

void StreamEncoder::start(const StreamStart& event, std::string& to) {
  started_ = true;
  usage_ = event.usage;
  Writer out = begin("message_start", to);
  out.key("message").open_object();
  encode_message_head(out, event.id, event.model, call_id_, model_);
  out.key("content").raw("[]");
  out.key("stop_reason").raw("null");
  out.key("stop_sequence").raw("null");
  encode_usage(out.key("usage"), usage_);
  out.close_object();
  finish(out);
}

void StreamEncoder::start_if_needed(std::string& to) {
  if (!started_) start({}, to);
}

/// A block of this kind is open afterwards. Tools are opened by open_call().
void StreamEncoder::open(Kind kind, std::string& to) {
  start_if_needed(to);
  if (open_ == kind) return;
  close_all(to);
  open_ = kind;
  ++index_;
  Writer out = begin("content_block_start", to);
  out.key("index").integer(index_);
  out.key("content_block")
      .raw(kind == Kind::text ? R"({"type":"text","text":""})" : R"({"type":"thinking","thinking":"","signature":""})");
  finish(out);
}

void StreamEncoder::close(std::string& to) {
  if (open_ == Kind::none) return;
  if (open_ == Kind::tool) calls_[open_call_].stage = Stage::closed;
  open_ = Kind::none;
  Writer out = begin("content_block_stop", to);
  out.key("index").integer(index_);
  finish(out);
}

/// Also the calls that wait: nothing more can come for the one they wait for.
void StreamEncoder::close_all(std::string& to) {
  close(to);
  for (Call& call : calls_) {
    if (call.stage != Stage::waiting) continue;
    open_call(call, to);
    close(to);
  }
}

void StreamEncoder::open_call(Call& call, std::string& to) {
  call.stage = Stage::open;
  open_ = Kind::tool;
  open_call_ = static_cast<std::size_t>(&call - calls_.data());
  ++index_;
  Writer out = begin("content_block_start", to);
  out.key("index").integer(index_);
  out.key("content_block").open_object();
  out.key("type").string("tool_use");
  out.key("id").string(call.id);
  out.key("name").string(call.name);
  out.key("input").raw("{}");
  out.close_object();
  finish(out);
  if (!call.waiting.empty()) {
    write_delta("input_json_delta", "partial_json", Text::escaped(call.waiting), to);
    call.waiting.clear();
  }
}

/// Opens the calls that waited, as far as those before them are whole.
void StreamEncoder::open_waiting(std::string& to) {
  for (Call& call : calls_) {
    if (call.stage != Stage::waiting) continue;
    if (open_ == Kind::tool && !calls_[open_call_].end.reached()) return;
    close(to);
    open_call(call, to);
  }
}

void StreamEncoder::call_arguments(Call& call, const Text& fragment, std::string& to) {
  if (fragment.empty()) return;
  call.end.feed(fragment.str());
  if (call.stage == Stage::open) {
    write_delta("input_json_delta", "partial_json", fragment, to);
    open_waiting(to);
  } else if (call.stage == Stage::waiting) {
    fragment.append_escaped(call.waiting);
  } else {
    write_error("The provider sent arguments of a tool call after its end.", 502, to);
  }
}

StreamEncoder::Call* StreamEncoder::find(std::uint32_t index) {
  for (Call& call : calls_) {
    if (call.index == index) return &call;
  }
  return nullptr;
}

void StreamEncoder::write_delta(std::string_view type, std::string_view key, const Text& value, std::string& to) {
  Writer out = begin("content_block_delta", to);
  out.key("index").integer(index_);
  out.key("delta").open_object();
  out.key("type").string(type);
  out.key(key).text(value);
  out.close_object();
  finish(out);
}

void StreamEncoder::write_error(std::string_view message, int status, std::string& to) {
  ended_ = true;
  to += "event: error\ndata: ";
  to += encode_error(message, status, call_id_);
  to += "\n\n";
}

struct StreamEncoder::Writing {
  StreamEncoder& self;
  std::string& to;

  void operator()(const StreamStart& event) const {
    if (!self.started_) self.start(event, to);
  }
  void operator()(const TextDelta& event) const {
    if (event.choice != 0 || event.text.empty()) return;
    self.open(Kind::text, to);
    self.write_delta("text_delta", "text", event.text, to);
  }
  void operator()(const RefusalDelta& event) const { (*this)(TextDelta{event.choice, event.text}); }
  void operator()(const ThinkingDelta& event) const {
    if (event.choice != 0 || event.text.empty()) return;
    self.open(Kind::thinking, to);
    self.write_delta("thinking_delta", "thinking", event.text, to);
  }
  void operator()(const SignatureDelta& event) const {
    if (event.choice != 0) return;
    self.open(Kind::thinking, to);
    self.write_delta("signature_delta", "signature", event.signature, to);
  }
  void operator()(const RedactedThinking& event) const {
    if (event.choice != 0) return;
    self.start_if_needed(to);
    self.close_all(to);
    ++self.index_;
    Writer out = begin("content_block_start", to);
    out.key("index").integer(self.index_);
    out.key("content_block").open_object();
    out.key("type").string("redacted_thinking");
    out.key("data").text(event.data);
    out.close_object();
    finish(out);
    Writer stop = begin("content_block_stop", to);
    stop.key("index").integer(self.index_);
    finish(stop);
  }
  void operator()(const ToolCallStart& event) const {
    if (event.choice != 0 || self.find(event.index) != nullptr) return;
    self.start_if_needed(to);
    if (self.open_ == Kind::text || self.open_ == Kind::thinking) self.close(to);
    Call call;
    call.index = event.index;
    call.id = event.id.empty() ? fmt::format("toolu_{}_{}", self.call_id_, event.index) : tool_id(event.id);
    call.name = event.name.str();
    self.calls_.push_back(std::move(call));
    self.open_waiting(to);
  }
  void operator()(const ToolArgumentsDelta& event) const {
    if (event.choice != 0) return;
    if (Call* call = self.find(event.index)) self.call_arguments(*call, event.fragment, to);
  }
  void operator()(const CitationDelta& event) const {
    if (event.choice != 0) return;
    self.open(Kind::text, to);
    Writer out = begin("content_block_delta", to);
    out.key("index").integer(self.index_);
    out.key("delta").open_object();
    out.key("type").string("citations_delta");
    encode_citation(out.key("citation"), event.citation);
    out.close_object();
    finish(out);
  }
  void operator()(const LogprobsDelta&) const {}
  void operator()(const BlockFinish& event) const {
    if (event.choice != 0) return;
    self.close(to);
    self.open_waiting(to);
  }
  void operator()(const ChoiceFinish& event) const {
    if (event.choice != 0) return;
    self.start_if_needed(to);
    self.close_all(to);
    self.finish_ = event.reason;
    self.stop_sequence_ = event.stop_sequence.str();
  }
  void operator()(const UsageSnapshot& event) const { self.usage_ = event.report; }
  void operator()(const Ping&) const { to += "event: ping\ndata: {\"type\":\"ping\"}\n\n"; }
  void operator()(const StreamError& event) const {
    const int status = event.status != 0 ? event.status : row_of(event.failure).status;
    self.write_error(event.message, status == 0 ? 400 : status, to);
  }
  void operator()(const Done&) const {
    self.start_if_needed(to);
    self.close_all(to);
    self.ended_ = true;
    const bool calls = self.finish_ == Finish::unset && !self.calls_.empty();
    Writer out = begin("message_delta", to);
    out.key("delta").open_object();
    out.key("stop_reason").string(stop_reason_of(calls ? Finish::tool_calls : self.finish_));
    out.key("stop_sequence");
    self.stop_sequence_.empty() ? out.raw("null") : out.string(self.stop_sequence_);
    out.close_object();
    encode_usage(out.key("usage"), self.usage_);
    finish(out);
    Writer stop = begin("message_stop", to);
    finish(stop);
  }
};

void StreamEncoder::encode(const StreamEvent& event, std::string& to) {
  if (!ended_) std::visit(Writing{*this, to}, event);
}

}  // namespace weir::anthropic
