// Windows over planes of rows: what max and average pooling share.
#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/pool.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

// Planes of rows: the axes before the last one choose rows, the last one runs along them.
struct PoolShape {
  static constexpr int kMaxAxes = 8;
  int64_t outer, inner;
  int axis_count;
  WindowTable axes[kMaxAxes];

  const WindowTable& last() const { return axes[axis_count - 1]; }
  int64_t in_row() const { return last().in_size * inner; }
  int64_t out_row() const { return last().out_size * inner; }
  int64_t in_rows() const { return product(&WindowTable::in_size); }
  int64_t out_rows() const { return product(&WindowTable::out_size); }
  // The most rows under one window.
  int64_t window_rows() const { return product(&WindowTable::kernel); }

 private:
  int64_t product(int64_t WindowTable::* extent) const {
    int64_t n = 1;
    for (int i = 0; i + 1 < axis_count; ++i) n *= axes[i].*extent;
    return n;
  }
};

// The rows under the window of output row `out`: their numbers in the plane, in order, and how many.
// `position`, if given, gets Σ position along axis · stride of axis for each; its first entry is there even
// when there is no row.
inline int64_t rows_under(const PoolShape& shape, int64_t out, const int64_t* strides, int64_t* rows,
                          int64_t* position) {
  if (shape.axis_count == 2) {  // the usual case, without a division
    const WindowTable& axis = shape.axes[0];
    const int64_t first = axis.first[out], n = axis.count[out];
    if (position != nullptr) position[0] = first * strides[0];
    for (int64_t k = 0; k < n; ++k) {
      rows[k] = first + k * axis.dilation;
      if (position != nullptr) position[k] = rows[k] * strides[0];
    }
    return n;
  }
  int64_t count = 1;
  rows[0] = 0;
  if (position != nullptr) position[0] = 0;
  int64_t below = shape.out_rows();
  for (int i = 0; i + 1 < shape.axis_count; ++i) {
    const WindowTable& axis = shape.axes[i];
    below /= axis.out_size;
    const int64_t o = out / below % axis.out_size, first = axis.first[o], n = axis.count[o];
    if (n == 0 && position != nullptr) position[0] += first * strides[i];
    // Backwards, so that the products can stand where their factors stood.
    for (int64_t j = count - 1; j >= 0; --j)
      for (int64_t k = n - 1; k >= 0; --k) {
        const int64_t at = first + k * axis.dilation;
        rows[j * n + k] = rows[j] * axis.in_size + at;
        if (position != nullptr) position[j * n + k] = position[j] + at * strides[i];
      }
    count *= n;
  }
  return count;
}

// What row leaves need ready, in the scratch memory of `frame`.
inline RowWindows row_windows(const PoolShape& shape, ScratchFrame* frame) {
  const WindowTable& x = shape.last();
  RowWindows w{};
  w.axis = x;
  w.inner = shape.inner;
  w.start = (x.full_begin * x.stride - x.pad) * shape.inner;
  const int64_t full = x.full_end - x.full_begin;
  auto* taps = frame->take<int64_t>(x.kernel);
  w.taps = taps;
  if (full <= 0) return w;
  const int64_t span = (full - 1) * x.stride + (x.kernel - 1) * x.dilation + 1;
  w.phase_length = (span + x.stride - 1) / x.stride;
  for (int64_t k = 0; k < x.kernel; ++k) {
    const int64_t at = k * x.dilation;
    taps[k] = (at % x.stride * w.phase_length + at / x.stride) * shape.inner;
  }
  auto* phases = frame->take<int32_t>(std::min(x.stride, x.kernel));
  w.phases = phases;
  auto* seen = frame->take<char>(x.stride);
  std::fill(seen, seen + x.stride, 0);
  for (int64_t k = 0; k < x.kernel; ++k) {
    const int64_t phase = k * x.dilation % x.stride;
    if (!seen[phase]) phases[w.phase_count++] = static_cast<int32_t>(phase);
    seen[phase] = 1;
  }
  return w;
}

// Elements of `space` for split_phases.
inline int64_t phase_space(const RowWindows& w) {
  return w.axis.stride > 1 ? w.axis.stride * w.phase_length * w.inner : 0;
}

// How output rows are dealt out: blocks of `rows` output rows of a plane, `least` of them at least, `grain`
// blocks at a time.
struct PoolBlocks {
  int64_t rows, per_plane, grain;
  PoolBlocks(const PoolShape& shape, int64_t bytes, const Context& context, int64_t least = 1) {
    const int64_t out_rows = std::max<int64_t>(shape.out_rows(), 1);
    const int64_t work =
        std::max<int64_t>(1, shape.in_rows() * shape.in_row() * bytes / out_rows + shape.out_row() * bytes);
    // Bytes: 10 to 50 microseconds.
    const int64_t target = share(context, shape.outer * out_rows * work, 512 * 1024);
    rows = std::min(out_rows, std::max(least, target / work));
    per_plane = (out_rows + rows - 1) / rows;
    grain = std::max<int64_t>(1, target / (work * rows));
  }
};

}  // namespace upsampling
