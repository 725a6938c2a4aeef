#include "ops/grid-sample.h"

#include "binding/call.h"
#include "binding/operators.h"

namespace upsampling {

// (plan, threads, job, input, grid, output); plan as packGridSample of src/native/grid-sample.ts.
napi_value bind_grid_sample(napi_env env, napi_callback_info info) {
  Call call(env, info);
  GridSampleArgs a;
  a.type = static_cast<int>(call.plan.integer());
  a.grid_type = static_cast<int>(call.plan.integer());
  a.channels_last = call.plan.boolean();
  a.filter = static_cast<int>(call.plan.integer());
  a.padding = static_cast<int>(call.plan.integer());
  a.batch = call.plan.integer();
  a.channels = call.plan.integer();
  a.points = call.plan.integer();
  a.axis_count = static_cast<int>(call.plan.integer());
  int64_t pixels = 1;
  for (int i = 0; i < a.axis_count; ++i) {
    GridAxis& axis = a.axes[i];
    axis.size = call.plan.integer();
    axis.step = call.plan.number();
    axis.shift = call.plan.number();
    axis.low = call.plan.number();
    axis.period = call.plan.number();
    pixels *= axis.size;
  }
  a.in = call.memory(0, a.batch * a.channels * pixels, bytes_of(a.type));
  a.grid = call.memory(1, a.batch * a.points * a.axis_count, bytes_of(a.grid_type));
  a.out = call.memory(2, a.batch * a.channels * a.points, bytes_of(a.type));
  const double products = static_cast<double>(a.batch * a.channels * a.points);
  return call.submit(grid_sample, a, products * 4);
}

}  // namespace upsampling
