// What the machine says about its caches.
#pragma once
#include <cstdint>

namespace upsampling {

// Bytes of the last level.
int64_t last_level_cache();

// Whether inputs and outputs of so many bytes together leave little of the last level: outputs are then
// better written past the caches, if they are not untouched.
inline bool exceeds_caches(int64_t bytes) { return bytes > last_level_cache() / 4 * 3; }

// Bytes of the second level, which a core has for itself.
int64_t second_level_cache();

// Whether memory was never written to: its pages are then given when they are, zeroed and in the caches,
// where stores that bypass these are slow.
bool is_untouched(const void* memory, int64_t bytes);

}  // namespace upsampling
