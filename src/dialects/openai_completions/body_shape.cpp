#include "dialects/openai_completions/body_shape.hpp"

#include <array>

namespace weir::openai_completions {
namespace {

using Key = openai_chat::BodyShape::Key;

constexpr std::array<std::string_view, 8> kNames{"model",    "prompt", "stream", "stream_options",
                                                 "metadata", "user",   "n",      "max_tokens"};
constexpr std::array<Key, 8> kKeys{Key::model,    Key::messages, Key::stream, Key::stream_options,
                                   Key::metadata, Key::user,     Key::n,      Key::max_tokens};

}  // namespace

const openai_chat::BodyShape& body_shape() {
  static constexpr openai_chat::BodyShape shape{.names = kNames, .keys = kKeys, .needs_messages = false};
  return shape;
}

}  // namespace weir::openai_completions
