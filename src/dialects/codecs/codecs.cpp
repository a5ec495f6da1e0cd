#include "dialects/codecs/codecs.hpp"

#include "dialects/anthropic/body_shape.hpp"
#include "dialects/anthropic/codec.hpp"
#include "dialects/anthropic/error_body.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_completions/body_shape.hpp"
#include "dialects/openai_completions/codec.hpp"
#include "dialects/openai_responses/body_shape.hpp"
#include "dialects/openai_responses/codec.hpp"

namespace weir::dialects {

const vocabulary::Codec& codec_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_completions:
      return openai_completions::codec();
    case Dialect::openai_responses:
      return openai_responses::codec();
    case Dialect::anthropic:
      return anthropic::codec();
    case Dialect::openai_chat:
      break;
  }
  return openai_chat::codec();
}

const openai_chat::BodyShape& shape_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_completions:
      return openai_completions::body_shape();
    case Dialect::openai_responses:
      return openai_responses::body_shape();
    case Dialect::anthropic:
      return anthropic::body_shape();
    case Dialect::openai_chat:
      break;
  }
  return openai_chat::chat_shape();
}

bool reads_error(Dialect dialect, std::string_view body) {
  return dialect == Dialect::anthropic ? anthropic::is_well_formed_error(body)
                                       : openai_chat::is_well_formed_error(body);
}

}  // namespace weir::dialects
