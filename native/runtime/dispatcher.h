// Note [One dispatcher]
//
// One thread of the process, the dispatcher, serves the queue, and one team of threads (Note [One team] in
// parallel.cc) works on its jobs and on synchronous calls; every environment (main thread, workers) posts to
// it. Several copies of the addon can be in one process (two installations of the package, say). Each has its
// own statics, so the copy that is loaded first lends its dispatcher to the others: at load, a copy looks
// through the libraries of the process for one that exports upsampling_dispatcher, and takes its table when
// sizes say that both speak the same language. Otherwise it has a dispatcher of its own.
#pragma once
#include <cstdint>

#include "runtime/queue.h"

namespace upsampling {

struct Dispatcher {
  // Layout: a copy with other sizes is another version and is left alone.
  int32_t version, table_bytes, job_bytes, context_bytes;
  void (*post)(Job*);
  bool (*cancel)(Job*);
  void (*drain)(const void*);
  void (*let_shorter_jobs_in)();
  void (*run_team)(int threads, void (*fn)(void*, int), void* data);
  QueueStats (*stats)();
};

const Dispatcher& dispatcher();

// Parts of this copy's own table. queue.cc:
void own_post(Job* job);
bool own_cancel(Job* job);
void own_drain(const void* owner);
void own_let_shorter_jobs_in();
QueueStats own_stats();
// parallel.cc:
void own_run_team(int threads, void (*fn)(void*, int), void* data);

// How a thread stands to the queue; set by the dispatcher for itself and by a team for its members.
struct ThreadRole {
  bool dispatcher = false;        // serves the queue
  bool serves = false;            // may let waiting jobs in between blocks
  JobSize size = JobSize::SMALL;  // of the job it works on
};
ThreadRole& role();

}  // namespace upsampling
