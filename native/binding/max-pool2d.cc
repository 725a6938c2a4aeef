#include "ops/max-pool2d.h"

#include "binding/operators.h"
#include "binding/window.h"

namespace upsampling {

// (plan, threads, job, input, output, indices?); plan as packMaxPool2d of src/native/max-pool2d.ts.
napi_value bind_max_pool2d(napi_env env, napi_callback_info info) {
  Call call(env, info);
  MaxPool2dArgs a;  // to clear all axes takes as long as to read the plan
  a.index = nullptr;
  read_pool_head(&call.plan, &a.type, &a.shape);
  for (int i = 0; i < a.shape.axis_count; ++i) a.shape.axes[i] = read_window(&call.plan);
  const int64_t index = call.plan.integer();
  a.wide_index = index == 2;
  a.plane_stride = index != 0 ? call.plan.integer() : 0;
  for (int i = 0; i < a.shape.axis_count; ++i) a.strides[i] = index != 0 ? call.plan.integer() : 0;
  const int64_t out = a.shape.outer * a.shape.out_rows() * a.shape.out_row();
  a.in = call.memory(0, a.shape.outer * a.shape.in_rows() * a.shape.in_row(), bytes_of(a.type));
  a.out = call.memory(1, out, bytes_of(a.type));
  if (index != 0) a.index = call.memory(2, out, a.wide_index ? 8 : 4);
  return call.submit(max_pool2d, a);
}

}  // namespace upsampling
