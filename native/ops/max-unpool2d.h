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
};

// BAD_INDEX with the position of the first index outside its plane (or, with REFUSE, of the first that
// repeats another), before anything is written.
Status max_unpool2d(const MaxUnpool2dArgs& args, const Context& context);

}  // namespace upsampling
