// Rows woven into one by permutes in registers, for 2 to 8 and 16 rows; element by element for other counts.
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

// Two and four rows, by vectors of all bytes of a register whatever the type.
template <class T>
struct Turn<T, 2> {
  typedef Lanes<T> L;
  typedef typename L::V V;
  enum : int { N = L::N };
  V low, high, even, odd;
  // Element i of `low` weaves the first halves of two vectors, and so on.
  Turn() {
    for (int i = 0; i < N; ++i) {
      low[i] = static_cast<T>(i / 2 + (i % 2) * N);
      high[i] = static_cast<T>(N / 2 + i / 2 + (i % 2) * N);
      even[i] = static_cast<T>(2 * i);
      odd[i] = static_cast<T>(2 * i + 1);
    }
  }
  inline __attribute__((always_inline)) void weave(T* o, const T* const* r, int64_t i) const {
    const V a = L::load(r[0] + i), b = L::load(r[1] + i);
    L::store(o + 2 * i, __builtin_shuffle(a, b, low));
    L::store(o + 2 * i + N, __builtin_shuffle(a, b, high));
  }
  inline __attribute__((always_inline)) void unravel(T* const* r, const T* x, int64_t i) const {
    const V a = L::load(x + 2 * i), b = L::load(x + 2 * i + N);
    L::store(r[0] + i, __builtin_shuffle(a, b, even));
    L::store(r[1] + i, __builtin_shuffle(a, b, odd));
  }
};
template <class T>
struct Turn<T, 4> : Turn<T, 2> {
  typedef Lanes<T> L;
  typedef typename L::V V;
  enum : int { N = L::N };
  inline __attribute__((always_inline)) void weave(T* o, const T* const* r, int64_t i) const {
    const V a = L::load(r[0] + i), b = L::load(r[1] + i), c = L::load(r[2] + i), d = L::load(r[3] + i);
    const V ac0 = __builtin_shuffle(a, c, this->low), ac1 = __builtin_shuffle(a, c, this->high);
    const V bd0 = __builtin_shuffle(b, d, this->low), bd1 = __builtin_shuffle(b, d, this->high);
    L::store(o + 4 * i, __builtin_shuffle(ac0, bd0, this->low));
    L::store(o + 4 * i + N, __builtin_shuffle(ac0, bd0, this->high));
    L::store(o + 4 * i + 2 * N, __builtin_shuffle(ac1, bd1, this->low));
    L::store(o + 4 * i + 3 * N, __builtin_shuffle(ac1, bd1, this->high));
  }
  inline __attribute__((always_inline)) void unravel(T* const* r, const T* x, int64_t i) const {
    const V a = L::load(x + 4 * i), b = L::load(x + 4 * i + N);
    const V c = L::load(x + 4 * i + 2 * N), d = L::load(x + 4 * i + 3 * N);
    const V even0 = __builtin_shuffle(a, b, this->even), odd0 = __builtin_shuffle(a, b, this->odd);
    const V even1 = __builtin_shuffle(c, d, this->even), odd1 = __builtin_shuffle(c, d, this->odd);
    L::store(r[0] + i, __builtin_shuffle(even0, even1, this->even));
    L::store(r[1] + i, __builtin_shuffle(odd0, odd1, this->even));
    L::store(r[2] + i, __builtin_shuffle(even0, even1, this->odd));
    L::store(r[3] + i, __builtin_shuffle(odd0, odd1, this->odd));
  }
};

// COUNT vectors into COUNT where COUNT is no power of two: each result is gathered from one vector after the
// other. WEAVE: lane l of result R is element (R·N + l) / COUNT of vector (R·N + l) % COUNT; else element
// (l·COUNT + R) % N of vector (l·COUNT + R) / N.
template <class T, int COUNT>
struct Chain {
  enum : int { N = sizeof(T) < 4 ? 16 / static_cast<int>(sizeof(T)) : int{Lanes<T>::N} };
  typedef Pack<T, N> P;
  typedef typename P::V V;
  typedef typename IndicesUpTo<N>::type All;
  template <bool WEAVE, int R>
  static constexpr int vector(int l) {
    return WEAVE ? (R * N + l) % COUNT : (l * COUNT + R) / N;
  }
  template <bool WEAVE, int R>
  static constexpr int element(int l) {
    return WEAVE ? (R * N + l) / COUNT : (l * COUNT + R) % N;
  }
  template <bool WEAVE, int R, int K, int... I>
  UPS_MEMBER V take(V had, const V* x, Indices<I...> all) {
    const V v = __builtin_shufflevector(had, x[K],
                                        (vector<WEAVE, R>(I) == K             ? N + element<WEAVE, R>(I)
                                         : K == 1 && vector<WEAVE, R>(I) == 0 ? element<WEAVE, R>(I)
                                                                              : I)...);
    if constexpr (K + 1 < COUNT)
      return take<WEAVE, R, K + 1>(v, x, all);
    else
      return v;
  }
  template <int R>
  UPS_MEMBER void put_woven(T* out, const V* x) {
    P::store(out + R * N, take<true, R, 1>(x[0], x, All()));
    if constexpr (R + 1 < COUNT) put_woven<R + 1>(out, x);
  }
  template <int R>
  UPS_MEMBER void put_unravelled(T* const* rows, int64_t i, const V* x) {
    P::store(rows[R] + i, take<false, R, 1>(x[0], x, All()));
    if constexpr (R + 1 < COUNT) put_unravelled<R + 1>(rows, i, x);
  }
  UPS_MEMBER void weave(T* out, const T* const* rows, int64_t i) {
    V x[COUNT];
#pragma GCC unroll 8
    for (int k = 0; k < COUNT; ++k) x[k] = P::load(rows[k] + i);
    put_woven<0>(out + i * COUNT, x);
  }
  UPS_MEMBER void unravel(T* const* rows, const T* in, int64_t i) {
    V x[COUNT];
#pragma GCC unroll 8
    for (int k = 0; k < COUNT; ++k) x[k] = P::load(in + i * COUNT + k * N);
    put_unravelled<0>(rows, i, x);
  }
};

template <bool FIRST, class A, class B>
struct Choice {
  typedef A type;
};
template <class A, class B>
struct Choice<false, A, B> {
  typedef B type;
};
template <class T, int COUNT>
struct Turner {
  enum : bool { POWER = (COUNT & (COUNT - 1)) == 0 };
  typedef typename Choice<POWER, Turn<T, COUNT>, Chain<T, COUNT>>::type type;
};

// Blocks of N of n elements, the last of which reaches back; one that is written beyond n where n is less.
template <int N, class Body>
UPS_INLINE void blocks(int64_t n, const Body& body) {
  for (int64_t i = 0;; i = i + 2 * N <= n ? i + N : n - N) {
    body(i);
    if (i + N >= n) break;
  }
}

// In steps short enough that the rows' cache lines are still there for the next row.
enum : int64_t { STEP = 256 };
template <class T>
UPS_INLINE void interleave_singly(T* __restrict o, const T* const* r, int64_t from, int64_t count,
                                  int64_t n) {
  for (int64_t i = 0; i < n; i += STEP) {
    const int64_t end = i + STEP < n ? i + STEP : n;
    for (int64_t k = 0; k < count; ++k)
      for (int64_t j = i; j < end; ++j) o[j * count + k] = r[k][from + j];
  }
}
template <class T>
UPS_INLINE void deinterleave_singly(T* const* r, const T* __restrict x, int64_t from, int64_t count,
                                    int64_t n) {
  for (int64_t i = 0; i < n; i += STEP) {
    const int64_t end = i + STEP < n ? i + STEP : n;
    for (int64_t k = 0; k < count; ++k)
      for (int64_t j = i; j < end; ++j) r[k][from + j] = x[j * count + k];
  }
}

template <int N>
struct Count {
  enum : int { COUNT = N };
};
// Calls body with a Count where there is code for that many rows; false where there is none.
template <class Body>
UPS_INLINE bool by_count(int64_t count, const Body& body) {
  switch (count) {
    case 2:
      return body(Count<2>()), true;
    case 3:
      return body(Count<3>()), true;
    case 4:
      return body(Count<4>()), true;
    case 5:
      return body(Count<5>()), true;
    case 6:
      return body(Count<6>()), true;
    case 7:
      return body(Count<7>()), true;
    case 8:
      return body(Count<8>()), true;
    case 16:
      return body(Count<16>()), true;
  }
  return false;
}

template <class T, int COUNT>
void weave_sets(T* out, const T* const* rows, int64_t n, int64_t sets, int64_t height, const T* out_end,
                const T* in_end) {
  typedef typename Turner<T, COUNT>::type Body;
  enum : int { N = Body::N };
  const Body body{};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t s = 0; s < sets; ++s, out += n * COUNT) {
      const T* r[COUNT];
#pragma GCC unroll 16
      for (int k = 0; k < COUNT; ++k) r[k] = rows[s * COUNT + k] + y * n;
      // Of short rows the vector is written whole: what follows them is overwritten by the next ones.
      if (n < N && (out + N * COUNT > out_end || r[COUNT - 1] + N > in_end))
        interleave_singly(out, r, 0, COUNT, n);
      else
        blocks<N>(n, [&](int64_t i) __attribute__((always_inline)) {
          ask_ahead<COUNT * N* static_cast<int>(sizeof(T))>(out + i * COUNT);
          body.weave(out, r, i);
        });
    }
}

template <class T>
void interleave_sets(void* out, const void* const* rows, int64_t count, int64_t n, int64_t sets,
                     int64_t height, const void* out_end, const void* in_end) {
  T* o = static_cast<T*>(out);
  const T* const* r = reinterpret_cast<const T* const*>(rows);
  const T *o_end = static_cast<const T*>(out_end), *i_end = static_cast<const T*>(in_end);
  const bool done = by_count(count, [&](auto c) __attribute__((always_inline)) {
    weave_sets<T, decltype(c)::COUNT>(o, r, n, sets, height, o_end, i_end);
  });
  if (done) return;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t s = 0; s < sets; ++s, o += n * count) interleave_singly(o, r + s * count, y * n, count, n);
}

template <class T>
void interleave(void* out, const void* const* rows, int64_t count, int64_t n) {
  interleave_sets<T>(out, rows, count, n, 1, 1, nullptr, nullptr);
}

template <class T, int COUNT>
void unravel_sets(T* const* rows, const T* in, int64_t n, int64_t sets, int64_t height, const T* in_end) {
  typedef typename Turner<T, COUNT>::type Body;
  enum : int { N = Body::N };
  const Body body{};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t s = 0; s < sets; ++s, in += n * COUNT) {
      T* r[COUNT];
#pragma GCC unroll 16
      for (int k = 0; k < COUNT; ++k) r[k] = rows[s * COUNT + k] + y * n;
      if (n < N && ((height - y) * n < N || in + N * COUNT > in_end))
        deinterleave_singly(r, in, 0, COUNT, n);
      else
        blocks<N>(n, [&](int64_t i) __attribute__((always_inline)) { body.unravel(r, in, i); });
    }
}

template <class T>
void deinterleave_sets(void* const* rows, const void* in, int64_t count, int64_t n, int64_t sets,
                       int64_t height, const void* in_end) {
  const T *x = static_cast<const T*>(in), *end = static_cast<const T*>(in_end);
  T* const* r = reinterpret_cast<T* const*>(rows);
  const bool done = by_count(count, [&](auto c) __attribute__((always_inline)) {
    unravel_sets<T, decltype(c)::COUNT>(r, x, n, sets, height, end);
  });
  if (done) return;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t s = 0; s < sets; ++s, x += n * count) deinterleave_singly(r + s * count, x, y * n, count, n);
}

template <class T>
void deinterleave(void* const* rows, const void* in, int64_t count, int64_t n) {
  deinterleave_sets<T>(rows, in, count, n, 1, 1, nullptr);
}

#if defined(__AVX2__)  // permutes by index vectors: pixelShuffle by 3 of 27 channels last .013 ms rather than
                       // .080
// Vectors of the results of a permute, each gathered from up to SOURCES vectors, `put` from an index of an
// element to where it is in those. Several pixels are taken together where they are small.
template <class Body>
UPS_INLINE void permute_groups(typename Body::Element* out, const typename Body::Element* in,
                               const int32_t* from, int64_t length, int64_t n) {
  typedef typename Body::Element T;
  enum : int { N = Body::N, SOURCES = Body::SOURCES };
  const int64_t together = 2 * N > length ? 2 * N / length : 1, total = together * length;
  const int64_t results = (total + N - 1) / N;
  Body body;
  for (int64_t e = 0; e < results * N; ++e)
    body.put(e, e < total ? e / length * length + from[e % length] : 0);
  // Vectors reach beyond a group: what they write there is overwritten by the next one.
  const int64_t end = n * length, reach = SOURCES * N;
  int64_t i = 0;
  for (; i + reach <= end; i += total) body.group(out + i, in + i, results);
  for (; i < end; i += total) {
    const int64_t left = end - i < total ? end - i : total;
    T source[SOURCES * N], result[SOURCES * N];
    for (int64_t e = 0; e < SOURCES * N; ++e) source[e] = e < left ? in[i + e] : T(0);
    body.group(result, source, results);
    for (int64_t e = 0; e < left; ++e) out[i + e] = result[e];
  }
}

template <int PAIRS>
struct PermutedWords {
  typedef uint32_t Element;
  enum : int { N = LANES, SOURCES = 2 * PAIRS };
  typedef Pack<uint32_t, N> P;
  typedef typename P::V V;
  V index[SOURCES], pair[SOURCES];  // of each result: where in a pair of vectors, which pair
  void put(int64_t e, int64_t at) {
    index[e / N][e % N] = static_cast<uint32_t>(at % (2 * N));
    pair[e / N][e % N] = static_cast<uint32_t>(at / (2 * N));
  }
  inline __attribute__((always_inline)) void group(uint32_t* out, const uint32_t* in, int64_t results) const {
    V x[SOURCES];
#pragma GCC unroll 8
    for (int s = 0; s < SOURCES; ++s) x[s] = P::load(in + s * N);
    for (int64_t r = 0; r < results; ++r) {
      V v = __builtin_shuffle(x[0], x[1], index[r]);
#pragma GCC unroll 4
      for (int p = 1; p < PAIRS; ++p)
        v = pair[r] == V{} + static_cast<uint32_t>(p) ? __builtin_shuffle(x[2 * p], x[2 * p + 1], index[r])
                                                      : v;
      P::store(out + r * N, v);
    }
  }
};

// Of elements of 1 and 2 bytes, byte by byte.
template <int COUNT>
struct PermutedBytes {
  typedef uint8_t Element;
  enum : int { N = 16, SOURCES = COUNT };
  typedef char V __attribute__((vector_size(16)));
  V index[SOURCES][SOURCES];  // of each result, in each source; elsewhere negative
  void put(int64_t e, int64_t at) {
    for (int s = 0; s < SOURCES; ++s) index[e / N][s][e % N] = static_cast<char>(at / N == s ? at % N : -1);
  }
  inline __attribute__((always_inline)) void group(uint8_t* out, const uint8_t* in, int64_t results) const {
    V x[SOURCES];
#pragma GCC unroll 8
    for (int s = 0; s < SOURCES; ++s) __builtin_memcpy(&x[s], in + s * N, N);
    for (int64_t r = 0; r < results; ++r) {
      V v = __builtin_ia32_pshufb128(x[0], index[r][0]);
#pragma GCC unroll 8
      for (int s = 1; s < SOURCES; ++s) v |= __builtin_ia32_pshufb128(x[s], index[r][s]);
      __builtin_memcpy(out + r * N, &v, N);
    }
  }
};

void permute_words(void* out, const void* in, const int32_t* from, int64_t length, int64_t n) {
  uint32_t* to = static_cast<uint32_t*>(out);
  const uint32_t* x = static_cast<const uint32_t*>(in);
  if (length <= 2 * LANES) return permute_groups<PermutedWords<1>>(to, x, from, length, n);
  if (length <= 4 * LANES) return permute_groups<PermutedWords<2>>(to, x, from, length, n);
  permute_groups<PermutedWords<4>>(to, x, from, length, n);
}

template <int SIZE>
void permute_bytes(void* out, const void* in, const int32_t* from, int64_t length, int64_t n) {
  uint8_t* to = static_cast<uint8_t*>(out);
  const uint8_t* x = static_cast<const uint8_t*>(in);
  int32_t bytes[128];
  for (int64_t e = 0; e < length; ++e)
    for (int b = 0; b < SIZE; ++b) bytes[e * SIZE + b] = from[e] * SIZE + b;
  if (length * SIZE <= 32) return permute_groups<PermutedBytes<2>>(to, x, bytes, length * SIZE, n);
  if (length * SIZE <= 64) return permute_groups<PermutedBytes<4>>(to, x, bytes, length * SIZE, n);
  permute_groups<PermutedBytes<8>>(to, x, bytes, length * SIZE, n);
}
#endif

template <int WIDTH>
UPS_INLINE void copy(char* to, const char* from) {
  char bytes[WIDTH];
  __builtin_memcpy(bytes, from, WIDTH);
  __builtin_memcpy(to, bytes, WIDTH);
}

// Runs of at most WIDTH bytes, in order, as so many: what is written behind a run is overwritten by the next.
template <int WIDTH>
void copy_short_runs(char* out, const char* in, int64_t bytes, int64_t n, int64_t rows, int64_t out_step,
                     int64_t out_row, int64_t in_step, int64_t in_row) {
  const int64_t last = (WIDTH - 1) / bytes;
  for (int64_t x = 0; x < n; ++x, out += out_step, in += in_step)
    for (int64_t i = 0; i < rows; ++i) {
      char* to = out + i * out_row;
      const char* from = in + i * in_row;
      if (__builtin_expect(x + last < n, 1))
        copy<WIDTH>(to, from);
      else
        for (int64_t b = 0; b < bytes; ++b) to[b] = from[b];
    }
}

void copy_runs(void* out, const void* in, int64_t bytes, int64_t n, int64_t rows, int64_t out_step,
               int64_t out_row, int64_t in_step, int64_t in_row) {
  enum : int { WIDE = LANES * 4 };
  char* to = static_cast<char*>(out);
  const char* from = static_cast<const char*>(in);
  if (bytes <= 8) return copy_short_runs<8>(to, from, bytes, n, rows, out_step, out_row, in_step, in_row);
  if (bytes <= 16) return copy_short_runs<16>(to, from, bytes, n, rows, out_step, out_row, in_step, in_row);
  if (bytes <= 32 && WIDE >= 32)
    return copy_short_runs<32>(to, from, bytes, n, rows, out_step, out_row, in_step, in_row);
  if (bytes <= WIDE)
    return copy_short_runs<WIDE>(to, from, bytes, n, rows, out_step, out_row, in_step, in_row);
  for (int64_t x = 0; x < n; ++x, to += out_step, from += in_step)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t b = 0; b < bytes; b += WIDE) {
        if (b + WIDE > bytes) b = bytes - WIDE;
        copy<WIDE>(to + i * out_row + b, from + i * in_row + b);
      }
}

}  // namespace

void fill_interleave(InterleaveKernels* k) {
  k->interleave[0] = interleave<uint8_t>;
  k->interleave[1] = interleave<uint16_t>;
  k->interleave[2] = interleave<uint32_t>;
  k->interleave[3] = interleave<uint64_t>;
  k->interleave_sets[0] = interleave_sets<uint8_t>;
  k->interleave_sets[1] = interleave_sets<uint16_t>;
  k->interleave_sets[2] = interleave_sets<uint32_t>;
  k->interleave_sets[3] = interleave_sets<uint64_t>;
  k->deinterleave_sets[0] = deinterleave_sets<uint8_t>;
  k->deinterleave_sets[1] = deinterleave_sets<uint16_t>;
  k->deinterleave_sets[2] = deinterleave_sets<uint32_t>;
  k->deinterleave_sets[3] = deinterleave_sets<uint64_t>;
  k->deinterleave[0] = deinterleave<uint8_t>;
  k->deinterleave[1] = deinterleave<uint16_t>;
  k->deinterleave[2] = deinterleave<uint32_t>;
  k->deinterleave[3] = deinterleave<uint64_t>;
  for (int i = 0; i < 3; ++i) k->permute[i] = nullptr, k->most_permuted[i] = 0;
#if defined(__AVX2__)
  k->permute[0] = permute_bytes<1>;
  k->permute[1] = permute_bytes<2>;
  k->permute[2] = permute_words;
  k->most_permuted[0] = 128;
  k->most_permuted[1] = 64;
  k->most_permuted[2] = 8 * LANES;
#endif
  k->copy_runs = copy_runs;
}

}  // namespace UPS_ISA
}  // namespace upsampling
