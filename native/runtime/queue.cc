#include "runtime/queue.h"

#include <pthread.h>

#include <cerrno>
#include <deque>
#include <system_error>
#include <vector>

#include "runtime/parallel.h"

namespace upsampling {

namespace {

struct Lock {
  explicit Lock(pthread_mutex_t* m) : mutex(m) { pthread_mutex_lock(mutex); }
  ~Lock() { pthread_mutex_unlock(mutex); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  pthread_mutex_t* mutex;
};

thread_local bool on_executor = false;  // this thread serves the queue
thread_local bool in_small_job = false;

class Executor {
 public:
  static Executor& get() {
    static Executor* e = new Executor();  // never destroyed: its thread may outlive static destructors
    return *e;
  }

  void post(Job* job) {
    Lock lock(&mutex_);
    if (!started_) start();
    (job->small ? small_ : large_).push_back(job);
    if (job->small) small_count_.store(static_cast<int>(small_.size()), std::memory_order_relaxed);
    pthread_cond_signal(&work_);
  }

  void cancel(const void* owner, int64_t id) {
    Job* dropped = nullptr;
    {
      Lock lock(&mutex_);
      for (std::deque<Job*>* queue : {&small_, &large_})
        for (auto it = queue->begin(); it != queue->end(); ++it)
          if ((*it)->owner == owner && (*it)->id == id) {
            dropped = *it;
            queue->erase(it);
            small_count_.store(static_cast<int>(small_.size()), std::memory_order_relaxed);
            break;
          }
      if (dropped == nullptr) {
        for (Job* job : running_)
          if (job->owner == owner && job->id == id) job->cancel.store(1);
        return;
      }
    }
    dropped->status = CANCELLED;
    dropped->finished();
  }

  void drain(const void* owner) {
    Lock lock(&mutex_);
    for (std::deque<Job*>* queue : {&small_, &large_})
      for (auto it = queue->begin(); it != queue->end();) {
        if ((*it)->owner == owner) {
          delete *it;
          it = queue->erase(it);
        } else {
          ++it;
        }
      }
    small_count_.store(static_cast<int>(small_.size()), std::memory_order_relaxed);
    for (;;) {
      bool busy = false;
      for (Job* job : running_)
        if (job->owner == owner) {
          job->cancel.store(1);
          busy = true;
        }
      if (!busy) return;
      pthread_cond_wait(&idle_, &mutex_);
    }
  }

  // Runs one waiting small job on this thread, if there is one.
  bool run_small() {
    if (small_count_.load(std::memory_order_relaxed) == 0) return false;
    Job* job;
    {
      Lock lock(&mutex_);
      if (small_.empty()) return false;
      job = take(&small_);
    }
    in_small_job = true;
    run(job, 1);
    in_small_job = false;
    return true;
  }

 private:
  Executor() {
    pthread_mutex_init(&mutex_, nullptr);
    pthread_cond_init(&work_, nullptr);
    pthread_cond_init(&idle_, nullptr);
  }

  void start() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    const int error = pthread_create(
        &thread, &attributes,
        [](void* e) -> void* {
          on_executor = true;
          static_cast<Executor*>(e)->loop();
          return nullptr;
        },
        this);
    pthread_attr_destroy(&attributes);
    if (error != 0) throw std::system_error(error, std::generic_category());
    started_ = true;
  }

  Job* take(std::deque<Job*>* queue) {  // lock held
    Job* job = queue->front();
    queue->pop_front();
    running_.push_back(job);
    small_count_.store(static_cast<int>(small_.size()), std::memory_order_relaxed);
    return job;
  }

  void run(Job* job, int threads) {
    Context context;
    context.threads = threads;
    context.cancel = &job->cancel;
    job->status = job->run(context);
    Lock lock(&mutex_);  // held over finished(): the environment cannot go away under us
    for (auto it = running_.begin(); it != running_.end(); ++it)
      if (*it == job) {
        running_.erase(it);
        break;
      }
    job->finished();
    pthread_cond_broadcast(&idle_);
  }

  void loop() {
    for (;;) {
      Job* large = nullptr;
      int small = 0, threads = 1;
      {
        Lock lock(&mutex_);
        while (small_.empty() && large_.empty()) pthread_cond_wait(&work_, &mutex_);
        small = static_cast<int>(small_.size());
        if (small > 0) threads = small_.front()->threads;
        // A large job lets small ones in at every block, so it may go first.
        if (!large_.empty()) large = take(&large_);
      }
      if (large != nullptr) {
        run(large, large->threads);
      } else if (small > 1 && threads > 1) {
        run_team(
            threads < small ? threads : small,
            [](void* e) {
              on_executor = true;
              // Bounded, so that a stream of small jobs does not keep a large one waiting.
              for (int i = 0; i < 64 && static_cast<Executor*>(e)->run_small(); ++i) {
              }
            },
            this);
      } else {
        run_small();
      }
    }
  }

  pthread_mutex_t mutex_;
  pthread_cond_t work_, idle_;
  std::deque<Job*> small_, large_;
  std::vector<Job*> running_;
  std::atomic<int> small_count_{0};
  bool started_ = false;
};

}  // namespace

void post_job(Job* job) { Executor::get().post(job); }
void cancel_job(const void* owner, int64_t id) { Executor::get().cancel(owner, id); }
void drain_jobs(const void* owner) { Executor::get().drain(owner); }

void yield_to_small_jobs() {
  if (on_executor && !in_small_job) Executor::get().run_small();
}

}  // namespace upsampling
