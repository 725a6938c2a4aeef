// Tiles: outputs of a stretch of positions, whose sums stay in registers while all products are added. Inputs
// and weights are packed, vectors hold positions (of few positions: outputs). Also what packs the inputs.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// How much more of an accumulator is kept in registers: at most FEW outputs of four vectors and FEWEST of
// eight, NARROW positions of as many outputs as there are registers. With the numbers of AVX2 on AVX-512, 1x1
// to 6 channels of 112x112 takes .108 ms rather than .051 (FEW), 5x5 to 2 .353 rather than .336 (FEWEST), 1x1
// 256->512 of 8 pixels .031 rather than .017 (NARROW); with those of SSE2 on AVX2, 1x1 of 3 pixels .0075
// rather than .0053.
enum : int {
  FEW = LANES == 16 ? 6 : 2,
  FEWEST = LANES == 16 ? 2 : 1,
  NARROW = LANES == 16  ? 8
           : LANES == 8 ? 3
                        : 2
};

// The step of a tile: the products of one channel.
template <class T, int NV, int B, class V>
UPS_INLINE void tile_step(V (&acc)[B][NV], const T* w, const T* from) {
  V x[NV];
#pragma GCC unroll 8
  for (int u = 0; u < NV; ++u) x[u] = load(from + u * Simd<T>::L);
#pragma GCC unroll 28
  for (int j = 0; j < B; ++j) {
    const V y = splat(w[j]);
#pragma GCC unroll 8
    for (int u = 0; u < NV; ++u) acc[j][u] += y * x[u];
  }
}

template <class T, int NV, int B>
void tile(T* c, const int32_t* place, const T* b, const T* v, const ConvTiles* sum, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t channel = sum->channel, asked = sum->asked;
  const ConvPiece *const first = sum->piece, *const last = first + sum->pieces;
  const char* const* ahead = sum->ahead;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, v += sum->v_step) {
    V acc[B][NV];
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j)
#pragma GCC unroll 8
      for (int u = 0; u < NV; ++u) acc[j][u] = bias != nullptr ? splat(bias[j]) : load(c + place[j] + u * L);
    const int64_t* list = sum->list;
    for (const ConvPiece* p = first; p < last; ++p) {
      for (int64_t i = 0; i < asked; ++i) __builtin_prefetch(*ahead++, 1);
      const T* w = b + p->weight * B;
      int64_t i = p->n;
      // Weights are asked for past the next page too, where the hardware does not look ahead.
      if (list != nullptr) {
        do {
          __builtin_prefetch(w + 64 * B);
          tile_step<T, NV, B>(acc, w, v + *list++);
          w += B;
        } while (--i > 0);
        continue;
      }
      const T* from = v + p->from;
      do {
        __builtin_prefetch(w + 64 * B);
        tile_step<T, NV, B>(acc, w, from);
        from += channel;
        w += B;
      } while (--i > 0);
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
  __builtin_prefetch(m.ask);
  __builtin_prefetch(m.ask + L);
  // Planes may lie across lines.
  __builtin_prefetch(m.ask + 2 * L - 1);
  store(m.to, load(m.from));
  store(m.to + L, load(m.from + L));
  m.from += 2 * L;
  m.to += m.panel;
  m.ask += 2 * L;
  if (++m.at == m.panels) {
    m.at = 0;
    m.from += m.channel - 2 * L * m.panels;
    m.to += 2 * L - m.panels * m.panel;
    m.ask = --m.planes == 0 ? m.next : m.ask + m.channel - 2 * L * m.panels;
  }
}

template <class T>
void move(ConvMove<T>* m) {
  ConvMove<T> local = *m;
  for (; local.left > 0; --local.left) move_next(local);
  *m = local;
}

template <class T, int B>
void moving_tile(T* c, const int32_t* place, const T* b, const T* v, const ConvTiles* sum, const T* bias,
                 ConvMove<T>* move) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  const int64_t channels = sum->piece->n;
  ConvMove<T> m = *move;
  for (int64_t repeat = 0; repeat < sum->count; ++repeat, c += sum->c_step, v += sum->v_step) {
    V acc[B][2];
#pragma GCC unroll 28
    for (int j = 0; j < B; ++j) acc[j][0] = acc[j][1] = splat(bias[j]);
    const T *from = v, *w = b;
    // Outputs are on their way into the cache while their sums are computed; all at once they would be waited
    // for. What lies across two lines begins in the last one of the panel before.
    const int64_t pairs = channels / 2, lines = pairs < 2 * B ? 2 : 1;
    const int64_t moves = pairs < m.left ? pairs : m.left;
    m.left -= moves;
    for (int64_t i = 0; i < pairs; ++i) {
      if (i * lines < 2 * B) __builtin_prefetch(c + place[i * lines / 2] + (i * lines % 2 + 1) * L - 1, 1);
      if (i < B && lines == 2) __builtin_prefetch(c + place[i] + 2 * L - 1, 1);
      if (i < moves) move_next(m);
      tile_step<T, 2, B>(acc, w, from);
      tile_step<T, 2, B>(acc, w + B, from + 2 * L);
      from += 4 * L;
      w += 2 * B;
    }
    if (channels % 2 != 0) tile_step<T, 2, B>(acc, w, from);
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
void narrow_tile(T* c, const int32_t* place, const T* b, int64_t columns, const T* v, const ConvTiles* sum,
                 const T* bias) {
  typedef typename Simd<T>::V V;
  // Of one or two positions some channels at a time: a single sum waits for itself.
  enum : int { L = Simd<T>::L, N = (TILE + L - 1) / L, S = P == 1 ? 4 : P <= 3 ? 2 : 1 };
  const int64_t channel = sum->channel;
  V acc[S][P][N];
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int u = 0; u < N; ++u) acc[s][p][u] = V{};
  for (const ConvPiece* p = sum->piece; p < sum->piece + sum->pieces; ++p) {
    const T *from = v + p->from, *w = b + p->weight * columns;
    int64_t i = 0;
    for (; i + S <= p->n; i += S) {
      __builtin_prefetch(w + 512);
#pragma GCC unroll 4
      for (int s = 0; s < S; ++s) narrow_step<T, P, N>(acc[s], w + s * columns, from + s * channel);
      from += S * channel;
      w += S * columns;
    }
    for (; i < p->n; ++i) {
      narrow_step<T, P, N>(acc[0], w, from);
      from += channel;
      w += columns;
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

template <class T, int B>
void fill_tiles(ConvLeaves<T>* leaves) {
  leaves->tile[0][B] = tile<T, 1, B>;
  leaves->tile[1][B] = tile<T, 2, B>;
  leaves->moving_tile[B] = moving_tile<T, B>;
  if constexpr (B <= FEW) leaves->tile[2][B] = tile<T, 4, B>;
  if constexpr (B <= FEWEST) leaves->tile[3][B] = tile<T, 8, B>;
  if constexpr (B > 1) fill_tiles<T, B - 1>(leaves);
}

template <class T, int P>
void fill_narrow(ConvLeaves<T>* leaves) {
  leaves->narrow_tile[P] = narrow_tile<T, P>;
  if constexpr (P > 1) fill_narrow<T, P - 1>(leaves);
}

template <class T>
void fill(ConvLeaves<T>* leaves) {
  leaves->lanes = Simd<T>::L;
  leaves->most = TILE;
  leaves->few = FEW;
  leaves->fewest = FEWEST;
  leaves->narrow = NARROW;
  fill_tiles<T, TILE>(leaves);
  fill_narrow<T, NARROW>(leaves);
  leaves->move = move<T>;
  leaves->pack = pack<T>;
}

}  // namespace

void fill_convolution_tiles(KernelTable* table) {
  fill(&table->conv);
  fill(&table->conv_double);
}

}  // namespace UPS_ISA
}  // namespace upsampling
