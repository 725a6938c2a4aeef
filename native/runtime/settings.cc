#include "runtime/settings.h"

#include <atomic>

namespace upsampling {

namespace {
std::atomic<int> threads{0};  // 0 until the first environment decides
}

int default_threads() { return threads.load(std::memory_order_relaxed); }
void set_default_threads(int n) { threads.store(n, std::memory_order_relaxed); }

}  // namespace upsampling
