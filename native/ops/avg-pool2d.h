#pragma once
#include "ops/pool-rows.h"
#include "runtime/context.h"

namespace upsampling {

// in: [outer, in_size of each axis, inner]; out: [outer, out_size of each axis, inner].
struct AvgPool2dArgs {
  void* out;
  const void* in;
  int type;
  PoolShape shape;
  // An element is divided by the product over the axes of cells[axis][o], or by `divisor` where that is not
  // 0.
  const int32_t* cells[PoolShape::kMaxAxes];
  double divisor;
};

Status avg_pool2d(const AvgPool2dArgs& args, const Context& context);

}  // namespace upsampling
