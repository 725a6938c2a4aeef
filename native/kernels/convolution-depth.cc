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

// U pixels of a vector of channels, of ROW taps at a time that are neighbours: pixels share what they read.
template <class T, int ROW, int U>
UPS_INLINE void deep_pixels(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  typedef typename Simd<T>::V V;
  const int64_t in_pixel = d->in_pixel;
  V a[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) a[u] = load(bias);
  for (int64_t t = 0; t < d->taps; t += ROW) {
    const T* x = in + d->offset[t];
    V v[U + ROW - 1];
#pragma GCC unroll 16
    for (int u = 0; u < U + ROW - 1; ++u) v[u] = load(x + u * in_pixel);
#pragma GCC unroll 8
    for (int i = 0; i < ROW; ++i) {
      const V w = load(weight + d->order[t + i]);
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) a[u] += w * v[u + i];
    }
  }
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) store(out + u * d->out_pixel, a[u]);
}

// The same of K taps wherever they are, or any with 0.
template <class T, int K, int U>
UPS_INLINE void deep_pixels_apart(T* out, const T* in, const ConvDeepLast* d, const T* weight,
                                  const T* bias) {
  typedef typename Simd<T>::V V;
  const int64_t in_pixel = d->in_pixel, taps = d->taps, step = K == 0 ? 0 : d->order[1];
  V a[U];
#pragma GCC unroll 4
  for (int u = 0; u < U; ++u) a[u] = load(bias);
#pragma GCC unroll 9
  for (int64_t t = 0; t < (K == 0 ? taps : K); ++t) {
    const V w = load(weight + (K == 0 ? d->order[t] : t * step));
    const T* x = in + d->offset[t];
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) a[u] += w * load(x + u * in_pixel);
  }
#pragma GCC unroll 4
  for (int u = 0; u < U; ++u) store(out + u * d->out_pixel, a[u]);
}

// Pixels of fewer channels than a vector, one element after the other.
template <class T>
UPS_INLINE void deep_few(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  for (int64_t i = 0; i < d->pixels; ++i)
    for (int64_t c = 0; c < d->channels; ++c) {
      T sum = bias[c];
      for (int64_t t = 0; t < d->taps; ++t)
        sum += weight[d->order[t] + c] * in[i * d->in_pixel + d->offset[t] + c];
      out[i * d->out_pixel + c] = sum;
    }
}

#if UPS_LANES >= 8
// U pixels of them, each of them a part of a vector: 16 images of 8 channels, 3x3 at stride 2 of 20x36, take
// .024 ms rather than .17 as planes.
template <int U>
UPS_INLINE void deep_parts(float* out, const float* in, const ConvDeepLast* d, const float* weight,
                           const float* bias, Some some) {
  const int64_t in_pixel = d->in_pixel;
  vf a[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) a[u] = load_some(bias, some);
  for (int64_t t = 0; t < d->taps; ++t) {
    const vf w = load_some(weight + d->order[t], some);
    const float* x = in + d->offset[t];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) a[u] += w * load_some(x + u * in_pixel, some);
  }
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) store_some(out + u * d->out_pixel, a[u], some);
}

void deep_part(float* out, const float* in, const ConvDeepLast* d, const float* weight, const float* bias) {
  const Some some = first_lanes(d->channels);
  const int64_t pixels = d->pixels;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += d->out_row) {
    int64_t i = 0;
    for (; i + 8 <= pixels; i += 8)
      deep_parts<8>(out + i * d->out_pixel, in + i * d->in_pixel, d, weight, bias, some);
    for (; i + 4 <= pixels; i += 4)
      deep_parts<4>(out + i * d->out_pixel, in + i * d->in_pixel, d, weight, bias, some);
    for (; i < pixels; ++i)
      deep_parts<1>(out + i * d->out_pixel, in + i * d->in_pixel, d, weight, bias, some);
  }
}

#endif

// Every row, some pixels at a time: block(out, in, weight, bias, left) makes some of the `left` pixels there
// are, of a vector of channels, and says how many.
template <class T, class Block>
UPS_INLINE void deep_last_by(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias,
                             const Block& block) {
  enum : int { L = Simd<T>::L };
  const int64_t channels = d->channels, pixels = d->pixels;
  for (int64_t r = 0; r < d->rows; ++r) {
    const T* x = in + r * d->in_row;
    T* o = out + r * d->out_row;
    if (channels < L) {
      deep_few(o, x, d, weight, bias);
      continue;
    }
    for (int64_t i = 0; i < pixels;) {
      int64_t made = 1;
      for (int64_t at = 0; at < channels; at += L) {
        const int64_t c = at + L <= channels ? at : channels - L;
        made = block(o + c, x + c, weight + c, bias + c, pixels - i);
      }
      i += made;
      x += made * d->in_pixel;
      o += made * d->out_pixel;
    }
  }
}

template <class T, int K>
void deep_last(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  deep_last_by(out, in, d, weight, bias,
               [&](T* o, const T* x, const T* w, const T* b, int64_t left) __attribute__((always_inline)) {
                 if (left >= 4) return deep_pixels_apart<T, K, 4>(o, x, d, w, b), 4;
                 return deep_pixels_apart<T, K, 1>(o, x, d, w, b), 1;
               });
}

// As many sums as registers hold beside a row of taps: one waits for the other otherwise (7x7 windows of 96
// channels of 56x56 .25 ms by eights rather than .46).
template <class T, int ROW>
void deep_neighbours(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias) {
  deep_last_by(out, in, d, weight, bias,
               [&](T* o, const T* x, const T* w, const T* b, int64_t left) __attribute__((always_inline)) {
                 if (UPS_LANES == 16 && left >= 8) return deep_pixels<T, ROW, 8>(o, x, d, w, b), 8;
                 if (left >= 4) return deep_pixels<T, ROW, 4>(o, x, d, w, b), 4;
                 return deep_pixels<T, ROW, 1>(o, x, d, w, b), 1;
               });
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

template <class T>
void fill(ConvLeaves<T>* leaves) {
  leaves->deep[0][0] = deep_any<T>;
  leaves->deep[0][1] = deep<T, 1, 4>;
  leaves->deep[0][2] = deep<T, 1, 9>;
  leaves->deep_last[0] = deep_last<T, 0>;
  leaves->deep_last[1] = deep_last<T, 4>;
  leaves->deep_last[2] = deep_last<T, 9>;
  leaves->deep_neighbours[3] = deep_neighbours<T, 3>;
  leaves->deep_neighbours[4] = deep_neighbours<T, 4>;
  leaves->deep_neighbours[5] = deep_neighbours<T, 5>;
  leaves->deep_neighbours[6] = deep_neighbours<T, 6>;
  leaves->deep_neighbours[7] = deep_neighbours<T, 7>;
}

}  // namespace

void fill_convolution_depth(KernelTable* table) {
  fill(&table->conv);
  fill(&table->conv_double);
  table->conv.deep[1][1] = deep<float, 2, 4>;
  table->conv.deep[1][2] = deep<float, 2, 9>;
#if UPS_LANES >= 8
  table->conv.deep_part = deep_part;
#endif
#if defined(__AVX512F__)
  table->conv.deep_plane = deep_plane;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
