#include "ops/interpolate-argmax.h"

#include "binding/operators.h"
#include "binding/resized.h"

namespace upsampling {

// (plan, threads, job, logits, classes, scores?, margins?); plan as packInterpolateArgmax of
// src/native/interpolate-argmax.ts.
napi_value bind_interpolate_argmax(napi_env env, napi_callback_info info) {
  Call call(env, info);
  InterpolateArgmaxArgs a;
  a.in = read_resized(&call);
  a.class_bytes = static_cast<int>(call.plan.integer());
  a.score_kind = static_cast<int>(call.plan.integer());
  const bool margin = call.plan.boolean();
  a.has_threshold = call.plan.boolean();
  a.threshold = call.plan.number();
  a.background = call.plan.integer();
  const int64_t pixels = a.in.batch * out_pixels(a.in), bytes = a.in.type == F64 ? 8 : 4;
  size_t next = 1;
  a.classes = call.memory(next++, pixels, a.class_bytes);
  a.scores = a.score_kind == InterpolateArgmaxArgs::NO_SCORES ? nullptr : call.memory(next++, pixels, bytes);
  a.margins = margin ? call.memory(next++, pixels, bytes) : nullptr;
  return call.submit(interpolate_argmax, a, static_cast<double>(pixels * a.in.channels * a.in.inner) / 10);
}

}  // namespace upsampling
