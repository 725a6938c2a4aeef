// Resize and softmax over the classes: a tile's values are written once and normalised while they are in
// cache.
#include "ops/interpolate-softmax.h"

#include <algorithm>

#include "ops/levels.h"
#include "ops/winners.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

template <class T>
Status probabilities(const InterpolateSoftmaxArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows(), inner = a.in.inner;
  const int64_t classes = a.in.channels * inner;
  // All classes of a tile stay in the second-level cache; of several rows, so that the source rows resampled
  // for one serve the next.
  constexpr int64_t kTile = 64 * 1024;
  const int64_t tile = std::min(width, std::max<int64_t>(64, kTile / (8 * classes)));
  const int64_t deep = std::max<int64_t>(1, std::min<int64_t>(32, kTile / (classes * tile)));
  const int64_t columns = (width + tile - 1) / tile, bands = (rows + deep - 1) / deep;
  const ArgmaxLeaves<T> leaves;
  auto* out = static_cast<T*>(a.out);
  parallel_for(context, a.in.batch * bands * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t image = block / (bands * columns), r0 = block / columns % bands * deep;
      const int64_t r1 = std::min(r0 + deep, rows);
      const int64_t x0 = block % columns * tile, x1 = std::min(x0 + tile, width), n = x1 - x0;
      ScratchFrame frame;
      ResizedRows<T> resized(a.in, &frame, x0, x1);
      const PixelClasses<T> side_by_side(&frame, inner);
      const Winners<T> all = take_winners<T>(&frame, n * (r1 - r0), true);
      start(all, n * (r1 - r0));
      const auto at_row = [&](int64_t r) {
        const int64_t at = (r - r0) * n;
        return Winners<T>{all.best + at, all.index + at, all.second + at, all.sum + at};
      };
      const auto place = [&](int64_t plane, int64_t r) {
        return out + ((plane * rows + r) * width + x0) * inner;
      };
      for (int64_t c = 0; c < a.in.channels; ++c) {
        const int64_t plane = image * a.in.channels + c;
        for (int64_t r = r0; r < r1; ++r) {
          resized.row(plane, r, place(plane, r));
          if (inner > 1)
            side_by_side.show(at_row(r), place(plane, r), n);
          else
            leaves.show(at_row(r), place(plane, r), c, n);
        }
      }
      for (int64_t c = 0; c < a.in.channels; ++c)
        for (int64_t r = r0; r < r1; ++r) {
          const Winners<T> w = at_row(r);
          T* values = place(image * a.in.channels + c, r);
          if (inner > 1)
            levels<T>().softmax_inner(values, w.best, w.sum, inner, n);
          else
            levels<T>().softmax(values, w.best, w.sum, n);
        }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate_softmax(const InterpolateSoftmaxArgs& a, const Context& context) {
  return a.in.type == F64 ? probabilities<double>(a, context) : probabilities<float>(a, context);
}

}  // namespace upsampling
