// Groups of one channel: there is nothing to share between outputs, so weights stay in registers and inputs
// are read where they are, planes in vectors of positions, channels last in vectors of channels.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
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

template <class T>
void fill(ConvLeaves<T>* leaves) {
  leaves->deep[0][0] = deep_any<T>;
  leaves->deep[0][1] = deep<T, 1, 4>;
  leaves->deep[0][2] = deep<T, 1, 9>;
  leaves->deep_last[0] = deep_last<T, 0>;
  leaves->deep_last[1] = deep_last<T, 4>;
  leaves->deep_last[2] = deep_last<T, 9>;
  leaves->deep_last[3] = deep_last<T, 3>;
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
