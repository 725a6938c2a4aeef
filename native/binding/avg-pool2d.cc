#include "ops/avg-pool2d.h"

#include "binding/operators.h"
#include "binding/window.h"

namespace upsampling {

// (plan, threads, job, input, output); plan as packAvgPool2d of src/native/avg-pool2d.ts.
napi_value bind_avg_pool2d(napi_env env, napi_callback_info info) {
  Call call(env, info);
  AvgPool2dArgs a{};
  read_pool_head(&call.plan, &a.type, &a.shape);
  for (int i = 0; i < a.shape.axis_count; ++i) {
    a.shape.axes[i] = read_window(&call.plan);
    a.cells[i] = call.plan.table<int32_t>(a.shape.axes[i].out_size);
  }
  a.divisor = call.plan.number();
  a.in = call.memory(0, a.shape.outer * a.shape.in_rows() * a.shape.in_row(), bytes_of(a.type));
  a.out = call.memory(1, a.shape.outer * a.shape.out_rows() * a.shape.out_row(), bytes_of(a.type));
  return call.submit(avg_pool2d, a);
}

}  // namespace upsampling
