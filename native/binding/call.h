// Decodes a call of an operator and runs or queues it. No defaults, no formulas, no messages for users: what
// arrives here was checked in TypeScript, and a mismatch is a bug of ours that must still not touch memory it
// should not.
#pragma once
#include <napi.h>

#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include "kernels/types.h"
#include "runtime/context.h"
#include "runtime/queue.h"
#include "runtime/settings.h"

namespace upsampling {

// Reads a packed plan (src/native/pack.ts) from front to back. Pointers stay valid as long as the array does.
class PlanReader {
 public:
  PlanReader() = default;
  PlanReader(const double* words, size_t count) : at_(words), end_(words + count) {}
  int64_t integer() { return static_cast<int64_t>(number()); }
  double number() { return *take(1); }
  bool boolean() { return number() != 0; }
  template <class T>
  const T* table(int64_t count) {
    return reinterpret_cast<const T*>(take((count * static_cast<int64_t>(sizeof(T)) + 7) / 8));
  }

 private:
  const double* take(int64_t words) {
    if (words < 0 || words > end_ - at_) Napi::Error::Fatal("upsampling", "a packed plan ended early");
    const double* p = at_;
    at_ += words;
    return p;
  }
  const double *at_ = nullptr, *end_ = nullptr;
};

// Per environment: where finished jobs are reported (jobs.cc).
struct Environment;
Environment* environment_of(napi_env env);
// Takes a job in and queues it; `owner` and `id` are set. Throws std::bad_alloc before anything has happened.
void post(Environment* environment, Job* job);
// Called on threads of the queue.
void report(Environment* environment, Job* job);

template <class Args>
struct OperatorJob final : Job {
  Status (*op)(const Args&, const Context&);
  Args args;
  Environment* environment = nullptr;
  OperatorJob(Status (*f)(const Args&, const Context&), const Args& a) : op(f), args(a) {}
  Status run(const Context& context) override {
    try {
      return op(args, context);
    } catch (...) {  // nothing but std::bad_alloc is thrown in ops
      return OUT_OF_MEMORY;
    }
  }
  void finished() override { report(environment, this); }
};

// The arguments (plan, threads, job, …arrays) of an operator's call.
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &argc_, argv_, nullptr, nullptr);
    size_t length = 0;
    auto* words = static_cast<const double*>(array(0, &length));
    plan = PlanReader(words, length);
    threads_ = static_cast<int>(number(1));
    job_ = static_cast<int64_t>(number(2));
  }

  PlanReader plan;

  bool has(size_t index) const {
    napi_valuetype type;
    return index + 3 < argc_ && napi_typeof(env_, argv_[index + 3], &type) == napi_ok && type == napi_object;
  }

  // Memory of array number `index`, which holds at least `count` elements of `bytes` each. Its type was
  // checked in TypeScript: to ask Node for it takes longer than for all else about an array.
  void* memory(size_t index, int64_t count, int64_t bytes) {
    size_t length = 0;
    void* data = array(index + 3, &length);
    if (count < 0 || static_cast<int64_t>(length) < count)
      Napi::Error::Fatal("upsampling", "an array is shorter than its plan says");
    bytes_ += count * bytes;
    return data;
  }
  template <class T>
  T* memory(size_t index, int64_t count) {
    return static_cast<T*>(memory(index, count, sizeof(T)));
  }

  // Runs `op` now, or queues it when the call has a job number. `work` is a rough count of nanoseconds of one
  // thread beyond what moving the arrays takes.
  template <class Args>
  napi_value submit(Status (*op)(const Args&, const Context&), const Args& args, double work = 0) {
    static_assert(std::is_trivially_copyable<Args>::value,
                  "a queued call owns nothing but its plan's memory");
    const int threads = threads_ > 0 ? threads_ : default_threads();
    Status status = OK;
    try {
      if (job_ == 0) {
        Context context;
        context.threads = threads;
        status = op(args, context);
      } else {
        std::unique_ptr<OperatorJob<Args>> job(new OperatorJob<Args>(op, args));
        job->environment = environment_of(env_);
        job->owner = job->environment;
        job->id = job_ - 1;
        job->threads = threads;
        job->work = static_cast<double>(bytes_) / 10 + work;
        post(job->environment, job.get());
        job.release();
      }
    } catch (const std::bad_alloc&) {
      status = OUT_OF_MEMORY;
    }
    napi_value result = nullptr;  // undefined, which takes no object
    if (status != OK) napi_create_double(env_, static_cast<double>(status), &result);
    return result;
  }

 private:
  void* array(size_t index, size_t* length) {
    void* data = nullptr;
    if (index >= argc_ ||
        napi_get_typedarray_info(env_, argv_[index], nullptr, length, &data, nullptr, nullptr) != napi_ok)
      Napi::Error::Fatal("upsampling", "an argument is not a typed array");
    return data;
  }
  double number(size_t index) {
    double v = 0;
    if (index < argc_) napi_get_value_double(env_, argv_[index], &v);
    return v;
  }

  napi_env env_;
  static constexpr size_t kMost = 12;
  size_t argc_ = kMost;
  napi_value argv_[kMost];
  int threads_ = 0;
  int64_t job_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace upsampling
