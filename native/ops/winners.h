// The running argmax for one compute type.
#pragma once
#include <algorithm>
#include <limits>

#include "runtime/isa.h"
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

}  // namespace upsampling
