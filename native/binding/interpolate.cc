#include "ops/interpolate.h"

#include "binding/axis.h"
#include "binding/operators.h"

namespace upsampling {

// (plan, threads, job, input, output); plan as packInterpolate of src/native/interpolate.ts.
napi_value bind_interpolate(napi_env env, napi_callback_info info) {
  Call call(env, info);
  InterpolateArgs a;
  a.type = static_cast<int>(call.plan.integer());
  a.moves = call.plan.boolean();
  a.outer = call.plan.integer();
  a.inner = call.plan.integer();
  a.axis_count = static_cast<int>(call.plan.integer());
  int64_t in = a.outer * a.inner, out = in;
  for (int i = 0; i < a.axis_count; ++i) {
    a.axes[i] = read_axis(&call.plan, computes_in_double(a.type));
    in *= a.axes[i].in_size;
    out *= a.axes[i].out_size;
  }
  a.extrapolates = call.plan.boolean();
  if (a.extrapolates) {
    a.extrapolation = call.plan.number();
    for (int i = 0; i < a.axis_count; ++i) a.outside[i] = call.plan.table<int32_t>(a.axes[i].out_size);
  }
  a.in = call.memory(0, in, bytes_of(a.type));
  a.out = call.memory(1, out, bytes_of(a.type));
  return call.submit(interpolate, a);
}

}  // namespace upsampling
