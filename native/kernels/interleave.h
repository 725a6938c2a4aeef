// Leaves of the pixel shuffles: rows woven into one, and one unravelled into rows.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace upsampling {

// Elements of 1, 2, 4 and 8 bytes.
struct InterleaveKernels {
  // out[i·count + k] = rows[k][i] for i < n.
  void (*interleave[4])(void* out, const void* const* rows, int64_t count, int64_t n);
  // rows[k][i] = in[i·count + k] for i < n.
  void (*deinterleave[4])(void* const* rows, const void* in, int64_t count, int64_t n);
};

}  // namespace upsampling
