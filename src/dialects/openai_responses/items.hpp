#pragma once
#include <string>
#include <string_view>

#include "dialects/vocabulary/reply.hpp"
#include "dialects/vocabulary/write.hpp"

/// The items of `output`, for replies and for streams. Texts are taken as they are escaped.
namespace weir::openai_responses {

void write_reasoning(vocabulary::Writer& out, std::string_view id, const vocabulary::Text& summary,
                     const vocabulary::Text& sealed);
/// `content`: its parts, comma-separated.
void write_message(vocabulary::Writer& out, std::string_view id, std::string_view status, std::string_view content);
void write_call(vocabulary::Writer& out, std::string_view id, std::string_view status, const vocabulary::Text& call_id,
                const vocabulary::Text& name, const vocabulary::Text& arguments);
/// A part of a message; `annotations`: elements, comma-separated.
void write_text_part(vocabulary::Writer& out, const vocabulary::Text& text, std::string_view annotations);
void write_refusal_part(vocabulary::Writer& out, const vocabulary::Text& text);
void write_annotation(vocabulary::Writer& out, const vocabulary::Citation& citation);

}  // namespace weir::openai_responses
