// Leaves of the pixel shuffles: rows woven into one, and one unravelled into rows; elements of pixels put
// into another order.
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
  // out[x·length + e] = in[x·length + from[e]] for e < length, x < n, for lengths up to most_permuted.
  void (*permute[3])(void* out, const void* in, const int32_t* from, int64_t length, int64_t n);
  int64_t most_permuted[3];
  // Copies `rows` runs of so many bytes for each of n pixels: run i of pixel x from in + x·in_step + i·in_row
  // to out + x·out_step + i·out_row. On one side the runs of a row lie one behind the other, on the other one
  // those of a pixel.
  void (*copy_runs)(void* out, const void* in, int64_t bytes, int64_t n, int64_t rows, int64_t out_step,
                    int64_t out_row, int64_t in_step, int64_t in_row);
};

}  // namespace upsampling
