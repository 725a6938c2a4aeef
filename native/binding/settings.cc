// Process-wide settings and facts, as JavaScript sees them.
#include "binding/settings.h"

#include <napi.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <string>

#include "runtime/isa.h"
#include "runtime/settings.h"

namespace upsampling {

namespace {

napi_value first_argument(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value v;
  napi_get_cb_info(env, info, &argc, &v, nullptr, nullptr);
  return v;
}

}  // namespace

napi_value get_isas(napi_env env, napi_callback_info) {
  Napi::Array list = Napi::Array::New(env);
  for (const std::string& name : isas()) list.Set(list.Length(), name);
  return list;
}

napi_value get_isa(napi_env env, napi_callback_info) { return Napi::String::New(env, isa()); }

napi_value set_isa(napi_env env, napi_callback_info info) {
  return Napi::Boolean::New(env, set_isa(Napi::Value(env, first_argument(env, info)).ToString().Utf8Value()));
}

napi_value get_threads(napi_env env, napi_callback_info) { return Napi::Number::New(env, default_threads()); }

napi_value set_threads(napi_env env, napi_callback_info info) {
  set_default_threads(Napi::Value(env, first_argument(env, info)).ToNumber().Int32Value());
  return nullptr;
}

// A large result is 4 KiB pages that the first write faults in one by one, eleven times the cost of writing
// warm memory; under huge pages it is twice. Only whole huge pages inside the array are advised, so
// neighbours are not touched.
napi_value advise_huge_pages(napi_env env, napi_callback_info info) {
#if defined(__linux__)
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, first_argument(env, info), &type, &length, &data, nullptr, nullptr) !=
      napi_ok)
    return nullptr;
  static constexpr uint8_t kBytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + length * kBytes[type]) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)env;
  (void)info;
#endif
  return nullptr;
}

napi_value facts(napi_env env, napi_callback_info) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("openmp", openmp_available());
  o.Set("compiler", __VERSION__);
  return o;
}

}  // namespace upsampling
