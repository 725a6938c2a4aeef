#include "runtime/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include <atomic>
#include <vector>

#include "runtime/dispatcher.h"
#include "runtime/isa.h"
#include "runtime/settings.h"
#include "runtime/thread.h"

namespace upsampling {

ThreadRole& role() {
  thread_local ThreadRole r;
  return r;
}

void run_team(int threads, void (*fn)(void*, int), void* data) { dispatcher().run_team(threads, fn, data); }
void let_shorter_jobs_in() { dispatcher().let_shorter_jobs_in(); }

namespace {

// The core that this thread runs on, or -1.
int cpu() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

// Keeps a thread of this process off core `taken`, where this thread may use another.
void keep_off(pid_t thread, int taken) {
#if defined(__linux__)
  cpu_set_t cores;
  if (taken < 0 || sched_getaffinity(0, sizeof cores, &cores) != 0) return;
  if (!CPU_ISSET(taken, &cores)) return;
  if (CPU_COUNT(&cores) > 1) CPU_CLR(taken, &cores);
  sched_setaffinity(thread, sizeof cores, &cores);
#else
  (void)thread, (void)taken;
#endif
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

// Note [One team]
//
// The team is a thread of this library, the host, and the OpenMP threads that it opens regions with. A caller
// posts its region, works on it itself, and when the work has run out closes it and waits for those who are
// inside, not for those who have yet to wake up: on a virtual machine that takes 0.1 to 4 ms, and the barrier
// of OpenMP, which waits for all, made a call of 60 us take 400 after a pause of 5 ms and 200 for good where
// both threads had fallen asleep in turn. One region at a time in the process: two teams on the same cores
// are slower than one; others compute alone.
class Team {
 public:
  static Team& get() {
    static Team* t = new Team();  // never destroyed: its thread outlives static destructors
    return *t;
  }

  // Calls fn(data, number) on this thread, as number 0, and on up to `wish` - 1 others. False, without a
  // call, where there is no team to be had.
  bool run(int wish, void (*fn)(void*, int), void* data) {
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    if (!started_ && !start()) {
      taken_.store(false, std::memory_order_release);
      return false;
    }
    fn_ = fn;
    data_ = data;
    role_ = role();
    wish_ = wish;
    const int here = cpu();
    cpu_.store(here, std::memory_order_relaxed);
    members_.store(1, std::memory_order_relaxed);  // this thread
    // The scheduler likes to wake a thread on the core of who wakes it, though another is idle; there it
    // takes the caller's time instead of giving some (a call of 60 us took 180).
    const pid_t host = id_.load(std::memory_order_relaxed);
    if (here != avoided_ && host != 0) {
      keep_off(host, here);
      avoided_ = here;
    }
    gate_.store(gate_.load(std::memory_order_relaxed) + kNext + kOpen, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst)) {
      // The lock: the host may stand between its last look and its sleep.
      pthread_mutex_lock(&mutex_);
      pthread_mutex_unlock(&mutex_);
      pthread_cond_signal(&posted_);
    }
    fn(data, 0);
    gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int i = 0; (gate_.load(std::memory_order_acquire) & kInside) != 0; ++i)
      if (i < 2000)
        relax();
      else
        sched_yield();  // a member has lost its core
    taken_.store(false, std::memory_order_release);
    return true;
  }

 private:
  // The gate: the number of the region, whether it is open, how many of the team are inside.
  static constexpr uint64_t kInside = (1u << 16) - 1, kOpen = 1u << 16, kNext = 1u << 17;
  static uint64_t number(uint64_t gate) { return gate / kNext; }

  // The host looks out for the next region so long before it sleeps, as long as it takes to be woken.
  static constexpr int64_t kLinger = 100000;

  Team() {
    pthread_mutex_init(&mutex_, nullptr);
    pthread_cond_init(&posted_, nullptr);
  }

  bool start() {
    const int64_t now = nanoseconds();
    if (now < again_at_) return false;
    again_at_ = now + 2000000000;
    started_ = start_thread(
        [](void* t) -> void* {
          static_cast<Team*>(t)->host();
          return nullptr;
        },
        this);
    return started_;
  }

  // Goes into the open region, if there is one: what the caller wrote before it opened can then be read.
  bool enter() {
    uint64_t gate = gate_.load(std::memory_order_relaxed);
    while ((gate & kOpen) != 0)
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel, std::memory_order_relaxed))
        return true;
    return false;
  }
  void leave() { gate_.fetch_sub(1, std::memory_order_release); }

  // What a thread of the host's does inside, before it leaves.
  void work() {
    static std::atomic<int> last{0};
    thread_local const int number = ++last;
    if (members_.fetch_add(1, std::memory_order_relaxed) < wish_) {
      ThreadRole& mine = role();
      const ThreadRole before = mine;
      mine = role_;
      fn_(data_, number);
      mine = before;
    }
    leave();
  }

  // How many threads the host opens a region with for `threads`, itself included. libgomp ends members that a
  // region does not ask for and creates them anew later; so a smaller wish keeps them (they leave at once),
  // unless they are more than the default.
  int sized(int threads) {
    const int most = default_threads() - 1, keep = size_ < most ? size_ : most;
    const int target = threads > keep ? threads : keep;
    if (target <= size_) return target;
    const int64_t now = nanoseconds();
    if (now < larger_at_) return size_;
    const int more = creatable(target - size_);
    if (more < target - size_) larger_at_ = now + 2000000000;
    return size_ + more;
  }

  void host() {
#if defined(__linux__)
    id_.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
#endif
    uint64_t last = 0;
    for (;;) {
      await(last);
      if (!enter()) continue;
      last = number(gate_.load(std::memory_order_relaxed));
      size_ = sized(wish_ - 1);
      if (size_ <= 1) {
        size_ = 1;
        work();
      } else {
        std::atomic<int> came{0};
#pragma omp parallel num_threads(size_)
        // The first to come stands for the host, which is inside.
        if (came.fetch_add(1, std::memory_order_relaxed) == 0 || enter()) work();
        size_ = came.load(std::memory_order_relaxed);
      }
    }
  }

  // Until another region than number `last` is open.
  void await(uint64_t last) {
    const auto there = [&] {
      const uint64_t gate = gate_.load(std::memory_order_seq_cst);
      return (gate & kOpen) != 0 && number(gate) != last;
    };
    for (const int64_t until = nanoseconds() + kLinger;
         nanoseconds() < until && cpu() != cpu_.load(std::memory_order_relaxed);)
      for (int i = 0; i < 32; ++i) {
        if (there()) return;
        relax();
      }
    pthread_mutex_lock(&mutex_);
    sleeping_.store(true, std::memory_order_seq_cst);
    while (!there()) pthread_cond_wait(&posted_, &mutex_);
    sleeping_.store(false, std::memory_order_relaxed);
    pthread_mutex_unlock(&mutex_);
  }

  // Of the region; written by the caller while nobody is inside.
  void (*fn_)(void*, int) = nullptr;
  void* data_ = nullptr;
  ThreadRole role_;
  int wish_ = 1;
  std::atomic<int> members_{0};  // that came in
  std::atomic<int> cpu_{-1};     // of the last caller

  std::atomic<uint64_t> gate_{0};
  std::atomic<bool> taken_{false}, sleeping_{false};
  pthread_mutex_t mutex_;
  pthread_cond_t posted_;
  std::atomic<pid_t> id_{0};  // of the host, once it runs
  // Of who has taken the team:
  bool started_ = false;
  int64_t again_at_ = 0;
  int avoided_ = -1;  // the core that the host is kept off
  // Of the host:
  int size_ = 1;
  int64_t larger_at_ = 0;
};

}  // namespace

void own_run_team(int wish, void (*fn)(void*, int), void* data) {
  if (wish <= 1 || !openmp_available() || !Team::get().run(wish, fn, data)) fn(data, 0);
}

}  // namespace upsampling
