// What the leaves of the convolution family share: vectors by the type that computes, and short copies.
#pragma once
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Outputs (channels last: pixels) of two vectors whose sums are kept in registers, as many as fit.
enum : int { TILE = LANES == 16 ? 14 : LANES == 8 ? 6 : 4 };

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef vf V;
  enum : int { L = LANES };
};
template <>
struct Simd<double> {
  typedef vd V;
  enum : int { L = LANES / 2 };
};

// n elements, one after the other; what is copied twice is copied alike.
template <class T>
UPS_INLINE void copy_run(T* to, const T* from, int64_t n) {
  enum : int { L = Simd<T>::L };
  if (n >= L) {
    for (int64_t i = 0; i + L <= n; i += L) store(to + i, load(from + i));
    store(to + n - L, load(from + n - L));
    return;
  }
  if (n * static_cast<int64_t>(sizeof(T)) >= 16) {
    const int64_t part = 16 / sizeof(T);
    for (int64_t i = 0; i + part <= n; i += part) __builtin_memcpy(to + i, from + i, 16);
    __builtin_memcpy(to + n - part, from + n - part, 16);
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

// The first n elements of vectors that have just been stored: a load across two of them would wait.
template <class T>
UPS_INLINE void copy_stored(T* to, const T* from, int64_t n) {
  enum : int { L = Simd<T>::L, PART = 16 / sizeof(T) };
  int64_t i = 0;
  for (; i + L <= n; i += L) store(to + i, load(from + i));
  for (; i + PART <= n; i += PART) __builtin_memcpy(to + i, from + i, 16);
  for (; i < n; ++i) to[i] = from[i];
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
