#include "ops/max-unpool2d.h"

#include "binding/call.h"
#include "binding/operators.h"

namespace upsampling {

// (plan, threads, job, input, indices, output); plan as packMaxUnpool2d of src/native/max-unpool2d.ts.
napi_value bind_max_unpool2d(napi_env env, napi_callback_info info) {
  Call call(env, info);
  MaxUnpool2dArgs a;
  a.type = static_cast<int>(call.plan.integer());
  a.outer = call.plan.integer();
  a.in_size = call.plan.integer();
  a.out_size = call.plan.integer();
  a.inner = call.plan.integer();
  a.in_row = call.plan.integer();
  a.out_row = call.plan.integer();
  a.wide_index = call.plan.boolean();
  a.plane_stride = call.plan.integer();
  a.on_duplicate = static_cast<OnDuplicate>(call.plan.integer());
  a.index_size = call.plan.integer();
  a.axis_count = static_cast<int>(call.plan.integer());
  for (int i = 0; i < a.axis_count; ++i) a.index_dims[i] = call.plan.integer();
  for (int i = 0; i < a.axis_count; ++i) a.out_dims[i] = call.plan.integer();
  const int64_t n = a.outer * a.in_size * a.inner;
  a.in = call.memory(0, n, bytes_of(a.type));
  a.index = call.memory(1, n, a.wide_index ? 8 : 4);
  a.out = call.memory(2, a.outer * a.out_size * a.inner, bytes_of(a.type));
  return call.submit(max_unpool2d, a);
}

}  // namespace upsampling
