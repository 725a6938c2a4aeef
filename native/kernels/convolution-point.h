// Leaves of 1x1 convolutions to few channels (ops/convolution-point.cc).
#pragma once
#include <stdint.h>

namespace upsampling {

struct ConvPoint {
  static constexpr int kMost = 8;     // outputs of a pixel
  int64_t pixels, channels, columns;  // at least a vector of pixels
  int64_t step;                       // from a plane to the next one, or from a pixel
  int64_t out_pixel;
};

struct PointKernels {
  // out[p] = bias + Σ_c w[c] · x[c·step + p], in the order of c.
  void (*planes)(float* out, const float* x, const ConvPoint* d, const float* w, const float* bias);
  // out[p·out_pixel + o] = bias[o] + Σ_c w[o·channels + c] · x[p·step + c], of at least a vector of channels.
  void (*pixels)(float* out, const float* x, const ConvPoint* d, const float* w, const float* bias);
};

}  // namespace upsampling
