// The running argmax for one compute type.
#pragma once
#include <algorithm>
#include <limits>

#include "ops/turn.h"
#include "runtime/scratch.h"

namespace upsampling {

template <class T>
struct ArgmaxLeaves;
template <>
struct ArgmaxLeaves<float> {
  const ArgmaxKernels& k = kernels().argmax;
  void show(const Winners<float>& w, const float* v, int64_t c, int64_t n) const {
    k.argmax(&w, v, static_cast<int32_t>(c), n);
  }
};
template <>
struct ArgmaxLeaves<double> {
  const ArgmaxKernels& k = kernels().argmax;
  void show(const Winners<double>& w, const double* v, int64_t c, int64_t n) const {
    k.argmax_double(&w, v, static_cast<int32_t>(c), n);
  }
};

// Shows all classes of pixels, which have theirs side by side, some pixels at a time: turned to planes they
// are compared sixteen at once (21 classes of 256x256 pixels: .15 ms rather than 2.0 pixel by pixel).
template <class T>
class PixelClasses {
 public:
  PixelClasses(ScratchFrame* frame, int64_t classes)
      : classes_(classes),
        together_(pixels_together(classes)),
        planes_(frame->take<T>(classes * together_)) {}

  void show(const Winners<T>& w, const T* values, int64_t n) const {
    for (int64_t i = 0; i < n; i += together_) {
      const int64_t m = std::min(together_, n - i);
      const Winners<T> part = {w.best + i, w.index + i, w.second == nullptr ? nullptr : w.second + i,
                               w.sum == nullptr ? nullptr : w.sum + i};
      turn(planes_, values + i * classes_, m, classes_);
      for (int64_t c = 0; c < classes_; ++c) leaves_.show(part, planes_ + c * m, c, m);
    }
  }

 private:
  ArgmaxLeaves<T> leaves_;
  int64_t classes_, together_;
  T* planes_;
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

}  // namespace upsampling
