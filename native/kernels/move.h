// Leaves that move elements without looking at them. Elements of 1, 2, 4 and 8 bytes where a member is an
// array.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace upsampling {

struct MoveKernels {
  // out[i] = in[index[i]] for i < n. Of in_size elements, where indices never fall; else in_size is 0.
  void (*gather[4])(void* out, const void* in, const int32_t* index, int64_t n, int64_t in_size);
  // `rows` rows of n elements, one after the other. Of each, `copies` rows: out[i·f + j] = in[i] for i < n
  // and j < f, with f = 2 (first) or 4.
  void (*repeat[4][2])(void* out, const void* in, int64_t n, int64_t rows, int64_t copies);
  // Pixel o of out = pixel index[o] of in, for o < n; pixels of `bytes` each.
  void (*spread)(void* out, const void* in, const int32_t* index, int64_t n, int64_t bytes);
};

}  // namespace upsampling
