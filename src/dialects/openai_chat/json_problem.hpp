#pragma once
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// One sentence for a person on why `text` is not JSON, with the byte where it stops being so; empty if it is.
/// Names nothing of the text itself, which is a prompt. Slow: for refusals.
std::string describe_json_problem(std::string_view text);

}  // namespace weir::openai_chat
