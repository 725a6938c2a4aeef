// Leaves of the pools and of max unpooling.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/types.h"

namespace upsampling {

// One axis of sliding windows, as src/plan/window.ts builds it. Output o reads inputs first[o] + k·dilation,
// k < count[o]; for full_begin ≤ o < full_end, count[o] = kernel and first[o] = o·stride - pad.
struct WindowTable {
  int64_t in_size, out_size, kernel, stride, dilation, pad, full_begin, full_end;
  const int32_t *first, *count;
};

// The windows along a row of pixels of `inner` elements, with what a row leaf needs ready.
struct RowWindows {
  WindowTable axis;
  int64_t inner;
  // The full windows read their input from `start` elements into the row on. With a stride, that stretch is
  // first split into phases: elements with the same position modulo stride, `phase_length` pixels each, of
  // which the first `phase_count` in `phases` are read.
  int64_t start;
  int64_t phase_length, phase_count;
  const int32_t* phases;
  // Where tap k of the first full window stands, in elements, in the phases (or in the row, without a
  // stride).
  const int64_t* taps;
};

// Positions of winners: position[i] of element i of an output row is that of tap 0 (full windows only); tap k
// stands k·dilation·step further; the row's own position is `base`.
struct RowPositions {
  const int32_t* position;
  int64_t step;
};

// The windows of planes of one channel, with what `planes` needs ready. None is empty, none spread out down.
struct PlaneWindows {
  WindowTable down;
  const RowWindows* across;
  RowPositions positions;
  int64_t row_step;  // positions from a row to the next
  // Rows reduced across: row r in slot r mod `slots`, a power of two, `pitch` elements each.
  void* ring;
  int32_t* ring_index;
  int64_t slots, pitch;
  const void** rows;        // one for each row of a window
  const int32_t** indices;  // the same
  void* phases;
  // Windows that hang over the left and over the right border, if all of them lie in the first and in the
  // last LANES elements of a row: tap k of the first and the last LANES outputs is element
  // lanes[side][k·LANES
  // + o] of those, at position spots[side][k·LANES + o]; the last tap inside stands for those outside. Or
  // null.
  const int32_t *lanes[2], *spots[2];
};

// The same for short rows: several are taken together, one behind the other.
struct ShortPlanes {
  int64_t in_row, in_rows, out_row, out_rows;
  int64_t kernel_x, kernel_y, stride_y, row_step;
  // Rows reduced across at a time, output rows reduced down at a time.
  int64_t across, down;
  // Tap k of the outputs of `across` rows, as above.
  const int32_t *lanes, *spots;
  // Which elements of the rows reduced across `down` output rows begin at. They lie in so many vectors; with
  // 0 they follow one another.
  const int32_t* picked;
  int64_t picked_vectors;
  // Rows reduced across, of `together` planes: `top` rows of the lowest value, those of the plane, `bottom`
  // rows of the lowest value. Ties with the latter go to the former's index: that of the first tap of row 0,
  // pad_index, the bottom rows of a plane and the top rows of the next.
  int64_t top, bottom, together;
  void* space;
  int32_t* index_space;
  const int32_t* pad_index;
  const void* in_end;  // nothing is read from here on
};

// Planes of pixels of `inner` elements. No window is empty.
struct PixelPlanes {
  WindowTable down, across;
  int64_t inner;
  int64_t row_step, column_step;  // of positions
  const int32_t* positions;       // as in RowPositions, of all windows; without a stride only
  bool ahead;                     // the input comes from far and is asked for early
};

// The input rows under `count` output rows: counts[i] of them, with their positions, from in[i·most] and
// bases[i·most] on; bases[i·most] is there even when there is no row.
struct PixelRows {
  const void* const* in;
  const int64_t *bases, *counts;
  int64_t count, most;
  bool square;  // windows inside have as many rows as taps across
  bool ahead;   // the input comes from far and is asked for early
};

// By element type. `index` and `positions` are null where nobody asks for the winners.
struct MaxPoolKernels {
  // out[o, c] = max_k in[first[o] + k·dilation, c]. `space` holds stride·phase_length·inner elements.
  void (*row[TYPE_COUNT])(void* out, int32_t* index, const void* in, const RowWindows* windows,
                          const RowPositions* positions, int64_t base, void* space);
  // out[i] = max_r rows[r][i], with its index.
  void (*rows[TYPE_COUNT])(void* out, int32_t* index, const void* const* rows, const int32_t* const* indices,
                           int64_t count, int64_t n);
  // Both at once for `count` output rows one behind the other, windows of 2×2 (first) or 3×3 at stride 2 with
  // inner = 1, all rows of all windows there, and at least LANES full windows across. `in` is the first
  // row of the first window, `base` its position, `row_step` that of a row. `space` and `index_space` hold
  // two output rows, for 3×3.
  void (*stride_two[TYPE_COUNT][2])(void* out, int32_t* index, const void* in, int64_t count,
                                    const RowWindows* windows, const RowPositions* positions, int64_t base,
                                    int64_t row_step, void* space, int32_t* index_space);
  // Output rows begin … end - 1 of so many planes, with LANES full windows across. `out` and `index`
  // are those of row `begin` of the first one, `in` is the first plane.
  void (*planes[TYPE_COUNT])(void* out, int32_t* index, const void* in, int64_t planes, int64_t begin,
                             int64_t end, const PlaneWindows* windows);
  // Whole planes of at most 2·LANES inputs and LANES outputs across; null where there is none.
  void (*short_planes[TYPE_COUNT])(void* out, int32_t* index, const void* in, int64_t planes,
                                   const ShortPlanes* windows);
  // Planes of n elements that are one window each: `place`, if given, is that of the winner in its plane.
  void (*whole_planes[TYPE_COUNT])(void* out, int32_t* place, const void* in, int64_t planes, int64_t n);
  // Output rows begin … end - 1 of so many planes. `out` and `index` are those of row `begin` of the first
  // one, `in` is the first plane. False where an element was NaN: the output is undefined then. Null where
  // there is none. `unstrided`: windows of 3x3 or 5x5 without a stride, no further than half of one outside.
  // `windows`: any, of LANES elements at least.
  bool (*unstrided[TYPE_COUNT])(void* out, int32_t* index, const void* in, int64_t planes, int64_t begin,
                                int64_t end, const PixelPlanes* windows);
  bool (*windows[TYPE_COUNT])(void* out, int32_t* index, const void* in, int64_t planes, int64_t begin,
                              int64_t end, const PixelPlanes* windows);
  // Both at once, for any windows, output rows one behind the other: out[o, c] = max_{r, k} rows[r][first[o]
  // + k·dilation, c].
  void (*pixels[TYPE_COUNT])(void* out, int32_t* index, const PixelRows* rows, const RowWindows* windows,
                             const RowPositions* positions);
};

// Planes that become one element each: weighted by row and by column, or, where `by_row` is null, divided.
struct PlaneMeans {
  int64_t rows, columns;
  const float *by_row, *by_column;
  float divisor;
};

// T is float, or double for float64.
struct AvgPoolKernels {
  // out[i] = Σ_r rows[r][i]; rows of elements of the type, in order; with `more`, out[i] is added to.
  void (*sum_rows[TYPE_COUNT])(void* out, const void* const* rows, int64_t count, int64_t n, bool more);
  // out[o, c] = Σ_k in[first[o] + k·dilation, c] / divisor[o, c], in order. `space` as
  // above.
  void (*row)(float* out, const float* in, const RowWindows* windows, const float* divisor, float* space);
  void (*row_double)(double* out, const double* in, const RowWindows* windows, const double* divisor,
                     double* space);
  // Both at once for pixels of a vector of elements at least: out[o, c] = Σ_k Σ_r rows[r][first[o] +
  // k·dilation, c] / divisor[o, c], the rows' sum before the next tap's.
  void (*pixels)(float* out, const float* const* rows, int64_t count, const WindowTable* axis, int64_t inner,
                 const float* divisor);
  void (*pixels_double)(double* out, const double* const* rows, int64_t count, const WindowTable* axis,
                        int64_t inner, const double* divisor);
  // out[p] = Σ_c Σ_r in[p, r, c] for so many planes, weighted or divided, the rows' sum first.
  void (*whole_planes)(float* out, const float* in, int64_t planes, const PlaneMeans* means);
  // out[i] = in[i], rounded once to the element type.
  void (*narrow[TYPE_COUNT])(void* out, const float* in, int64_t n);
};

struct MaxUnpoolKernels {
  // The position of the first index outside base … base + size - 1, or n. By width of the index: 4, 8 bytes.
  int64_t (*check[2])(const void* index, int64_t n, int64_t base, int64_t size);
  // out[(index[i] - base)·inner + i % inner] = in[i] in order; indices outside 0 … size - 1 are skipped (the
  // caller checked them; they can only have changed under our hands). By bytes of an element: 1, 2, 4, 8; by
  // width of the index.
  void (*scatter[4][2])(void* out, const void* in, const void* index, int64_t n, int64_t inner, int64_t base,
                        int64_t size);
  // The same, keeping the greatest (the last of equals), and adding up.
  void (*scatter_max[TYPE_COUNT][2])(void* out, const void* in, const void* index, int64_t n, int64_t inner,
                                     int64_t base, int64_t size);
  void (*scatter_sum[TYPE_COUNT][2])(void* out, const void* in, const void* index, int64_t n, int64_t inner,
                                     int64_t base, int64_t size);
  // Writes 2·rows output rows of 2n pixels, from rows of n whose values all return to their own 2×2, zeros
  // between. False (the output then undefined) when one does not. `base` is the index of the first pixel of
  // out. Indices lie in a plane of less than 2³¹ cells.
  bool (*two_by_two[4][2])(void* out, const void* in, const void* index, int64_t rows, int64_t n,
                           int64_t inner, int64_t base);
  // The same for `planes` planes of one channel with short rows, whose first pixels have index base, base +
  // plane_stride …
  bool (*short_two_by_two[4][2])(void* out, const void* in, const void* index, int64_t planes, int64_t rows,
                                 int64_t n, int64_t base, int64_t plane_stride);
};

}  // namespace upsampling
