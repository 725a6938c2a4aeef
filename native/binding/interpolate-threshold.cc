#include "ops/interpolate-threshold.h"

#include "binding/operators.h"
#include "binding/resized.h"

namespace upsampling {

// (plan, threads, job, masks, out); plan as packInterpolateThreshold of src/native/interpolate-threshold.ts.
napi_value bind_interpolate_threshold(napi_env env, napi_callback_info info) {
  Call call(env, info);
  InterpolateThresholdArgs a;
  a.in = read_resized(&call);
  a.planes = call.plan.integer();
  a.source = call.plan.table<int32_t>(a.planes);
  a.boxes = call.plan.table<int32_t>(4 * a.planes);
  a.threshold = call.plan.number();
  a.bits = call.plan.boolean();
  const int64_t width = a.in.columns().out_size, row_bytes = a.bits ? (width + 7) / 8 : width;
  a.out = call.memory<uint8_t>(1, a.planes * a.in.out_rows() * row_bytes);
  return call.submit(interpolate_threshold, a, static_cast<double>(a.planes * out_pixels(a.in)) / 2);
}

}  // namespace upsampling
