// Reads a block plan (src/native/pixel-shuffle.ts) and the arrays of the call.
#pragma once
#include "binding/call.h"
#include "ops/pixel-shuffle.h"

namespace upsampling {

inline BlockArgs read_block(Call* call) {
  BlockArgs a;
  a.type = static_cast<int>(call->plan.integer());
  a.nhwc = call->plan.boolean();
  a.dcr = call->plan.boolean();
  a.batch = call->plan.integer();
  a.channels = call->plan.integer();
  a.height = call->plan.integer();
  a.width = call->plan.integer();
  a.bh = call->plan.integer();
  a.bw = call->plan.integer();
  const int64_t n = a.batch * a.channels * a.height * a.width * a.bh * a.bw;
  a.in = call->memory(0, n, bytes_of(a.type));
  a.out = call->memory(1, n, bytes_of(a.type));
  return a;
}

}  // namespace upsampling
