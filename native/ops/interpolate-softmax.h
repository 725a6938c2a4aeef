#pragma once
#include "ops/resized.h"
#include "runtime/context.h"

namespace upsampling {

// out: as `interpolate` would write it, in float (double for double logits).
struct InterpolateSoftmaxArgs {
  void* out;
  ResizedArgs in;
};

Status interpolate_softmax(const InterpolateSoftmaxArgs& args, const Context& context);

}  // namespace upsampling
