// Splitting a row into its phases modulo a stride, so that strided windows read consecutive elements.
#pragma once
#include "kernels/pool.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

template <class T, int N>
struct Pack {
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<T, N>::memory M;
  UPS_MEMBER V load(const T* p) { return *reinterpret_cast<const M*>(p); }
  UPS_MEMBER void store(T* p, V v) { *reinterpret_cast<M*>(p) = v; }
};

// A vector that is used twice is loaded once: gcc folds the load into both uses, and of vectors that are not
// aligned every load takes two lines. On AVX2 2x2 windows with indices take .072 ms rather than .081. (Wider
// ones than a register are left alone.)
template <class V>
UPS_INLINE V loaded(V v) {
#if defined(__SSE2__)
  if constexpr (sizeof(V) <= 4 * LANES) asm("" : "+v"(v));
#endif
  return v;
}

// Elements 0, 2, 4 … and 1, 3, 5 … of the 2N elements at p.
template <class T, int N>
struct Pairs {
  typedef typename VectorOf<T, N>::type V;
  V even, odd;
};

template <int... I>
struct Indices {};
template <int N, int... I>
struct IndicesUpTo : IndicesUpTo<N - 1, N - 1, I...> {};
template <int... I>
struct IndicesUpTo<0, I...> {
  typedef Indices<I...> type;
};

template <class T, int N, class V, int... I>
UPS_INLINE Pairs<T, N> split_pairs(V a, V b, Indices<I...>) {
  return {__builtin_shufflevector(a, b, (2 * I)...), __builtin_shufflevector(a, b, (2 * I + 1)...)};
}
template <class T, int N>
UPS_INLINE Pairs<T, N> split_pairs(typename VectorOf<T, N>::type a, typename VectorOf<T, N>::type b) {
  return split_pairs<T, N>(a, b, typename IndicesUpTo<N>::type());
}
template <class T, int N>
UPS_INLINE Pairs<T, N> split_pairs(const T* p) {
  typedef Pack<T, N> P;
  return split_pairs<T, N>(loaded(P::load(p)), loaded(P::load(p + N)));
}

// Elements 0, STEP, 2·STEP … of STEP vectors.
template <int STEP, class V, int... I>
UPS_INLINE V every(const V* x, Indices<I...>) {
  enum : int { L = sizeof...(I) };
  if constexpr (STEP == 1) return x[0];
  if constexpr (STEP == 2) return __builtin_shufflevector(x[0], x[1], (2 * I)...);
  if constexpr (STEP == 3) {
    // Each of them is in a lane of its own.
    const V two = __builtin_shufflevector(x[0], x[1], (I % 3 == 0 ? I : L + I)...);
    const V all = __builtin_shufflevector(two, x[2], ((I + 2 * L) % 3 == 0 ? L + I : I)...);
    return __builtin_shufflevector(all, all, (3 * I % L)...);
  }
  if constexpr (STEP == 4) {
    const V y[2] = {every<2>(x, Indices<I...>()), every<2>(x + 2, Indices<I...>())};
    return every<2>(y, Indices<I...>());
  }
}

// The phases of windows->axis.stride that taps read: space[(phase·phase_length + j)·inner + c] = in[(phase +
// j·stride)·inner + c]. `pixels` is how many pixels the stretch at `in` has.
template <class T>
UPS_INLINE void split_phases(T* __restrict space, const T* __restrict in, const RowWindows* w,
                             int64_t pixels) {
  const int64_t s = w->axis.stride, inner = w->inner;
  for (int64_t p = 0; p < w->phase_count; ++p) {
    const int64_t phase = w->phases[p], n = (pixels - phase + s - 1) / s;
    T* __restrict to = space + phase * w->phase_length * inner;
    const T* __restrict from = in + phase * inner;
    if (inner == 1) {
      if (s == 2) {
        for (int64_t j = 0; j < n; ++j) to[j] = from[2 * j];
      } else if (s == 3) {
        for (int64_t j = 0; j < n; ++j) to[j] = from[3 * j];
      } else if (s == 4) {
        for (int64_t j = 0; j < n; ++j) to[j] = from[4 * j];
      } else {
        for (int64_t j = 0; j < n; ++j) to[j] = from[s * j];
      }
    } else {
      for (int64_t j = 0; j < n; ++j)
        for (int64_t c = 0; c < inner; ++c) to[j * inner + c] = from[j * s * inner + c];
    }
  }
}

}  // namespace UPS_ISA
}  // namespace upsampling
