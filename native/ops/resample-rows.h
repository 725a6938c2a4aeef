// How a resize goes by rows, and its forms, one in each file: what they share.
#pragma once
#include <algorithm>

#include "kernels/types.h"
#include "ops/interpolate.h"
#include "runtime/context.h"
#include "runtime/scratch.h"

namespace upsampling {

// Output elements, or weighted inputs, of one range of parallel_for: some 50 µs.
inline constexpr int64_t kRangeElements = 256 * 1024;

// Whether an axis is copied.
inline bool is_identity(const AxisTable& x) {
  if (x.taps != 1 || x.in_size != x.out_size) return false;
  for (int64_t o = 0; o < x.out_size; ++o)
    if (x.index[o] != o) return false;
  return true;
}

// Whether all outputs have as many taps.
inline bool is_even(const AxisTable& x) {
  bool even = true;
  for (int64_t o = 0; o < x.out_size && even; ++o) even = x.count[o] == x.taps;
  return even;
}

// The source rows that an output row is blended from.
template <class T>
struct RowTaps {
  int64_t count;
  int64_t* row;  // number of the row within a plane
  T* weight;
};

// How the axes before the last one combine into rows.
struct Rows {
  const AxisTable* axes;
  int count;        // axes before the last one
  int64_t in, out;  // rows in a plane
  int64_t taps;     // at most, of an output row
  explicit Rows(const InterpolateArgs& a) : axes(a.axes), count(a.axis_count - 1), in(1), out(1), taps(1) {
    for (int i = 0; i < count; ++i) {
      in *= axes[i].in_size;
      out *= axes[i].out_size;
      taps *= axes[i].taps;
    }
  }

  template <class T>
  void taps_of(int64_t row, RowTaps<T>* taps) const {
    if (count == 1) {
      const AxisTable& axis = axes[0];
      const T* weight = static_cast<const T*>(axis.weight);
      taps->count = axis.count[row];
      for (int64_t k = 0; k < taps->count; ++k) {
        taps->row[k] = axis.index[k * axis.out_size + row];
        taps->weight[k] = weight[k * axis.out_size + row];
      }
      return;
    }
    taps->count = 1;
    taps->row[0] = 0;
    taps->weight[0] = T(1);
    int64_t below = out;
    for (int i = 0; i < count; ++i) {
      const AxisTable& axis = axes[i];
      below /= axis.out_size;
      const int64_t o = row / below % axis.out_size, n = axis.count[o];
      const T* weight = static_cast<const T*>(axis.weight);
      // Backwards, so that the products can stand where their factors stood.
      for (int64_t j = taps->count - 1; j >= 0; --j)
        for (int64_t k = n - 1; k >= 0; --k) {
          taps->row[j * n + k] = taps->row[j] * axis.in_size + axis.index[k * axis.out_size + o];
          taps->weight[j * n + k] = taps->weight[j] * weight[k * axis.out_size + o];
        }
      taps->count *= n;
    }
  }
};

// A part of a row: elements of the output, and the elements of a source row that they read.
struct Strip {
  int64_t first, end, low, high;
};

// The source rows that every output row and those after it begin at, and that those up to it end at: both
// only ever move on. `few` unless taps jump back by so much that rows between would have to be kept in
// numbers: an output that is one input has all of its taps there, between those of its neighbours.
struct Spans {
  int32_t *low, *high;
  int64_t most = 1;
  bool few;
  Spans(const AxisTable& y, ScratchFrame* frame)
      : low(frame->take<int32_t>(y.out_size)), high(frame->take<int32_t>(y.out_size)) {
    for (int64_t o = 0; o < y.out_size; ++o) {
      low[o] = high[o] = y.index[o];
      for (int64_t k = 1; k < y.count[o]; ++k) {
        low[o] = std::min(low[o], y.index[k * y.out_size + o]);
        high[o] = std::max(high[o], y.index[k * y.out_size + o]);
      }
      if (o > 0) high[o] = std::max(high[o], high[o - 1]);
    }
    for (int64_t o = y.out_size - 2; o >= 0; --o) low[o] = std::min(low[o], low[o + 1]);
    for (int64_t o = 0; o < y.out_size; ++o) most = std::max<int64_t>(most, high[o] - low[o] + 1);
    few = most <= 2 * y.taps;
  }
};

// Every output is one input: resample-move.cc.
Status move_rows(const InterpolateArgs& a, const Context& context);
// One axis of rows (`y`) whose spans are few: resample-across.cc.
Status across_then_down(const InterpolateArgs& a, const AxisTable& y, const Spans& spans,
                        const Context& context);
// The same, of so little that strips and rings would take longer than the sums.
Status few_across_then_down(const InterpolateArgs& a, const AxisTable& y);
// Whether two rows and two pixels of each make every output, and nothing between the two is worth keeping,
// and so: resample-four.cc.
bool sums_four(const InterpolateArgs& a, bool down_first);
Status sum_four(const InterpolateArgs& a, bool down_first, const Context& context);
// The same of planes of few single elements.
bool sums_four_listed(const InterpolateArgs& a, bool down_first);
Status sum_four_listed(const InterpolateArgs& a, bool down_first, const Context& context);
// Whether two rows of floats are rather blended whole, to pick two taps from, than read only where the taps
// are: not where few of their pixels are read, nor of four channels, which lie together as they are.
bool is_worth_picking(const InterpolateArgs& a);
// The same down first, of taps that are picked from the vectors around them.
bool sums_four_picked(const InterpolateArgs& a);
Status sum_four_picked(const InterpolateArgs& a, const Context& context);
// Any axes: resample-down.cc.
Status down_then_across(const InterpolateArgs& a, const Rows& rows, const Context& context);
// Planes of a few elements, and float32 rows that fill no vector: resample-planes.cc.
Status side_by_side(const InterpolateArgs& a, const AxisTable& y, bool down_first, const Context& context);
Status short_rows_across_then_down(const InterpolateArgs& a, const AxisTable& y, const Spans& spans,
                                   const Context& context);
// Rows that come in any order, of T: float, or double for float64 and the integers of 16 bits and more:
// resample-anyhow.cc.
template <class T>
Status across_then_down_anyhow(const InterpolateArgs& a, const Rows& rows, const Context& context);
Status down_then_across_double(const InterpolateArgs& a, const Rows& rows, const Context& context);

}  // namespace upsampling
