#include "dialects/openai_responses/body_shape.hpp"

#include <array>

namespace weir::openai_responses {
namespace {

using Key = openai_chat::BodyShape::Key;

constexpr std::array<std::string_view, 9> kNames{
    "model", "input", "instructions", "stream", "metadata", "user", "max_output_tokens", "tools", "text"};
constexpr std::array<Key, 9> kKeys{Key::model, Key::messages,   Key::system, Key::stream, Key::metadata,
                                   Key::user,  Key::max_tokens, Key::tools,  Key::format};

}  // namespace

const openai_chat::BodyShape& body_shape() {
  static constexpr openai_chat::BodyShape shape{.names = kNames,
                                                .keys = kKeys,
                                                .needs_messages = false,
                                                .usage_always = true,
                                                .metadata_rule = openai_chat::MetadataRule::ours_go};
  return shape;
}

}  // namespace weir::openai_responses
