// Elements from anywhere, in vectors.
#pragma once
#include "kernels/phases.h"

namespace upsampling {
namespace UPS_ISA {

#if defined(__AVX2__)
// Two floats at every index, in gathers of 64 bits: those take as long for each as for 32.
UPS_INLINE void pairs_at(vf* v, const float* p, vi index) {
  typedef VectorOf<int32_t, LANES / 2>::type Half;
  Half at[2];
  __builtin_memcpy(at, &index, sizeof at);
  const auto half = [&](Half i) __attribute__((always_inline)) {
#if defined(__AVX512F__)
    return reinterpret_cast<vf>(__builtin_ia32_gathersiv8df(vd{}, p, i, -1, 4));
#else
    const auto all = reinterpret_cast<vd>(vi{} - 1);
    return reinterpret_cast<vf>(
        __builtin_ia32_gathersiv4df(vd{}, reinterpret_cast<const double*>(p), i, all, 4));
#endif
  };
  const Pairs<float, LANES> both = split_pairs<float, LANES>(half(at[0]), half(at[1]));
  v[0] = both.even;
  v[1] = both.odd;
}
#endif

}  // namespace UPS_ISA
}  // namespace upsampling
