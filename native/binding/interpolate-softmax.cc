#include "ops/interpolate-softmax.h"

#include "binding/operators.h"
#include "binding/resized.h"

namespace upsampling {

// (plan, threads, job, logits, out); plan as packInterpolateSoftmax of src/native/interpolate-softmax.ts.
napi_value bind_interpolate_softmax(napi_env env, napi_callback_info info) {
  Call call(env, info);
  InterpolateSoftmaxArgs a;
  a.in = read_resized(&call);
  const int64_t n = a.in.batch * a.in.channels * a.in.inner * out_pixels(a.in);
  a.out = call.memory(1, n, a.in.type == F64 ? 8 : 4);
  return call.submit(interpolate_softmax, a, static_cast<double>(n));
}

}  // namespace upsampling
