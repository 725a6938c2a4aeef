// Resize and argmax: for a tile of output pixels the classes stream by, and only the winners are kept.
#include "ops/interpolate-argmax.h"

#include <algorithm>
#include <limits>

#include "runtime/parallel.h"

namespace upsampling {

namespace {

template <class T>
struct ArgmaxLeaves;
template <>
struct ArgmaxLeaves<float> {
  const ArgmaxKernels& k = kernels().argmax;
  void show(const Winners<float>& w, const float* v, int64_t c, int64_t n) const {
    k.argmax(&w, v, static_cast<int32_t>(c), n);
  }
  void show_all(const Winners<float>& w, const float* v, int64_t classes, int64_t n) const {
    k.argmax_inner(&w, v, static_cast<int32_t>(classes), n);
  }
};
template <>
struct ArgmaxLeaves<double> {
  const ArgmaxKernels& k = kernels().argmax;
  void show(const Winners<double>& w, const double* v, int64_t c, int64_t n) const {
    k.argmax_double(&w, v, static_cast<int32_t>(c), n);
  }
  void show_all(const Winners<double>& w, const double* v, int64_t classes, int64_t n) const {
    k.argmax_inner_double(&w, v, static_cast<int32_t>(classes), n);
  }
};

template <class T>
Winners<T> take_winners(ScratchFrame* frame, int64_t n, bool statistics) {
  return {frame->take<T>(n), frame->take<int32_t>(n), statistics ? frame->take<T>(n) : nullptr,
          statistics ? frame->take<T>(n) : nullptr};
}

template <class T>
void start(const Winners<T>& w, int64_t n) {
  std::fill(w.best, w.best + n, -std::numeric_limits<T>::infinity());
  std::fill(w.index, w.index + n, -1);
  if (w.sum == nullptr) return;
  std::fill(w.second, w.second + n, -std::numeric_limits<T>::infinity());
  std::fill(w.sum, w.sum + n, T(0));
}

// From winners to the outputs, n pixels from `at` on.
template <class T>
void put(const InterpolateArgmaxArgs& a, const Winners<T>& w, int64_t at, int64_t n) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto background = static_cast<int32_t>(a.background);
  const bool softmax = a.score_kind == InterpolateArgmaxArgs::SOFTMAX;
  auto* scores = static_cast<T*>(a.scores);
  auto* margins = static_cast<T*>(a.margins);
  for (int64_t i = 0; i < n; ++i) {
    const bool none = w.index[i] < 0;
    if (margins != nullptr)
      margins[at + i] = none ? nan : w.second[i] == w.best[i] ? T(0) : w.best[i] - w.second[i];
    if (scores == nullptr && !a.has_threshold) {
      if (none) w.index[i] = background;
      continue;
    }
    const T score = none ? nan : softmax ? T(1) / w.sum[i] : w.best[i];
    if (scores != nullptr) scores[at + i] = score;
    if (none || (a.has_threshold && !(static_cast<double>(score) >= a.threshold))) w.index[i] = background;
  }
  const int kind = a.class_bytes == 1 ? 0 : a.class_bytes == 2 ? 1 : a.class_bytes == 4 ? 2 : 3;
  kernels().argmax.put_classes[kind](static_cast<char*>(a.classes) + at * a.class_bytes, w.index, n);
}

template <class T>
Status by_rows(const InterpolateArgmaxArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows(), classes = a.in.channels * a.in.inner;
  const bool statistics = a.margins != nullptr || a.score_kind == InterpolateArgmaxArgs::SOFTMAX;
  // A tile's winners stay in the first-level cache; with the classes innermost a row of it is one block of
  // values.
  const int64_t tile =
      std::max<int64_t>(1, std::min<int64_t>(width, (a.in.inner > 1 ? 16 * 1024 : 1024) / a.in.inner));
  const int64_t deep = a.in.inner > 1 ? 8 : std::max<int64_t>(1, std::min<int64_t>(32, 4096 / tile));
  const int64_t columns = (width + tile - 1) / tile, bands = (rows + deep - 1) / deep;
  const ArgmaxLeaves<T> leaves;
  parallel_for(context, a.in.batch * bands * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t image = block / (bands * columns), band = block / columns % bands;
      const int64_t x0 = block % columns * tile, x1 = std::min(x0 + tile, width), n = x1 - x0;
      const int64_t r0 = band * deep, r1 = std::min(r0 + deep, rows);
      ScratchFrame frame;
      ResizedRows<T> resized(a.in, &frame, x0, x1);
      T* values = frame.take<T>(resized.length());
      const Winners<T> all = take_winners<T>(&frame, n * (r1 - r0), statistics);
      const auto at_row = [&](int64_t r) {
        const int64_t at = (r - r0) * n;
        return Winners<T>{all.best + at, all.index + at, statistics ? all.second + at : nullptr,
                          statistics ? all.sum + at : nullptr};
      };
      start(all, n * (r1 - r0));
      for (int64_t c = 0; c < a.in.channels; ++c)
        for (int64_t r = r0; r < r1; ++r) {
          resized.row(image * a.in.channels + c, r, values);
          if (a.in.inner > 1)
            leaves.show_all(at_row(r), values, classes, n);
          else
            leaves.show(at_row(r), values, c, n);
        }
      for (int64_t r = r0; r < r1; ++r) put(a, at_row(r), (image * rows + r) * width + x0, n);
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate_argmax(const InterpolateArgmaxArgs& a, const Context& context) {
  return a.in.type == F64 ? by_rows<double>(a, context) : by_rows<float>(a, context);
}

}  // namespace upsampling
