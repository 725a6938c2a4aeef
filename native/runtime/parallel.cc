#include "runtime/parallel.h"

#include <atomic>

namespace upsampling {

namespace {
std::atomic<bool> team_in_use{false};
}

void run_team(int threads, void (*fn)(void*), void* data) {
  if (team_in_use.exchange(true, std::memory_order_acquire)) {
    fn(data);
    return;
  }
#pragma omp parallel num_threads(threads)
  fn(data);
  team_in_use.store(false, std::memory_order_release);
}

}  // namespace upsampling
