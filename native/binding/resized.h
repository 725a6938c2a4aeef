// Reads the resize of a fused operator (resizedFields of src/native/resized.ts).
#pragma once
#include "binding/axis.h"
#include "ops/resized.h"

namespace upsampling {

// Its input is the first array of the call.
inline ResizedArgs read_resized(Call* call) {
  ResizedArgs r;
  PlanReader* plan = &call->plan;
  r.type = static_cast<int>(plan->integer());
  r.batch = plan->integer();
  r.channels = plan->integer();
  r.inner = plan->integer();
  r.axis_count = static_cast<int>(plan->integer());
  int64_t in = r.batch * r.channels * r.inner;
  for (int i = 0; i < r.axis_count; ++i) {
    r.axes[i] = read_axis(plan, r.type == F64);
    r.whole_sizes[i] = plan->integer();
    in *= r.axes[i].in_size;
  }
  r.in = call->memory(0, in, bytes_of(r.type));
  return r;
}

// Output pixels of one channel.
inline int64_t out_pixels(const ResizedArgs& r) { return r.out_rows() * r.columns().out_size; }

}  // namespace upsampling
