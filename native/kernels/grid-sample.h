// Leaves of grid sampling: grid values to taps along one axis, taps along several axes to pixels, pixels to
// outputs.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/types.h"

namespace upsampling {

// One axis of the image: src/plan/grid-sample.ts.
struct GridAxis {
  int64_t size;
  double step, shift, low, period;
};

struct GridSampleKernels {
  // The filters: nearest with ties to even, the same rounded before padding, linear, cubic.
  enum { FILTERS = 4, PADDINGS = 3 };

  // For i < n the taps of grid value g[i]: index[k·n + i] is a pixel along the axis times stride, or -1
  // outside; weight[k·n + i] its weight, which the nearest pixel has none of. By type of the coordinates
  // (float, double), filter and padding (zeros, border, reflection).
  void (*taps[2][FILTERS][PADDINGS])(int32_t* index, double* weight, const void* g, const GridAxis* axis,
                                     int64_t stride, int64_t n);
  // Tap (a, b) of two axes: the sum of the indices, or -1 where either is.
  void (*combine)(int32_t* index, const int32_t* a, const int32_t* b, int64_t n);
  // The product of their weights, in double or rounded to float.
  void (*product[2])(void* weight, const double* a, const double* b, int64_t n);
  // Taps of n points of an image of two axes, whose coordinates lie side by side, both axes at once, in
  // elements of pixels of `pixel` of them; null where that is no faster. Weights in float, rounded once. Axes
  // are shorter than 2^24.
  void (*points[FILTERS][PADDINGS])(int32_t* index, float* weight, const float* grid, const GridAxis* axes,
                                    int64_t pixel, int64_t n);
  // out[i] = in[index[i]], 0 where the index is -1; elements of 1, 2, 4 and 8 bytes.
  void (*move[4])(void* out, const void* in, const int32_t* index, int64_t n);
  // out[i] = in[i], rounded: weights of what is computed in float.
  void (*round_weights)(float* out, const double* in, int64_t n);
  // out[i] = Σ_k weight[k·n + i] · in[index[k·n + i]], index -1 reading 0, rounded once to the element type;
  // in the order of k. Weights are of the type of the computation. Taps come `along` (1, 2 or 4) at a time,
  // which are neighbours where none is outside or moved inside. By element type, null where it is not
  // computed with.
  void (*plane[TYPE_COUNT])(void* out, const void* in, const int32_t* index, const void* weight, int64_t taps,
                            int64_t along, int64_t n);
  // out[i·channels + c] = Σ_k weight[k·n + i] · in[index[k·n + i]·channels + c]: the same for pixels of many
  // channels.
  void (*pixels[TYPE_COUNT])(void* out, const void* in, const int32_t* index, const void* weight,
                             int64_t taps, int64_t channels, int64_t n);
};

}  // namespace upsampling
