// The order in which a separable resize sums, chosen by sizes alone: the same bits on every instruction set,
// at every thread count, and in every operator that resizes.
#pragma once
#include <algorithm>
#include <cstdint>

namespace upsampling {

// Across first when a resampled row serves several output rows; down first when an output row takes many
// input rows. Rows are counted in a plane, row lengths in elements, `row_taps` and `column_taps` are the most
// of any output.
inline bool blends_down_first(int64_t in_rows, int64_t out_rows, int64_t row_taps, int64_t in_row,
                              int64_t out_row, int64_t column_taps) {
  const int64_t used_rows = std::min(in_rows, out_rows * row_taps);
  // Taps that are many or far apart cannot be picked from a vector or two; on the way down they lie side by
  // side.
  const bool scattered = column_taps > 4 || in_row > 2 * out_row;
  // Picking neighbours from a vector costs about twice a blend of rows, wherever it is done.
  const int64_t pick_across = scattered ? 4 : 2, pick_down = scattered ? 1 : 2;
  // One row is only read.
  const int64_t blends = row_taps > 1 ? row_taps : 0;
  const int64_t across = used_rows * out_row * column_taps * pick_across + out_rows * out_row * blends;
  const int64_t down = out_rows * in_row * blends + out_rows * out_row * column_taps * pick_down;
  return down < across;
}

}  // namespace upsampling
