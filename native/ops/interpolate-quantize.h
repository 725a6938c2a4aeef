#pragma once
#include "ops/resized.h"
#include "runtime/context.h"

namespace upsampling {

// out: as `interpolate` would write it, in integers of `bytes` bytes. Every image has its own range.
struct InterpolateQuantizeArgs {
  // [low, high] itself; the least and largest resized value; percentiles `low` and `high` of the input's
  // values.
  enum Range { GIVEN, MIN_MAX, PERCENTILE };
  void* out;
  int bytes;
  ResizedArgs in;
  int range;
  double low, high;
};

Status interpolate_quantize(const InterpolateQuantizeArgs& args, const Context& context);

}  // namespace upsampling
