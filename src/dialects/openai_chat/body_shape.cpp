#include "dialects/openai_chat/body_shape.hpp"

#include <array>

namespace weir::openai_chat {
namespace {

using Key = BodyShape::Key;

constexpr std::array<std::string_view, 12> kNames{
    "model", "messages", "stream",     "stream_options",        "metadata", "store",
    "user",  "n",        "max_tokens", "max_completion_tokens", "tools",    "response_format"};
constexpr std::array<Key, 12> kKeys{Key::model,          Key::messages,   Key::stream, Key::stream_options,
                                    Key::metadata,       Key::store,      Key::user,   Key::n,
                                    Key::max_tokens_old, Key::max_tokens, Key::tools,  Key::format};

}  // namespace

const BodyShape& chat_shape() {
  static constexpr BodyShape shape{.names = kNames, .keys = kKeys, .system_is_a_message = true};
  return shape;
}

}  // namespace weir::openai_chat
