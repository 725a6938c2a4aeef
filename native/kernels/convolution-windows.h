// Leaves of convolutions of pixels to few channels (ops/convolution-windows.cc).
#pragma once
#include <stdint.h>

namespace upsampling {

// Windows of neighbouring pixels, each of them some runs of n neighbouring elements.
struct ConvWindows {
  static constexpr int kMost = 7;  // columns, less than half a vector
  int64_t pixels, in_pixel;
  int64_t runs, n;
  const int64_t *offset, *order;  // of a run in the inputs, and of its weights
  int64_t weight;                 // from the weights of a column to those of the next one
};

// out[p·columns + o] = bias[o] + Σ_r Σ_e w[order[r] + o·weight + e] · in[offset[r] + p·in_pixel + e], e < n.
// Reads up to lanes − 1 weights more, which are finite; the bias is a vector of as many pixels as it holds.
typedef void (*ConvWindowsLeaf)(float* out, const float* in, const ConvWindows* d, const float* w,
                                const float* bias);

struct WindowKernels {
  ConvWindowsLeaf windows[ConvWindows::kMost + 1];  // by columns; null where those are half a vector
};

}  // namespace upsampling
