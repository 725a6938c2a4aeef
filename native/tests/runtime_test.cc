// The queue and the team without Node: run under ThreadSanitizer by npm run test:sanitize.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/queue.h"
#include "runtime/scratch.h"
#include "runtime/settings.h"

using namespace upsampling;

namespace {

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                  \
    }                                                                                \
  } while (0)

// An environment: takes its finished jobs back as binding/jobs.cc does.
struct Owner {
  std::atomic<Job*> finished{nullptr};
  std::atomic<int> count{0};

  int collect(int64_t* sum) {
    Job* job = finished.exchange(nullptr, std::memory_order_acquire);
    int n = 0;
    while (job != nullptr) {
      Job* next = job->next;
      *sum += job->status;
      delete job;
      job = next;
      ++n;
    }
    return n;
  }
};

// Fills `out` with the squares of its positions, `blocks` times.
struct Squares final : Job {
  std::vector<int64_t>* out;
  Owner* home;
  int64_t rounds, grain;
  std::atomic<int>* started = nullptr;
  Squares(Owner* o, std::vector<int64_t>* v, int t, double w, int64_t r = 1, int64_t g = 64)
      : out(v), home(o), rounds(r), grain(g) {
    owner = o;
    threads = t;
    work = w;
  }
  Status run(const Context& context) override {
    if (started != nullptr) started->fetch_add(1);
    const auto n = static_cast<int64_t>(out->size());
    for (int64_t r = 0; r < rounds; ++r)
      parallel_for(context, n, grain, [&](int64_t begin, int64_t end) {
        ScratchFrame frame;
        int64_t* row = frame.take<int64_t>(end - begin);
        for (int64_t i = begin; i < end; ++i) row[i - begin] = i * i;
        for (int64_t i = begin; i < end; ++i) (*out)[static_cast<size_t>(i)] = row[i - begin];
      });
    return context.cancelled() ? CANCELLED : OK;
  }
  void finished() override {
    Owner* o = home;
    Job* head = o->finished.load(std::memory_order_relaxed);
    do {
      next = head;
    } while (
        !o->finished.compare_exchange_weak(head, this, std::memory_order_release, std::memory_order_relaxed));
    o->count.fetch_add(1);
  }
};

bool squares(const std::vector<int64_t>& v) {
  for (size_t i = 0; i < v.size(); ++i)
    if (v[i] != static_cast<int64_t>(i * i)) return false;
  return true;
}

void wait_for(Owner* owner, int jobs) {
  while (owner->count.load() < jobs) usleep(100);
}

void runs_jobs_of_every_size() {
  Owner owner;
  std::vector<std::vector<int64_t>> outputs(30, std::vector<int64_t>(5000));
  for (size_t i = 0; i < outputs.size(); ++i)
    post_job(new Squares(&owner, &outputs[i], 2, i % 3 == 0 ? 1e3 : i % 3 == 1 ? 1e6 : 1e7));
  wait_for(&owner, 30);
  int64_t status = 0;
  CHECK(owner.collect(&status) == 30);
  CHECK(status == 0);
  for (const auto& v : outputs) CHECK(squares(v));
}

void lets_short_jobs_into_long_ones() {
  Owner large, small;
  std::vector<int64_t> a(1 << 16), b(64);
  auto* job = new Squares(&large, &a, 2, 1e9, 1000000);
  std::atomic<int> started{0};
  job->started = &started;
  post_job(job);
  while (started.load() == 0) usleep(100);
  post_job(new Squares(&small, &b, 2, 1e3));
  wait_for(&small, 1);
  CHECK(large.count.load() == 0);
  CHECK(!cancel_job(job));
  wait_for(&large, 1);
  int64_t status = 0;
  CHECK(large.collect(&status) == 1);
  CHECK(status == CANCELLED);
  small.collect(&status);
  CHECK(squares(b));
}

void cancels_queued_jobs_at_once() {
  Owner owner;
  std::vector<int64_t> a(1 << 16), b(64);
  auto* blocking = new Squares(&owner, &a, 2, 1e9, 1000000);
  std::atomic<int> started{0}, never{0};
  blocking->started = &started;
  post_job(blocking);
  while (started.load() == 0) usleep(100);
  auto* waiting = new Squares(&owner, &b, 2, 1e9);
  waiting->started = &never;
  post_job(waiting);
  CHECK(queue_stats().queued == 1);
  CHECK(cancel_job(waiting));
  CHECK(queue_stats().queued == 0);
  delete waiting;
  cancel_job(blocking);
  wait_for(&owner, 1);
  CHECK(never.load() == 0);
  int64_t status = 0;
  owner.collect(&status);
}

void drains_an_owner() {
  Owner mine, other;
  std::vector<std::vector<int64_t>> outputs(40, std::vector<int64_t>(4096));
  for (size_t i = 0; i < outputs.size(); ++i)
    post_job(new Squares(i % 2 == 0 ? &mine : &other, &outputs[i], 2, i % 3 == 0 ? 1e3 : 1e9, 20));
  drain_jobs(&mine);
  int64_t status = 0;
  const int done = mine.count.load();
  CHECK(mine.collect(&status) == done);
  wait_for(&other, 20);
  CHECK(mine.count.load() == done);
  status = 0;
  other.collect(&status);
  CHECK(status == 0);
  for (size_t i = 1; i < outputs.size(); i += 2) CHECK(squares(outputs[i]));
}

void carries_exceptions_out_of_a_region() {
  for (int threads = 1; threads <= 2; ++threads) {
    Context context;
    context.threads = threads;
    bool caught = false;
    try {
      parallel_for(context, 1000, 1, [](int64_t begin, int64_t) {
        if (begin == 500) throw std::runtime_error("at 500");
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught);
  }
}

// Several threads post, cancel, compute synchronously and drain at once.
void survives_many_owners() {
  auto body = [](void* seed) -> void* {
    auto state = static_cast<unsigned>(reinterpret_cast<uintptr_t>(seed));
    const auto next = [&] { return (state = state * 1103515245u + 12345u) >> 16; };
    for (int round = 0; round < 6; ++round) {
      Owner owner;
      std::vector<std::vector<int64_t>> outputs(18, std::vector<int64_t>(256 + next() % 2000));
      std::vector<Job*> jobs;
      std::vector<bool> kept(outputs.size(), true);
      int posted = 0;
      for (auto& v : outputs) {
        jobs.push_back(new Squares(&owner, &v, 2, next() % 2 ? 1e3 : 1e7, 1 + next() % 5));
        post_job(jobs.back());
        ++posted;
      }
      for (size_t i = 0; i < jobs.size(); i += 3) {
        kept[i] = false;
        if (cancel_job(jobs[i])) {
          delete jobs[i];
          --posted;
        }
      }
      std::vector<int64_t> now(4096);
      Squares sync(&owner, &now, 2, 0);
      Context context;
      context.threads = 2;
      CHECK(sync.run(context) == OK && squares(now));
      if (next() % 3 == 0) {
        drain_jobs(&owner);
      } else {
        wait_for(&owner, posted);
        for (size_t i = 0; i < outputs.size(); ++i) CHECK(!kept[i] || squares(outputs[i]));
        drain_jobs(&owner);  // a job may be counted before the queue has let go of its owner
      }
      int64_t status = 0;
      owner.collect(&status);
    }
    return nullptr;
  };
  std::vector<pthread_t> threads(4);
  for (size_t i = 0; i < threads.size(); ++i)
    CHECK(pthread_create(&threads[i], nullptr, body, reinterpret_cast<void*>(i + 1)) == 0);
  for (pthread_t t : threads) pthread_join(t, nullptr);
}

}  // namespace

int main() {
  set_default_threads(2);
  runs_jobs_of_every_size();
  lets_short_jobs_into_long_ones();
  cancels_queued_jobs_at_once();
  drains_an_owner();
  carries_exceptions_out_of_a_region();
  survives_many_owners();
  const QueueStats s = queue_stats();
  CHECK(s.queued == 0);
  std::printf("runtime: all tests passed, %lld jobs\n", static_cast<long long>(s.completed));
  return 0;
}
