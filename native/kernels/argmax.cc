// Leaves of a running argmax.
#include "kernels/exp.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class T>
void argmax(const Winners<T>* w, const T* values, int32_t c, int64_t n) {
  const T* __restrict x = values;
  T* __restrict best = w->best;
  int32_t* __restrict index = w->index;
  if (w->sum == nullptr) {
    for (int64_t i = 0; i < n; ++i) {
      const T v = x[i];
      // Bitwise: no branches. The second half lets a first number of -infinity in.
      const bool wins = (v > best[i]) | ((index[i] < 0) & (v == v));
      best[i] = wins ? v : best[i];
      index[i] = wins ? c : index[i];
    }
    return;
  }
  T* __restrict second = w->second;
  T* __restrict sum = w->sum;
  for (int64_t i = 0; i < n; ++i) {
    const T v = x[i], b = best[i];
    const bool first = (index[i] < 0) & (v == v), wins = (v > b) | first;
    const T high = wins ? v : b, low = wins ? b : v;
    const T e = high == low ? T(1) : exp_below_zero(low - high);
    const T total = wins ? sum[i] * e + T(1) : sum[i] + e;
    second[i] = wins ? (first ? second[i] : b) : (v > second[i] ? v : second[i]);
    sum[i] = first ? T(1) : v == v ? total : sum[i];
    best[i] = high;
    index[i] = wins ? c : index[i];
  }
}

template <class T>
void argmax_inner(const Winners<T>* w, const T* values, int32_t classes, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const T* x = values + i * classes;
    T best = -__builtin_inff();
    int32_t index = -1;
    for (int32_t c = 0; c < classes; ++c)
      if (x[c] > best || (index < 0 && x[c] == x[c])) {
        best = x[c];
        index = c;
      }
    w->best[i] = best;
    w->index[i] = index;
    if (w->sum == nullptr) continue;
    T second = -__builtin_inff(), sum = 0;
    for (int32_t c = 0; c < classes; ++c) {
      const T v = x[c];
      if (v != v) continue;
      if (c != index && v > second) second = v;
      sum += v == best ? T(1) : exp_below_zero(v - best);
    }
    w->second[i] = second;
    w->sum[i] = sum;
  }
}

template <class I>
void put_classes(void* out, const int32_t* __restrict index, int64_t n) {
  I* __restrict o = static_cast<I*>(out);
  for (int64_t i = 0; i < n; ++i) o[i] = static_cast<I>(index[i]);
}

}  // namespace

void fill_argmax(ArgmaxKernels* kernels) {
  ArgmaxKernels& k = *kernels;
  k.argmax = argmax<float>;
  k.argmax_double = argmax<double>;
  k.argmax_inner = argmax_inner<float>;
  k.argmax_inner_double = argmax_inner<double>;
  k.put_classes[0] = put_classes<int8_t>;
  k.put_classes[1] = put_classes<int16_t>;
  k.put_classes[2] = put_classes<int32_t>;
  k.put_classes[3] = put_classes<int64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
