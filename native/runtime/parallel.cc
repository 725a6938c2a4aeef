#include "runtime/parallel.h"

#include <pthread.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif

#include <atomic>
#include <ctime>
#include <vector>

#include "runtime/dispatcher.h"
#include "runtime/isa.h"
#include "runtime/settings.h"

namespace upsampling {

ThreadRole& role() {
  thread_local ThreadRole r;
  return r;
}

void run_team(int threads, void (*fn)(void*), void* data) { dispatcher().run_team(threads, fn, data); }
void let_shorter_jobs_in() { dispatcher().let_shorter_jobs_in(); }

namespace {

// One region at a time in the process: two teams on the same cores are slower than one.
std::atomic<bool> team_in_use{false};

// Every thread that opens a region gets a team of its own from libgomp, for its lifetime. So only two may:
// the dispatcher and the first thread that computes synchronously (the main thread, mostly). All others
// compute alone.
std::atomic<bool> second_team_taken{false};
struct SecondTeam {
  bool mine = false;
  bool take() {
    if (!mine) mine = !second_team_taken.exchange(true);
    return mine;
  }
  ~SecondTeam() {
    if (mine) second_team_taken.store(false);
  }
};
thread_local SecondTeam second_team;

int64_t seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec;
}

// Tries whether `wanted` more threads can be created, by creating them. libgomp ends the process when it
// cannot create one, so it is asked only for what has just worked.
int creatable(int wanted) {
  struct Gate {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    bool open = false;
    std::vector<long> ids;
  } gate;
  std::vector<pthread_t> threads;
  try {
    threads.reserve(static_cast<size_t>(wanted));
    gate.ids.reserve(static_cast<size_t>(wanted));
  } catch (...) {
    return 0;
  }
  for (int i = 0; i < wanted; ++i) {
    pthread_t thread;
    const int error = pthread_create(
        &thread, nullptr,
        [](void* data) -> void* {
          auto* g = static_cast<Gate*>(data);
          pthread_mutex_lock(&g->mutex);
#if defined(__linux__)
          g->ids.push_back(syscall(SYS_gettid));
#endif
          while (!g->open) pthread_cond_wait(&g->changed, &g->mutex);
          pthread_mutex_unlock(&g->mutex);
          return nullptr;
        },
        &gate);
    if (error != 0) break;
    threads.push_back(thread);
  }
  pthread_mutex_lock(&gate.mutex);
  gate.open = true;
  pthread_cond_broadcast(&gate.changed);
  pthread_mutex_unlock(&gate.mutex);
  for (pthread_t t : threads) pthread_join(t, nullptr);
#if defined(__linux__)
  // A joined thread still counts against the limits until the kernel has let go of it.
  for (long id : gate.ids)
    for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), id, 0) == 0; ++i) sched_yield();
#endif
  const int created = static_cast<int>(threads.size());
  // At the limit, one is left for others, who may be creating threads at this moment.
  return created < wanted && created > 0 ? created - 1 : created;
}

// The size of this thread's team, itself included.
thread_local int team = 1;
thread_local int64_t refused_at = -1000;

// The team to open for a wish of `threads`. libgomp ends members that a region does not ask for and creates
// them anew later; so a smaller wish keeps the team (members above it return at once), unless the team is
// larger than the default.
int sized_team(int threads) {
  const int keep = team < default_threads() ? team : default_threads();
  const int target = threads > keep ? threads : keep;
  if (target <= team) return target;
  const int64_t now = seconds();
  if (now - refused_at < 2) return team;
  const int more = creatable(target - team);
  if (more < target - team) refused_at = now;
  return team + more;
}

struct Region {
  void (*fn)(void*);
  void* data;
  int limit;
  ThreadRole role;
  std::atomic<int> members{0};
  void work() {
    if (members.fetch_add(1, std::memory_order_relaxed) >= limit) return;
    ThreadRole& mine = upsampling::role();
    const ThreadRole before = mine;
    mine = role;
    fn(data);
    mine = before;
  }
};

}  // namespace

void own_run_team(int wish, void (*fn)(void*), void* data) {
  const ThreadRole& mine = role();
  if (!openmp_available() || !(mine.dispatcher || second_team.take()) ||
      team_in_use.exchange(true, std::memory_order_acquire)) {
    fn(data);
    return;
  }
  const int threads = sized_team(wish);
  if (threads <= 1) {
    fn(data);
  } else {
    Region region{fn, data, wish, mine};
#pragma omp parallel num_threads(threads)
    region.work();
    team = region.members.load(std::memory_order_relaxed);
  }
  team_in_use.store(false, std::memory_order_release);
}

}  // namespace upsampling
