// The one way work is spread over threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

#include "runtime/context.h"

namespace upsampling {

// Calls fn(data, number) once on each of up to `threads` threads: this one, number 0, and others, whose
// numbers are theirs from call to call. Serial where OpenMP is absent, threads cannot be created, or another
// region of this process is running.
void run_team(int threads, void (*fn)(void*, int), void* data);

// Called between blocks: on the threads of the queue, a job lets a waiting shorter one in.
void let_shorter_jobs_in();

// How much of `total` makes a range, where `most` takes 10 to 50 us: so much that each thread has four, which
// then end at about the same time, but no less than a sixteenth of `most`, which is worth its overhead.
inline int64_t share(const Context& context, int64_t total, int64_t most) {
  if (context.threads <= 1) return std::max<int64_t>(most, 1);
  return std::max<int64_t>({std::min(most, total / (4 * context.threads)), most / 16, 1});
}

// Calls body(begin, end) for consecutive ranges of at most `grain`, which should take 10 to 50 us, that cover
// 0 … count, in any order, each once. Work is split over outputs only, so results do not depend on the number
// of threads. Stops between ranges when the call is cancelled; the first exception of a body is thrown again
// here.
//
// Every thread begins with its own part, the same one in every call, and then helps with the others': what it
// wrote in the last call, or read, is still in its caches. Handed out as they came, ranges went to and fro
// between the cores: 3x3 windows of 2048x4x4 took 7.9 us at two threads rather than 4.8.
template <class Body>
void parallel_for(const Context& context, int64_t count, int64_t grain, const Body& body) {
  if (count <= 0) return;
  grain = share(context, count, grain);
  if (count <= grain) {  // the state of a team takes 20 ns to set up
    if (context.cancelled()) return;
    body(int64_t{0}, count);
    let_shorter_jobs_in();
    return;
  }
  constexpr int kMostParts = 64;
  struct alignas(64) Part {
    std::atomic<int64_t> next;
    int64_t end;
  };
  struct State {
    const Context& context;
    const Body& body;
    int64_t grain;
    int parts = 1;
    std::atomic<bool> failed{false};
    std::exception_ptr error;
    Part part[kMostParts];
    State(const Context& c, const Body& b) : context(c), body(b) {}
    void work(int number) noexcept {
      for (int i = 0; i < parts; ++i) {
        Part& mine = part[(number + i) % parts];
        while (!context.cancelled() && !failed.load(std::memory_order_relaxed)) {
          const int64_t begin = mine.next.fetch_add(grain, std::memory_order_relaxed);
          if (begin >= mine.end) break;
          try {
            body(begin, std::min(begin + grain, mine.end));
          } catch (...) {
            if (!failed.exchange(true)) error = std::current_exception();
          }
          let_shorter_jobs_in();
        }
      }
    }
  } state(context, body);
  const int64_t ranges = (count + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<int64_t>(context.threads, ranges));
  state.parts = std::max(1, std::min(threads, kMostParts));
  // As many ranges for each: three for two threads would take as long as four.
  const int64_t each = (ranges + state.parts - 1) / state.parts;
  state.grain = (count + each * state.parts - 1) / (each * state.parts);
  for (int i = 0; i < state.parts; ++i) {
    state.part[i].next.store(std::min(count, i * each * state.grain), std::memory_order_relaxed);
    state.part[i].end = std::min(count, (i + 1) * each * state.grain);
  }
  if (threads <= 1) {
    state.work(0);
  } else {
    run_team(threads, [](void* s, int number) { static_cast<State*>(s)->work(number); }, &state);
  }
  if (state.error) std::rethrow_exception(state.error);
}

}  // namespace upsampling
