#pragma once
#include "kernels/types.h"
#include "runtime/context.h"

namespace upsampling {

// in: [outer, in_size of each axis, inner]; out: [outer, out_size of each axis, inner].
struct InterpolateArgs {
  static constexpr int kMaxAxes = 8;
  void* out;
  const void* in;
  int type;
  bool moves;  // every axis has one tap
  int64_t outer, inner;
  int axis_count;
  AxisTable axes[kMaxAxes];  // the last one runs along a row
  // Outputs at which outside[i][o] is 1 for any axis are `extrapolation` instead.
  bool extrapolates;
  double extrapolation;
  const int32_t* outside[kMaxAxes];
};

Status interpolate(const InterpolateArgs& args, const Context& context);

}  // namespace upsampling
