// Groups of one channel: there is nothing to share between outputs, so weights stay in registers and inputs
// are read where they are, planes in vectors of positions, channels last in vectors of channels.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/some.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

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

// R rows of V vectors, any number of taps: as many sums as wait for one another otherwise.
template <class T, int R, int V>
UPS_INLINE void deep_rows(T* out, const T* in, const ConvDeep* d, const T* weight, T bias) {
  enum : int { L = Simd<T>::L };
  typename Simd<T>::V a[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) a[r][v] = splat(bias);
  for (int64_t t = 0; t < d->taps[0]; ++t) {
    const auto w = splat(weight[t]);
    const T* x = in + d->offset[0][t];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) a[r][v] += w * load(x + r * d->in_row + v * L);
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) store(out + r * d->out_row + v * L, a[r][v]);
}

template <class T, int R>
UPS_INLINE void deep_band(T* out, const T* in, const ConvDeep* d, const T* weight, T bias) {
  enum : int { L = Simd<T>::L };
  const int64_t n = d->n;
  if (n < L) {
    T last[R * L];
    ConvDeep narrow = *d;
    narrow.out_row = L;
    deep_rows<T, R, 1>(last, in, &narrow, weight, bias);
    for (int r = 0; r < R; ++r) copy_stored<T>(out + r * d->out_row, last + r * L, n);
    return;
  }
  int64_t i = 0;
  for (; i + 2 * L <= n; i += 2 * L) deep_rows<T, R, 2>(out + i, in + i, d, weight, bias);
  for (; i < n; i += L) {
    if (i + L > n) i = n - L;
    deep_rows<T, R, 1>(out + i, in + i, d, weight, bias);
  }
}

template <class T>
void deep_any(T* out, const T* in, const ConvDeep* d, const T* const* weight, const T* bias) {
  int64_t r = 0;
  for (; r + 4 <= d->rows; r += 4)
    deep_band<T, 4>(out + r * d->out_row, in + r * d->in_row, d, weight[0], bias[0]);
  for (; r < d->rows; ++r) deep_band<T, 1>(out + r * d->out_row, in + r * d->in_row, d, weight[0], bias[0]);
}

// A vector of channels, or where there are fewer (PART) only those.
template <bool PART>
UPS_INLINE vf load_channels(const float* p, Some some) {
  return PART ? load_some(p, some) : load(p);
}
template <bool PART>
UPS_INLINE void store_channels(float* p, vf v, Some some) {
  if (PART)
    store_some(p, v, some);
  else
    store(p, v);
}
template <bool PART>
UPS_INLINE vd load_channels(const double* p, Some) {
  return load(p);
}
template <bool PART>
UPS_INLINE void store_channels(double* p, vd v, Some) {
  store(p, v);
}

// ROW taps at a time that are neighbours, STEP of which lie between a pixel and the next one: pixels share
// what they read.
template <int ROW, int STEP>
struct Neighbours {
  enum : int { MOST = LANES == 16 && STEP == 1 ? 8 : 4 };
  template <bool PART, int U, class T>
  UPS_MEMBER void pixels(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias,
                         Some some) {
    typedef typename Simd<T>::V V;
    enum : int { N = (U - 1) * STEP + ROW };
    const int64_t apart = d->in_pixel / STEP;
    V a[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) a[u] = load_channels<PART>(bias, some);
    for (int64_t t = 0; t < d->taps; t += ROW) {
      const T* x = in + d->offset[t];
      V v[N];
#pragma GCC unroll 32
      for (int n = 0; n < N; ++n) v[n] = load_channels<PART>(x + n * apart, some);
#pragma GCC unroll 8
      for (int i = 0; i < ROW; ++i) {
        const V w = load_channels<PART>(weight + d->order[t + i], some);
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u) a[u] += w * v[u * STEP + i];
      }
    }
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) store_channels<PART>(out + u * d->out_pixel, a[u], some);
  }
};

// Taps wherever they are.
struct Anywhere {
  enum : int { MOST = LANES == 16 ? 8 : 4 };
  template <bool PART, int U, class T>
  UPS_MEMBER void pixels(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias,
                         Some some) {
    typedef typename Simd<T>::V V;
    const int64_t in_pixel = d->in_pixel;
    V a[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) a[u] = load_channels<PART>(bias, some);
    for (int64_t t = 0; t < d->taps; ++t) {
      const V w = load_channels<PART>(weight + d->order[t], some);
      const T* x = in + d->offset[t];
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) a[u] += w * load_channels<PART>(x + u * in_pixel, some);
    }
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) store_channels<PART>(out + u * d->out_pixel, a[u], some);
  }
};

// A pixel of fewer channels than a vector, one element after the other.
template <class T>
UPS_INLINE void deep_few(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  for (int64_t c = 0; c < d->channels; ++c) {
    T sum = bias[c];
    for (int64_t t = 0; t < d->taps; ++t) sum += weight[d->order[t] + c] * in[d->offset[t] + c];
    out[c] = sum;
  }
}

// U pixels of all channels.
template <class Taps, int U, class T>
UPS_INLINE void deep_pixels(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  enum : int { L = Simd<T>::L };
  const int64_t channels = d->channels;
  if (channels < L) {
    if constexpr (LANES >= 8 && sizeof(T) == sizeof(float)) {
      Taps::template pixels<true, U>(out, in, d, weight, bias, first_lanes(channels));
    } else {
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) deep_few(out + u * d->out_pixel, in + u * d->in_pixel, d, weight, bias);
    }
    return;
  }
  for (int64_t at = 0; at < channels; at += L) {
    const int64_t c = at + L <= channels ? at : channels - L;
    Taps::template pixels<false, U>(out + c, in + c, d, weight + c, bias + c, Some{});
  }
}

// B vectors of channels of a pixel.
template <int B, class T>
UPS_INLINE void deep_vectors(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  V a[B];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) a[b] = load(bias + b * L);
  for (int64_t t = 0; t < d->taps; ++t) {
    const T *w = weight + d->order[t], *x = in + d->offset[t];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) a[b] += load(w + b * L) * load(x + b * L);
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) store(out + b * L, a[b]);
}

// A pixel: a sum waits for itself, so four vectors of channels take turns. 7x7 of 256 channels of 7x9, mostly
// such pixels, takes 64 us rather than 76.
template <class Taps, class T>
UPS_INLINE void deep_pixel(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  enum : int { L = Simd<T>::L };
  const int64_t channels = d->channels;
  if (channels < 2 * L) return deep_pixels<Taps, 1>(out, in, d, weight, bias);
  int64_t c = 0;
  for (; c + 4 * L <= channels; c += 4 * L) deep_vectors<4>(out + c, in + c, d, weight + c, bias + c);
  for (; c < channels; c += 2 * L) {
    // The last ones reach back.
    if (c + 2 * L > channels) c = channels - 2 * L;
    deep_vectors<2>(out + c, in + c, d, weight + c, bias + c);
  }
}

// As many sums as registers hold beside a row of taps: one waits for the other otherwise (7x7 windows of 96
// channels of 56x56 .25 ms by eights rather than .46). The last four pixels reach back
// where single ones would wait for their sums, of few channels, or would be as many.
template <class T, class Taps>
void deep_last(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  enum : int { MOST = Taps::MOST };
  const int64_t pixels = d->pixels, in_pixel = d->in_pixel, out_pixel = d->out_pixel;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += d->out_row) {
    int64_t i = 0;
    for (; MOST > 4 && i + MOST <= pixels; i += MOST)
      deep_pixels<Taps, MOST>(out + i * out_pixel, in + i * in_pixel, d, weight, bias);
    const bool back = pixels >= 4 && (d->channels <= 2 * Simd<T>::L || (pixels - i) % 4 == 3);
    for (; i + (back ? 1 : 4) <= pixels; i += 4) {
      if (i + 4 > pixels) i = pixels - 4;
      deep_pixels<Taps, 4>(out + i * out_pixel, in + i * in_pixel, d, weight, bias);
    }
    for (; i < pixels; ++i) deep_pixel<Taps>(out + i * out_pixel, in + i * in_pixel, d, weight, bias);
  }
}

#if defined(__AVX512F__)
// The next column of R + 2 rows, and the sums of a pixel of R rows, whose first column stands at FIRST. ASKS:
// for the outputs some pixels on. 3x3 of 64 channels of 224x224 takes 2.3 ms rather than 2.9, but where
// outputs stay in the second-level cache up to 7 % longer.
template <int R, int FIRST, bool ASKS>
UPS_INLINE void plane_pixel(float* out, vf (&x)[R + 2][3], const vf (&w)[9], vf start, const ConvDeepPlane* d,
                            const float* (&row)[R + 2], const int64_t (&step)[R + 2], bool inside) {
#pragma GCC unroll 4
  for (int r = 0; r < R + 2; ++r) {
    x[r][(FIRST + 2) % 3] = inside ? load(row[r]) : vf{};
    row[r] += step[r];
  }
#pragma GCC unroll 2
  for (int r = 0; r < R; ++r) {
    if (ASKS) __builtin_prefetch(out + r * d->out_row + 6 * d->out_pixel, 1);
    vf a = start;
#pragma GCC unroll 9
    for (int t = 0; t < 9; ++t) a += w[t] * x[r + t / 3][(FIRST + t % 3) % 3];
    store(out + r * d->out_row, a);
  }
}

// Pixels begin … end of R rows of a vector of channels: weights and the last three columns stay in registers,
// so a pixel of two rows takes 4 loads for 18 products.
template <int R, bool ASKS>
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
    plane_pixel<R, 0, ASKS>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
    if (i + 1 == end) break;
    plane_pixel<R, 1, ASKS>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
    if (i + 2 == end) break;
    plane_pixel<R, 2, ASKS>(out, x, w, start, d, row, step, at >= 0 && at < width);
    ++at;
    out += d->out_pixel;
  }
}

// All channels of up to 16 pixels before the next ones: a line belongs to two vectors. 64 channels of 56x56
// take 0.032 ms, by whole rows 0.042, and tap by tap (deep_last) 0.051. Of 16 registers the weights alone
// would fill most.
template <bool ASKS>
void deep_plane_of(float* out, const float* in, const ConvDeepPlane* d, const float* weight,
                   const float* bias) {
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
          plane_rows<2, ASKS>(o, in + c, d, d->top + r, i, end, w, load(bias + c));
        else
          plane_rows<1, ASKS>(o, in + c, d, d->top + r, i, end, w, load(bias + c));
      }
    }
}

void deep_plane(float* out, const float* in, const ConvDeepPlane* d, const float* weight, const float* bias) {
  (d->asks ? deep_plane_of<true> : deep_plane_of<false>)(out, in, d, weight, bias);
}
#endif

// Where neighbours share anything.
template <class T, int STEP, int ROW>
void fill_neighbours(ConvLeaves<T>* leaves) {
  leaves->deep_neighbours[STEP - 1][ROW] = deep_last<T, Neighbours<ROW, STEP>>;
  if constexpr (ROW > STEP + 1) fill_neighbours<T, STEP, ROW - 1>(leaves);
}

template <class T>
void fill(ConvLeaves<T>* leaves) {
  leaves->deep[0][0] = deep_any<T>;
  leaves->deep[0][1] = deep<T, 1, 4>;
  leaves->deep[0][2] = deep<T, 1, 9>;
  leaves->deep_last = deep_last<T, Anywhere>;
  fill_neighbours<T, 1, ConvDeepLast::kMostNeighbours>(leaves);
  fill_neighbours<T, 2, ConvDeepLast::kMostNeighbours>(leaves);
}

}  // namespace

void fill_convolution_depth(KernelTable* table) {
  fill(&table->conv);
  fill(&table->conv_double);
  table->conv.deep[1][1] = deep<float, 2, 4>;
  table->conv.deep[1][2] = deep<float, 2, 9>;
#if defined(__AVX512F__)
  table->conv.deep_plane = deep_plane;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
