#pragma once
#include "kernels/grid-sample.h"
#include "runtime/context.h"

namespace upsampling {

// in: [batch, channels, pixels] or [batch, pixels, channels]; grid: [batch, points, axes]; out as in, with
// points.
struct GridSampleArgs {
  static constexpr int kMaxAxes = 3;
  void* out;
  const void *in, *grid;
  int type, grid_type;
  bool channels_last;
  int filter, padding;
  int64_t batch, channels, points;
  int axis_count;
  GridAxis axes[kMaxAxes];
};

Status grid_sample(const GridSampleArgs& args, const Context& context);

}  // namespace upsampling
