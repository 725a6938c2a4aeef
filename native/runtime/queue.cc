#include "runtime/queue.h"

#include <pthread.h>

#include "runtime/dispatcher.h"
#include "runtime/parallel.h"
#include "runtime/settings.h"
#include "runtime/thread.h"

namespace upsampling {

namespace {

struct Lock {
  explicit Lock(pthread_mutex_t* m) : mutex(m) { pthread_mutex_lock(mutex); }
  ~Lock() { pthread_mutex_unlock(mutex); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  pthread_mutex_t* mutex;
};

// First in, first out, with removal from the middle.
struct List {
  Job *first = nullptr, *last = nullptr;
  std::atomic<int64_t> count{0};  // read without the lock as a hint
  double work = 0;

  void push(Job* job) {
    job->queued = true;
    job->next = nullptr;
    job->previous = last;
    (last != nullptr ? last->next : first) = job;
    last = job;
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    work += job->work;
  }
  void remove(Job* job) {
    job->queued = false;
    (job->previous != nullptr ? job->previous->next : first) = job->next;
    (job->next != nullptr ? job->next->previous : last) = job->previous;
    job->next = job->previous = nullptr;
    count.store(count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    work = first == nullptr ? 0 : work - job->work;
  }
};

// A job that a thread works on; stands on that thread's stack.
struct Running {
  Job* job;
  const void* owner;
  bool ended;  // its owner may know already
  Running *next, *previous;
};

class Executor {
 public:
  static Executor& get() {
    static Executor* e = new Executor();  // never destroyed: its thread outlives static destructors
    return *e;
  }

  void post(Job* job) {
    job->posted = nanoseconds();
    Running here{job, job->owner, false, nullptr, nullptr};
    {
      Lock lock(&mutex_);
      if (started_ || start()) {
        list_of(job).push(job);
        if (sleeping_) pthread_cond_signal(&work_);
        return;
      }
      link(&here);
    }
    run(&here, 1, JobSize::SMALL);
  }

  bool cancel(Job* job) {
    Lock lock(&mutex_);
    if (!job->queued) {
      job->cancel.store(1, std::memory_order_relaxed);
      return false;
    }
    list_of(job).remove(job);
    ++cancelled_;
    return true;
  }

  void drain(const void* owner) {
    Lock lock(&mutex_);
    for (List& list : lists_)
      for (Job* job = list.first; job != nullptr;) {
        Job* following = job->next;
        if (job->owner == owner) {
          list.remove(job);
          ++cancelled_;
          delete job;
        }
        job = following;
      }
    for (;;) {
      bool busy = false;
      for (Running* r = running_; r != nullptr; r = r->next)
        if (r->owner == owner) {
          r->job->cancel.store(1, std::memory_order_relaxed);
          busy = true;
        }
      if (!busy) return;
      ++drains_;
      pthread_cond_wait(&ended_, &mutex_);
      --drains_;
    }
  }

  // Runs one waiting job that is shorter than `size` on this thread, if there is one.
  bool run_shorter(JobSize size) {
    for (int s = 0; s < static_cast<int>(size); ++s) {
      List& list = lists_[s];
      if (list.count.load(std::memory_order_relaxed) == 0) continue;
      Running here{};
      {
        Lock lock(&mutex_);
        if (list.first == nullptr) continue;
        take(&list, &here);
      }
      run(&here, 1, static_cast<JobSize>(s));
      return true;
    }
    return false;
  }

  QueueStats stats() {
    Lock lock(&mutex_);
    QueueStats s = {0, 0, completed_, cancelled_, failed_, queued_nanoseconds_, run_nanoseconds_};
    for (const List& list : lists_) s.queued += list.count.load(std::memory_order_relaxed);
    for (Running* r = running_; r != nullptr; r = r->next) s.running += r->ended ? 0 : 1;
    return s;
  }

 private:
  Executor() {
    pthread_mutex_init(&mutex_, nullptr);
    pthread_cond_init(&work_, nullptr);
    pthread_cond_init(&ended_, nullptr);
  }

  List& list_of(const Job* job) { return lists_[static_cast<int>(job_size(job->work))]; }

  bool start() {
    started_ = start_thread(
        [](void* e) -> void* {
          role().dispatcher = true;
          static_cast<Executor*>(e)->loop();
          return nullptr;
        },
        this);
    return started_;
  }

  // With the lock held, and in one step, so that drain() finds a job in one place or the other.
  void take(List* list, Running* here) {
    here->job = list->first;
    here->owner = here->job->owner;
    list->remove(here->job);
    link(here);
  }
  void link(Running* here) {
    here->next = running_;
    if (running_ != nullptr) running_->previous = here;
    running_ = here;
  }

  void run(Running* here, int threads, JobSize size) {
    Job* job = here->job;
    ThreadRole& mine = role();
    const ThreadRole before = mine;
    mine.serves = mine.serves || mine.dispatcher;
    mine.size = size;
    Context context;
    context.threads = threads;
    context.cancel = &job->cancel;
    job->began = nanoseconds();
    Status status = job->run(context);
    // Blocks were left out, even if the operator did not notice.
    if (status == OK && context.cancelled()) status = CANCELLED;
    job->status = status;
    job->ended = nanoseconds();
    const int64_t waited = job->began - job->posted, took = job->ended - job->began;
    mine = before;
    {
      // Counted before the owner hears of it.
      Lock lock(&mutex_);
      here->ended = true;
      (status == OK ? completed_ : status == CANCELLED ? cancelled_ : failed_)++;
      queued_nanoseconds_ += waited;
      run_nanoseconds_ += took;
    }
    // The owner may free the job from here on. The owner itself stays: drain() waits for `here`.
    job->finished();
    Lock lock(&mutex_);
    (here->previous != nullptr ? here->previous->next : running_) = here->next;
    if (here->next != nullptr) here->next->previous = here->previous;
    if (drains_ > 0) pthread_cond_broadcast(&ended_);
  }

  // After small jobs another mostly comes at once, and to sleep and be woken takes longer than the job. Not
  // where the caller needs this core.
  void linger() const {
    if (default_threads() < 2) return;
    const int64_t until = nanoseconds() + 40000;
    while (nanoseconds() < until)
      for (int i = 0; i < 32; ++i) {
        for (const List& list : lists_)
          if (list.count.load(std::memory_order_relaxed) != 0) return;
        relax();
      }
  }

  void loop() {
    bool lingers = false;
    for (;;) {
      if (lingers) linger();
      Running here{};
      JobSize size = JobSize::SMALL;
      int threads = 1;
      bool together = false;
      {
        Lock lock(&mutex_);
        for (;;) {
          // The longest first: it lets the shorter ones in at every block. So neither waits for a queue of
          // the other.
          int s = 2;
          while (s >= 0 && lists_[s].first == nullptr) --s;
          if (s >= 0) {
            size = static_cast<JobSize>(s);
            break;
          }
          sleeping_ = true;
          pthread_cond_wait(&work_, &mutex_);
          sleeping_ = false;
        }
        List& list = lists_[static_cast<int>(size)];
        threads = list.first->threads;
        // Waking the team costs as much as a few small jobs.
        together = size == JobSize::SMALL && threads > 1 && list.count.load() > 1 && list.work > 60e3;
        if (!together) take(&list, &here);
        lingers = size == JobSize::SMALL;
      }
      if (!together) {
        run(&here, size == JobSize::SMALL ? 1 : threads, size);
        continue;
      }
      run_team(
          threads,
          [](void* e, int) {
            // Bounded, so that a stream of small jobs does not keep a large one waiting.
            for (int i = 0; i < 64 && static_cast<Executor*>(e)->run_shorter(JobSize::MEDIUM); ++i) {
            }
          },
          this);
    }
  }

  pthread_mutex_t mutex_;
  pthread_cond_t work_, ended_;
  List lists_[3];  // by JobSize
  Running* running_ = nullptr;
  bool started_ = false, sleeping_ = false;
  int drains_ = 0;
  int64_t completed_ = 0, cancelled_ = 0, failed_ = 0, queued_nanoseconds_ = 0, run_nanoseconds_ = 0;
};

}  // namespace

void own_post(Job* job) { Executor::get().post(job); }
bool own_cancel(Job* job) { return Executor::get().cancel(job); }
void own_drain(const void* owner) { Executor::get().drain(owner); }
QueueStats own_stats() { return Executor::get().stats(); }

void own_let_shorter_jobs_in() {
  const ThreadRole& mine = role();
  if (mine.serves && mine.size != JobSize::SMALL) Executor::get().run_shorter(mine.size);
}

}  // namespace upsampling
