#include "ops/mask-runs.h"

#include "binding/call.h"
#include "binding/operators.h"

namespace upsampling {

// (plan, threads, job, bits, counts or runs); plan as packMaskRuns of src/native/mask-runs.ts.
napi_value bind_mask_runs(napi_env env, napi_callback_info info) {
  Call call(env, info);
  MaskRunsArgs a{};
  a.planes = call.plan.integer();
  a.height = call.plan.integer();
  a.width = call.plan.integer();
  const bool writes = call.plan.boolean();
  const int64_t total = call.plan.integer();
  a.offsets = call.plan.table<double>(writes ? a.planes : 0);
  a.bits = call.memory<uint8_t>(0, a.planes * a.height * ((a.width + 7) / 8));
  if (writes)
    a.runs = call.memory<uint32_t>(1, total);
  else
    a.counts = call.memory<int32_t>(1, a.planes);
  return call.submit(mask_runs, a, static_cast<double>(a.planes * a.height * a.width));
}

}  // namespace upsampling
