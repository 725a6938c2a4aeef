// Leaves that turn resized values into levels.
#include "kernels/exp.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class T>
void above(uint8_t* __restrict out, const T* __restrict values, double threshold, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<double>(values[i]) > threshold;
}

template <class T>
void above_bits(uint8_t* __restrict out, const T* __restrict values, double threshold, int64_t n) {
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t end = n - i < 8 ? n - i : 8;
    int byte = 0;
    for (int64_t j = 0; j < end; ++j) byte |= (static_cast<double>(values[i + j]) > threshold) << (7 - j);
    out[i / 8] = static_cast<uint8_t>(byte);
  }
}

template <class T>
void min_max(double* range, const T* __restrict values, int64_t n) {
  const T infinity = __builtin_inff();
  T low = infinity, high = -infinity;
  for (int64_t i = 0; i < n; ++i) {
    const T v = values[i];
    low = (v < low) & (v > -infinity) ? v : low;
    high = (v > high) & (v < infinity) ? v : high;
  }
  if (low < range[0]) range[0] = low;
  if (high > range[1]) range[1] = high;
}

template <class T, class L, int TOP>
void to_levels(L* __restrict out, const T* __restrict values, double low, double scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    double t = (static_cast<double>(values[i]) - low) * scale;
    t = t > 0.0 ? t : 0.0;  // NaN too
    t = t < TOP ? t : TOP;
    // Adding 1.5·2^52 leaves no room for a fraction: ties to even.
    out[i] = static_cast<L>(static_cast<int32_t>((t + 6755399441055744.0) - 6755399441055744.0));
  }
}

template <class T>
void highest(T* __restrict best, const T* __restrict values, int64_t n) {
  for (int64_t i = 0; i < n; ++i) best[i] = values[i] > best[i] ? values[i] : best[i];
}

template <class T>
void exponentials(T* __restrict values, T* __restrict sum, const T* __restrict best, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const T v = values[i];
    const T e = v == best[i] ? T(1) : exp_below_zero(v - best[i]);
    sum[i] += v == v ? e : T(0);
    // One NaN, whatever its bits were: those differ between instruction sets.
    values[i] = v == v ? e : static_cast<T>(__builtin_nanf(""));
  }
}

template <class T>
void quotients(T* __restrict out, const T* __restrict values, const T* __restrict sum, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = values[i] / sum[i];
}

template <class T>
void fill(LevelsOf<T>* k) {
  k->above = above<T>;
  k->above_bits = above_bits<T>;
  k->min_max = min_max<T>;
  k->to_uint8 = to_levels<T, uint8_t, 255>;
  k->to_uint16 = to_levels<T, uint16_t, 65535>;
  k->highest = highest<T>;
  k->exponentials = exponentials<T>;
  k->quotients = quotients<T>;
}

}  // namespace

void fill_levels(LevelKernels* kernels) {
  fill(&kernels->single);
  fill(&kernels->twofold);
}

}  // namespace UPS_ISA
}  // namespace upsampling
