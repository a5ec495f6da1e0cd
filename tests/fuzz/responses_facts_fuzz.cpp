#include "fuzz/body_facts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::fuzz::body_facts(weir::Dialect::openai_responses, {reinterpret_cast<const char*>(data), size});
  return 0;
}
