#pragma once
#include "ops/pool-rows.h"
#include "runtime/context.h"

namespace upsampling {

// in: [outer, in_size of each axis, inner]; out, index: [outer, out_size of each axis, inner].
struct MaxPool2dArgs {
  void* out;
  void* index;      // or null
  bool wide_index;  // int64 rather than int32
  const void* in;
  int type;
  PoolShape shape;
  // Number of a winner: plane · plane_stride + Σ position along axis · strides[axis].
  int64_t plane_stride, strides[PoolShape::kMaxAxes];
};

Status max_pool2d(const MaxPool2dArgs& args, const Context& context);

}  // namespace upsampling
