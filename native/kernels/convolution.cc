// Leaves of the convolution family: register tiles over packed operands, and what fills and empties them.
//
// Products and sums contract to FMA here, so the last bits differ between instruction sets.
#if defined(__clang__)
#pragma clang fp contract(fast)
#else
// Short loops stay loops: a call of memset for three zeros costs more than the zeros.
#pragma GCC optimize("fp-contract=fast", "no-tree-loop-distribute-patterns")
#endif
#include "kernels/convolution.h"

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/phases.h"
#include "kernels/zip.h"

// How much of an accumulator is kept in registers: TILE outputs of two vectors, at most FEW outputs of four
// and FEWEST of eight, NARROW positions of as many outputs as there are registers, WIDE positions of many
// outputs, DOUBLED vectors of all phases. With the numbers of AVX2 on AVX-512, 1x1 to 6 channels of 112x112
// takes .108 ms rather than .051 (FEW), 5x5 to 2 .353 rather than .336 (FEWEST), 1x1 256->512 of 8 pixels
// .031 rather than .017 (NARROW), 64 channels doubled to 3 .052 rather than .042; with those of SSE2 on AVX2,
// 1x1 of 3 pixels .0075 rather than .0053.
#if defined(__AVX512F__)
#define UPS_TILE 14
#define UPS_FEW 6
#define UPS_FEWEST 2
#define UPS_NARROW 8
#define UPS_WIDE 6
#define UPS_DOUBLED 2
#elif defined(__AVX2__)
#define UPS_TILE 6
#define UPS_FEW 2
#define UPS_FEWEST 1
#define UPS_NARROW 3
#define UPS_WIDE 6
#define UPS_DOUBLED 1
#else
#define UPS_TILE 4
#define UPS_FEW 2
#define UPS_FEWEST 1
#define UPS_NARROW 2
#define UPS_WIDE 4
#endif

namespace upsampling {
namespace UPS_ISA {

namespace {

#define UPS_MEMBER static inline __attribute__((always_inline))

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef vf V;
  enum : int { L = LANES };
};
template <>
struct Simd<double> {
  typedef vd V;
  enum : int { L = LANES / 2 };
};

// --- tiles

template <class T, int NV, int B>
void tile(T* c, const int32_t* place, const T* b, const T* v, const ConvSum* sum, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t taps = sum->taps, all = sum->all, channels = sum->channels, channel = sum->channel;
  const int64_t block = sum->block(), asked = sum->asked;
  const char* const* ahead = sum->ahead;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, v += sum->v_step) {
    V acc[B][NV];
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 8
      for (int u = 0; u < NV; ++u) acc[j][u] = bias != nullptr ? splat(bias[j]) : load(c + place[j] + u * L);
    for (int64_t c0 = 0; c0 < channels; c0 += block) {
      const int64_t n = channels - c0 < block ? channels - c0 : block;
      for (int64_t t = 0; t < taps; ++t) {
        const T* from = v + c0 * channel + sum->offset[t];
        for (int64_t i = 0; i < asked; ++i) __builtin_prefetch(*ahead++, 1);
        const T* w = b + (c0 * all + sum->order[t] * n) * B;
        for (int64_t i = 0; i < n; ++i) {
          // Past the next page too, where the hardware does not look ahead.
          __builtin_prefetch(w + 64 * B);
          V x[NV];
#pragma GCC unroll 8
          for (int u = 0; u < NV; ++u) x[u] = load(from + u * L);
#pragma GCC unroll 28
          for (int j = 0; j < B; ++j) {
            const V y = splat(w[j]);
#pragma GCC unroll 8
            for (int u = 0; u < NV; ++u) acc[j][u] += y * x[u];
          }
          from += channel;
          w += B;
        }
      }
    }
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 8
      for (int u = 0; u < NV; ++u) store(c + place[j] + u * L, acc[j][u]);
  }
}

template <class T>
UPS_INLINE void move_next(ConvMove<T>& m) {
  enum : int { L = Simd<T>::L };
  __builtin_prefetch(m.from + m.ahead);
  __builtin_prefetch(m.from + m.ahead + L);
  store(m.to, load(m.from));
  store(m.to + L, load(m.from + L));
  m.from += 2 * L;
  m.to += m.panel;
  if (++m.at == m.panels) {
    m.at = 0;
    m.from += m.channel - 2 * L * m.panels;
    m.to += 2 * L - m.panels * m.panel;
  }
}

template <class T>
void move(ConvMove<T>* m) {
  ConvMove<T> local = *m;
  for (; local.left > 0; --local.left) move_next(local);
  *m = local;
}

// The step of a tile of two vectors: the products of one channel.
template <class T, int B, class V>
UPS_INLINE void tile_step(V (&acc)[B][2], const T* w, const T* from) {
  const V x = load(from), y = load(from + Simd<T>::L);
#pragma GCC unroll 28
  for (int j = 0; j < B; ++j) {
    const V z = splat(w[j]);
    acc[j][0] += z * x;
    acc[j][1] += z * y;
  }
}

template <class T, int B>
void moving_tile(T* c, const int32_t* place, const T* b, const T* v, const ConvSum* sum, const T* bias,
                 ConvMove<T>* move) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t channels = sum->channels;
  ConvMove<T> m = *move;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, v += sum->v_step) {
    V acc[B][2];
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j) acc[j][0] = acc[j][1] = splat(bias[j]);
    const T *from = v, *w = b;
    const int64_t pairs = channels / 2 < m.left ? channels / 2 : m.left;
    for (int64_t i = 0; i < pairs; ++i) {
      move_next(m);
      tile_step<T, B>(acc, w, from);
      tile_step<T, B>(acc, w + B, from + 2 * L);
      from += 4 * L;
      w += 2 * B;
    }
    m.left -= pairs;
    for (int64_t i = 2 * pairs; i < channels; ++i) {
      tile_step<T, B>(acc, w, from);
      from += 2 * L;
      w += B;
    }
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j) {
      store(c + place[j], acc[j][0]);
      store(c + place[j] + L, acc[j][1]);
    }
  }
  *move = m;
}

// A step of a narrow tile: the products of one channel.
template <class T, int P, int N, class V>
UPS_INLINE void narrow_step(V (&acc)[P][N], const T* w, const T* from) {
  enum : int { L = Simd<T>::L };
#pragma GCC unroll 4
  for (int u = 0; u < N; ++u) {
    const V x = load(w + u * L);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) acc[p][u] += splat(from[p]) * x;
  }
}

template <class T, int P>
void narrow_tile(T* c, const int32_t* place, const T* b, int64_t columns, const T* v, const ConvSum* sum,
                 const T* bias) {
  typedef typename Simd<T>::V V;
  // Of one or two positions some channels at a time: a single sum waits for itself.
  enum : int { L = Simd<T>::L, N = (UPS_TILE + L - 1) / L, S = P == 1 ? 4 : P <= 3 ? 2 : 1 };
  const int64_t taps = sum->taps, all = sum->all, channels = sum->channels, channel = sum->channel;
  const int64_t block = all == 1 ? channels : ConvSum::kBlock;
  V acc[S][P][N];
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int u = 0; u < N; ++u) acc[s][p][u] = V{};
  for (int64_t c0 = 0; c0 < channels; c0 += block) {
    const int64_t n = channels - c0 < block ? channels - c0 : block;
    for (int64_t t = 0; t < taps; ++t) {
      const T* from = v + c0 * channel + sum->offset[t];
      const T* w = b + (c0 * all + sum->order[t] * n) * columns;
      int64_t i = 0;
      for (; i + S <= n; i += S) {
        __builtin_prefetch(w + 512);
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) narrow_step<T, P, N>(acc[s], w + s * columns, from + s * channel);
        from += S * channel;
        w += S * columns;
      }
      for (; i < n; ++i) {
        narrow_step<T, P, N>(acc[0], w, from);
        from += channel;
        w += columns;
      }
    }
  }
  T sums[P][N * L];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int u = 0; u < N; ++u) {
#pragma GCC unroll 4
      for (int s = 1; s < S; ++s) acc[0][p][u] += acc[s][p][u];
      store(sums[p] + u * L, acc[0][p][u]);
    }
  for (int64_t j = 0; j < columns; ++j)
    for (int p = 0; p < P; ++p) c[place[j] + p] = (bias != nullptr ? bias[j] : c[place[j] + p]) + sums[p][j];
}

template <class T>
void pack(T* to, const T* from, int64_t first, int64_t channels, int64_t channel, const ConvCopy* list,
          int64_t count, const T* end) {
  enum : int { L = Simd<T>::L };
  // Far enough ahead for the third-level cache.
  int64_t size = 0;
  for (int64_t i = 0; i < count; ++i) size += list[i].n;
  const int64_t ahead = (1 + 1024 / (size + 1)) * channel;
  for (int64_t c = first; c < first + channels; ++c, from += channel)
    for (int64_t i = 0; i < count; ++i) {
      const ConvCopy& s = list[i];
      T* at = to + s.to + c * s.step;
      const T* x = from + s.from;
      int64_t n = 0;
      for (; n < s.n && end - x >= n + L; n += L) {
        __builtin_prefetch(x + n + ahead);
        store(at + n, load(x + n));
      }
      for (; n < s.n; ++n) at[n] = x[n];
    }
}

// Channels i … i + S of a tap, each of them to sums of its own.
template <class T, int S, int B, int NV, class V>
UPS_INLINE void rows_step(V (&acc)[S][B][NV], const T* const (&base)[(B + 2) / 3], int64_t row, int64_t i,
                          const T* w) {
  enum : int { L = Simd<T>::L };
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s) {
    __builtin_prefetch(w + (64 + 2 * s) * L);
    V x[NV];
#pragma GCC unroll 2
    for (int u = 0; u < NV; ++u) x[u] = load(w + (2 * s + u) * L);
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      const V y = splat(base[j / 3][j % 3 * row + i + s]);
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) acc[s][j][u] += y * x[u];
    }
  }
}

template <class T, int NV, int B>
void rows(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum, const T* bias) {
  typedef typename Simd<T>::V V;
  // Of few sums some channels at a time: a single one waits for itself.
  enum : int { L = Simd<T>::L, S = NV * B <= 2 ? 4 : NV * B < 8 ? 2 : 1 };
  const int64_t taps = sum->taps, channels = sum->channels;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, b += sum->v_step) {
    V acc[S][B][NV];
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) {
        acc[0][j][u] = bias != nullptr ? load(bias + u * L) : load(c + j * pixel + u * L);
#pragma GCC unroll 3
        for (int s = 1; s < S; ++s) acc[s][j][u] = V{};
      }
    for (int64_t t = 0; t < taps; ++t) {
      const T* w = v + sum->order[t];
      // A base for every third row: the others are reached by scaled addresses.
      const T* base[(B + 2) / 3];
#pragma GCC unroll 16
      for (int j = 0; j < (B + 2) / 3; ++j) base[j] = b + sum->offset[t] + 3 * j * row;
      int64_t i = 0;
      for (; i + S <= channels; i += S, w += 2 * S * L) rows_step<T, S, B, NV>(acc, base, row, i, w);
      if constexpr (S > 1)
        for (; i < channels; ++i, w += 2 * L)
          rows_step<T, 1, B, NV>(reinterpret_cast<V(&)[1][B][NV]>(acc[0]), base, row, i, w);
    }
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) {
#pragma GCC unroll 3
        for (int s = 1; s < S; ++s) acc[0][j][u] += acc[s][j][u];
        store(c + j * pixel + u * L, acc[0][j][u]);
      }
  }
}

// Outputs are stored in their order. Few products are bound by that: 1x1 3->64 of 224x224 takes .155 ms
// rather than .225, 1->512 of 512x512 22 ms rather than 33.
template <class T>
void wide(T* c, int64_t pixel, const T* b, int64_t row, int64_t n, const T* v, const ConvSum* sum,
          const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L, P = UPS_WIDE };
  const int64_t taps = sum->taps, channels = sum->channels, blocks = sum->count;
  for (int64_t i = 0; i < n; i += P) {
    // The last rows reach back.
    const int64_t at = i + P <= n ? i : n - P;
    T* to = c + at * pixel;
    const T *from = b + at * row, *weights = v, *start = bias;
    for (int64_t block = 0; block < blocks; ++block, to += 2 * L, start += 2 * L, weights += sum->v_step) {
      V acc[1][P][2];
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        acc[0][j][0] = load(start);
        acc[0][j][1] = load(start + L);
      }
      for (int64_t t = 0; t < taps; ++t) {
        const T* w = weights + sum->order[t];
        const T* base[(P + 2) / 3];
#pragma GCC unroll 16
        for (int j = 0; j < (P + 2) / 3; ++j) base[j] = from + sum->offset[t] + 3 * j * row;
        for (int64_t e = 0; e < channels; ++e, w += 2 * L) rows_step<T, 1, P, 2>(acc, base, row, e, w);
      }
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        store(to + j * pixel, acc[0][j][0]);
        store(to + j * pixel + L, acc[0][j][1]);
      }
    }
  }
}

// --- elements

struct Half {
  uint16_t bits;
};
UPS_INLINE float widen(float v) { return v; }
UPS_INLINE double widen(double v) { return v; }
UPS_INLINE float widen(Half v) { return from_half(v.bits); }
template <class S, class T>
struct Narrow {
  UPS_MEMBER S of(T v) { return v; }
};
template <>
struct Narrow<Half, float> {
  UPS_MEMBER Half of(float v) { return Half{to_half(v)}; }
};

// n elements, one after the other; what is copied twice is copied alike.
template <class T>
UPS_INLINE void copy_run(T* to, const T* from, int64_t n) {
  enum : int { L = Simd<T>::L };
  if (n >= L) {
    for (int64_t i = 0; i + L <= n; i += L) store(to + i, load(from + i));
    store(to + n - L, load(from + n - L));
    return;
  }
  if (n * static_cast<int64_t>(sizeof(T)) >= 16) {
    const int64_t part = 16 / sizeof(T);
    for (int64_t i = 0; i + part <= n; i += part) __builtin_memcpy(to + i, from + i, 16);
    __builtin_memcpy(to + n - part, from + n - part, 16);
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}
UPS_INLINE void copy_run(float* to, const Half* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = widen(from[i]);
}

// R rows of weights and Q of inputs.
template <int R, int Q>
UPS_INLINE void dots_block(float* out, const float* w, const float* x, const ConvDots* d,
                           const int64_t* place, int64_t rows, const float* bias) {
  const float *at[R], *from[Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) at[r] = w + (r < rows ? r : rows - 1) * d->row;
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) from[q] = x + q * d->pixel;
  vf acc[R * Q];
#pragma GCC unroll 16
  for (int i = 0; i < R * Q; ++i) acc[i] = vf{};
  int64_t e = d->begin;
  for (; e + LANES <= d->end; e += LANES) {
    vf v[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) v[q] = load(from[q] + e);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf y = load(at[r] + e);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) acc[r * Q + q] += y * v[q];
    }
  }
  if (e < d->end) {
    // Back from the end, without what is in the sums.
    const int64_t back = d->end - LANES;
    vi lane;
    for (int i = 0; i < LANES; ++i) lane[i] = i;
    const vi fresh = lane >= static_cast<int32_t>(e - back);
    vf v[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) v[q] = fresh ? load(from[q] + back) : vf{};
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf y = load(at[r] + back);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) acc[r * Q + q] += y * v[q];
    }
  }
  float sums[LANES];
  store(sums, add_lanes<R * Q>(acc));
  for (int i = R * Q; i < LANES; ++i) sums[i % (R * Q)] += sums[i];
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      float* o = out + r * d->out_row + place[q];
      *o = (d->begin > 0 ? *o : bias != nullptr ? bias[r] : 0.0f) + sums[r * Q + q];
    }
}

template <int R, int Q>
UPS_INLINE void dots_pixel(float* out, const float* w, const float* x, const ConvDots* d, int64_t p,
                           const float* bias) {
  for (int64_t r = 0; r < d->rows; r += R)
    dots_block<R, Q>(out + r * d->out_row, w + r * d->row, x + p * d->pixel, d, d->place + p,
                     d->rows - r < R ? d->rows - r : R, bias != nullptr ? bias + r : nullptr);
}

void dots(float* out, const float* w, const float* x, const ConvDots* d, const float* bias) {
  int64_t p = 0;
#if defined(__AVX512F__)  // registers for four pixels: 1x1 512->512 of 2x2 .020 ms rather than .033
  for (; p + 4 <= d->pixels; p += 4) dots_pixel<4, 4>(out, w, x, d, p, bias);
#endif
  for (; p + 2 <= d->pixels; p += 2) dots_pixel < LANES<8 ? 2 : 4, 2>(out, w, x, d, p, bias);
  if (p < d->pixels) dots_pixel < LANES<8 ? 4 : 8, 1>(out, w, x, d, p, bias);
}

// Q pixels, N vectors of columns.
template <int Q, int N>
UPS_INLINE void columns_block(float* out, const float* w, const float* x, const ConvColumns* d) {
  const float* from[Q];
  vf acc[Q][N];
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) {
    from[q] = x + q * d->pixel;
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) acc[q][u] = vf{};
  }
  const int64_t row = d->row, channel = d->channel, channels = d->channels;
  for (int64_t c = 0, at = 0; c < channels; ++c, w += row, at += channel) {
    vf v[N];
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) {
      // Rows may be pages apart.
      __builtin_prefetch(w + 12 * row + u * LANES);
      v[u] = load(w + u * LANES);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const vf y = splat(from[q][at]);
#pragma GCC unroll 8
      for (int u = 0; u < N; ++u) acc[q][u] += y * v[u];
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) store(out + q * d->out_row + u * LANES, acc[q][u]);
}

template <int Q, int N>
UPS_INLINE void columns_pixels(float* out, const float* w, const float* x, const ConvColumns* d) {
  int64_t i = 0;
  for (; i + N * LANES <= d->columns; i += N * LANES) columns_block<Q, N>(out + i, w + i, x, d);
  for (; i < d->columns; i += LANES) {
    // The last vector reaches back.
    if (i + LANES > d->columns) i = d->columns - LANES;
    columns_block<Q, 1>(out + i, w + i, x, d);
  }
}

void columns(float* out, const float* w, const float* x, const ConvColumns* d) {
  // Registers for four pixels: 1x1 512->512 of 2x4 .037 ms rather than .063.
  enum : int { Q = LANES == 16 ? 4 : 2 };
  int64_t p = 0;
  for (; p + Q <= d->pixels; p += Q) columns_pixels<Q, 4>(out + p * d->out_row, w, x + p * d->pixel, d);
  for (; p < d->pixels; ++p) columns_pixels<1, 8>(out + p * d->out_row, w, x + p * d->pixel, d);
}

// Columns and their elements change places, as many channels at a time as stay in the first-level cache.
UPS_INLINE void turn_columns(float* to, const float* w, const ConvPacking* p) {
  enum : int { ROOM = 256 };
  float turned[ROOM * LANES];
  const int64_t most = ROOM / p->in;
  for (int64_t first = 0; first < p->columns; first += LANES) {
    const int64_t rest = p->columns - first, n = rest < LANES ? rest : int64_t{LANES};
    const float* at[LANES];
    for (int64_t i = 0; i < LANES; ++i) at[i] = w + (first + (i < n ? i : n - 1)) * p->column;
    for (int64_t c0 = 0; c0 < p->channels;) {
      // Within a block.
      const int64_t b = c0 / p->block * p->block,
                    last = b + p->block < p->channels ? b + p->block : p->channels;
      const int64_t c1 = c0 + most < last ? c0 + most : last;
      const int64_t elements = (c1 - c0) * p->in;
      int64_t e = 0;
      for (; e + LANES <= elements; e += LANES) {
        vf x[LANES];
#pragma GCC unroll 16
        for (int j = 0; j < LANES; ++j) x[j] = load(at[j] + c0 * p->in + e);
        zip<LANES>(x);
#pragma GCC unroll 16
        for (int j = 0; j < LANES; ++j) store(turned + (e + j) * LANES, x[j]);
      }
      for (; e < elements; ++e)
        for (int j = 0; j < LANES; ++j) turned[e * LANES + j] = at[j][c0 * p->in + e];
      for (int64_t t = 0; t < p->taps; ++t) {
        float* o = to + (b * p->taps + t * (last - b) + c0 - b) * p->row + first;
        const float* x = turned + p->from[t * p->columns] * LANES;
        for (int64_t c = c0; c < c1; ++c, o += p->row, x += p->in * LANES) copy_run(o, x, n);
      }
      c0 = c1;
    }
  }
}

template <class T>
void weights(T* to, const T* w, const ConvPacking* p) {
  if constexpr (__is_same(T, float)) {
    if (p->column != 0 && p->in <= 256) return turn_columns(to, w, p);
  }
  const int64_t n = p->columns;
  for (int64_t c = 0; c < p->channels; ++c) {
    const int64_t b = c / p->block * p->block, some = p->channels - b < p->block ? p->channels - b : p->block;
    const T* x = w + c * p->in;
    for (int64_t t = 0; t < p->taps; ++t) {
      T* o = to + (b * p->taps + t * some + c - b) * p->row;
      const int64_t* from = p->from + t * n;
      for (int64_t i = 0; i < n; ++i) o[i] = x[from[i]];
    }
  }
}

// In whole words, which every compiler turns into vectors.
template <class T, class Word>
bool finite(const T* x, int64_t n) {
  const Word exponent = sizeof(T) == 4 ? Word{0x7f800000} : static_cast<Word>(0x7ff0000000000000);
  Word bad = 0;
  for (int64_t i = 0; i < n; ++i) {
    Word bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    bad |= (bits & exponent) == exponent ? ~Word{0} : Word{0};
  }
  return bad == 0;
}

// LANES rows of LANES elements to columns.
UPS_INLINE void turn_block(float* to, int64_t to_row, const float* from, int64_t from_row) {
  vf x[LANES];
#pragma GCC unroll 16
  for (int k = 0; k < LANES; ++k) x[k] = load(from + k * from_row);
  zip<LANES>(x);
#pragma GCC unroll 16
  for (int k = 0; k < LANES; ++k) store(to + k * to_row, x[k]);
}

// LANES rows of fewer elements to columns. Reads whole vectors.
UPS_INLINE void turn_few(float* to, int64_t to_row, const float* from, int64_t from_row, int64_t n) {
#if UPS_LANES == 16
  // Two rows are one vector: 24 shuffles instead of 64.
  if (n <= 8) {
    typedef VectorOf<float, 8>::memory Half;
    vf x[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k)
      x[k] = __builtin_shufflevector(*reinterpret_cast<const Half*>(from + k * from_row),
                                     *reinterpret_cast<const Half*>(from + (k + 8) * from_row), 0, 1, 2, 3, 4,
                                     5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    zip<8>(x);
    float turned[8 * LANES];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) store(turned + k * LANES, x[k]);
    for (int64_t k = 0; k < n; ++k, to += to_row) {
      __builtin_memcpy(to, turned + 8 * k, 32);
      __builtin_memcpy(to + 8, turned + 64 + 8 * k, 32);
    }
    return;
  }
#endif
  float turned[LANES * LANES];
  turn_block(turned, LANES, from, from_row);
  for (int64_t k = 0; k < n; ++k) store(to + k * to_row, load(turned + k * LANES));
}

// Pixels first … stop, `step` apart, of neighbouring channels, and zeros around them.
template <class T, class S>
UPS_INLINE void turn(T* to, int64_t width, const S* from, int64_t channels, int64_t step, int64_t lead,
                     int64_t stop, int64_t n) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < lead; ++i) to[c * width + i] = 0;
    for (int64_t i = stop; i < n; ++i) to[c * width + i] = 0;
  }
  int64_t i = lead;
  if constexpr (__is_same(S, float)) {
    // Of the last channels, vectors are read that reach into the next pixels.
    const int64_t rest = channels % LANES, reach = rest == 0 ? 0 : (LANES - rest + step - 1) / step;
    for (; i + LANES + reach <= stop; i += LANES) {
      int64_t c = 0;
      for (; c + LANES <= channels; c += LANES)
        turn_block(to + c * width + i, width, from + i * step + c, step);
      if (rest > 0) turn_few(to + c * width + i, width, from + i * step + c, step, rest);
    }
  }
  for (; i < stop; ++i)
    for (int64_t c = 0; c < channels; ++c) to[c * width + i] = widen(from[i * step + c]);
}

template <class T>
void transpose(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t rows, int64_t columns) {
  if constexpr (__is_same(T, float)) {
    if (rows >= LANES && columns >= LANES) {
      // The last blocks reach back.
      for (int64_t i = 0; i < rows; i += LANES) {
        if (i + LANES > rows) i = rows - LANES;
        for (int64_t j = 0; j < columns; j += LANES) {
          if (j + LANES > columns) j = columns - LANES;
          turn_block(to + j * to_row + i, to_row, from + i * from_row + j, from_row);
        }
      }
      return;
    }
  }
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) to[j * to_row + i] = from[i * from_row + j];
}

// All runs of a channel before the next channel: they share its cache lines.
template <class T, class S>
void gather(T* to, int64_t width, const void* from, int64_t channels, int64_t channel, int64_t step,
            const ConvRun* runs, int64_t count, int64_t n) {
  const S* x = static_cast<const S*>(from);
  if (channel == 1) {
    for (int64_t r = 0; r < count; ++r)
      turn(to + runs[r].to, width, x + runs[r].from, channels, step, runs[r].lead, runs[r].stop, n);
    return;
  }
  for (int64_t c = 0; c < channels; ++c, to += width, x += channel) {
    for (int64_t r = 0; r < count; ++r) {
      const ConvRun& run = runs[r];
      T* at = to + run.to;
      const S* source = x + run.from;
      const int64_t lead = run.lead, stop = run.stop;
      for (int64_t i = 0; i < lead; ++i) at[i] = 0;
      if (step == 1) {
        if (stop > lead) copy_run(at + lead, source + lead, stop - lead);
      } else if (step == 2) {
        for (int64_t i = lead; i < stop; ++i) at[i] = widen(source[2 * i]);
      } else {
        for (int64_t i = lead; i < stop; ++i) at[i] = widen(source[step * i]);
      }
      for (int64_t i = stop; i < n; ++i) at[i] = 0;
    }
  }
}

// --- one channel

// The first n elements of vectors that have just been stored: a load across two of them would wait.
template <class T>
UPS_INLINE void copy_stored(T* to, const T* from, int64_t n) {
  enum : int { L = Simd<T>::L, PART = 16 / sizeof(T) };
  int64_t i = 0;
  for (; i + L <= n; i += L) store(to + i, load(from + i));
  for (; i + PART <= n; i += PART) __builtin_memcpy(to + i, from + i, 16);
  for (; i < n; ++i) to[i] = from[i];
}

// U vectors of positions of S slots, whose K taps are at p and weigh w.
template <class T, int S, int K, int U, class V>
UPS_INLINE void deep_block(T* out, const T* const (&p)[S][K], int64_t i, const V (&w)[S][K],
                           const V (&start)[S]) {
  enum : int { L = Simd<T>::L };
  V a[S][U];
#pragma GCC unroll 2
  for (int s = 0; s < S; ++s) {
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) a[s][u] = start[s];
#pragma GCC unroll 9
    for (int t = 0; t < K; ++t)
#pragma GCC unroll 4
      for (int u = 0; u < U; ++u) a[s][u] += w[s][t] * load(p[s][t] + i + u * L);
  }
#pragma GCC unroll 4
  for (int u = 0; u < U; ++u) {
    if constexpr (S == 1) {
      store(out + u * L, a[0][u]);
    } else {
      store(out + 2 * u * L, UPS_ZIP(a[0][u], a[1][u], 0));
      store(out + (2 * u + 1) * L, UPS_ZIP(a[0][u], a[1][u], 1));
    }
  }
}

// Few taps: their weights stay in registers.
template <class T, int S, int K>
void deep(T* out, const T* in, const ConvDeep* d, const T* const* weight, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  V w[S][K], start[S];
  const T* p[S][K];
#pragma GCC unroll 2
  for (int s = 0; s < S; ++s) {
    start[s] = splat(bias[s]);
#pragma GCC unroll 9
    for (int t = 0; t < K; ++t) {
      w[s][t] = splat(weight[s][t]);
      p[s][t] = in + d->offset[s][t];
    }
  }
  const int64_t n = d->n, rows = d->rows, in_row = d->in_row, out_row = d->out_row;
  for (int64_t r = 0; r < rows; ++r, out += out_row) {
    int64_t i = 0;
    for (; i + 2 * L <= n; i += 2 * L) deep_block<T, S, K, 2>(out + i * S, p, i, w, start);
    if (i + L <= n) {
      deep_block<T, S, K, 1>(out + i * S, p, i, w, start);
      i += L;
    }
    if (i < n && n >= L) {
      // Once more, up to the end.
      deep_block<T, S, K, 1>(out + (n - L) * S, p, n - L, w, start);
    } else if (i < n) {
      T last[S * L];
      deep_block<T, S, K, 1>(last, p, 0, w, start);
      copy_stored<T>(out, last, n * S);
    }
#pragma GCC unroll 2
    for (int s = 0; s < S; ++s)
#pragma GCC unroll 9
      for (int t = 0; t < K; ++t) p[s][t] += in_row;
  }
}

#if defined(__AVX512F__)
// Doubled planes: a vector of positions of all four phases reads 3 x 3 neighbours, of which the rows that are
// left behind stay in registers. 3 loads for 16 products: 256 planes of 32x32 take 0.092 ms, by pairs of
// phases 0.164. Of 16 registers the weights alone would fill all.
UPS_INLINE void deep_column(float* out, const float* in, const ConvDeep* d, const vf (&w)[4][4],
                            const vf (&start)[4]) {
  const int64_t rows = d->rows, in_row = d->in_row, out_row = d->out_row;
  vf x[3][3];
#pragma GCC unroll 2
  for (int y = 0; y < 2; ++y)
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) x[y][i] = load(in + y * in_row + i);
  for (int64_t r = 0; r < rows; ++r, in += in_row, out += 2 * out_row) {
    vf a[4];
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) x[2][i] = load(in + 2 * in_row + i);
#pragma GCC unroll 4
    for (int f = 0; f < 4; ++f) a[f] = start[f];
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t)
#pragma GCC unroll 4
      for (int f = 0; f < 4; ++f) a[f] += w[f][t] * x[f / 2 + t / 2][f % 2 + t % 2];
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y) {
      store(out + y * out_row, UPS_ZIP(a[2 * y], a[2 * y + 1], 0));
      store(out + y * out_row + LANES, UPS_ZIP(a[2 * y], a[2 * y + 1], 1));
    }
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y)
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) x[y][i] = x[y + 1][i];
  }
}

void deep_double(float* out, const float* in, const ConvDeep* d, const float* const* weight,
                 const float* bias) {
  vf w[4][4], start[4];
#pragma GCC unroll 4
  for (int f = 0; f < 4; ++f) {
    start[f] = splat(bias[f]);
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) w[f][t] = splat(weight[f][t]);
  }
  for (int64_t i = 0; i < d->n; i += LANES) {
    // The last vector reaches back.
    const int64_t at = i + LANES <= d->n ? i : d->n - LANES;
    deep_column(out + 2 * at, in + at, d, w, start);
  }
}
#endif

#if UPS_LANES > 4
// A row of NV vectors of positions, from 3 x 3 neighbours of every channel: all phases of O outputs. 64
// channels of 32x32 to 3 take 0.046 ms, phase by phase 0.077; on AVX2 0.076 and 0.088, on SSE2, which has no
// broadcast loads, 0.184 and 0.168.
template <int O, int NV>
UPS_INLINE void doubled_row(float* out, const float* in, const ConvDouble* d, const float* const* weight,
                            const float* bias) {
  const int64_t channels = d->channels, in_row = d->in_row;
  vf a[4][O][NV];
#pragma GCC unroll 4
  for (int f = 0; f < 4; ++f)
#pragma GCC unroll 4
    for (int o = 0; o < O; ++o)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) a[f][o][u] = splat(bias[o]);
  const float* w[4] = {weight[0], weight[1], weight[2], weight[3]};
  for (int64_t c0 = 0; c0 < channels; c0 += ConvSum::kBlock) {
    const int64_t some = channels - c0 < ConvSum::kBlock ? channels - c0 : ConvSum::kBlock, tap = some * O;
    for (int64_t c = 0; c < some; ++c, in += d->in_channel) {
#pragma GCC unroll 3
      for (int y = 0; y < 3; ++y)
#pragma GCC unroll 3
        for (int x = 0; x < 3; ++x) {
          vf v[NV];
#pragma GCC unroll 2
          for (int u = 0; u < NV; ++u) v[u] = load(in + y * in_row + x + u * LANES);
#pragma GCC unroll 4
          for (int f = 0; f < 4; ++f) {
            const int ty = y - f / 2, tx = x - f % 2;
            if (ty < 0 || ty > 1 || tx < 0 || tx > 1) continue;
#pragma GCC unroll 4
            for (int o = 0; o < O; ++o) {
              const vf e = splat(w[f][(2 * ty + tx) * tap + o]);
#pragma GCC unroll 2
              for (int u = 0; u < NV; ++u) a[f][o][u] += e * v[u];
            }
          }
        }
#pragma GCC unroll 4
      for (int f = 0; f < 4; ++f) w[f] += O;
    }
#pragma GCC unroll 4
    for (int f = 0; f < 4; ++f) w[f] += 3 * tap;
  }
#pragma GCC unroll 4
  for (int o = 0; o < O; ++o)
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) {
        float* to = out + o * d->out_channel + y * d->out_row + 2 * u * LANES;
        store(to, UPS_ZIP(a[2 * y][o][u], a[2 * y + 1][o][u], 0));
        store(to + LANES, UPS_ZIP(a[2 * y][o][u], a[2 * y + 1][o][u], 1));
      }
}

// The last vectors of a row reach back.
template <int O>
void doubled(float* out, const float* in, const ConvDouble* d, const float* const* weight,
             const float* bias) {
  enum : int { NV = UPS_DOUBLED };
  const int64_t n = d->n;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += 2 * d->out_row)
    for (int64_t i = 0; i < n;) {
      if (n >= NV * LANES && i + LANES < n) {
        const int64_t at = i + NV * LANES <= n ? i : n - NV * LANES;
        doubled_row<O, NV>(out + 2 * at, in + at, d, weight, bias);
        i = at + NV * LANES;
      } else {
        const int64_t at = i + LANES <= n ? i : n - LANES;
        doubled_row<O, 1>(out + 2 * at, in + at, d, weight, bias);
        i = at + LANES;
      }
    }
}
#endif

// R rows of a vector, any number of taps.
template <class T, int R, class V>
UPS_INLINE void deep_rows(V (&a)[R], const T* in, int64_t in_row, int64_t taps, const int64_t* offset,
                          const T* weight) {
  for (int64_t t = 0; t < taps; ++t) {
    const V w = splat(weight[t]);
    const T* x = in + offset[t];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] += w * load(x + r * in_row);
  }
}

template <class T, int R>
UPS_INLINE void deep_band(T* out, const T* in, const ConvDeep* d, const T* weight, T bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t n = d->n;
  for (int64_t i = 0; i < n; i += L) {
    V a[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] = splat(bias);
    const int64_t at = i + L <= n || n < L ? i : n - L;
    deep_rows<T, R>(a, in + at, d->in_row, d->taps[0], d->offset[0], weight);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      if (n >= L) {
        store(out + r * d->out_row + at, a[r]);
      } else {
        T last[L];
        store(last, a[r]);
        copy_stored<T>(out + r * d->out_row, last, n);
      }
    }
  }
}

template <class T>
void deep_any(T* out, const T* in, const ConvDeep* d, const T* const* weight, const T* bias) {
  int64_t r = 0;
  for (; r + 4 <= d->rows; r += 4)
    deep_band<T, 4>(out + r * d->out_row, in + r * d->in_row, d, weight[0], bias[0]);
  for (; r < d->rows; ++r) deep_band<T, 1>(out + r * d->out_row, in + r * d->in_row, d, weight[0], bias[0]);
}

// U pixels of a vector of channels.
template <class T, int K, int U>
UPS_INLINE void deep_pixels(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  typedef typename Simd<T>::V V;
  const int64_t in_pixel = d->in_pixel, taps = d->taps;
  V a[U];
#pragma GCC unroll 4
  for (int u = 0; u < U; ++u) a[u] = load(bias);
  if constexpr (K == 3) {
    // Pixels read the same neighbours.
    for (int64_t t = 0; t < taps; t += 3) {
      const T* x = in + d->offset[t];
      V v[U + 2], w[3];
#pragma GCC unroll 6
      for (int u = 0; u < U + 2; ++u) v[u] = load(x + u * in_pixel);
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) w[i] = load(weight + d->order[t + i]);
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i)
#pragma GCC unroll 4
        for (int u = 0; u < U; ++u) a[u] += w[i] * v[u + i];
    }
  } else {
    const int64_t step = K == 0 ? 0 : d->order[1];
#pragma GCC unroll 9
    for (int64_t t = 0; t < (K == 0 ? taps : K); ++t) {
      const V w = load(weight + (K == 0 ? d->order[t] : t * step));
      const T* x = in + d->offset[t];
#pragma GCC unroll 4
      for (int u = 0; u < U; ++u) a[u] += w * load(x + u * in_pixel);
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < U; ++u) store(out + u * d->out_pixel, a[u]);
}

template <class T, int K>
void deep_last(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  enum : int { L = Simd<T>::L, U = 4 };
  const int64_t channels = d->channels, taps = d->taps, pixels = d->pixels;
  const int64_t in_pixel = d->in_pixel, out_pixel = d->out_pixel;
  for (int64_t r = 0; r < d->rows; ++r) {
    const T* x = in + r * d->in_row;
    T* o = out + r * d->out_row;
    if (channels < L) {
      for (int64_t i = 0; i < pixels; ++i)
        for (int64_t c = 0; c < channels; ++c) {
          T sum = bias[c];
          for (int64_t t = 0; t < taps; ++t)
            sum += weight[d->order[t] + c] * x[i * in_pixel + d->offset[t] + c];
          o[i * out_pixel + c] = sum;
        }
      continue;
    }
    int64_t i = 0;
    for (; i + U <= pixels; i += U, x += U * in_pixel, o += U * out_pixel)
      for (int64_t at = 0; at < channels; at += L) {
        const int64_t c = at + L <= channels ? at : channels - L;
        deep_pixels<T, K, U>(o + c, x + c, d, weight + c, bias + c);
      }
    for (; i < pixels; ++i, x += in_pixel, o += out_pixel)
      for (int64_t at = 0; at < channels; at += L) {
        const int64_t c = at + L <= channels ? at : channels - L;
        deep_pixels<T, K, 1>(o + c, x + c, d, weight + c, bias + c);
      }
  }
}

#if defined(__AVX512F__)
// The next column of R + 2 rows, and the sums of a pixel of R rows, whose first column stands at FIRST.
template <int R, int FIRST>
UPS_INLINE void plane_pixel(float* out, vf (&x)[R + 2][3], const vf (&w)[9], vf start, const ConvDeepPlane* d,
                            const float* (&row)[R + 2], const int64_t (&step)[R + 2], bool inside) {
#pragma GCC unroll 4
  for (int r = 0; r < R + 2; ++r) {
    x[r][(FIRST + 2) % 3] = inside ? load(row[r]) : vf{};
    row[r] += step[r];
  }
#pragma GCC unroll 2
  for (int r = 0; r < R; ++r) {
    vf a = start;
#pragma GCC unroll 9
    for (int t = 0; t < 9; ++t) a += w[t] * x[r + t / 3][(FIRST + t % 3) % 3];
    store(out + r * d->out_row, a);
  }
}

// Pixels begin … end of R rows of a vector of channels: weights and the last three columns stay in registers,
// so a pixel of two rows takes 4 loads for 18 products.
template <int R>
UPS_INLINE void plane_rows(float* out, const float* in, const ConvDeepPlane* d, int64_t top, int64_t begin,
                           int64_t end, const vf (&w)[9], vf start) {
  static const float none[LANES] = {};
  const int64_t width = d->in_pixels;
  const float* row[R + 2];
  int64_t step[R + 2], at = d->left + begin;
#pragma GCC unroll 4
  for (int r = 0; r < R + 2; ++r) {
    const bool inside = top + r >= 0 && top + r < d->in_rows;
    step[r] = inside ? d->in_pixel : 0;
    row[r] = inside ? in + (top + r) * d->in_row + at * d->in_pixel : none;
  }
  vf x[R + 2][3];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i, ++at)
#pragma GCC unroll 4
    for (int r = 0; r < R + 2; ++r) {
      x[r][i] = at >= 0 && at < width ? load(row[r]) : vf{};
      row[r] += step[r];
    }
  for (int64_t i = begin; i < end; i += 3) {
    plane_pixel<R, 0>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
    if (i + 1 == end) break;
    plane_pixel<R, 1>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
    if (i + 2 == end) break;
    plane_pixel<R, 2>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
  }
}

// All channels of up to 16 pixels before the next ones: a line belongs to two vectors. 64 channels of 56x56
// take 0.032 ms, by whole rows 0.042, and tap by tap (deep_last) 0.051. Of 16 registers the weights alone
// would fill most.
void deep_plane(float* out, const float* in, const ConvDeepPlane* d, const float* weight, const float* bias) {
  const int64_t channels = d->channels, pixels = d->pixels;
  const int64_t blocks = (pixels + 15) / 16, block = (pixels + blocks - 1) / blocks;
  for (int64_t r = 0; r < d->rows; r += 2)
    for (int64_t i = 0; i < pixels; i += block) {
      const int64_t end = i + block < pixels ? i + block : pixels;
      for (int64_t at = 0; at < channels; at += LANES) {
        const int64_t c = at + LANES <= channels ? at : channels - LANES;
        vf w[9];
#pragma GCC unroll 9
        for (int t = 0; t < 9; ++t) w[t] = load(weight + t * d->weight + c);
        float* o = out + r * d->out_row + i * d->out_pixel + c;
        if (r + 2 <= d->rows)
          plane_rows<2>(o, in + c, d, d->top + r, i, end, w, load(bias + c));
        else
          plane_rows<1>(o, in + c, d, d->top + r, i, end, w, load(bias + c));
      }
    }
}
#endif

// Groups of LANES rows of c next to one another, `group` apart. Returns how many pixels it did.
UPS_INLINE int64_t turn_back(float* o, int64_t group, const float* c, int64_t width, int64_t pixels) {
  int64_t i = 0;
  for (; i + LANES <= pixels; i += LANES) {
    vf x[LANES];
#pragma GCC unroll 16
    for (int s = 0; s < LANES; ++s) x[s] = load(c + s * width + i);
    zip<LANES>(x);
#pragma GCC unroll 16
    for (int s = 0; s < LANES; ++s) store(o + (i + s) * group, x[s]);
  }
  return i;
}

// n outputs of groups of N.
template <int N>
UPS_INLINE void zip_line(float* o, const float* c, int64_t width, int64_t n) {
  const int64_t whole = n % N == 0 && n >= LANES * N ? n / N : n / N / LANES * LANES;
  for (int64_t i = 0; i < whole; i += LANES) {
    // The last vector reaches back: its rest took 2 % of all by a detour through memory (rows of 28).
    if (i > whole - LANES) i = whole - LANES;
    vf x[N];
#pragma GCC unroll 16
    for (int s = 0; s < N; ++s) x[s] = load(c + s * width + i);
    zip<N>(x);
#pragma GCC unroll 16
    for (int s = 0; s < N; ++s) store(o + i * N + s * LANES, x[s]);
  }
  if (whole * N == n) return;
  float rest[N * LANES];
  vf x[N];
#pragma GCC unroll 16
  for (int s = 0; s < N; ++s) x[s] = load(c + s * width + whole);
  zip<N>(x);
#pragma GCC unroll 16
  for (int s = 0; s < N; ++s) store(rest + s * LANES, x[s]);
  copy_run(o + whole * N, rest, n - whole * N);
}

#if UPS_LANES > 4
// n outputs of groups of up to M slots, a vector of groups at a time: turned with whatever is behind the
// slots, which the next group is laid over.
template <int M>
UPS_INLINE void zip_some(float* o, const float* c, int64_t width, int64_t slots, int64_t n) {
  enum : int { GROUPS = LANES / M };  // of a vector
  vi lane;
  for (int i = 0; i < LANES; ++i)
    lane[i] = i / static_cast<int>(slots) * M % LANES + i % static_cast<int>(slots);
  float last[LANES * M + LANES];
  for (; n > 0; n -= slots * LANES, c += LANES, o += slots * LANES) {
    // Vectors end behind their groups.
    const bool whole = n >= slots * LANES + LANES;
    float* to = whole ? o : last;
    vf x[M];
#pragma GCC unroll 16
    for (int s = 0; s < M; ++s) x[s] = load(c + (s < slots ? s : 0) * width);
    zip<M>(x);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
      store(to + i * GROUPS * slots, GROUPS == 1 ? x[i] : __builtin_shuffle(x[i], lane));
    if (!whole) copy_run(o, last, n < slots * LANES ? n : slots * LANES);
  }
}
#endif

// U vectors of positions from `at` on; `border`: some of what they read may be no input.
template <int S, int U>
UPS_INLINE void meet_block(vf (&a)[U][S], const float* c, const ConvMeet* d, float bias, int64_t at,
                           bool border) {
  typedef VectorOf<uint32_t, LANES>::type Lanes;
  Lanes lane;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) lane[i] = static_cast<uint32_t>(i);
  const Lanes width = static_cast<uint32_t>(d->width) - Lanes{};
  const int64_t rows = d->rows;
#pragma GCC unroll 8
  for (int s = 0; s < S; ++s) {
#pragma GCC unroll 2
    for (int u = 0; u < U; ++u) a[u][s] = splat(bias);
    const ConvMeet::Tap *first = d->tap + d->first[s], *last = d->tap + d->first[s + 1];
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = c + d->row[r] + at;
      for (const ConvMeet::Tap* tap = first; tap < last; ++tap)
#pragma GCC unroll 2
        for (int u = 0; u < U; ++u) {
          const vf v = load(row + tap->at + u * LANES);
          a[u][s] +=
              border ? (lane + static_cast<uint32_t>(at + u * LANES + tap->shift) < width ? v : vf{}) : v;
        }
    }
  }
#pragma GCC unroll 2
  for (int u = 0; u < U; ++u) zip<S>(a[u]);
}

template <int S>
void meet(float* out, const float* c, const ConvMeet* d, float bias) {
  const int64_t n = d->n, positions = (n + S - 1) / S;
  const bool whole = n % S == 0 && positions >= LANES;
  for (int64_t i = 0; i < positions;) {
    if (i + d->low >= 0 && i + d->high + 2 * LANES <= d->width && (i + 2 * LANES) * S <= n) {
      vf a[2][S];
      meet_block<S, 2>(a, c, d, bias, i, false);
#pragma GCC unroll 2
      for (int u = 0; u < 2; ++u)
#pragma GCC unroll 8
        for (int s = 0; s < S; ++s) store(out + (i + u * LANES) * S + s * LANES, a[u][s]);
      i += 2 * LANES;
      continue;
    }
    const int64_t at = whole && i + LANES > positions ? positions - LANES : i;
    vf a[1][S];
    meet_block<S, 1>(a, c, d, bias, at, true);
    if ((at + LANES) * S <= n) {
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) store(out + at * S + s * LANES, a[0][s]);
    } else {
      float last[S * LANES];
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) store(last + s * LANES, a[0][s]);
      copy_stored<float>(out + at * S, last, n - at * S);
    }
    i += LANES;
  }
}

template <class T, class S>
UPS_INLINE void line(S* o, const T* c, int64_t width, int64_t slots, int64_t n) {
  if (slots == 1) {
    if constexpr (__is_same(S, T)) {
      copy_run(o, c, n);
    } else {
      for (int64_t i = 0; i < n; ++i) o[i] = Narrow<S, T>::of(c[i]);
    }
    return;
  }
  const int64_t whole = n / slots;
  int64_t done = 0;
  if constexpr (__is_same(S, float)) {
    if (slots == 2) return zip_line<2>(o, c, width, n);
    if (slots == 3) return zip_line<3>(o, c, width, n);
    if (slots == 4) return zip_line<4>(o, c, width, n);
    if (slots == 8) return zip_line<8>(o, c, width, n);
#if UPS_LANES > 4
    if (slots < 8) return zip_some<8>(o, c, width, slots, n);
#endif
#if UPS_LANES == 16
    if (slots < 16) return zip_some<16>(o, c, width, slots, n);
#endif
    if (slots % LANES == 0)
      for (int64_t s = 0; s < slots; s += LANES) done = turn_back(o + s, slots, c + s * width, width, whole);
  }
  for (int64_t i = done; i < whole; ++i)
    for (int64_t s = 0; s < slots; ++s) o[i * slots + s] = Narrow<S, T>::of(c[s * width + i]);
  for (int64_t s = 0; s < n % slots; ++s) o[whole * slots + s] = Narrow<S, T>::of(c[s * width + whole]);
}

template <class T, class S>
void interleave(void* out, const T* c, int64_t width, int64_t slots, int64_t n) {
  line(static_cast<S*>(out), c, width, slots, n);
}

template <class T, class S>
void lines(void* out, const T* c, int64_t width, int64_t slots, const ConvLine* list, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    line(static_cast<S*>(out) + list[i].to, c + list[i].at, width, slots, list[i].n);
  }
}

template <class T, class S>
void spread(void* out, int64_t step, const T* c, int64_t width, int64_t n, int64_t pixels) {
  S* o = static_cast<S*>(out);
  for (int64_t p = 0; p < pixels; ++p, o += step, c += width) {
    if constexpr (__is_same(S, T))
      copy_run(o, c, n);
    else
      for (int64_t i = 0; i < n; ++i) o[i] = Narrow<S, T>::of(c[i]);
  }
}

template <class T, class S>
void scatter(void* out, int64_t step, const T* c, int64_t n) {
  S* o = static_cast<S*>(out);
  for (int64_t i = 0; i < n; ++i) o[i * step] = Narrow<S, T>::of(c[i]);
}

template <class T, int B>
void fill_tiles(ConvLeaves<T>* leaves) {
  leaves->tile[0][B] = tile<T, 1, B>;
  leaves->tile[1][B] = tile<T, 2, B>;
  leaves->moving_tile[B] = moving_tile<T, B>;
  if constexpr (B <= UPS_FEW) leaves->tile[2][B] = tile<T, 4, B>;
  if constexpr (B <= UPS_FEWEST) leaves->tile[3][B] = tile<T, 8, B>;
  leaves->rows[0][B] = rows<T, 1, B>;
  leaves->rows[1][B] = rows<T, 2, B>;
  if constexpr (B > 1) fill_tiles<T, B - 1>(leaves);
}

template <class T, int P>
void fill_narrow(ConvLeaves<T>* leaves) {
  leaves->narrow_tile[P] = narrow_tile<T, P>;
  if constexpr (P > 1) fill_narrow<T, P - 1>(leaves);
}

template <class T>
void fill_deep(ConvLeaves<T>* leaves) {
  leaves->deep[0][0] = deep_any<T>;
  leaves->deep[0][1] = deep<T, 1, 4>;
  leaves->deep[0][2] = deep<T, 1, 9>;
  for (auto& leaf : leaves->deep[1]) leaf = nullptr;
  leaves->deep_double = nullptr;
  leaves->deep_plane = nullptr;
  for (auto& leaf : leaves->doubled) leaf = nullptr;
  leaves->deep_last[0] = deep_last<T, 0>;
  leaves->deep_last[1] = deep_last<T, 4>;
  leaves->deep_last[2] = deep_last<T, 9>;
  leaves->deep_last[3] = deep_last<T, 3>;
}

template <class T, class S>
void fill_elements(ConvLeaves<T>* leaves, int type) {
  leaves->gather[type] = gather<T, S>;
  leaves->interleave[type] = interleave<T, S>;
  leaves->lines[type] = lines<T, S>;
  leaves->spread[type] = spread<T, S>;
  leaves->scatter[type] = scatter<T, S>;
}

}  // namespace

void fill_convolution(KernelTable* table) {
  table->conv.lanes = Simd<float>::L;
  table->conv_double.lanes = Simd<double>::L;
  table->conv.most = table->conv_double.most = UPS_TILE;
  table->conv.few = table->conv_double.few = UPS_FEW;
  table->conv.wide = wide<float>;
  table->conv_double.wide = wide<double>;
  table->conv.wide_rows = table->conv_double.wide_rows = UPS_WIDE;
  table->conv.move = move<float>;
  table->conv_double.move = move<double>;
  table->conv.fewest = table->conv_double.fewest = UPS_FEWEST;
  table->conv.pack = pack<float>;
  table->conv_double.pack = pack<double>;
  fill_tiles<float, UPS_TILE>(&table->conv);
  fill_tiles<double, UPS_TILE>(&table->conv_double);
  table->conv.narrow = table->conv_double.narrow = UPS_NARROW;
  fill_narrow<float, UPS_NARROW>(&table->conv);
  fill_narrow<double, UPS_NARROW>(&table->conv_double);
  fill_deep(&table->conv);
  fill_deep(&table->conv_double);
  table->conv.deep[1][1] = deep<float, 2, 4>;
  table->conv.deep[1][2] = deep<float, 2, 9>;
#if UPS_LANES > 4
  table->conv.doubled[1] = doubled<1>;
  table->conv.doubled[2] = doubled<2>;
  table->conv.doubled[3] = doubled<3>;
#endif
#if defined(__AVX512F__)
  table->conv.deep_double = deep_double;
  table->conv.deep_plane = deep_plane;
#endif
  for (auto& leaf : table->conv_double.meet) leaf = nullptr;
  table->conv.meet[0] = nullptr;
  table->conv.meet[1] = meet<1>;
  table->conv.meet[2] = meet<2>;
  table->conv.meet[3] = meet<3>;
  table->conv.meet[4] = meet<4>;
  table->conv.dots = dots;
  table->conv_double.dots = nullptr;
  table->conv.columns = columns;
  table->conv_double.columns = nullptr;
  table->conv.transpose = transpose<float>;
  table->conv_double.transpose = transpose<double>;
  table->conv.weights = weights<float>;
  table->conv_double.weights = weights<double>;
  table->conv.finite = finite<float, uint32_t>;
  table->conv_double.finite = finite<double, uint64_t>;
  fill_elements<float, float>(&table->conv, F32);
  fill_elements<float, Half>(&table->conv, F16);
  fill_elements<double, double>(&table->conv_double, F64);
}

}  // namespace UPS_ISA
}  // namespace upsampling
