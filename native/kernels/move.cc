// Leaves that move elements without looking at them.
#include "kernels/move.h"

#include "kernels/gather.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// A pixel as a word: of several elements it is aligned to those only.
template <class T>
struct Word {
  typedef T type __attribute__((aligned(1), may_alias));
};

template <class T>
__attribute__((noinline)) void gather(void* out, const void* in, const int32_t* index, int64_t n, int64_t) {
  typedef typename Word<T>::type W;
  W* __restrict o = static_cast<W*>(out);
  const W* __restrict x = static_cast<const W*>(in);
  for (int64_t i = 0; i < n; ++i) o[i] = x[index[i]];
}

// Outputs whose inputs lie within a few vectors are picked from these in registers.
void gather_words(void* out, const void* in, const int32_t* index, int64_t n, int64_t in_size) {
  int64_t i = 0;
  // Nearest 1.5x of 16x100x100: vectors of 16 45 us rather than 105, of 8 50 rather than 140; those of 4 have
  // no permute by lanes that are not known ahead. 16x256x256 to 64x64 0.09 ms rather than 0.14 one by one.
#if UPS_LANES > 4
  auto* o = static_cast<float*>(out);
  const auto* x = static_cast<const float*>(in);
  for (; i < n && n >= LANES && in_size >= LANES; i += LANES) {
    if (i + LANES > n) i = n - LANES;
    const int64_t first = index[i], last = index[i + LANES - 1];
    const int64_t base = first < in_size - LANES ? first : in_size - LANES, left = in_size - base;
    const int64_t vectors = (last - base) / LANES + 1;
    const auto from = [&](auto window) __attribute__((always_inline)) {
      constexpr int WINDOW = decltype(window)::SIZE;
      const vi lane = load(index + i) - (WINDOW > 0 ? static_cast<int32_t>(base) : 0);
      store(o + i, pick<WINDOW>(x, Window<WINDOW>::at(x + base), lane));
    };
    if (vectors == 1)
      from(Window<1>{});
    else if (vectors == 2 && left >= 2 * LANES)
      from(Window<2>{});
    else if (LANES == 16 && vectors <= 4 && left >= 4 * LANES)
      from(Window<4>{});
    else
      from(Window<0>{});
  }
#endif
  if (i < n) gather<uint32_t>(static_cast<char*>(out) + 4 * i, in, index + i, n - i, in_size);
}

template <int BYTES>
struct Bytes {
  typedef typename VectorOf<uint8_t, BYTES>::memory V;
};

enum : int { VECTOR = LANES * 4 };

template <class V>
UPS_INLINE void put(char* out, V v) {
  typedef typename VectorOf<uint8_t, sizeof(V)>::memory M;
  *reinterpret_cast<M*>(out) = reinterpret_cast<M>(v);
}

// The masks of permutes that double every element: of the first half of a vector, and of the second.
template <class T, int SIZE>
struct Doubling {
  enum : int { BYTES = SIZE, N = SIZE / sizeof(T) };
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<T, N>::memory M;
  V low, high;
  Doubling() {
    for (int i = 0; i < N; ++i) {
      low[i] = static_cast<T>(i / 2);
      high[i] = static_cast<T>(N / 2 + i / 2);
    }
  }
};

// n at least a vector: the last one reaches back.
template <class T, int FACTOR, int SIZE>
void repeat_vectors(typename Word<T>::type* out, const typename Word<T>::type* in, int64_t n, int64_t rows,
                    int64_t copies) {
  typedef Doubling<T, SIZE> D;
  const D d;
  const auto vector = [&](int64_t i) __attribute__((always_inline)) {
    const typename D::V v = *reinterpret_cast<const typename D::M*>(in + i);
    const typename D::V a = __builtin_shuffle(v, d.low), b = __builtin_shuffle(v, d.high);
    char* to = reinterpret_cast<char*>(out + i * FACTOR);
    ask_ahead<FACTOR * SIZE>(to);
    if (FACTOR == 2) {
      put(to, a);
      put(to + SIZE, b);
    } else {
      put(to, __builtin_shuffle(a, d.low));
      put(to + SIZE, __builtin_shuffle(a, d.high));
      put(to + 2 * SIZE, __builtin_shuffle(b, d.low));
      put(to + 3 * SIZE, __builtin_shuffle(b, d.high));
    }
  };
  for (int64_t r = 0; r < rows; ++r, in += n)
    for (int64_t c = 0; c < copies; ++c, out += n * FACTOR) {
      int64_t i = 0;
      for (; i + D::N <= n; i += D::N) vector(i);
      if (i < n) vector(n - D::N);
    }
}

template <class T, int FACTOR>
void repeat(void* out, const void* in, int64_t n, int64_t rows, int64_t copies) {
  typedef typename Word<T>::type W;
  W* to = static_cast<W*>(out);
  const W* from = static_cast<const W*>(in);
  // Bytes and pairs of bytes are permuted within 16 bytes, which every instruction set can.
  enum : int { MOST = sizeof(T) < 4 ? 16 : VECTOR, HALF = MOST < 32 ? 16 : MOST / 2, SIZE = sizeof(T) };
  if (n >= MOST / SIZE) return repeat_vectors<T, FACTOR, MOST>(to, from, n, rows, copies);
  if constexpr (HALF < MOST)
    if (n >= HALF / SIZE) return repeat_vectors<T, FACTOR, HALF>(to, from, n, rows, copies);
  if constexpr (HALF > 16)
    if (n >= 16 / SIZE) return repeat_vectors<T, FACTOR, 16>(to, from, n, rows, copies);
  for (int64_t r = 0; r < rows; ++r, from += n)
    for (int64_t c = 0; c < copies; ++c, to += n * FACTOR)
      for (int64_t i = 0; i < n; ++i)
        for (int f = 0; f < FACTOR; ++f) to[i * FACTOR + f] = from[i];
}

// Pixels of at least a vector of V: whole vectors, the last one overlapping. Where ALIGNED the first one is
// overlapped too, by others that are written to whole lines.
template <class V, bool ALIGNED = false>
UPS_INLINE void spread_vectors(char* out, const char* in, const int32_t* index, int64_t n, int64_t bytes) {
  enum : int64_t { SIZE = sizeof(V) };
  for (int64_t o = 0; o < n; ++o, out += bytes) {
    const char* from = in + index[o] * bytes;
    const auto vector = [&](int64_t b) __attribute__((always_inline)) {
      ask_ahead<SIZE>(out + b);
      put(out + b, *reinterpret_cast<const V*>(from + b));
    };
    vector(0);
    int64_t b = ALIGNED ? SIZE - static_cast<int64_t>(reinterpret_cast<uintptr_t>(out) % SIZE) : SIZE;
    for (; b + SIZE <= bytes; b += SIZE) vector(b);
    if (b < bytes) vector(bytes - SIZE);
  }
}

template <int BYTES>
UPS_INLINE void spread_fixed(char* out, const char* in, const int32_t* index, int64_t n) {
  for (int64_t o = 0; o < n; ++o, out += BYTES) __builtin_memcpy(out, in + int64_t{index[o]} * BYTES, BYTES);
}

void spread(void* out, const void* in, const int32_t* index, int64_t n, int64_t bytes) {
  char* o = static_cast<char*>(out);
  const char* x = static_cast<const char*>(in);
  typedef Bytes<VECTOR>::V V;
  if (bytes >= 4 * VECTOR) return spread_vectors<V, true>(o, x, index, n, bytes);
  if (bytes >= VECTOR) return spread_vectors<V>(o, x, index, n, bytes);
  if (bytes >= 32) return spread_vectors<Bytes<32>::V>(o, x, index, n, bytes);
  if (bytes >= 16) return spread_vectors<Bytes<16>::V>(o, x, index, n, bytes);
  if (bytes == 3) return spread_fixed<3>(o, x, index, n);
  if (bytes == 6) return spread_fixed<6>(o, x, index, n);
  if (bytes == 12) return spread_fixed<12>(o, x, index, n);
  for (int64_t p = 0; p < n; ++p, o += bytes)
    for (int64_t b = 0; b < bytes; ++b) o[b] = x[index[p] * bytes + b];
}

}  // namespace

void fill_move(MoveKernels* k) {
  k->gather[0] = gather<uint8_t>;
  k->gather[1] = gather<uint16_t>;
  k->gather[2] = gather_words;
  k->gather[3] = gather<uint64_t>;
  k->repeat[0][0] = repeat<uint8_t, 2>;
  k->repeat[0][1] = repeat<uint8_t, 4>;
  k->repeat[1][0] = repeat<uint16_t, 2>;
  k->repeat[1][1] = repeat<uint16_t, 4>;
  k->repeat[2][0] = repeat<uint32_t, 2>;
  k->repeat[2][1] = repeat<uint32_t, 4>;
  k->repeat[3][0] = repeat<uint64_t, 2>;
  k->repeat[3][1] = repeat<uint64_t, 4>;
  k->spread = spread;
}

}  // namespace UPS_ISA
}  // namespace upsampling
