// Resizes of planes whose rows would not fill a vector.
#include <algorithm>

#include "kernels/table.h"
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

}  // namespace upsampling
