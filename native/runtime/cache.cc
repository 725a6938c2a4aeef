#include "runtime/cache.h"

#include <unistd.h>

namespace upsampling {

int64_t last_level_cache() {
  static const int64_t bytes = [] {
    int64_t found = 0;
#if defined(_SC_LEVEL3_CACHE_SIZE)
    found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    return found > 0 ? found : int64_t{32} * 1024 * 1024;
  }();
  return bytes;
}

}  // namespace upsampling
