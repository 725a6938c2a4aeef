// Average pooling by output rows: the rows under the windows are summed, the sum is summed across and
// divided.
#include "ops/avg-pool2d.h"

#include <algorithm>
#include <cstring>

#include "ops/plane-means.h"
#include "ops/turned-planes.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

void across(const AvgPoolKernels& k, float* out, const float* in, const RowWindows& w, const float* by,
            float* space) {
  k.row(out, in, &w, by, space);
}
void across(const AvgPoolKernels& k, double* out, const double* in, const RowWindows& w, const double* by,
            double* space) {
  k.row_double(out, in, &w, by, space);
}

void rows_across(const AvgPoolKernels& k, float* out, const void* const* rows, int64_t count,
                 const RowWindows& w, const float* by) {
  k.pixels(out, reinterpret_cast<const float* const*>(rows), count, &w.axis, w.inner, by);
}
void rows_across(const AvgPoolKernels& k, double* out, const void* const* rows, int64_t count,
                 const RowWindows& w, const double* by) {
  k.pixels_double(out, reinterpret_cast<const double* const*>(rows), count, &w.axis, w.inner, by);
}

// Whether every window is a plane of one channel, all of it.
bool takes_whole_planes(const PoolShape& shape) {
  if (shape.inner != 1 || shape.axis_count != 2) return false;
  for (int i = 0; i < 2; ++i) {
    const WindowTable& axis = shape.axes[i];
    if (axis.out_size != 1 || axis.first[0] != 0 || axis.count[0] != axis.in_size || axis.dilation != 1)
      return false;
  }
  return true;
}

Status whole_planes(const AvgPool2dArgs& a, const Context& context) {
  const int64_t rows = a.shape.axes[0].in_size, columns = a.shape.axes[1].in_size;
  const double cells = static_cast<double>(a.cells[0][0]) * a.cells[1][0];
  const auto divisor = static_cast<float>(a.divisor != 0 ? a.divisor : cells);
  return means_of_planes(static_cast<float*>(a.out), static_cast<const float*>(a.in), a.shape.outer,
                         {rows, columns, nullptr, nullptr, divisor}, context);
}

template <class T>
Status averages(const AvgPool2dArgs& a, const Context& context) {
  const PoolShape& shape = a.shape;
  const AvgPoolKernels& k = kernels().avg_pool;
  const int64_t size = bytes_of(a.type), in_row = shape.in_row(), out_row = shape.out_row();
  const int64_t in_rows = shape.in_rows(), out_rows = shape.out_rows(), most = shape.window_rows();
  const WindowTable& x = shape.last();
  ScratchFrame shared;
  const RowWindows windows = row_windows(shape, &shared);
  const bool narrows = a.type != F32 && a.type != F64;
  // Where windows share no pixels, they are summed at once: 512 channels of 14x14 to 7x7 9 us rather than 18.
  const bool at_once = !narrows && shape.inner >= kernels().lanes * 4 / size &&
                       (x.stride >= (x.kernel - 1) * x.dilation + 1 || x.out_size == 1);
  const PoolBlocks blocks(shape, size, context);
  parallel_for(context, shape.outer * blocks.per_plane, blocks.grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    auto* rows = frame.take<int64_t>(most);
    const void** sources = frame.take<const void*>(most);
    T* space = frame.take<T>(phase_space(windows));
    T* sum = frame.take<T>(in_row);
    T* result = frame.take<T>(narrows ? out_row : 0);
    T* divisor = frame.take<T>(out_row);
    int64_t divided = 0;  // what the other axes contributed to `divisor`
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks.per_plane, first = block % blocks.per_plane * blocks.rows;
      const int64_t last = std::min(first + blocks.rows, out_rows);
      const auto* in = static_cast<const char*>(a.in) + plane * in_rows * in_row * size;
      for (int64_t r = first; r < last; ++r) {
        char* out = static_cast<char*>(a.out) + (plane * out_rows + r) * out_row * size;
        const int64_t count = rows_under(shape, r, nullptr, rows, nullptr);
        if (count == 0) {
          std::memset(out, 0, static_cast<size_t>(out_row * size));
          continue;
        }
        int64_t cells = 1;
        for (int64_t i = shape.axis_count - 2, rest = r; i >= 0; --i) {
          cells *= a.cells[i][rest % shape.axes[i].out_size];
          rest /= shape.axes[i].out_size;
        }
        if (cells != divided)
          for (int64_t o = 0; o < x.out_size; ++o)
            std::fill_n(divisor + o * shape.inner, shape.inner,
                        static_cast<T>(a.divisor != 0
                                           ? a.divisor
                                           : static_cast<double>(cells * a.cells[shape.axis_count - 1][o])));
        divided = cells;
        for (int64_t i = 0; i < count; ++i) sources[i] = in + rows[i] * in_row * size;
        if (at_once) {
          rows_across(k, reinterpret_cast<T*>(out), sources, count, windows, divisor);
          continue;
        }
        const T* summed = sum;
        if (count == 1 && !narrows)
          summed = static_cast<const T*>(sources[0]);
        else
          k.sum_rows[a.type](sum, sources, count, in_row, false);
        T* to = narrows ? result : reinterpret_cast<T*>(out);
        across(k, to, summed, windows, divisor, space);
        if (narrows) k.narrow[a.type](out, reinterpret_cast<const float*>(result), out_row);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status avg_pool2d(const AvgPool2dArgs& a, const Context& context) {
  if (a.type == F32 && takes_whole_planes(a.shape)) return whole_planes(a, context);
  const TurnedPlanes planes(a.shape, bytes_of(a.type));
  if (planes.worth()) {
    planes.each(
        context, a.out, a.in, false,
        [&](const TurnedPlanes::Band& band, const Context& alone) {
          AvgPool2dArgs here = a;
          here.shape = band.shape;
          here.cells[0] += band.first;
          here.out = band.out;
          here.in = band.in;
          avg_pool2d(here, alone);
        },
        [](int64_t, const TurnedPlanes::Band&, const int32_t*) {});
    return context.cancelled() ? CANCELLED : OK;
  }
  return a.type == F64 ? averages<double>(a, context) : averages<float>(a, context);
}

}  // namespace upsampling
