#include <string_view>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_responses/codec.hpp"
#include "fuzz/translate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir;
  fuzz::reply_to(anthropic::codec(), {&openai_chat::codec(), &anthropic::codec(), &openai_responses::codec()},
                 {reinterpret_cast<const char*>(data), size});
  return 0;
}
