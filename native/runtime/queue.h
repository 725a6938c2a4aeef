// The job queue of the process. See Note [One dispatcher] in dispatcher.h.
#pragma once
#include <atomic>
#include <cstdint>

#include "runtime/context.h"

namespace upsampling {

// How long a job is for others that wait: up to 50 µs, up to 2 ms, longer. A job lets shorter ones in between
// its blocks.
enum class JobSize : int { SMALL, MEDIUM, LARGE };
inline JobSize job_size(double nanoseconds) {
  return nanoseconds < 50e3 ? JobSize::SMALL : nanoseconds < 2e6 ? JobSize::MEDIUM : JobSize::LARGE;
}

struct Job {
  const void* owner = nullptr;  // the environment that posted it
  int64_t id = 0;               // the owner's number for it
  int threads = 1;              // how many may work on it; a small job always runs on one, beside others
  double work = 0;              // estimated nanoseconds of one thread
  bool queued = false;          // guarded by the queue's mutex
  std::atomic<int> cancel{0};
  Status status = OK;
  int64_t posted = 0, began = 0, ended = 0;  // nanoseconds of a monotonic clock
  Job *next = nullptr, *previous = nullptr;  // in the queue; `next` then in the owner's list of finished jobs

  virtual ~Job() = default;
  virtual Status run(const Context& context) = 0;  // must not throw or touch Node-API
  virtual void finished() = 0;                     // hands the job to its owner, who frees it
};

// What the queue has done and has to do.
struct QueueStats {
  int64_t queued, running, completed, cancelled, failed;
  int64_t queued_nanoseconds, run_nanoseconds;  // sums over all ended jobs
};

// Runs a job on the dispatcher's thread or, where no thread can be created, here and now.
void post_job(Job* job);
// True: the job was still queued, it is out and the caller's again. False: it runs and is asked to stop, or
// has ended.
bool cancel_job(Job* job);
// Takes all queued jobs of an owner out and frees them, stops its running ones and waits for them.
void drain_jobs(const void* owner);
QueueStats queue_stats();

}  // namespace upsampling
