// The executor: ONE thread per process that owns the OpenMP team; every environment (main thread, workers)
// posts jobs.
#pragma once
#include <atomic>
#include <cstdint>

#include "runtime/context.h"

namespace upsampling {

struct Job {
  const void* owner = nullptr;  // the environment that posted it
  int64_t id = 0;               // the owner's number for it
  int threads = 1;
  bool small = false;  // runs on one thread, beside others
  std::atomic<int> cancel{0};
  Status status = OK;
  Job* next = nullptr;

  virtual ~Job() = default;
  virtual Status run(const Context& context) = 0;  // must not touch Node-API
  virtual void finished() = 0;                     // on an executor thread; owns and frees the job
};

// Throws std::system_error when the executor thread cannot be created.
void post_job(Job* job);
// Ends a queued job at once (status CANCELLED) and asks a running one to stop at its next block.
void cancel_job(const void* owner, int64_t id);
// Drops all queued jobs of an owner without finished(), stops its running ones and waits for them.
void drain_jobs(const void* owner);

}  // namespace upsampling
