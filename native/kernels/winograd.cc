// Leaves of Winograd's convolution.
//
// Note [Schemes]
// M outputs of a kernel of R taps are sums of N = R + M − 1 products, Y = Aᵀ((G·g) ⊙ (Bᵀ·d)), where the rows
// of A, G and B are powers and products of the points −b, −a, (0,) a, b and infinity (Toom and Cook).
// Rounding grows with the spread of those powers. These points give less than half of the error of the usual
// 1 and 2, and the constants made of them are exact. Two outputs of two taps are made by the points 0, 1 and
// infinity.
#include "kernels/winograd.h"

#include "kernels/contract.h"
#include "kernels/kernels.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

#if UPS_LANES == 16
#define UPS_EVEN(x, y) \
  __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define UPS_ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define UPS_NEXT(x, y, h) \
  __builtin_shufflevector(x, y, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 + h)
#elif UPS_LANES == 8
#define UPS_EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14)
#define UPS_ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15)
#define UPS_NEXT(x, y, h) __builtin_shufflevector(x, y, 1, 2, 3, 4, 5, 6, 7, 8 + h)
#else
#define UPS_EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6)
#define UPS_ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7)
#define UPS_NEXT(x, y, h) __builtin_shufflevector(x, y, 1, 2, 3, 4 + h)
#endif

UPS_INLINE vf splat_like(vf, double x) { return splat(static_cast<float>(x)); }
UPS_INLINE vd splat_like(vd, double x) { return splat(x); }

// The points a and b.
template <int R>
struct Points;
template <>
struct Points<3> {
  static constexpr double a = 5.0 / 8, b = 3.0 / 2;
};
template <>
struct Points<2> {
  static constexpr double a = 3.0 / 8, b = 5.0 / 4;
};

// From the products at a, −a, b, −b (and at 0, which adds to the first output) and infinity.
template <class P, class V>
UPS_INLINE void outputs(V* y, V a, V minus_a, V b, V minus_b, V infinity) {
  const auto c = [](double x) { return splat_like(V{}, x); };
  const V even_a = a + minus_a, odd_a = a - minus_a, even_b = b + minus_b, odd_b = b - minus_b;
  y[0] = even_a + even_b;
  y[1] = c(P::a) * odd_a + c(P::b) * odd_b;
  y[2] = c(P::a * P::a) * even_a + c(P::b * P::b) * even_b;
  y[3] = c(P::a * P::a * P::a) * odd_a + (c(P::b * P::b * P::b) * odd_b + infinity);
}

template <int R, int M>
struct Scheme;

// 0, ±a, ±b, infinity.
template <>
struct Scheme<3, 4> : Points<3> {
  enum : int { N = 6 };
  static constexpr double a2 = a * a, b2 = b * b;
  template <class V>
  UPS_MEMBER void input(V* v, const V* d) {
    const auto c = [](double x) { return splat_like(V{}, x); };
    v[0] = (d[4] - c(a2 + b2) * d[2]) + c(a2 * b2) * d[0];
    const V even_a = d[4] - c(b2) * d[2], odd_a = d[3] - c(b2) * d[1];
    v[1] = even_a + c(a) * odd_a;
    v[2] = even_a - c(a) * odd_a;
    const V even_b = d[4] - c(a2) * d[2], odd_b = d[3] - c(a2) * d[1];
    v[3] = even_b + c(b) * odd_b;
    v[4] = even_b - c(b) * odd_b;
    v[5] = (d[5] - c(a2 + b2) * d[3]) + c(a2 * b2) * d[1];
  }
  template <class V>
  UPS_MEMBER void output(V* y, const V* m) {
    outputs<Points<3>>(y, m[1], m[2], m[3], m[4], m[5]);
    y[0] += m[0];
  }
  template <class V>
  UPS_MEMBER void weight(V* u, const V* w) {
    const auto c = [](double x) { return splat_like(V{}, x); };
    u[0] = w[0] * c(1 / (a2 * b2));
    const V even_a = w[0] + c(a2) * w[2], odd_a = c(a) * w[1], scale_a = c(1 / (2 * a2 * (a2 - b2)));
    u[1] = (even_a + odd_a) * scale_a;
    u[2] = (even_a - odd_a) * scale_a;
    const V even_b = w[0] + c(b2) * w[2], odd_b = c(b) * w[1], scale_b = c(1 / (2 * b2 * (b2 - a2)));
    u[3] = (even_b + odd_b) * scale_b;
    u[4] = (even_b - odd_b) * scale_b;
    u[5] = w[2];
  }
};

// ±a, ±b, infinity.
template <>
struct Scheme<2, 4> : Points<2> {
  enum : int { N = 5 };
  static constexpr double a2 = a * a, b2 = b * b;
  template <class V>
  UPS_MEMBER void input(V* v, const V* d) {
    const auto c = [](double x) { return splat_like(V{}, x); };
    const V odd_a = d[3] - c(b2) * d[1], even_a = d[2] - c(b2) * d[0];
    v[0] = odd_a + c(a) * even_a;
    v[1] = odd_a - c(a) * even_a;
    const V odd_b = d[3] - c(a2) * d[1], even_b = d[2] - c(a2) * d[0];
    v[2] = odd_b + c(b) * even_b;
    v[3] = odd_b - c(b) * even_b;
    v[4] = (d[4] - c(a2 + b2) * d[2]) + c(a2 * b2) * d[0];
  }
  template <class V>
  UPS_MEMBER void output(V* y, const V* m) {
    outputs<Points<2>>(y, m[0], m[1], m[2], m[3], m[4]);
  }
  template <class V>
  UPS_MEMBER void weight(V* u, const V* w) {
    const auto c = [](double x) { return splat_like(V{}, x); };
    const V odd_a = c(a) * w[1], scale_a = c(1 / (2 * a * (a2 - b2)));
    u[0] = (w[0] + odd_a) * scale_a;
    u[1] = (odd_a - w[0]) * scale_a;
    const V odd_b = c(b) * w[1], scale_b = c(1 / (2 * b * (b2 - a2)));
    u[2] = (w[0] + odd_b) * scale_b;
    u[3] = (odd_b - w[0]) * scale_b;
    u[4] = w[1];
  }
};

// 0, 1, infinity.
template <>
struct Scheme<2, 2> {
  enum : int { N = 3 };
  template <class V>
  UPS_MEMBER void input(V* v, const V* d) {
    v[0] = d[0] - d[1];
    v[1] = d[1];
    v[2] = d[2] - d[1];
  }
  template <class V>
  UPS_MEMBER void output(V* y, const V* m) {
    y[0] = m[0] + m[1];
    y[1] = m[1] + m[2];
  }
  template <class V>
  UPS_MEMBER void weight(V* u, const V* w) {
    u[0] = w[0];
    u[1] = w[0] + w[1];
    u[2] = w[1];
  }
};

// --- a vector of tiles

template <int R, int M>
UPS_INLINE void down_at(float* s, int64_t pitch, const float* const* rows, int64_t x) {
  enum : int { N = Scheme<R, M>::N };
  vf d[N], v[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) d[i] = load(rows[i] + x);
  Scheme<R, M>::input(v, d);
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) store(s + i * pitch + x, v[i]);
}

template <int R, int M>
void down(float* s, int64_t pitch, const float* const* rows, int64_t n) {
  enum : int { N = Scheme<R, M>::N };
  if (n >= LANES) {
    int64_t x = 0;
    for (; x + LANES <= n; x += LANES) down_at<R, M>(s, pitch, rows, x);
    if (x < n) down_at<R, M>(s, pitch, rows, n - LANES);
    return;
  }
  // Less than a vector: through memory that may be read.
  float few[N * LANES];
  const float* copies[N];
  for (int i = 0; i < N; ++i) {
    for (int64_t x = 0; x < n; ++x) few[i * LANES + x] = rows[i][x];
    for (int64_t x = n; x < LANES; ++x) few[i * LANES + x] = 0;
    copies[i] = few + i * LANES;
  }
  float out[N * LANES];
  down_at<R, M>(out, LANES, copies, 0);
  for (int i = 0; i < N; ++i)
    for (int64_t x = 0; x < n; ++x) s[i * pitch + x] = out[i * LANES + x];
}

template <int R, int M>
void across(float* v, int64_t step, const float* s, int64_t pitch, int64_t tiles) {
  enum : int { N = Scheme<R, M>::N };
  for (int64_t t = 0; t < tiles; t += LANES) {
    const float* from = s + M * t;
    float* to = v + t;
    for (int i = 0; i < N; ++i, from += pitch, to += N * step) {
      const vf x0 = load(from), x1 = load(from + LANES), next = load(from + M * LANES);
      vf d[M + 2], u[N];
      const vf even0 = UPS_EVEN(x0, x1), odd0 = UPS_ODD(x0, x1);
      if constexpr (M == 2) {
        d[0] = even0;
        d[1] = odd0;
      } else {
        const vf x2 = load(from + 2 * LANES), x3 = load(from + 3 * LANES);
        const vf even1 = UPS_EVEN(x2, x3), odd1 = UPS_ODD(x2, x3);
        d[0] = UPS_EVEN(even0, even1);
        d[1] = UPS_EVEN(odd0, odd1);
        d[2] = UPS_ODD(even0, even1);
        d[3] = UPS_ODD(odd0, odd1);
      }
      d[M] = UPS_NEXT(d[0], next, 0);
      d[M + 1] = UPS_NEXT(d[1], next, 1);
      Scheme<R, M>::input(u, d);
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j) store(to + j * step, u[j]);
    }
  }
}

// y[r][c] = output (r, c) of the tile whose products are at m.
template <int R, int M>
UPS_INLINE void tile_outputs(vf (*y)[M], const float* m, int64_t step) {
  enum : int { N = Scheme<R, M>::N };
  vf rows[N][M];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) {
    vf p[N];
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) p[j] = load(m + (i * N + j) * step);
    Scheme<R, M>::output(rows[i], p);
  }
#pragma GCC unroll 4
  for (int c = 0; c < M; ++c) {
    vf p[N], q[M];
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) p[i] = rows[i][c];
    Scheme<R, M>::output(q, p);
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r) y[r][c] = q[r];
  }
}

template <int R, int M, int F>
void up(float* const* rows, float* flags, const float* m, int64_t step, int64_t apart, float bias) {
  vf y[F][M][M];
  const vf b = splat(bias), zero = splat(0.0f);
  vf flag = load(flags);
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f) {
    tile_outputs<R, M>(y[f], m + f * apart, step);
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 4
      for (int c = 0; c < M; ++c) {
        y[f][r][c] += b;
        flag += y[f][r][c] * zero;
      }
  }
  store(flags, flag);
#pragma GCC unroll 4
  for (int r = 0; r < M; ++r) {
    vf x[M * F];
#pragma GCC unroll 8
    for (int i = 0; i < M * F; ++i) x[i] = y[i % F][r][i / F];
    zip<M * F>(x);
#pragma GCC unroll 8
    for (int i = 0; i < M * F; ++i) store(rows[r] + i * LANES, x[i]);
  }
}

// --- a vector of channels

template <int R, int M>
UPS_INLINE void spread_at(float* v, int64_t step, const float* const* pixel, int64_t c) {
  enum : int { N = Scheme<R, M>::N };
  vf t[N][N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) {
    vf d[N], u[N];
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) d[i] = load(pixel[i * N + j] + c);
    Scheme<R, M>::input(u, d);
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) t[i][j] = u[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) {
    vf u[N];
    Scheme<R, M>::input(u, t[i]);
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) store(v + (i * N + j) * step + c, u[j]);
  }
}

template <int R, int M>
void spread(float* v, int64_t step, const float* const* pixel, int64_t n) {
  int64_t c = 0;
  for (; c + LANES <= n; c += LANES) spread_at<R, M>(v, step, pixel, c);
  if (c < n) spread_at<R, M>(v, step, pixel, n - LANES);
}

template <int R, int M>
void gather(float* const* pixel, float* flags, const float* m, int64_t step, const float* bias) {
  vf y[M][M];
  const vf b = load(bias), zero = splat(0.0f);
  vf flag = load(flags);
  tile_outputs<R, M>(y, m, step);
#pragma GCC unroll 4
  for (int r = 0; r < M; ++r)
#pragma GCC unroll 4
    for (int c = 0; c < M; ++c) {
      const vf out = y[r][c] + b;
      flag += out * zero;
      store(pixel[r * M + c], out);
    }
  store(flags, flag);
}

// --- weights

template <int R, int M>
void weights(float* u, int64_t step, const double* w) {
  enum : int { N = Scheme<R, M>::N, L = LANES / 2 };
  typedef typename VectorOf<float, L>::type Half;
  typedef typename VectorOf<float, L>::memory HalfMemory;
  for (int h = 0; h < 2; ++h, u += L, w += L) {
    vd t[N][R];
#pragma GCC unroll 4
    for (int j = 0; j < R; ++j) {
      vd g[R], v[N];
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) g[i] = load(w + (i * R + j) * LANES);
      Scheme<R, M>::weight(v, g);
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i) t[i][j] = v[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) {
      vd v[N];
      Scheme<R, M>::weight(v, t[i]);
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j)
        *reinterpret_cast<HalfMemory*>(u + (i * N + j) * step) = __builtin_convertvector(v[j], Half);
    }
  }
}

template <int R, int M>
void fill(WinogradScheme* k) {
  k->down = down<R, M>;
  k->across = across<R, M>;
  k->up[0] = up<R, M, 1>;
  k->up[1] = up<R, M, 2>;
  k->spread = spread<R, M>;
  k->gather = gather<R, M>;
  k->weights = weights<R, M>;
}

}  // namespace

void fill_winograd(WinogradKernels* kernels) {
  fill<2, 4>(&kernels->large[0]);
  fill<3, 4>(&kernels->large[1]);
  fill<2, 2>(&kernels->small);
}

}  // namespace UPS_ISA
}  // namespace upsampling
