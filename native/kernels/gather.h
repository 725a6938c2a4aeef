// Elements from anywhere, in vectors.
#pragma once
#include "kernels/phases.h"

namespace upsampling {
namespace UPS_ISA {

// WINDOW vectors to pick elements from.
template <int WINDOW>
struct Window {
  enum : int { SIZE = WINDOW };
  vf v[WINDOW > 0 ? WINDOW : 1];
  UPS_MEMBER Window at(const float* in) {
    Window w{};
#pragma GCC unroll 4
    for (int i = 0; i < WINDOW; ++i) w.v[i] = load(in + i * LANES);
    return w;
  }
};

// The elements at `lane` of the window, or with 0 of `in`: gathers take longer than permutes of up to four
// vectors (bilinear 720x1280x3 to 720x640 1.35 ms rather than 1.01, on AVX2 1.48 rather than 1.20).
template <int WINDOW>
UPS_INLINE vf pick(const float* in, const Window<WINDOW>& w, vi lane) {
  if constexpr (WINDOW == 1) {
    return __builtin_shuffle(w.v[0], lane);
  } else if constexpr (WINDOW == 2) {
    return __builtin_shuffle(w.v[0], w.v[1], lane);
  } else if constexpr (WINDOW > 2) {
    const vf low = __builtin_shuffle(w.v[0], w.v[1], lane);
    const vf high =
        WINDOW == 3 ? __builtin_shuffle(w.v[2], lane) : __builtin_shuffle(w.v[2], w.v[WINDOW - 1], lane);
    return lane < 2 * LANES ? low : high;
  } else {
#if defined(__AVX512F__)  // 720x1280x3 to 720x640 1.05 ms rather than 1.76 one by one
    return __builtin_ia32_gathersiv16sf(vf{}, in, lane, -1, 4);
#elif defined(__AVX2__)
    return __builtin_ia32_gathersiv8sf(vf{}, in, lane, reinterpret_cast<vf>(vi{} - 1), 4);
#else
    vf v;
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) v[i] = in[lane[i]];
    return v;
#endif
  }
}

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
