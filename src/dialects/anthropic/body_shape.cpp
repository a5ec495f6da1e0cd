#include "dialects/anthropic/body_shape.hpp"

#include <array>

namespace weir::anthropic {
namespace {

using Key = openai_chat::BodyShape::Key;

constexpr std::array<std::string_view, 9> kNames{"model",      "messages", "system",        "stream",       "metadata",
                                                 "max_tokens", "tools",    "output_config", "output_format"};
constexpr std::array<Key, 9> kKeys{Key::model,      Key::messages, Key::system, Key::stream, Key::metadata,
                                   Key::max_tokens, Key::tools,    Key::format, Key::format};

}  // namespace

const openai_chat::BodyShape& body_shape() {
  static constexpr openai_chat::BodyShape shape{
      .names = kNames, .keys = kKeys, .usage_always = true, .metadata_rule = openai_chat::MetadataRule::task_goes};
  return shape;
}

}  // namespace weir::anthropic
