// What the threads of this library have in common.
#pragma once
#include <cstdint>

namespace upsampling {

// Starts a thread that nobody waits for and that takes no signals. False where none can be created.
bool start_thread(void* (*run)(void*), void* data);

// Of a clock that only goes forward.
int64_t nanoseconds();

// Between two looks at memory that another thread will write.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace upsampling
