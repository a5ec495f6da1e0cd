#include "dialects/anthropic/body_shape.hpp"

#include <array>

namespace weir::anthropic {
namespace {

using Key = openai_chat::BodyShape::Key;

constexpr std::array<std::string_view, 6> kNames{"model", "messages", "system", "stream", "metadata", "max_tokens"};
constexpr std::array<Key, 6> kKeys{Key::model, Key::messages, Key::system, Key::stream, Key::metadata, Key::max_tokens};

}  // namespace

const openai_chat::BodyShape& body_shape() {
  static constexpr openai_chat::BodyShape shape{
      .names = kNames, .keys = kKeys, .usage_always = true, .metadata_rule = openai_chat::MetadataRule::task_goes};
  return shape;
}

}  // namespace weir::anthropic
