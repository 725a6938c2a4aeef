#include "runtime/cache.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace upsampling {

namespace {

// More than this of a last level is other cores' too. Of 480 MB in a virtual machine with two cores, results
// up to 80 MB stay: larger ones are written at 10 GB/s, but at 25 past the caches.
constexpr int64_t kMostLastLevel = int64_t{96} * 1024 * 1024;

// The cache that one core sees. sysconf multiplies it by the machine's cores on some processors.
int64_t bytes_from_system(int level) {
  int64_t bytes = 0;
#if defined(__linux__)
  for (int index = 0; index < 8 && bytes == 0; ++index) {
    char name[80];
    std::snprintf(name, sizeof name, "/sys/devices/system/cpu/cpu0/cache/index%d/level", index);
    int found = 0;
    if (FILE* f = std::fopen(name, "r")) {
      if (std::fscanf(f, "%d", &found) != 1) found = 0;
      std::fclose(f);
    }
    if (found != level) continue;
    std::snprintf(name, sizeof name, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
    if (FILE* f = std::fopen(name, "r")) {
      long long size = 0;
      char unit = 0;
      const int read = std::fscanf(f, "%lld%c", &size, &unit);
      if (read >= 1 && size > 0) bytes = size * (unit == 'K' ? 1024 : unit == 'M' ? 1024 * 1024 : 1);
      std::fclose(f);
    }
  }
#else
  (void)level;
#endif
  return bytes;
}

}  // namespace

int64_t last_level_cache() {
  static const int64_t bytes = [] {
    int64_t found = bytes_from_system(3);
#if defined(_SC_LEVEL3_CACHE_SIZE)
    if (found == 0) found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    return found > 0 ? std::min<int64_t>(found, kMostLastLevel) : int64_t{32} * 1024 * 1024;
  }();
  return bytes;
}

int64_t second_level_cache() {
  static const int64_t bytes = [] {
    const int64_t found = bytes_from_system(2);
    return found > 0 ? found : int64_t{512} * 1024;
  }();
  return bytes;
}

bool is_untouched(const void* memory, int64_t bytes) {
#if defined(__linux__)
  // Some places stand for all.
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  for (int i = 1; i <= 3; ++i) {
    unsigned char resident = 1;
    void* at = reinterpret_cast<void*>((begin + static_cast<uintptr_t>(bytes) / 4 * i) / page * page);
    if (mincore(at, page, &resident) != 0 || (resident & 1) != 0) return false;
  }
  return bytes > 0;
#else
  (void)memory;
  (void)bytes;
  return false;
#endif
}

}  // namespace upsampling
