// Resizes of planes, and of rows, that would not fill a vector each.
#include <algorithm>

#include "kernels/table.h"
#include "ops/prepared-taps.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

// Planes side by side in the lanes of vectors, whose rows would not fill one.
Status side_by_side(const InterpolateArgs& a, const AxisTable& y, bool down_first, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const KernelTable& k = kernels();
  const ResampleKernels& leaf = k.resample;
  const int64_t size = bytes_of(a.type), lanes = k.lanes, groups = (a.outer + lanes - 1) / lanes;
  const int64_t in_row = x.in_size * a.inner, in_plane = y.in_size * in_row;
  const int64_t out_row = x.out_size * a.inner, out_plane = y.out_size * out_row;
  const int64_t mid_row = down_first ? in_row : out_row, mid_rows = down_first ? y.out_size : y.in_size;
  // What fits a vector is turned back to where it belongs; of longer planes the last vector reaches too far.
  const int64_t stride = out_plane <= lanes ? out_plane : out_plane + lanes;
  const int64_t work = lanes * (in_plane + out_plane * (x.taps + y.taps));
  parallel_for(context, groups, std::max<int64_t>(1, kRangeElements / work), [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    float* planes = frame.take<float>(lanes * in_plane);
    float* columns = frame.take<float>(lanes * (in_plane + lanes));
    float* middle = frame.take<float>(lanes * mid_row * mid_rows);
    float* results = frame.take<float>(lanes * (out_plane + lanes));
    float* turned = frame.take<float>(lanes * stride);
    const float one = 1;
    for (int64_t g = begin; g < end; ++g) {
      const int64_t count = std::min(lanes, a.outer - g * lanes);
      const char* from = static_cast<const char*>(a.in) + g * lanes * in_plane * size;
      char* to = static_cast<char*>(a.out) + g * lanes * out_plane * size;
      k.widen[a.type](planes, from, count * in_plane);
      leaf.to_columns(columns, planes, in_plane, in_plane);
      const auto across = [&](float* out, const float* in, int64_t rows) {
        for (int64_t r = 0; r < rows; ++r)
          leaf.along_columns(out + r * out_row * lanes, in + r * in_row * lanes, &x, 0, x.out_size, a.inner,
                             0);
      };
      const auto down = [&](float* out, const float* in, int64_t row) {
        leaf.down[F32](out, row * lanes, in, row * lanes, -1, &y, 0, y.out_size, row * lanes, nullptr);
      };
      if (down_first) {
        down(middle, columns, in_row);
        across(results, middle, y.out_size);
      } else {
        across(middle, columns, y.in_size);
        down(results, middle, out_row);
      }
      leaf.to_rows(turned, stride, results, out_plane);
      if (stride == out_plane) {
        const float* row = turned;
        k.blend[a.type](to, &row, &one, 1, count * out_plane);
        continue;
      }
      for (int64_t p = 0; p < count; ++p) {
        const float* row = turned + p * stride;
        k.blend[a.type](to + p * out_plane * size, &row, &one, 1, out_plane);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// Many short rows of floats: `lanes` of them one after the other are a row of whole vectors to the leaf that
// goes across, and down the plane a row is a pixel. Bilinear 2x of 4096 rows of 3 takes 31 us rather than 77.
Status short_rows_across_then_down(const InterpolateArgs& a, const AxisTable& y, const Spans& spans,
                                   const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const KernelTable& k = kernels();
  const int64_t lanes = k.lanes, in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  ScratchFrame tables;
  const int64_t n = lanes * x.out_size;
  auto* index = tables.take<int32_t>(x.taps * n);
  auto* weight = tables.take<float>(x.taps * n);
  auto* count = tables.take<int32_t>(n);
  for (int64_t r = 0; r < lanes; ++r)
    for (int64_t o = 0; o < x.out_size; ++o) {
      count[r * x.out_size + o] = x.count[o];
      for (int64_t t = 0; t < x.taps; ++t) {
        index[t * n + r * x.out_size + o] = static_cast<int32_t>(r * x.in_size) + x.index[t * x.out_size + o];
        weight[t * n + r * x.out_size + o] = static_cast<const float*>(x.weight)[t * x.out_size + o];
      }
    }
  const PreparedTaps taps =
      prepared_taps({lanes * x.in_size, n, x.taps, index, weight, count}, a.inner, &tables);
  const int64_t height = std::max<int64_t>(1, share(context, a.outer * y.out_size, 4096 / out_row)),
                blocks = (y.out_size + height - 1) / height;
  int64_t most = 0;
  for (int64_t o = 0; o < y.out_size; o += height)
    most = std::max<int64_t>(most, spans.high[std::min(o + height, y.out_size) - 1] - spans.low[o] + 1);
  const int64_t grain = std::max<int64_t>(1, kRangeElements / (height * out_row));
  parallel_for(context, a.outer * blocks, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    // Pixels are read as whole vectors.
    float* rows = frame.take<float>((most + lanes) * out_row + lanes);
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks, first = block % blocks * height;
      const int64_t last = std::min(first + height, y.out_size);
      // From as far before the first row that is needed as there are whole groups.
      const int64_t stop = spans.high[last - 1] + 1, groups = (stop - spans.low[first] + lanes - 1) / lanes,
                    start = std::max<int64_t>(0, std::min(stop, y.in_size) - groups * lanes);
      const float* in = static_cast<const float*>(a.in) + (plane * y.in_size + start) * in_row;
      const int64_t whole = (stop - start) / lanes;
      k.resample.across(rows, lanes * out_row, in, lanes * in_row, whole, &taps, 0, taps.blocks);
      for (int64_t r = whole * lanes; r < stop - start; ++r)
        k.resample_row(rows + r * out_row, in + r * in_row, &x, a.inner);
      k.resample.across_pixels(static_cast<float*>(a.out) + (plane * y.out_size + first) * out_row,
                               rows - start * out_row, &y, out_row, first, last);
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
