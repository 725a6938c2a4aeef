// Reads windows (windowFields of src/native/window.ts) and the shape around them.
#pragma once
#include "binding/call.h"
#include "ops/pool-rows.h"

namespace upsampling {

inline WindowTable read_window(PlanReader* plan) {
  WindowTable w;
  w.in_size = plan->integer();
  w.out_size = plan->integer();
  w.kernel = plan->integer();
  w.stride = plan->integer();
  w.dilation = plan->integer();
  w.pad = plan->integer();
  w.full_begin = plan->integer();
  w.full_end = plan->integer();
  w.first = plan->table<int32_t>(w.out_size);
  w.count = plan->table<int32_t>(w.out_size);
  return w;
}

inline void read_pool_head(PlanReader* plan, int* type, PoolShape* shape) {
  *type = static_cast<int>(plan->integer());
  shape->outer = plan->integer();
  shape->inner = plan->integer();
  shape->axis_count = static_cast<int>(plan->integer());
}

}  // namespace upsampling
