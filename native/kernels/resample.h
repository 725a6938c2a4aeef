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
  bool masked;          // a weight of 0 marks a tap that is not there
  const int32_t* base;  // [block]
  const int32_t* lane;  // [block][tap][lane]
  const float* weight;  // [block][tap][lane]
  // Blocks from `run` to `run_end` have the lanes and weights of the first `period` of them, `run_step`
  // further along the row; those of the others are not written. Only for two and four taps that are all
  // there, with a window.
  int64_t run, run_end, period, run_step;
};

// Consecutive rows on their way past the caches. A streaming store takes a whole line, so what a row leaves
// of one waits here for the next row.
struct RowStream {
  alignas(64) float last[16];  // the last vector of a row, of which the last `waiting` floats wait
  int64_t waiting = 0;
};

// A strip of columns of a plane, whose source rows are resampled across and then blended down.
struct ResampleStrip {
  const PreparedTaps* taps;  // across
  const AxisTable* x;        // or by pixels; neither where rows are copied
  int64_t inner;
  int64_t first, end;  // elements of an output row, in whole vectors or pixels but for its end
  int64_t low, high;   // elements of a source row that these read
  int64_t in_row;      // elements of a source row
  const AxisTable* y;
  // The source rows between the first and the last tap of every output row: both only ever move on.
  const int32_t *low_row, *high_row;
  // Resampled rows that are kept, a power of two and at least as many as a row has taps: row j is at ring +
  // (j & (slots - 1))·stride.
  float* ring;
  int64_t slots, stride;
  // Floats with two taps each way, at least a vector of them a pixel: nothing is kept.
  bool at_once;
  // And two output rows at a time, where they are between the same two. From memory, more streams of stores
  // are slower: 2x of 32x32x32x64 takes 1.4 ms rather than 1.0.
  bool two_rows;
  bool near;      // input and output fit the second-level cache
  bool even;      // every output of y has y->taps taps
  float* staged;  // `slots` source rows of `staged_row`; null where they are read in place
  int64_t staged_row;
};

// `rows` rows of n >= lanes outputs one after the other, every output the weighted sum of the next `taps`
// rows of the next `factor` elements, rounded to the element type: out[r·n + o] = Σ_k along[k] · Σ_t down[t]
// · in[((r·taps + t)·n + o)·factor + k], for a factor of kGroups.
typedef void (*SumGroups)(void* out, const void* in, int64_t rows, int64_t n, const float* down, int64_t taps,
                          const float* along);

// `down` as the weights of the axis: floats, or doubles.
typedef void (*SumFour)(void* out, const void* const* rows, const void* down, const AxisTable* axis,
                        int64_t inner);

// Whole planes of single elements, or several of them, as a list of outputs. Each is summed of two times two
// neighbours: those at in[above + left], in[above + right], in[below + left] and in[below + right], where
// left and right are 0 or 1 (bytes: up to 3), so that in all a word of two floats or four bytes is read.
struct FourTaps {
  const int32_t *above, *below, *left, *right;
  const float *top, *bottom, *along, *along2;  // weights of the rows, and of the two elements of each
};

// A sum of the rows from first up to last: weight[0] belongs to `first`.
struct RowSum {
  int64_t first, last;
  const float* weight;
};

// How many elements the groups have that there are leaves for.
constexpr int kGroups[4] = {2, 3, 4, 8};

struct ResampleKernels {
  // out[r·out_stride + o - first·lanes] = Σ_k weight[k, o] · in[r·in_stride + index[k, o]] for `count` rows
  // and the outputs of the blocks from first to end; in the order of k.
  void (*across)(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                 const PreparedTaps* taps, int64_t first, int64_t end);
  // out[(o - first)·inner + c] = Σ_k weight[k, o] · in[index[k, o]·inner + c] for o from first to end.
  void (*across_pixels)(float* out, const float* in, const AxisTable* axis, int64_t inner, int64_t first,
                        int64_t end);
  // out[o] = Σ_k weight[k] · in[o·factor + k], k < factor, in the order of k, for the factors of kGroups.
  void (*across_groups[4])(float* out, const float* in, const float* weight, int64_t n);
  SumGroups sum_groups[TYPE_COUNT][4];
  // Bytes: `rows` rows of n pixels one after the other, every element the mean of four, of two rows and two
  // pixels of each, ties to even.
  void (*halve_bytes[TYPE_COUNT])(void* out, const void* in, int64_t rows, int64_t n, int64_t inner);
  // out[o·inner + c] = Σ_k weight[k, o] · Σ_t down[t] · rows[t][index[k, o]·inner + c]; inner >= lanes.
  void (*sum_pixels)(float* out, const float* const* rows, const float* down, int64_t taps,
                     const AxisTable* axis, int64_t inner);
  // Two rows, the first of `rows`, and two taps along, all of which are there: as above rounded to the
  // element type, [1]: Σ_t down[t] · Σ_k weight[k, o] · rows[t][index[k, o]·inner + c]. Rows by element type,
  // float32 or bytes, of any `inner` above 1, or doubles, of at least half a vector's lanes. The other two of
  // `rows` are asked for where they are not null.
  SumFour sum_four_pixels[TYPE_COUNT][2];
  // The same of at least four single elements whose taps along are neighbours; null where that is no faster.
  SumFour sum_four_elements[TYPE_COUNT][2];
  // And n outputs from anywhere; `ahead`: elements to what is read next, asked for unless 0.
  void (*sum_four_listed[TYPE_COUNT][2])(void* out, const void* in, const FourTaps* taps, int64_t n,
                                         int64_t ahead);
  // The same of floats whose taps lie in a window, in rows at least as long as that; null as well.
  void (*sum_four_picked)(float* out, const void* const* rows, const float* down, const PreparedTaps* taps);
  // For outputs o up to end: out[(o - first)·out_stride + i] = Σ_k weight[k, o] · row(index[k, o])[i] for i <
  // n, rounded to the element type, with row(j) = rows + (j & mask)·stride. With `stream` the rows are
  // adjoining floats, go past the caches, and the last ones wait for flush.
  void (*down[TYPE_COUNT])(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                           const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream);
  // The same for source rows that are yet to be resampled across: rows of `in` are a plane. Elements
  // strip->first on of output rows from first to end go to out.
  void (*strip[TYPE_COUNT])(void* out, int64_t out_stride, const void* in, const ResampleStrip* strip,
                            int64_t first, int64_t end, RowStream* stream);
  // out[i] = in[i] past the caches, for whole rows that adjoin; n >= 2·lanes.
  void (*stream_row)(float* out, const float* in, int64_t n, RowStream* stream);
  // Writes what waits before `out`, the end of the last row, and orders it all before what other threads
  // read.
  void (*flush)(float* out, RowStream* stream);
  // out[i] = Σ_k weight[k] · rows[k][i]; rows by element type.
  void (*blend_from[TYPE_COUNT])(float* out, const void* const* rows, const float* weight, int64_t taps,
                                 int64_t n);
  // out[r·out_stride + i] = Σ_k weight[k] · in[k·in_stride + i] for r < count, i < n and the rows of sums[r];
  // n >= lanes. Every sum begins at a row of the one before, and after the end of the one before that.
  void (*blend_overlapping[TYPE_COUNT])(float* out, int64_t out_stride, const void* in, int64_t in_stride,
                                        const RowSum* sums, int64_t count, int64_t n);
  // columns[i·lanes + r] = rows[r·stride + i] for r < lanes and i < n, n rounded up to whole vectors.
  void (*to_columns)(float* columns, const float* rows, int64_t stride, int64_t n);
  // rows[r·stride + i] = columns[i·lanes + r]; the same.
  void (*to_rows)(float* rows, int64_t stride, const float* columns, int64_t n);
  // For outputs o from first to end: out[((o - first)·inner + c)·lanes + r] =
  // Σ_k weight[k, o] · columns[(index[k, o]·inner + c - start)·lanes + r]
  void (*along_columns)(float* out, const float* columns, const AxisTable* axis, int64_t first, int64_t end,
                        int64_t inner, int64_t start);
};

}  // namespace upsampling
