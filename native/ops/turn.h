// Pixels with their elements side by side to planes, and back.
#pragma once
#include <algorithm>
#include <cstdint>

#include "runtime/isa.h"

namespace upsampling {

// to[j·rows + i] = from[i·columns + j].
inline void turn(float* to, const float* from, int64_t rows, int64_t columns) {
  kernels().conv.transpose(to, rows, from, columns, rows, columns);
}
inline void turn(double* to, const double* from, int64_t rows, int64_t columns) {
  kernels().conv_double.transpose(to, rows, from, columns, rows, columns);
}

// How many pixels to turn at a time: whole vectors, in the first-level cache.
inline int64_t pixels_together(int64_t elements) {
  return std::max<int64_t>(16, std::min<int64_t>(128, 4096 / elements / 16 * 16));
}

}  // namespace upsampling
