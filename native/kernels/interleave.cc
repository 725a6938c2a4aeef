// Rows woven into one by permutes in registers, for 2, 4, 8 and 16 rows; element by element for other counts.
#include "kernels/interleave.h"

#include "kernels/kernels.h"
#include "kernels/phases.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// A vector of all bytes of a register, as elements of type T.
template <class T>
struct Lanes {
  enum : int { N = LANES * 4 / sizeof(T) };
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<T, N>::memory M;
  UPS_MEMBER V load(const T* p) { return *reinterpret_cast<const M*>(p); }
  UPS_MEMBER void store(T* p, V v) { *reinterpret_cast<M*>(p) = v; }
};

// Index vectors of the permutes: element i of `low` weaves the first halves of two vectors, and so on.
template <class T>
struct Weave {
  typedef typename Lanes<T>::V V;
  enum : int { N = Lanes<T>::N };
  V low, high, even, odd;
  Weave() {
    for (int i = 0; i < N; ++i) {
      low[i] = static_cast<T>(i / 2 + (i % 2) * N);
      high[i] = static_cast<T>(N / 2 + i / 2 + (i % 2) * N);
      even[i] = static_cast<T>(2 * i);
      odd[i] = static_cast<T>(2 * i + 1);
    }
  }
};

template <class V, int... I>
UPS_INLINE V weave_low(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
template <class V, int... I>
UPS_INLINE V weave_high(V a, V b, Indices<I...>) {
  enum : int { N = sizeof...(I) };
  return __builtin_shufflevector(a, b, (N / 2 + I / 2 + I % 2 * N)...);
}
template <class V, int... I>
UPS_INLINE V take_even(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <class V, int... I>
UPS_INLINE V take_odd(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}

// COUNT vectors at a time. Bytes and pairs of bytes by 16 bytes, which every instruction set can permute.
template <class T, int COUNT>
struct Turn {
  enum : int { N = sizeof(T) < 4 ? 16 / static_cast<int>(sizeof(T)) : int{Lanes<T>::N} };
  typedef Pack<T, N> P;
  typedef typename P::V V;
  typedef typename IndicesUpTo<N>::type All;

  // Weaves rows k and k + COUNT / 2, then the results in the same way, until there is one row.
  UPS_MEMBER void weave(T* out, const T* const* rows, int64_t i) {
    V x[COUNT], y[COUNT];
#pragma GCC unroll 16
    for (int k = 0; k < COUNT; ++k) x[k] = P::load(rows[k] + i);
#pragma GCC unroll 4
    for (int m = COUNT; m > 1; m /= 2) {
#pragma GCC unroll 16
      for (int j = 0; j < COUNT / 2; ++j) {
        y[2 * j] = weave_low(x[j], x[j + COUNT / 2], All());
        y[2 * j + 1] = weave_high(x[j], x[j + COUNT / 2], All());
      }
#pragma GCC unroll 16
      for (int k = 0; k < COUNT; ++k) x[k] = y[k];
    }
#pragma GCC unroll 16
    for (int k = 0; k < COUNT; ++k) P::store(out + i * COUNT + k * N, x[k]);
  }

  // The same backwards.
  UPS_MEMBER void unravel(T* const* rows, const T* in, int64_t i) {
    V x[COUNT], y[COUNT];
#pragma GCC unroll 16
    for (int k = 0; k < COUNT; ++k) x[k] = P::load(in + i * COUNT + k * N);
#pragma GCC unroll 4
    for (int m = COUNT; m > 1; m /= 2) {
#pragma GCC unroll 16
      for (int j = 0; j < COUNT / 2; ++j) {
        y[j] = take_even(x[2 * j], x[2 * j + 1], All());
        y[j + COUNT / 2] = take_odd(x[2 * j], x[2 * j + 1], All());
      }
#pragma GCC unroll 16
      for (int k = 0; k < COUNT; ++k) x[k] = y[k];
    }
#pragma GCC unroll 16
    for (int k = 0; k < COUNT; ++k) P::store(rows[k] + i, x[k]);
  }
};

// Blocks [0, n) of N; the last one reaches back. False when n is less than N.
template <int N, class Body>
UPS_INLINE bool whole_blocks(int64_t n, const Body& body) {
  if (n < N) return false;
  for (int64_t i = 0; i < n; i += N) {
    if (i + N > n) i = n - N;
    body(i);
  }
  return true;
}

template <class T>
void interleave(void* out, const void* const* rows, int64_t count, int64_t n) {
  typedef Lanes<T> L;
  enum : int { N = L::N };
  T* __restrict o = static_cast<T*>(out);
  const T* const* r = reinterpret_cast<const T* const*>(rows);
  if (count == 8 && whole_blocks<Turn<T, 8>::N>(n, [&](int64_t i) { Turn<T, 8>::weave(o, r, i); })) return;
  if (count == 16 && whole_blocks<Turn<T, 16>::N>(n, [&](int64_t i) { Turn<T, 16>::weave(o, r, i); })) return;
  int64_t i = 0;
  if (count == 2 || count == 4) {
    const Weave<T> w;
    if (count == 2) {
      for (; i + N <= n; i += N) {
        const typename L::V a = L::load(r[0] + i), b = L::load(r[1] + i);
        L::store(o + 2 * i, __builtin_shuffle(a, b, w.low));
        L::store(o + 2 * i + N, __builtin_shuffle(a, b, w.high));
      }
    } else {
      for (; i + N <= n; i += N) {
        const typename L::V a = L::load(r[0] + i), b = L::load(r[1] + i), c = L::load(r[2] + i),
                            d = L::load(r[3] + i);
        const typename L::V ac0 = __builtin_shuffle(a, c, w.low), ac1 = __builtin_shuffle(a, c, w.high);
        const typename L::V bd0 = __builtin_shuffle(b, d, w.low), bd1 = __builtin_shuffle(b, d, w.high);
        L::store(o + 4 * i, __builtin_shuffle(ac0, bd0, w.low));
        L::store(o + 4 * i + N, __builtin_shuffle(ac0, bd0, w.high));
        L::store(o + 4 * i + 2 * N, __builtin_shuffle(ac1, bd1, w.low));
        L::store(o + 4 * i + 3 * N, __builtin_shuffle(ac1, bd1, w.high));
      }
    }
  }
  // In steps short enough that the rows' cache lines are still there for the next row.
  enum : int64_t { STEP = 256 };
  for (; i < n; i += STEP) {
    const int64_t end = i + STEP < n ? i + STEP : n;
    for (int64_t k = 0; k < count; ++k)
      for (int64_t j = i; j < end; ++j) o[j * count + k] = r[k][j];
  }
}

template <class T>
void deinterleave(void* const* rows, const void* in, int64_t count, int64_t n) {
  typedef Lanes<T> L;
  enum : int { N = L::N };
  const T* __restrict x = static_cast<const T*>(in);
  T* const* r = reinterpret_cast<T* const*>(rows);
  if (count == 8 && whole_blocks<Turn<T, 8>::N>(n, [&](int64_t i) { Turn<T, 8>::unravel(r, x, i); })) return;
  if (count == 16 && whole_blocks<Turn<T, 16>::N>(n, [&](int64_t i) { Turn<T, 16>::unravel(r, x, i); }))
    return;
  int64_t i = 0;
  if (count == 2 || count == 4) {
    const Weave<T> w;
    if (count == 2) {
      for (; i + N <= n; i += N) {
        const typename L::V a = L::load(x + 2 * i), b = L::load(x + 2 * i + N);
        L::store(r[0] + i, __builtin_shuffle(a, b, w.even));
        L::store(r[1] + i, __builtin_shuffle(a, b, w.odd));
      }
    } else {
      for (; i + N <= n; i += N) {
        const typename L::V a = L::load(x + 4 * i), b = L::load(x + 4 * i + N);
        const typename L::V c = L::load(x + 4 * i + 2 * N), d = L::load(x + 4 * i + 3 * N);
        const typename L::V even0 = __builtin_shuffle(a, b, w.even), odd0 = __builtin_shuffle(a, b, w.odd);
        const typename L::V even1 = __builtin_shuffle(c, d, w.even), odd1 = __builtin_shuffle(c, d, w.odd);
        L::store(r[0] + i, __builtin_shuffle(even0, even1, w.even));
        L::store(r[1] + i, __builtin_shuffle(odd0, odd1, w.even));
        L::store(r[2] + i, __builtin_shuffle(even0, even1, w.odd));
        L::store(r[3] + i, __builtin_shuffle(odd0, odd1, w.odd));
      }
    }
  }
  enum : int64_t { STEP = 256 };
  for (; i < n; i += STEP) {
    const int64_t end = i + STEP < n ? i + STEP : n;
    for (int64_t k = 0; k < count; ++k)
      for (int64_t j = i; j < end; ++j) r[k][j] = x[j * count + k];
  }
}

}  // namespace

void fill_interleave(InterleaveKernels* k) {
  k->interleave[0] = interleave<uint8_t>;
  k->interleave[1] = interleave<uint16_t>;
  k->interleave[2] = interleave<uint32_t>;
  k->interleave[3] = interleave<uint64_t>;
  k->deinterleave[0] = deinterleave<uint8_t>;
  k->deinterleave[1] = deinterleave<uint16_t>;
  k->deinterleave[2] = deinterleave<uint32_t>;
  k->deinterleave[3] = deinterleave<uint64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
