#include <weir/base/result.hpp>

#include <cstdio>
#include <cstdlib>

namespace weir {

void ensure_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weir: broken rule: %s (%s:%d); please report this\n", condition, file, line);
  std::abort();
}

}  // namespace weir
