// Planes of one channel that become one element each: averages, and resizes to a single pixel.
#pragma once
#include <algorithm>

#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

inline Status means_of_planes(float* out, const float* in, int64_t planes, const PlaneMeans& means,
                              const Context& context) {
  const int64_t plane = means.rows * means.columns;
  // LANES planes are taken together.
  const int64_t grain = std::max<int64_t>(1, 128 * 1024 / (16 * plane)) * 16;
  parallel_for(context, planes, grain, [&](int64_t begin, int64_t end) {
    kernels().avg_pool.whole_planes(out + begin, in + begin * plane, end - begin, &means);
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
