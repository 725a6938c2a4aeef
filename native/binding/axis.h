// Reads a tap table (axisFields of src/native/interpolate.ts).
#pragma once
#include "binding/call.h"

namespace upsampling {

inline AxisTable read_axis(PlanReader* plan, bool doubles) {
  AxisTable axis;
  axis.in_size = plan->integer();
  axis.out_size = plan->integer();
  axis.taps = plan->integer();
  const int64_t n = axis.taps * axis.out_size;
  axis.index = plan->table<int32_t>(n);
  axis.weight = doubles ? static_cast<const void*>(plan->table<double>(n)) : plan->table<float>(n);
  axis.count = plan->table<int32_t>(axis.out_size);
  return axis;
}

}  // namespace upsampling
