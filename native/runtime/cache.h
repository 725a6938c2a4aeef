// What the machine says about its caches.
#pragma once
#include <cstdint>

namespace upsampling {

// Bytes of the last level; a result beyond it is better written past the caches.
int64_t last_level_cache();

}  // namespace upsampling
