// Leaves of interpolation: along rows, down rows, and along many rows at once.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/types.h"

namespace upsampling {

// The taps of a row, prepared for vectors: outputs in blocks of `lanes` (KernelTable), the last one padded.
// All inputs of a block lie within `window` vectors from base[block] on, and are picked by permutes in
// registers; window 0: lane is the index in the row itself.
struct PreparedTaps {
  int64_t n, taps, blocks;  // n outputs
  int window;
  bool masked;           // a weight of 0 marks a tap that is not there
  const int32_t* base;   // [block]
  const int32_t* lane;   // [block][tap][lane]
  const float* weight;   // [block][tap][lane]
  int64_t run, run_end;  // blocks that have the lanes and weights of block `run`
  int64_t run_step;      // how far their bases are apart
};

struct ResampleKernels {
  // out[r·out_stride + o] = Σ_k weight[k, o] · in[r·in_stride + index[k, o]] for `count` rows; in the order
  // of k.
  void (*across)(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                 const PreparedTaps* taps);
  // out[o·inner + c] = Σ_k weight[k, o] · in[index[k, o]·inner + c]; inner >= lanes.
  void (*across_pixels)(float* out, const float* in, const AxisTable* axis, int64_t inner);
  // For outputs o up to end: out[(o - first)·out_stride + i] = Σ_k weight[k, o] · row(index[k, o])[i] for i <
  // n, rounded to the element type, with row(j) = rows + (j & mask)·stride. `stream` bypasses the caches.
  void (*down[TYPE_COUNT])(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                           const AxisTable* axis, int64_t first, int64_t end, int64_t n, bool stream);
  // out[i] = Σ_k weight[k] · rows[k][i]; rows by element type.
  void (*blend_from[TYPE_COUNT])(float* out, const void* const* rows, const float* weight, int64_t taps,
                                 int64_t n);
  // columns[i·lanes + r] = rows[r·stride + i] for r < lanes and i < n, n rounded up to whole vectors.
  void (*to_columns)(float* columns, const float* rows, int64_t stride, int64_t n);
  // rows[r·stride + i] = columns[i·lanes + r]; the same.
  void (*to_rows)(float* rows, int64_t stride, const float* columns, int64_t n);
  // For outputs o from first to end: out[((o - first)·inner + c)·lanes + r] =
  // Σ_k weight[k, o] · columns[(index[k, o]·inner + c - start)·lanes + r]
  void (*along_columns)(float* out, const float* columns, const AxisTable* axis, int64_t first, int64_t end,
                        int64_t inner, int64_t start);
  // Orders the stores of `stream` before what other threads read.
  void (*fence)();
};

}  // namespace upsampling
