// Finished jobs, from the threads of the queue to JavaScript: one thread-safe function per environment,
// batched.
#include "binding/jobs.h"

#include <napi.h>

#include <atomic>
#include <vector>

#include "binding/call.h"

namespace upsampling {

// Everything but `finished` is touched on the environment's own thread only.
struct Environment {
  napi_env env = nullptr;
  napi_threadsafe_function wake = nullptr;
  napi_ref done = nullptr, quads_reference = nullptr;
  double* quads = nullptr;  // JavaScript's own array: (job, status, ns queued, ns run) of each job delivered
  size_t capacity = 0;      // in jobs
  int64_t pending = 0;
  std::vector<Job*> jobs;                    // by id
  std::atomic<Job*> finished{nullptr};       // last first
  Job *oldest = nullptr, *newest = nullptr;  // taken from `finished`, to be delivered
  std::atomic<bool> polling{false};          // JavaScript looks by itself: nobody needs to wake it
  bool more_promised = false;                // JavaScript will call deliver_more

  ~Environment() {
    take();
    while (oldest != nullptr) {
      Job* job = oldest;
      oldest = job->next;
      delete job;
    }
  }

  void take() {
    Job* list = finished.exchange(nullptr);
    if (list == nullptr) return;
    Job* last = list;
    Job* first = nullptr;
    while (list != nullptr) {
      Job* following = list->next;
      list->next = first;
      first = list;
      list = following;
    }
    (newest != nullptr ? newest->next : oldest) = first;
    newest = last;
  }

  void forget(Job* job) {
    jobs[static_cast<size_t>(job->id)] = nullptr;
    if (--pending == 0) napi_unref_threadsafe_function(env, wake);
    delete job;
  }
};

namespace {

// Hands over what has finished, at most as many jobs as the array holds: the rest in a later turn of the
// event loop, so that a hundred thousand results do not block it.
void deliver(Environment* e) {
  e->take();
  size_t n = 0;
  while (e->oldest != nullptr && n < e->capacity) {
    Job* job = e->oldest;
    e->oldest = job->next;
    if (e->oldest == nullptr) e->newest = nullptr;
    double* quad = e->quads + 4 * n++;
    quad[0] = static_cast<double>(job->id);
    quad[1] = static_cast<double>(job->status);
    quad[2] = static_cast<double>(job->began - job->posted);
    quad[3] = static_cast<double>(job->ended - job->began);
    e->forget(job);
  }
  if (n == 0) return;
  e->more_promised = e->oldest != nullptr;
  napi_value done, global, arguments[2];
  napi_create_double(e->env, static_cast<double>(n), &arguments[0]);
  napi_get_boolean(e->env, e->more_promised, &arguments[1]);
  napi_get_reference_value(e->env, e->done, &done);
  napi_get_global(e->env, &global);
  napi_call_function(e->env, global, done, 2, arguments, nullptr);
}

void on_wake(napi_env env, napi_value, void* context, void*) {
  auto* e = static_cast<Environment*>(context);
  if (env != nullptr && !e->more_promised) deliver(e);
}

void finalize(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

// Runs before the thread-safe function's own hook (hooks run last in, first out): no job of ours is left
// after it.
void cleanup(void* data) {
  auto* e = static_cast<Environment*>(data);
  drain_jobs(e);
  napi_release_threadsafe_function(e->wake, napi_tsfn_abort);
}

}  // namespace

Environment* environment_of(napi_env env) {
  void* e = nullptr;
  napi_get_instance_data(env, &e);
  return static_cast<Environment*>(e);
}

void post(Environment* e, Job* job) {
  const size_t id = static_cast<size_t>(job->id);
  if (id >= e->jobs.size()) e->jobs.resize(2 * id + 64);
  e->jobs[id] = job;
  if (e->pending++ == 0) napi_ref_threadsafe_function(e->env, e->wake);
  post_job(job);
}

void report(Environment* e, Job* job) {
  Job* head = e->finished.load(std::memory_order_relaxed);
  do {
    job->next = head;
  } while (!e->finished.compare_exchange_weak(head, job));
  // Who finds the list empty wakes the environment, which takes the whole list.
  if (head == nullptr && !e->polling.load())
    napi_call_threadsafe_function(e->wake, nullptr, napi_tsfn_nonblocking);
}

// connect(done, quads)
napi_value connect(napi_env env, napi_callback_info info) {
  size_t argc = 2, length = 0;
  napi_value argv[2], name;
  void* quads = nullptr;
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  napi_get_typedarray_info(env, argv[1], nullptr, &length, &quads, nullptr, nullptr);
  auto* e = new Environment;
  e->env = env;
  e->quads = static_cast<double*>(quads);
  e->capacity = length / 4;
  napi_create_reference(env, argv[0], 1, &e->done);
  napi_create_reference(env, argv[1], 1, &e->quads_reference);
  napi_create_string_utf8(env, "upsampling", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, e, finalize, e, on_wake, &e->wake);
  napi_unref_threadsafe_function(env, e->wake);
  napi_set_instance_data(env, e, [](napi_env, void*, void*) {}, nullptr);
  napi_add_env_cleanup_hook(env, cleanup, e);
  return nullptr;
}

// deliver(polling)
napi_value deliver_more(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument;
  bool polling = false;
  napi_get_cb_info(env, info, &argc, &argument, nullptr, nullptr);
  napi_get_value_bool(env, argument, &polling);
  Environment* e = environment_of(env);
  // Before the list is looked at: what is put there later finds it false and wakes.
  e->polling.store(polling);
  e->more_promised = false;
  deliver(e);
  return nullptr;
}

// cancel(job): whether it was still queued; then it is gone and will not be delivered.
napi_value cancel(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value id, result;
  double number = 0;
  napi_get_cb_info(env, info, &argc, &id, nullptr, nullptr);
  napi_get_value_double(env, id, &number);
  Environment* e = environment_of(env);
  Job* job = e->jobs[static_cast<size_t>(number)];
  const bool removed = job != nullptr && cancel_job(job);
  if (removed) e->forget(job);
  napi_get_boolean(env, removed, &result);
  return result;
}

napi_value stats(napi_env env, napi_callback_info) {
  const QueueStats s = queue_stats();
  Napi::Object o = Napi::Object::New(env);
  o.Set("queued", static_cast<double>(s.queued));
  o.Set("running", static_cast<double>(s.running));
  o.Set("completed", static_cast<double>(s.completed));
  o.Set("cancelled", static_cast<double>(s.cancelled));
  o.Set("failed", static_cast<double>(s.failed));
  o.Set("queuedMs", static_cast<double>(s.queued_nanoseconds) / 1e6);
  o.Set("runMs", static_cast<double>(s.run_nanoseconds) / 1e6);
  return o;
}

}  // namespace upsampling
