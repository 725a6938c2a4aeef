// Finished jobs, from the executor's threads to JavaScript: one thread-safe function per environment,
// batched.
#include "binding/jobs.h"

#include <napi.h>
#include <pthread.h>

#include <utility>
#include <vector>

#include "binding/call.h"

namespace upsampling {

struct Environment {
  napi_env env = nullptr;
  napi_threadsafe_function report = nullptr;
  napi_ref done = nullptr;
  int64_t pending = 0;  // touched on the environment's own thread only
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  std::vector<double> finished;  // flat pairs (job, status)
};

namespace {

// Runs on the environment's thread; delivers everything that has finished by now.
void deliver(napi_env env, napi_value, void* context, void*) {
  auto* e = static_cast<Environment*>(context);
  if (env == nullptr) return;
  std::vector<double> pairs;
  pthread_mutex_lock(&e->mutex);
  pairs.swap(e->finished);
  pthread_mutex_unlock(&e->mutex);
  if (pairs.empty()) return;
  e->pending -= static_cast<int64_t>(pairs.size() / 2);
  if (e->pending == 0) napi_unref_threadsafe_function(env, e->report);
  napi_value buffer, array, done, global;
  void* data;
  if (napi_create_arraybuffer(env, pairs.size() * sizeof(double), &data, &buffer) != napi_ok) return;
  std::copy(pairs.begin(), pairs.end(), static_cast<double*>(data));
  napi_create_typedarray(env, napi_float64_array, pairs.size(), buffer, 0, &array);
  napi_get_reference_value(env, e->done, &done);
  napi_get_global(env, &global);
  napi_call_function(env, global, done, 1, &array, nullptr);
}

void finalize(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

// Runs before the thread-safe function's own hook (hooks run last in, first out): no job of ours is left
// after it.
void cleanup(void* data) {
  auto* e = static_cast<Environment*>(data);
  drain_jobs(e);
  napi_release_threadsafe_function(e->report, napi_tsfn_abort);
}

}  // namespace

Environment* environment_of(napi_env env) {
  void* e = nullptr;
  napi_get_instance_data(env, &e);
  return static_cast<Environment*>(e);
}

void job_posted(Environment* e) {
  if (e->pending++ == 0) napi_ref_threadsafe_function(e->env, e->report);
}

void report(Environment* e, int64_t id, Status status) {
  pthread_mutex_lock(&e->mutex);
  const bool first = e->finished.empty();
  e->finished.push_back(static_cast<double>(id));
  e->finished.push_back(static_cast<double>(status));
  pthread_mutex_unlock(&e->mutex);
  if (first) napi_call_threadsafe_function(e->report, nullptr, napi_tsfn_nonblocking);
}

// connect(done)
napi_value connect(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value done, name;
  napi_get_cb_info(env, info, &argc, &done, nullptr, nullptr);
  auto* e = new Environment;
  e->env = env;
  napi_create_reference(env, done, 1, &e->done);
  napi_create_string_utf8(env, "upsampling", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, e, finalize, e, deliver, &e->report);
  napi_unref_threadsafe_function(env, e->report);
  napi_set_instance_data(env, e, [](napi_env, void*, void*) {}, nullptr);
  napi_add_env_cleanup_hook(env, cleanup, e);
  return nullptr;
}

// cancel(job)
napi_value cancel(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value id;
  double number = 0;
  napi_get_cb_info(env, info, &argc, &id, nullptr, nullptr);
  napi_get_value_double(env, id, &number);
  cancel_job(environment_of(env), static_cast<int64_t>(number));
  return nullptr;
}

}  // namespace upsampling
