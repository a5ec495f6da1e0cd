#include "dialects/codecs/codecs.hpp"

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_completions/codec.hpp"
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

}  // namespace weir::dialects
