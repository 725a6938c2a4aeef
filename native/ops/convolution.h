#pragma once
#include "kernels/types.h"
#include "runtime/context.h"

namespace upsampling {

// One axis of Note [Passes] in src/plan/conv2d.ts. `passes` points into the packed plan: pass_count records,
// each begin, end, taps, phases, entries and the tables offsets, phases, first, kernel, coefficient.
struct ConvAxis {
  int64_t in_size, out_size, kernel, in_step, out_step;
  int64_t pass_count;
  const double* passes;
};

struct ConvArgs {
  static constexpr int kMaxAxes = 3;
  void* out;
  const void* in;
  const void* weight;
  const void* bias;  // or null
  int type;
  const void* packed;  // weights and bias packed ahead, or null
  void* packing;       // where to pack them to
  bool nhwc;
  bool transposed;                                   // weights are (in, out/groups, kernel…)
  int64_t batch, groups, in_channels, out_channels;  // channels of one group
  int axis_count;
  ConvAxis axes[kMaxAxes];
  int64_t repeats = 1;  // neighbouring groups (of one channel each) that have the same inputs
};

// Bytes of packed weights, and what fills them. They serve every input and stay with the kernels they were
// made for.
int64_t packed_bytes(const ConvArgs& args);
Status pack_weights(const ConvArgs& args, const Context& context);
Status convolution(const ConvArgs& args, const Context& context);

}  // namespace upsampling
