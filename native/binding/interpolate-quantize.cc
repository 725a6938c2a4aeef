#include "ops/interpolate-quantize.h"

#include "binding/operators.h"
#include "binding/resized.h"

namespace upsampling {

// (plan, threads, job, map, out); plan as packInterpolateQuantize of src/native/interpolate-quantize.ts.
napi_value bind_interpolate_quantize(napi_env env, napi_callback_info info) {
  Call call(env, info);
  InterpolateQuantizeArgs a;
  a.in = read_resized(&call);
  a.bytes = static_cast<int>(call.plan.integer());
  a.range = static_cast<int>(call.plan.integer());
  a.low = call.plan.number();
  a.high = call.plan.number();
  const int64_t n = a.in.batch * a.in.channels * a.in.inner * out_pixels(a.in);
  a.out = call.memory(1, n, a.bytes);
  return call.submit(interpolate_quantize, a, static_cast<double>(n) / 2);
}

}  // namespace upsampling
