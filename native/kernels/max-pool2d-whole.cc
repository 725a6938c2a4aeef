// Max pooling of planes of one channel that are one window each.
#include "kernels/kernels.h"
#include "kernels/max-pool2d.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// The winner of n elements in any order: of equals, and of NaNs, none in particular. With `place` the first
// of equals, and the last NaN.
template <class O, bool INDEXED, bool NUMBERS>
UPS_INLINE typename O::Element winner_of(const typename O::Element* in, int64_t n, int32_t* place) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>(), SIDE = 4 };
  typedef Best<O, N, INDEXED> B;
  typedef Pack<T, N> P;
  int64_t at = 0;
  T best = in[0];
  const auto take = [&](T v, int64_t where) __attribute__((always_inline)) {
    const bool nan = O::wins(v, v), later = where > at;
    if (nan ? later || !O::wins(best, best) : O::wins(v, best) || (!O::wins(best, v) && !later)) {
      best = v;
      at = where;
    }
  };
  int64_t i = 0;
  if (n >= N) {
    typename B::Index lane;
    for (int l = 0; l < static_cast<int>(sizeof(lane) / 4); ++l) lane[l] = l;
    // Side by side, as a maximum waits for the one before.
    B side[SIDE];
#pragma GCC unroll 4
    for (int s = 0; s < SIDE; ++s) side[s] = B::of(P::load(in), lane);
    const auto next = [&](int s, int64_t k) __attribute__((always_inline)) {
      offer<NUMBERS>(&side[s], P::load(in + k), lane + static_cast<int32_t>(k));
    };
    for (; i + SIDE * N <= n; i += SIDE * N)
#pragma GCC unroll 4
      for (int s = 0; s < SIDE; ++s) next(s, i + s * N);
    for (; i + N <= n; i += N) next(0, i);
    if constexpr (!INDEXED) {
      if (i < n) next(1, n - N);
      i = n;
#pragma GCC unroll 4
      for (int s = 1; s < SIDE; ++s) offer_plainly<NUMBERS>(&side[0], side[s].value, lane);
      best = side[0].value[0];
      for (int l = 1; l < N; ++l) best = O::wins(side[0].value[l], best) ? side[0].value[l] : best;
    } else {
      for (int s = 0; s < SIDE; ++s)
        for (int l = 0; l < N; ++l) take(side[s].value[l], side[s].index[l]);
    }
  }
  for (; i < n; ++i) {
    if (INDEXED)
      take(in[i], i);
    else
      best = O::wins(in[i], best) ? in[i] : best;
  }
  if (INDEXED) *place = static_cast<int32_t>(at);
  return best;
}

// The same in order: of equals the first one, which only tells where they differ, as zeros do, and of NaNs
// the last.
template <class O>
UPS_INLINE typename O::Element in_order(typename O::Element best, const typename O::Element* in, int64_t n) {
  typedef typename O::Element T;
  if (O::wins(best, best)) {
    while (!O::wins(in[n - 1], in[n - 1])) --n;
    return in[n - 1];
  }
  if (O::wins(best, T(0)) || O::wins(T(0), best)) return best;
  while (O::wins(best, *in)) ++in;
  return *in;
}

template <class O>
void whole_planes(void* out, int32_t* place, const void* in, int64_t planes, int64_t n) {
  typedef typename O::Element T;
  T* to = static_cast<T*>(out);
  const T* from = static_cast<const T*>(in);
  numbers_first<T>([&](auto numbers) __attribute__((always_inline)) {
    constexpr bool NUMBERS = decltype(numbers)::IS;
    for (int64_t p = 0; p < planes; ++p) {
      if (place != nullptr)
        to[p] = winner_of<O, true, NUMBERS>(from + p * n, n, place + p);
      else
        to[p] = winner_of<O, false, NUMBERS>(from + p * n, n, nullptr);
    }
  });
  for (int64_t p = 0; p < planes && place == nullptr; ++p) to[p] = in_order<O>(to[p], from + p * n, n);
}

}  // namespace

void fill_max_pool2d_whole(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order) kernels->whole_planes[type] = whole_planes<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
}

}  // namespace UPS_ISA
}  // namespace upsampling
