#include "dialects/openai_responses/items.hpp"

#include <algorithm>
#include <cstdint>

namespace weir::openai_responses {

using namespace vocabulary;

void write_reasoning(Writer& out, std::string_view id, const Text& summary, const Text& sealed) {
  out.open_object();
  out.key("id").string(id);
  out.key("type").string("reasoning");
  out.key("summary").open_array();
  if (!summary.empty()) {
    out.open_object();
    out.key("type").string("summary_text");
    out.key("text").text(summary);
    out.close_object();
  }
  out.close_array();
  out.text_member("encrypted_content", sealed);
  out.close_object();
}

void write_message(Writer& out, std::string_view id, std::string_view status, std::string_view content) {
  out.open_object();
  out.key("id").string(id);
  out.key("type").string("message");
  out.key("status").string(status);
  out.key("role").string("assistant");
  out.key("content").open_array();
  if (!content.empty()) out.raw(content);
  out.close_array();
  out.close_object();
}

void write_call(Writer& out, std::string_view id, std::string_view status, const Text& call_id, const Text& name,
                const Text& arguments) {
  out.open_object();
  out.key("id").string(id);
  out.key("type").string("function_call");
  out.key("status").string(status);
  out.key("call_id").text(call_id);
  out.key("name").text(name);
  out.key("arguments").text(arguments);
  out.close_object();
}

void write_text_part(Writer& out, const Text& text, std::string_view annotations) {
  out.open_object();
  out.key("type").string("output_text");
  out.key("text").text(text);
  out.key("annotations").open_array();
  if (!annotations.empty()) out.raw(annotations);
  out.close_array();
  out.key("logprobs").raw("[]");
  out.close_object();
}

void write_refusal_part(Writer& out, const Text& text) {
  out.open_object();
  out.key("type").string("refusal");
  out.key("refusal").text(text);
  out.close_object();
}

void write_annotation(Writer& out, const Citation& citation) {
  out.open_object();
  out.key("type").string("url_citation");
  out.key("url").text(citation.url);
  out.key("title").text(citation.title);
  out.key("start_index").integer(std::max<std::int64_t>(citation.start, 0));
  out.key("end_index").integer(std::max<std::int64_t>(citation.end, 0));
  out.close_object();
}

}  // namespace weir::openai_responses
