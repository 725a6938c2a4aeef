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
  // Interleaves sets of `count` rows, `sets` of them (at rows[0], rows[count] …), one behind the other into
  // `out`, then the sets of the rows behind those, `height` times. Up to the ends anything may be read and
  // written.
  void (*interleave_sets[4])(void* out, const void* const* rows, int64_t count, int64_t n, int64_t sets,
                             int64_t height, const void* out_end, const void* in_end);
  // The reverse. The first `height` rows from each of rows[] on are one another's neighbours in memory.
  void (*deinterleave_sets[4])(void* const* rows, const void* in, int64_t count, int64_t n, int64_t sets,
                               int64_t height, const void* in_end);
};

}  // namespace upsampling
