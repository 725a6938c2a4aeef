// Rows to columns, and sums of lanes, in registers.
#pragma once
#include "kernels/phases.h"

// The lower (h = 0) or upper halves of two vectors, element by element in turn.
#if UPS_LANES == 16
#define UPS_ZIP(x, y, h)                                                                                    \
  __builtin_shufflevector(x, y, 8 * h, 8 * h + 16, 8 * h + 1, 8 * h + 17, 8 * h + 2, 8 * h + 18, 8 * h + 3, \
                          8 * h + 19, 8 * h + 4, 8 * h + 20, 8 * h + 5, 8 * h + 21, 8 * h + 6, 8 * h + 22,  \
                          8 * h + 7, 8 * h + 23)
#elif UPS_LANES == 8
#define UPS_ZIP(x, y, h)                                                                                  \
  __builtin_shufflevector(x, y, 4 * h, 4 * h + 8, 4 * h + 1, 4 * h + 9, 4 * h + 2, 4 * h + 10, 4 * h + 3, \
                          4 * h + 11)
#else
#define UPS_ZIP(x, y, h) __builtin_shufflevector(x, y, 2 * h, 2 * h + 4, 2 * h + 1, 2 * h + 5)
#endif

namespace upsampling {
namespace UPS_ISA {

// A third of the LANES groups of three.
template <int THIRD, int... I>
UPS_INLINE vf zip_third(const vf* x, Indices<I...>) {
  const vf two = __builtin_shufflevector(
      x[0], x[1], ((THIRD * LANES + I) / 3 + ((THIRD * LANES + I) % 3 == 1 ? LANES : 0))...);
  return __builtin_shufflevector(two, x[2],
                                 ((THIRD * LANES + I) % 3 == 2 ? LANES + (THIRD * LANES + I) / 3 : I)...);
}
UPS_INLINE void zip_three(vf* x) {
  typedef IndicesUpTo<LANES>::type All;
  const vf y[3] = {zip_third<0>(x, All()), zip_third<1>(x, All()), zip_third<2>(x, All())};
  for (int i = 0; i < 3; ++i) x[i] = y[i];
}

// LANES elements of each of N rows as LANES groups of N.
template <int N>
UPS_INLINE void zip(vf* x) {
  if constexpr (N == 3) return zip_three(x);
  vf y[N];
#pragma GCC unroll 8
  for (int level = 1; level < N; level *= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i) {
      y[2 * i] = UPS_ZIP(x[i], x[i + N / 2], 0);
      y[2 * i + 1] = UPS_ZIP(x[i], x[i + N / 2], 1);
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) x[i] = y[i];
  }
}

// Lane l of what is returned: a part of the sum of x[l % N].
template <int N>
UPS_INLINE vf add_lanes(vf* x) {
#pragma GCC unroll 4
  for (int n = N / 2; n > 0; n /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) x[i] = UPS_ZIP(x[i], x[i + n], 0) + UPS_ZIP(x[i], x[i + n], 1);
  return x[0];
}

}  // namespace UPS_ISA
}  // namespace upsampling
