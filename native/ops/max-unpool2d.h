#pragma once
#include "kernels/types.h"
#include "runtime/context.h"

namespace upsampling {

enum OnDuplicate : int { LAST, MAX, SUM, REFUSE };  // the order of src/plan/max-unpool2d.ts

// in, index: [outer, in_size, inner]; out: [outer, out_size, inner]; sizes are flat planes.
struct MaxUnpool2dArgs {
  void* out;
  const void *in, *index;
  int type;
  int64_t outer, in_size, out_size, inner;
  int64_t in_row, out_row;  // extents of the last axis
  bool wide_index;          // int64 rather than int32
  int64_t plane_stride;     // what an index counts for every plane before its own
  OnDuplicate on_duplicate;
  // Indices count in planes of index_size cells; where those are smaller than the output's they have extents
  // index_dims and stand at the begin of out_dims. axis_count is 0 where they are the output's own.
  static constexpr int kMaxAxes = 3;
  int64_t index_size;
  int axis_count;
  int64_t index_dims[kMaxAxes], out_dims[kMaxAxes];
};

// BAD_INDEX with the position of the first index outside its plane (or, with REFUSE, of the first that
// repeats another), before anything is written.
Status max_unpool2d(const MaxUnpool2dArgs& args, const Context& context);

}  // namespace upsampling
