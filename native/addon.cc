// Module init: names the exports, nothing else.
#include <napi.h>

#include "binding/jobs.h"
#include "binding/operators.h"
#include "binding/settings.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, napi_callback f) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, f, nullptr, &function);
    exports.Set(name, Napi::Value(env, function));
  };
#define UPS_EXPORT(name, text) add(text, upsampling::bind_##name);
  UPS_OPERATORS(UPS_EXPORT)
#undef UPS_EXPORT
  add("connect", upsampling::connect);
  add("deliver", upsampling::deliver_more);
  add("cancel", upsampling::cancel);
  add("stats", upsampling::stats);
  add("adviseHugePages", upsampling::advise_huge_pages);
  add("packedBytes", upsampling::packed_bytes);
  add("packWeights", upsampling::pack_weights);
  add("isas", upsampling::get_isas);
  add("isa", upsampling::get_isa);
  add("setIsa", upsampling::set_isa);
  add("threads", upsampling::get_threads);
  add("setThreads", upsampling::set_threads);
  add("facts", upsampling::facts);
  return exports;
}

NODE_API_MODULE(upsampling, init)
