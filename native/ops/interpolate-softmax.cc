// Resize and softmax over the classes: a tile's values stay in cache until they are probabilities.
#include "ops/interpolate-softmax.h"

#include <algorithm>
#include <limits>

#include "ops/levels.h"
#include "ops/turn.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

// values[c·n + i] to probabilities of pixel i, but for the division by sum[i].
template <class T>
void exponentials(T* values, T* best, T* sum, int64_t classes, int64_t n) {
  std::fill(best, best + n, -std::numeric_limits<T>::infinity());
  std::fill(sum, sum + n, T(0));
  for (int64_t c = 0; c < classes; ++c) levels<T>().highest(best, values + c * n, n);
  for (int64_t c = 0; c < classes; ++c) levels<T>().exponentials(values + c * n, sum, best, n);
}

// Elements of a tile: all its classes stay in the second-level cache.
constexpr int64_t kTile = 64 * 1024;

// Rows [r0, r1) and columns [x0, x1) of an image, class by class.
template <class T>
void planes(const InterpolateSoftmaxArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t r0, int64_t r1) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows(), classes = a.in.channels;
  const int64_t n = x1 - x0, tile = n * (r1 - r0);
  ScratchFrame frame;
  ResizedRows<T> resized(a.in, &frame, x0, x1);
  T* values = frame.take<T>(classes * tile);
  T* best = frame.take<T>(tile);
  T* sum = frame.take<T>(tile);
  for (int64_t c = 0; c < classes; ++c)
    for (int64_t r = r0; r < r1; ++r) resized.row(image * classes + c, r, values + c * tile + (r - r0) * n);
  exponentials(values, best, sum, classes, tile);
  auto* out = static_cast<T*>(a.out);
  for (int64_t c = 0; c < classes; ++c)
    for (int64_t r = r0; r < r1; ++r)
      levels<T>().quotients(out + ((image * classes + c) * rows + r) * width + x0,
                            values + c * tile + (r - r0) * n, sum + (r - r0) * n, n);
}

// The same of pixels with their classes side by side: some at a time are turned to planes and back.
template <class T>
void pixels(const InterpolateSoftmaxArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t r0, int64_t r1) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows(), classes = a.in.inner;
  const int64_t n = x1 - x0, together = pixels_together(classes);
  ScratchFrame frame;
  ResizedRows<T> resized(a.in, &frame, x0, x1);
  T* values = frame.take<T>(n * classes);
  T* turned = frame.take<T>(together * classes);
  T* best = frame.take<T>(together);
  T* sum = frame.take<T>(together);
  for (int64_t r = r0; r < r1; ++r) {
    resized.row(image, r, values);
    T* out = static_cast<T*>(a.out) + ((image * rows + r) * width + x0) * classes;
    for (int64_t i = 0; i < n; i += together) {
      const int64_t m = std::min(together, n - i);
      turn(turned, values + i * classes, m, classes);
      exponentials(turned, best, sum, classes, m);
      for (int64_t c = 0; c < classes; ++c) levels<T>().quotients(turned + c * m, turned + c * m, sum, m);
      turn(out + i * classes, turned, classes, m);
    }
  }
}

template <class T>
Status probabilities(const InterpolateSoftmaxArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows();
  const int64_t classes = a.in.channels * a.in.inner;
  const int64_t tile = std::min(width, std::max<int64_t>(64, kTile / (8 * classes)));
  // Of several rows, so that the source rows resampled for one serve the next.
  const int64_t deep = std::max<int64_t>(1, std::min<int64_t>(32, kTile / (classes * tile)));
  const int64_t columns = (width + tile - 1) / tile, bands = (rows + deep - 1) / deep;
  parallel_for(context, a.in.batch * bands * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t image = block / (bands * columns);
      const int64_t x0 = block % columns * tile, x1 = std::min(x0 + tile, width);
      const int64_t r0 = block / columns % bands * deep, r1 = std::min(r0 + deep, rows);
      if (a.in.inner > 1)
        pixels<T>(a, image, x0, x1, r0, r1);
      else
        planes<T>(a, image, x0, x1, r0, r1);
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate_softmax(const InterpolateSoftmaxArgs& a, const Context& context) {
  return a.in.type == F64 ? probabilities<double>(a, context) : probabilities<float>(a, context);
}

}  // namespace upsampling
