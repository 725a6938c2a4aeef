#pragma once
#include "ops/resized.h"
#include "runtime/context.h"

namespace upsampling {

// out: [planes, rows, columns] bytes, or rows of ceil(columns / 8) bytes of bits.
struct InterpolateThresholdArgs {
  uint8_t* out;
  ResizedArgs in;
  int64_t planes;
  const int32_t* source;  // per plane of out, its mask of in (image · masks + mask)
  const int32_t* boxes;   // per plane of out, first row, first column, end row, end column; outside it is 0
  double threshold;
  bool bits;
};

Status interpolate_threshold(const InterpolateThresholdArgs& args, const Context& context);

}  // namespace upsampling
