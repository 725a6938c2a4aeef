#pragma once
#include <cstdint>

#include "runtime/context.h"

namespace upsampling {

// bits: [planes, height, ceil(width / 8)], the first column in the highest bit. Runs go down the columns and
// start with one of zeros (COCO). Without `runs` they are counted into `counts`, with it they are written,
// each mask's at `offsets`.
struct MaskRunsArgs {
  const uint8_t* bits;
  int64_t planes, height, width;
  int32_t* counts;
  uint32_t* runs;
  const double* offsets;
};

Status mask_runs(const MaskRunsArgs& args, const Context& context);

}  // namespace upsampling
