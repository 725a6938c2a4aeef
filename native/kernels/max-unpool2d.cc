// Max unpooling: values back to where they came from.
#include "kernels/kernels.h"
#include "kernels/order.h"
#include "kernels/phases.h"
#include "kernels/pool.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Asks for BYTES from p + AHEAD on.
template <int AHEAD, int BYTES>
UPS_INLINE void ask(const void* p) {
#pragma GCC unroll 8
  for (int j = 0; j < BYTES; j += 64) __builtin_prefetch(static_cast<const char*>(p) + AHEAD + j);
}

template <class I>
int64_t check(const void* index, int64_t n, int64_t base, int64_t size) {
  const I* at = static_cast<const I*>(index);
  typedef decltype(I() + 0u + 0ull) Wide;
  constexpr int64_t kBlock = 512;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = begin + kBlock < n ? begin + kBlock : n;
    bool bad = false;
    for (int64_t i = begin; i < end; ++i)
      bad |= static_cast<Wide>(static_cast<int64_t>(at[i]) - base) >= static_cast<Wide>(size);
    if (!bad) continue;
    for (int64_t i = begin; i < end; ++i)
      if (static_cast<uint64_t>(static_cast<int64_t>(at[i]) - base) >= static_cast<uint64_t>(size)) return i;
  }
  return n;
}

// 32-bit indices are compared in 32 bits: twice the lanes.
template <>
int64_t check<int32_t>(const void* index, int64_t n, int64_t base, int64_t size) {
  const int32_t* at = static_cast<const int32_t*>(index);
  const int64_t last = base + size - 1;
  const int32_t low = base > INT32_MAX ? INT32_MAX : static_cast<int32_t>(base);
  const int32_t high = last > INT32_MAX ? INT32_MAX : static_cast<int32_t>(last);
  // Little at a time, as each asks for another one ahead: 4 MB .15 ms rather than .20.
  constexpr int64_t kBlock = 256;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = begin + kBlock < n ? begin + kBlock : n;
    ask<4096, 4 * kBlock>(at + begin);
    int32_t bad = base > INT32_MAX ? 1 : 0;
    for (int64_t i = begin; i < end; ++i) bad |= (at[i] < low) | (at[i] > high);
    if (bad == 0) continue;
    for (int64_t i = begin; i < end; ++i)
      if (at[i] < base || at[i] > last) return i;
  }
  return n;
}

struct Replace {
  template <class T>
  UPS_MEMBER T of(T, T v) {
    return v;
  }
};
// The last of equals, as where nothing is compared.
template <class O>
struct Greatest {
  template <class T>
  UPS_MEMBER T of(T had, T v) {
    return O::wins(had, v) ? had : v;
  }
};
struct Sum {
  template <class T>
  UPS_MEMBER T of(T had, T v) {
    return had + v;
  }
};
// What any first value of a sum leaves as it is, -0 too.
struct NoSum {
  template <class T>
  UPS_MEMBER T of(T, T) {
    return -T(0);
  }
};

template <class T, class I, class How>
void scatter(void* out, const void* in, const void* index, int64_t n, int64_t inner, int64_t base,
             int64_t size) {
  T* o = static_cast<T*>(out);
  const T* v = static_cast<const T*>(in);
  const I* at = static_cast<const I*>(index);
  if (inner == 1) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t to = static_cast<int64_t>(at[i]) - base;
      if (static_cast<uint64_t>(to) < static_cast<uint64_t>(size)) o[to] = How::template of<T>(o[to], v[i]);
    }
    return;
  }
  for (int64_t i = 0; i < n; i += inner)
    for (int64_t c = 0; c < inner; ++c) {
      const int64_t to = static_cast<int64_t>(at[i + c]) - base;
      if (static_cast<uint64_t>(to) < static_cast<uint64_t>(size))
        o[to * inner + c] = How::template of<T>(o[to * inner + c], v[i + c]);
    }
}

template <class T, class I>
void scatter_sum(void* out, const void* in, const void* index, int64_t n, int64_t inner, int64_t base,
                 int64_t size) {
  scatter<T, I, NoSum>(out, in, index, n, inner, base, size);
  scatter<T, I, Sum>(out, in, index, n, inner, base, size);
}

// The low words of N indices.
template <int N, int... I>
UPS_INLINE typename VectorOf<int32_t, N>::type low_words(const int64_t* at, Indices<I...>) {
  const int32_t* words = reinterpret_cast<const int32_t*>(at);
  return __builtin_shufflevector((Pack<int32_t, N>::load(words)), (Pack<int32_t, N>::load(words + N)),
                                 (2 * I)...);
}
template <int N, int... I>
UPS_INLINE typename VectorOf<int32_t, N>::type low_words(const int32_t* at, Indices<I...>) {
  return Pack<int32_t, N>::load(at);
}

// v0 v0 v1 v1 …, from lane `half`·N/2 on.
template <int half, class V, int... I>
UPS_INLINE V twice(V v, Indices<I...>) {
  return __builtin_shufflevector(v, v, (half * static_cast<int>(sizeof...(I)) / 2 + I / 2)...);
}

// T stands for any element of its width: bits are moved.
template <class T, class V, class W>
UPS_INLINE void store_where(T* out, W chosen, V v) {
  enum : int { N = sizeof(V) / sizeof(T) };
  Pack<T, N>::store(out, __builtin_convertvector(chosen, V) != 0 ? v : V{});
}

// Indices were checked, and a plane has fewer than 2³¹ cells: differences of low words tell them apart.
UPS_INLINE bool strays(int32_t where, int32_t below) { return (where & ~1) != 0 && (where & ~1) != below; }

template <class T, class X>
UPS_INLINE bool one_by_one(T* a, T* b, const T* v, const X* at, int64_t n, int64_t step, int64_t inner,
                           int64_t base, int32_t below) {
  bool strayed = false;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t where = static_cast<int32_t>(static_cast<uint32_t>(at[i]) - static_cast<uint32_t>(base));
    strayed |= strays(where, below);
    a[0] = where == 0 ? v[i] : 0;
    a[inner] = where == 1 ? v[i] : 0;
    b[0] = where == below ? v[i] : 0;
    b[inner] = where == below + 1 ? v[i] : 0;
    a += step, b += step, base += inner == 1 ? 2 : 0;
  }
  return !strayed;
}

// One channel: indices and values are doubled in registers, and every cell takes its value where the index
// is its own.
template <class T, class X>
struct PairRow {
  enum : int { N = LANES * 4 / (sizeof(T) > 4 ? sizeof(T) : 4) };
  typedef typename VectorOf<int32_t, N>::type W;
  typedef typename VectorOf<T, N>::type V;
  typedef typename IndicesUpTo<N>::type All;
  struct Cells {
    W where, left, right;
    V value_left, value_right;
  };
  W corner, odd, odd_below;
  int32_t below;
  explicit PairRow(int64_t n) : below(static_cast<int32_t>(2 * n)) {
    for (int j = 0; j < N; ++j) corner[j] = 2 * j, odd[j] = j & 1;
    odd_below = odd + below;
  }
  // N values at v, of which the first has its 2x2 at index `base`.
  inline __attribute__((always_inline)) Cells cells(const T* v, const X* at, int64_t base) const {
    Cells c;
    c.where = low_words<N>(at, All()) - (corner + static_cast<int32_t>(base));
    c.left = twice<0>(c.where, All()), c.right = twice<1>(c.where, All());
    const V x = Pack<T, N>::load(v);
    c.value_left = twice<0>(x, All()), c.value_right = twice<1>(x, All());
    return c;
  }
  // A row of cells: `wanted` is odd or odd_below.
  UPS_MEMBER void put(T* row, const Cells& c, W wanted) {
    store_where(row, c.left == wanted, c.value_left);
    store_where(row + N, c.right == wanted, c.value_right);
  }
  // True where a value belongs to no cell of its own.
  inline __attribute__((always_inline)) W strays(W where) const {
    const W pair = where & ~1;
    return (pair != 0) & (pair != below);
  }
};

template <class W>
UPS_INLINE bool any(W v) {
  int32_t bits = 0;
  for (size_t j = 0; j < sizeof(W) / 4; ++j) bits |= v[j];
  return bits != 0;
}

// The cells of n values at v: the upper row of them, the lower one, or both. True where a value strays.
template <class T, class X>
UPS_INLINE auto row_of_pairs(const PairRow<T, X>& row, T* out, const T* v, const X* at, int64_t n,
                             int64_t base, bool upper, bool lower) {
  typedef PairRow<T, X> Row;
  enum : int { N = Row::N, BYTES = 2 * N * sizeof(T), AHEAD = 8192 };
  typename Row::W strayed{};
  for (int64_t i = 0;; i = i + 2 * N <= n ? i + N : n - N) {
    ask<AHEAD / 2, N * sizeof(T)>(v + i);
    ask<AHEAD / 2, N * sizeof(X)>(at + i);
    const auto cells = row.cells(v + i, at + i, base + 2 * i);
    T *above = out + 2 * i, *below = above + 2 * n;
    if (upper) {
      ask<AHEAD, BYTES>(above);
      Row::put(above, cells, row.odd);
      strayed |= row.strays(cells.where);
    }
    if (lower) {
      ask<AHEAD, BYTES>(below);
      Row::put(below, cells, row.odd_below);
    }
    if (i + N == n) break;
  }
  return strayed;
}

template <class T, class X>
bool two_by_two_rows(T* out, const T* v, const X* at, int64_t rows, int64_t n, int64_t base) {
  typedef PairRow<T, X> Row;
  bool all = true;
  if (n < Row::N) {
    for (int64_t r = 0; r < rows; ++r, out += 4 * n, v += n, at += n, base += 4 * n)
      all &= one_by_one(out, out + 2 * n, v, at, n, 2, 1, base, static_cast<int32_t>(2 * n));
    return all;
  }
  const Row row(n);
  typename Row::W strayed{};
  for (int64_t r = 0; r < rows; ++r, out += 4 * n, v += n, at += n, base += 4 * n) {
#if defined(__AVX2__)
    // One stream of stores is faster than two side by side, .42 ms rather than .46 for 16 MiB; without wide
    // permutes to double with, twice takes longer than that (.82 rather than .65).
    strayed |= row_of_pairs(row, out, v, at, n, base, true, false);
    row_of_pairs(row, out, v, at, n, base, false, true);
#else
    strayed |= row_of_pairs(row, out, v, at, n, base, true, true);
#endif
  }
  return !any(strayed);
}

// A vector also writes what the next ones overwrite; only the last rows are done value by value.
template <class T, class X>
bool short_two_by_two(void* out, const void* in, const void* index, int64_t planes, int64_t rows, int64_t n,
                      int64_t base, int64_t plane_stride) {
  typedef PairRow<T, X> Row;
  enum : int { N = Row::N };
  T* a = static_cast<T*>(out);
  const T* v = static_cast<const T*>(in);
  const X* at = static_cast<const X*>(index);
  const Row row(n);
  typename Row::W inside, strayed{};
  for (int j = 0; j < N; ++j) inside[j] = j < n ? -1 : 0;
  bool all = true;
  // Behind these rows there are a vector of values and two of cells.
  int64_t whole = planes * rows - (n < N ? (N - 1) / n : 0);
  for (int64_t p = 0; p < planes; ++p) {
    int64_t first = base + p * plane_stride;
    for (int64_t r = 0; r < rows; ++r, --whole, a += 4 * n, v += n, at += n, first += 4 * n) {
      if (whole <= 0) {
        all &= one_by_one(a, a + 2 * n, v, at, n, 2, 1, first, row.below);
        continue;
      }
      const auto cells = row.cells(v, at, first);
      Row::put(a, cells, row.odd);
      Row::put(a + 2 * n, cells, row.odd_below);
      strayed |= row.strays(cells.where) & inside;
    }
  }
  return all && !any(strayed);
}

template <class T, class X>
bool two_by_two_pixels(T* a, T* b, const T* v, const X* at, int64_t n, int64_t inner, int64_t base) {
  enum : int { N = LANES * 4 / (sizeof(T) > 4 ? sizeof(T) : 4) };
  typedef typename VectorOf<int32_t, N>::type W;
  typedef typename IndicesUpTo<N>::type All;
  const int32_t below = static_cast<int32_t>(2 * n);
  W strayed{};
  bool all = true;
  for (int64_t x = 0; x < n; ++x, base += 2, a += 2 * inner, b += 2 * inner, v += inner, at += inner) {
    if (inner < N) {
      all &= one_by_one(a, b, v, at, inner, 1, inner, base, below);
      continue;
    }
    for (int64_t c = 0;; c = c + 2 * N <= inner ? c + N : inner - N) {
      ask<2048, N * sizeof(T)>(v + c);
      ask<2048, N * sizeof(X)>(at + c);
      ask<4096, N * sizeof(T)>(a + c);
      ask<4096, N * sizeof(T)>(a + inner + c);
      ask<4096, N * sizeof(T)>(b + c);
      ask<4096, N * sizeof(T)>(b + inner + c);
      const W where = low_words<N>(at + c, All()) - static_cast<int32_t>(base);
      const W pair = where & ~1;
      strayed |= (pair != 0) & (pair != below);
      const auto value = Pack<T, N>::load(v + c);
      store_where(a + c, where == 0, value);
      store_where(a + inner + c, where == 1, value);
      store_where(b + c, where == below, value);
      store_where(b + inner + c, where == below + 1, value);
      if (c + N == inner) break;
    }
  }
  return all && !any(strayed);
}

template <class T, class X>
bool two_by_two(void* out, const void* in, const void* index, int64_t rows, int64_t n, int64_t inner,
                int64_t base) {
  T* o = static_cast<T*>(out);
  const T* v = static_cast<const T*>(in);
  const X* at = static_cast<const X*>(index);
  if (inner == 1) return two_by_two_rows<T, X>(o, v, at, rows, n, base);
  bool all = true;
  for (int64_t r = 0; r < rows; ++r, o += 4 * n * inner, v += n * inner, at += n * inner, base += 4 * n)
    all &= two_by_two_pixels<T, X>(o, o + 2 * n * inner, v, at, n, inner, base);
  return all;
}

template <class T>
void fill_width(MaxUnpoolKernels* kernels, int slot) {
  kernels->scatter[slot][0] = scatter<T, int32_t, Replace>;
  kernels->scatter[slot][1] = scatter<T, int64_t, Replace>;
  kernels->two_by_two[slot][0] = two_by_two<T, int32_t>;
  kernels->two_by_two[slot][1] = two_by_two<T, int64_t>;
  kernels->short_two_by_two[slot][0] = short_two_by_two<T, int32_t>;
  kernels->short_two_by_two[slot][1] = short_two_by_two<T, int64_t>;
}

}  // namespace

void fill_max_unpool2d(MaxUnpoolKernels* kernels) {
  kernels->check[0] = check<int32_t>;
  kernels->check[1] = check<int64_t>;
  fill_width<int8_t>(kernels, 0);
  fill_width<int16_t>(kernels, 1);
  fill_width<int32_t>(kernels, 2);
  fill_width<int64_t>(kernels, 3);
#define UPS_FILL(type, order)                                                        \
  kernels->scatter_max[type][0] = scatter<order::Element, int32_t, Greatest<order>>; \
  kernels->scatter_max[type][1] = scatter<order::Element, int64_t, Greatest<order>>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
  kernels->scatter_sum[F32][0] = scatter_sum<float, int32_t>;
  kernels->scatter_sum[F32][1] = scatter_sum<float, int64_t>;
  kernels->scatter_sum[F64][0] = scatter_sum<double, int32_t>;
  kernels->scatter_sum[F64][1] = scatter_sum<double, int64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
