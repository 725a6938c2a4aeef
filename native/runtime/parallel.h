// The one way work is spread over threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

#include "runtime/context.h"

namespace upsampling {

// Calls fn(data) once on each of up to `threads` threads, this one included. Serial where OpenMP is absent,
// threads cannot be created, or another region of this process is running.
void run_team(int threads, void (*fn)(void*), void* data);

// Called between blocks: on the threads of the queue, a job lets a waiting shorter one in.
void let_shorter_jobs_in();

// Calls body(begin, end) for consecutive ranges of at most `grain` that cover 0 … count, in any order, each
// once. Work is split over outputs only, so results do not depend on the number of threads. Stops between
// ranges when the call is cancelled; the first exception of a body is thrown again here.
template <class Body>
void parallel_for(const Context& context, int64_t count, int64_t grain, const Body& body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  struct State {
    const Context& context;
    const Body& body;
    int64_t count, grain;
    std::atomic<int64_t> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr error;
    State(const Context& c, const Body& b, int64_t n, int64_t g) : context(c), body(b), count(n), grain(g) {}
    void work() noexcept {
      while (!context.cancelled() && !failed.load(std::memory_order_relaxed)) {
        const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= count) return;
        try {
          body(begin, std::min(begin + grain, count));
        } catch (...) {
          if (!failed.exchange(true)) error = std::current_exception();
        }
        let_shorter_jobs_in();
      }
    }
  } state(context, body, count, grain);
  const int64_t ranges = (count + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<int64_t>(context.threads, ranges));
  if (threads <= 1) {
    state.work();
  } else {
    run_team(threads, [](void* s) { static_cast<State*>(s)->work(); }, &state);
  }
  if (state.error) std::rethrow_exception(state.error);
}

}  // namespace upsampling
