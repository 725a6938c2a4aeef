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
  // All classes of a tile stay in the second-level cache.
  const int64_t tile = std::min(width, std::max<int64_t>(16, 64 * 1024 / classes));
  const int64_t columns = (width + tile - 1) / tile;
  const ArgmaxLeaves<T> leaves;
  auto* out = static_cast<T*>(a.out);
  parallel_for(context, a.in.batch * rows * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t image = block / (rows * columns), r = block / columns % rows;
      const int64_t x0 = block % columns * tile, x1 = std::min(x0 + tile, width), n = x1 - x0;
      ScratchFrame frame;
      ResizedRows<T> resized(a.in, &frame, x0, x1);
      const Winners<T> w = take_winners<T>(&frame, n, true);
      start(w, n);
      const auto place = [&](int64_t plane) { return out + ((plane * rows + r) * width + x0) * inner; };
      for (int64_t c = 0; c < a.in.channels; ++c) {
        const int64_t plane = image * a.in.channels + c;
        resized.row(plane, r, place(plane));
        if (inner > 1)
          leaves.show_all(w, place(plane), inner, n);
        else
          leaves.show(w, place(plane), c, n);
      }
      for (int64_t c = 0; c < a.in.channels; ++c) {
        T* values = place(image * a.in.channels + c);
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
