// Leaves of the convolution family (convolution.cc). T computes: float, or double.
#pragma once
#include <stdint.h>

#include "kernels/types.h"

namespace upsampling {

// Neighbouring pixels as one kernel element sees them.
struct ConvRun {
  int64_t to, from;
  int64_t lead, stop;  // inside the input
};

template <class T>
struct ConvLeaves {
  static constexpr int kMost = 14;
  int lanes;  // of a vector of T; panels are two vectors wide
  int most;   // columns of the largest tile, at most kMost

  // c[place[j] + p] = bias[j] + Σ_i b[i·cols + j] · v[i·2·lanes + p] for p < 2·lanes, by the number of
  // columns. Without bias it adds to what is in c.
  void (*tile[kMost + 1])(T* c, const int32_t* place, const T* b, const T* v, int64_t k, const T* bias);
  // c[j·2·lanes + p] = bias[p] + Σ_i b[j·row + i] · v[i·2·lanes + p] for j < the number of rows, p <
  // vectors·lanes; by vectors − 1 and rows.
  void (*rows[2][kMost + 1])(T* c, const T* b, int64_t row, const T* v, int64_t k, const T* bias);

  // c[i] = bias + Σ_t weight[t] · from[t][i] for i < n, and up to 4·lanes − 1 more.
  void (*depth)(T* c, const T* const* from, const T* weight, int64_t taps, T bias, int64_t n);

  // For every run r and channel c: to[r.to + c·width + i] = from[c·channel + r.from + i·step] for r.lead <= i
  // < r.stop, and 0 for the other i < n; by element type.
  void (*gather[TYPE_COUNT])(T* to, int64_t width, const void* from, int64_t channels, int64_t channel,
                             int64_t step, const ConvRun* runs, int64_t count, int64_t n);
  // out[i] = c[i % slots · width + i / slots] for i < n, rounded to the element type.
  void (*interleave[TYPE_COUNT])(void* out, const T* c, int64_t width, int64_t slots, int64_t n);
  // out[i·step] = c[i]
  void (*scatter[TYPE_COUNT])(void* out, int64_t step, const T* c, int64_t n);
};

}  // namespace upsampling
