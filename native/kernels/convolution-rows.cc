// Tiles of channels last: outputs of some pixels, whose sums stay in registers while all products are added.
// Inputs are read where they are, weights are packed, vectors hold outputs.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/some.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Pixels of a tile of many outputs; and of one whose taps slide: beside their sums registers hold the weights
// of kSlide taps and an input. (3x3 of 16 channels: 196 GFLOP/s with 14 pixels, 181 with 8.)
enum : int { WIDE = LANES > 4 ? 6 : 4, SLIDE = LANES == 16 ? 14 : 10 };

// Pixels of a tile of one vector, and of three. With fewer than eight sums in registers each waits for
// itself, and pixels are read once for three: 1x1 64->21 of 256x256 takes 2.16 ms rather than 2.47 on AVX2.
// AVX-512 has registers for enough sums of one vector and of two.
enum : int { SINGLE = LANES == 16 ? TILE : 2 * TILE, TRIPLE = LANES == 16 ? 0 : 4 };

// A vector, or only so many of its first columns.
UPS_INLINE vf load_columns(const float* p, int64_t some) {
  return some == 0 ? load(p) : load_some(p, first_lanes(some));
}
UPS_INLINE void store_columns(float* p, vf v, int64_t some) {
  if (some == 0)
    store(p, v);
  else
    store_some(p, v, first_lanes(some));
}
UPS_INLINE vd load_columns(const double* p, int64_t) { return load(p); }
UPS_INLINE void store_columns(double* p, vd v, int64_t) { store(p, v); }

// Vector u of a tile: of three, the last two are those of the next block, `next` further on.
template <int NV, int L>
UPS_INLINE int64_t place_of(int u, int64_t next) {
  return NV == 3 && u > 0 ? next + (u - 1) * L : u * L;
}

// Channels i … i + S of a tap, each of them to sums of its own; FAR: weights come from the second-level
// cache.
template <bool FAR, class T, int S, int B, int NV, class V>
UPS_INLINE void rows_step(V (&acc)[S][B][NV], const T* const (&base)[(B + 2) / 3], int64_t row, int64_t i,
                          const T* w, int64_t next) {
  enum : int { L = Simd<T>::L, LINE = 64 / sizeof(T) };
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s) {
    V x[NV];
#pragma GCC unroll 3
    for (int u = 0; u < NV; ++u) {
      const T* from = w + 2 * s * L + place_of<NV, L>(u, next);
      if (FAR && (NV == 3 ? u < 2 : u * L % LINE == 0)) __builtin_prefetch(from + 64 * L);
      x[u] = load(from);
    }
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      const V y = splat(base[j / 3][j % 3 * row + i + s]);
#pragma GCC unroll 3
      for (int u = 0; u < NV; ++u) acc[s][j][u] += y * x[u];
    }
  }
}

template <bool AHEAD, class T, int NV, int B>
UPS_INLINE void rows_tiles(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum,
                           const T* bias) {
  typedef typename Simd<T>::V V;
  // Of few sums some channels at a time: a single one waits for itself.
  enum : int { L = Simd<T>::L, S = NV * B <= 2 ? 4 : NV * B < 8 ? 2 : 1, LINE = 64 / sizeof(T) };
  // A single vector and its pixels are as many loads as products: one more would be waited for.
  constexpr bool FAR = NV > 1 || S > 1;
  const int64_t taps = sum->taps, channels = sum->channels, next_block = sum->next;
  const int64_t column[3] = {0, NV == 3 ? int64_t{L} : sum->second, L + sum->second};
  const int64_t some = NV == 1 ? sum->some : 0;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, b += sum->v_step) {
    // 1x1 64->512 of 56x56 takes 4.3 ms rather than 5.4.
    if (sum->asks)
#pragma GCC unroll 16
      for (int j = 0; j < B; ++j)
#pragma GCC unroll 3
        for (int u = 0; u < NV; ++u) __builtin_prefetch(c + j * pixel + column[u], 1);
    V acc[S][B][NV];
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 3
      for (int u = 0; u < NV; ++u) {
        acc[0][j][u] = bias != nullptr ? load(bias + place_of<NV, L>(u, 2 * L))
                                       : load_columns(c + j * pixel + column[u], some);
#pragma GCC unroll 3
        for (int s = 1; s < S; ++s) acc[s][j][u] = V{};
      }
    for (int64_t t = 0; t < taps; ++t) {
      const T* w = v + sum->order[t];
      // A base for every third row: the others are reached by scaled addresses.
      const T* base[(B + 2) / 3];
#pragma GCC unroll 16
      for (int j = 0; j < (B + 2) / 3; ++j) base[j] = b + sum->offset[t] + 3 * j * row;
      // The inputs of the next repeat, which lie together: 1x1 256->64 of 56x56 takes .58 ms rather than .65.
      const T* next = b + sum->offset[t] + sum->v_step;
      int64_t i = 0;
      for (; i + S <= channels; i += S, w += 2 * S * L, next += LINE) {
        if (AHEAD) __builtin_prefetch(next);
        rows_step<FAR, T, S, B, NV>(acc, base, row, i, w, next_block);
      }
      if constexpr (S > 1)
        for (; i < channels; ++i, w += 2 * L)
          rows_step<FAR, T, 1, B, NV>(reinterpret_cast<V(&)[1][B][NV]>(acc[0]), base, row, i, w, next_block);
    }
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 3
      for (int u = 0; u < NV; ++u) {
#pragma GCC unroll 3
        for (int s = 1; s < S; ++s) acc[0][j][u] += acc[s][j][u];
        store_columns(c + j * pixel + column[u], acc[0][j][u], some);
      }
  }
}

template <class T, int NV, int B>
void rows(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum, const T* bias) {
  if (sum->ahead)
    rows_tiles<true, T, NV, B>(c, pixel, b, row, v, sum, bias);
  else
    rows_tiles<false, T, NV, B>(c, pixel, b, row, v, sum, bias);
}

// M taps that slide.
template <class T, int B, int M, class V>
UPS_INLINE void slide_taps(V (&acc)[B], const T* from, int64_t row, int64_t channels, const T* w,
                           int64_t next) {
  enum : int { L = Simd<T>::L, R = B + M - 1 };
  const T* base[(R + 2) / 3];
#pragma GCC unroll 16
  for (int j = 0; j < (R + 2) / 3; ++j) base[j] = from + 3 * j * row;
  for (int64_t i = 0; i < channels; ++i, w += 2 * L) {
    V x[M];
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) x[m] = load(w + m * next);
#pragma GCC unroll 32
    for (int j = 0; j < R; ++j) {
      const V y = splat(base[j / 3][j % 3 * row + i]);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m)
        if (j - m >= 0 && j - m < B) acc[j - m] += y * x[m];
    }
  }
}

template <class T, int B>
void slide(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t taps = sum->taps, channels = sum->channels, next = sum->next, some = sum->some;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, b += sum->v_step) {
    V acc[B];
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) acc[j] = bias != nullptr ? load(bias) : load_columns(c + j * pixel, some);
    for (int64_t t = 0; t < taps; ++t) {
      const T *from = b + sum->offset[t], *w = v + sum->order[t];
      switch (sum->slide[t]) {
        case 1:
          slide_taps<T, B, 1>(acc, from, row, channels, w, next);
          break;
        case 2:
          slide_taps<T, B, 2>(acc, from, row, channels, w, next);
          break;
        case 3:
          slide_taps<T, B, 3>(acc, from, row, channels, w, next);
          break;
        default:
          slide_taps<T, B, 4>(acc, from, row, channels, w, next);
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      if (sum->asks) ask_ahead<L* static_cast<int>(sizeof(T))>(c + j * pixel);
      store_columns(c + j * pixel, acc[j], some);
    }
  }
}

// N vectors of columns of the same pixels.
template <class T, int N>
UPS_INLINE void wide_vectors(T* to, int64_t pixel, const T* from, int64_t row, const T* v, const ConvSum* sum,
                             const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L, P = WIDE };
  const int64_t taps = sum->taps, channels = sum->channels, next = sum->v_step;
  V acc[P][N];
#pragma GCC unroll 16
  for (int j = 0; j < P; ++j)
#pragma GCC unroll 4
    for (int u = 0; u < N; ++u) acc[j][u] = load(bias + u * L);
  for (int64_t t = 0; t < taps; ++t) {
    const T* w = v + sum->order[t];
    const T* base[(P + 2) / 3];
#pragma GCC unroll 16
    for (int j = 0; j < (P + 2) / 3; ++j) base[j] = from + sum->offset[t] + 3 * j * row;
    for (int64_t e = 0; e < channels; ++e, w += 2 * L) {
      V x[N];
#pragma GCC unroll 4
      for (int u = 0; u < N; ++u) x[u] = load(w + u / 2 * next + u % 2 * L);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        const V y = splat(base[j / 3][j % 3 * row + e]);
#pragma GCC unroll 4
        for (int u = 0; u < N; ++u) acc[j][u] += y * x[u];
      }
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < P; ++j) {
    if (sum->asks) ask_ahead<N * L* static_cast<int>(sizeof(T))>(to + j * pixel);
#pragma GCC unroll 4
    for (int u = 0; u < N; ++u) store(to + j * pixel + u * L, acc[j][u]);
  }
}

// Outputs are stored in their order. Few products are bound by that: 1x1 3->64 of 224x224 takes .155 ms
// rather than .225, 1->512 of 512x512 22 ms rather than 33; and by what waits for memory: 3x3 1->64 of
// 512x512 takes 4.3 ms rather than 8.1 where outputs are asked for.
template <class T>
void wide(T* c, int64_t pixel, const T* b, int64_t row, int64_t n, const T* v, const ConvSum* sum,
          const T* bias) {
  // Vectors of a tile. A single one would wait for its inputs, so a last one joins two where registers hold
  // three: 1x1 24->144 of 56x56 takes .18 ms rather than .20.
  enum : int { L = Simd<T>::L, P = WIDE, N = LANES == 16 ? 4 : 2, LAST = LANES == 16 ? 3 : 1 };
  const int64_t next = sum->v_step, single = sum->single, pairs = sum->count - LAST / 2 * single;
  for (int64_t i = 0; i < n; i += P) {
    // The last rows reach back.
    const int64_t at = i + P <= n ? i : n - P;
    T* to = c + at * pixel;
    const T *from = b + at * row, *weights = v, *start = bias;
    int64_t vectors = 2 * pairs;
    for (; vectors >= N; vectors -= N, to += N * L, start += N * L, weights += N / 2 * next)
      wide_vectors<T, N>(to, pixel, from, row, weights, sum, start);
    for (; vectors > 0; vectors -= 2, to += 2 * L, start += 2 * L, weights += next)
      wide_vectors<T, 2>(to, pixel, from, row, weights, sum, start);
    if (single > 0) wide_vectors<T, LAST>(to, pixel, from, row, weights, sum, start);
  }
}

template <class T, int B>
void fill_rows(ConvLeaves<T>* leaves) {
  leaves->rows[0][B] = rows<T, 1, B>;
  if constexpr (B <= TILE) leaves->rows[1][B] = rows<T, 2, B>;
  if constexpr (B <= TRIPLE) leaves->rows[2][B] = rows<T, 3, B>;
  if constexpr (B > 1) fill_rows<T, B - 1>(leaves);
}

template <class T, int B>
void fill_slide(ConvLeaves<T>* leaves) {
  leaves->slide[B] = slide<T, B>;
  if constexpr (B > 1) fill_slide<T, B - 1>(leaves);
}

template <class T>
void fill(ConvLeaves<T>* leaves) {
  fill_rows<T, SINGLE>(leaves);
  leaves->row_tile[0] = SINGLE;
  leaves->row_tile[1] = TILE;
  leaves->row_tile[2] = TRIPLE;
  fill_slide<T, SLIDE>(leaves);
  leaves->slide_rows = SLIDE;
  leaves->wide = wide<T>;
  leaves->wide_rows = WIDE;
  // 1x1 512->512 of 64x64 takes 11.3 ms rather than 12.4, 320->384 of 64x7x7 4.4 rather than 4.7; on AVX2 it
  // is no gain (640->160 of 40x40 2.95 and 2.95).
  leaves->blocks_first = LANES == 16;
}

}  // namespace

void fill_convolution_rows(KernelTable* table) {
  fill(&table->conv);
  fill(&table->conv_double);
  table->conv.stores_some = LANES > 4;
}

}  // namespace UPS_ISA
}  // namespace upsampling
