#include "kernels/grid-sample.h"

#include "kernels/gather.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/turn.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// coordinates

UPS_INLINE float floor_of(float x) { return __builtin_floorf(x); }
UPS_INLINE double floor_of(double x) { return __builtin_floor(x); }
UPS_INLINE float even_of(float x) { return __builtin_rintf(x); }
UPS_INLINE double even_of(double x) { return __builtin_rint(x); }
#if defined(__AVX512F__)  // for what is done in vectors below
UPS_INLINE vf floor_of(vf x) { return __builtin_ia32_rndscaleps_mask(x, 9, x, -1, 4); }
UPS_INLINE vf even_of(vf x) { return __builtin_ia32_rndscaleps_mask(x, 8, x, -1, 4); }
#elif defined(__AVX2__)
UPS_INLINE vf floor_of(vf x) { return __builtin_ia32_roundps256(x, 9); }
UPS_INLINE vf even_of(vf x) { return __builtin_ia32_roundps256(x, 8); }
#endif

enum Filter { NEAREST, NEAREST_FIRST, LINEAR, CUBIC };
enum Padding { ZEROS, BORDER, REFLECTION };

template <class T>
struct Axis {
  T step, shift, low, period, last;
  explicit Axis(const GridAxis& a)
      : step(static_cast<T>(a.step)),
        shift(static_cast<T>(a.shift)),
        low(static_cast<T>(a.low)),
        period(static_cast<T>(a.period)),
        last(static_cast<T>(a.size - 1)) {}
};

// A position moved into the image; NaN goes to 0.
template <int P, class T, class A>
UPS_INLINE T pad(T x, const A& a) {
  if (P == ZEROS) return x;
  T v = x;
  if (P == REFLECTION) {
    const T distance = x < a.low ? a.low - x : x - a.low;
    const T rest = distance - floor_of(distance / a.period) * a.period;
    const T back = a.period - rest;
    v = (rest < back ? rest : back) + a.low;
  }
  v = v > T{} ? v : T{};
  return v < a.last ? v : a.last;
}

// A whole position as an index times stride; -1 outside. The comparisons come first: a conversion must not
// overflow.
template <class T>
UPS_INLINE int32_t index_of(T v, const Axis<T>& a, int32_t stride) {
  const bool inside = v >= T(0) && v <= a.last;
  const T safe = inside ? v : T(0);
  return inside ? static_cast<int32_t>(safe) * stride : -1;
}

// Keys' cubic convolution kernel with a = -0.75, for distances 0…1 and 1…2.
UPS_INLINE double cubic_inner(double d) { return (1.25 * d - 2.25) * d * d + 1.0; }
UPS_INLINE double cubic_outer(double d) { return ((-0.75 * d + 3.75) * d - 6.0) * d + 3.0; }

template <class T, int F, int P>
void taps(int32_t* __restrict index, double* __restrict weight, const void* grid, const GridAxis* axis,
          int64_t stride64, int64_t n) {
  const T* __restrict g = static_cast<const T*>(grid);
  const int32_t stride = static_cast<int32_t>(stride64);
  const Axis<T> a(*axis);
  const auto position = [&](int64_t i)
                            __attribute__((always_inline)) { return (g[i] + T(1)) * a.step + a.shift; };
  const auto rest = [](T x, T first) __attribute__((always_inline)) {
    return static_cast<double>(x) - static_cast<double>(first);
  };
  if (F == NEAREST) {
    for (int64_t i = 0; i < n; ++i) index[i] = index_of(even_of(pad<P>(position(i), a)), a, stride);
  } else if (F == NEAREST_FIRST) {
    for (int64_t i = 0; i < n; ++i) index[i] = index_of(pad<P>(even_of(position(i)), a), a, stride);
  } else if (F == LINEAR) {
    for (int64_t i = 0; i < n; ++i) {
      const T v = pad<P>(position(i), a), first = floor_of(v);
      const double t = rest(v, first);
      index[i] = index_of(first, a, stride);
      index[n + i] = index_of(first + T(1), a, stride);
      weight[i] = 1.0 - t;
      weight[n + i] = t;
    }
  } else {
    // Apart and through pointers of their own, for the compiler to do points side by side: bicubic 256x256
    // takes .51 ms rather than 1.4.
    for (int k = 0; k < 4; ++k) {
      int32_t* __restrict to = index + k * n;
      for (int64_t i = 0; i < n; ++i)
        to[i] = index_of(pad<P>(floor_of(position(i)) + T(k - 1), a), a, stride);
    }
    double* __restrict w0 = weight, * __restrict w1 = w0 + n, * __restrict w2 = w1 + n, * __restrict w3 = w2 + n;
    for (int64_t i = 0; i < n; ++i) w3[i] = rest(position(i), floor_of(position(i)));
    for (int64_t i = 0; i < n; ++i) {
      const double t = w3[i];
      w0[i] = cubic_outer(t + 1.0);
      w1[i] = cubic_inner(t);
      w2[i] = cubic_inner(1.0 - t);
      w3[i] = cubic_outer(2.0 - t);
    }
  }
}

void combine(int32_t* __restrict index, const int32_t* __restrict a, const int32_t* __restrict b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t both = a[i] | b[i];  // negative where either is
    index[i] = both < 0 ? -1 : a[i] + b[i];
  }
}

template <class T>
void product(void* weight, const double* __restrict a, const double* __restrict b, int64_t n) {
  T* __restrict w = static_cast<T*>(weight);
  for (int64_t i = 0; i < n; ++i) w[i] = static_cast<T>(a[i] * b[i]);
}

#if defined(__AVX2__)
// Two axes at once, in vectors: bilinear 256x256 takes .075 ms rather than .13, nearest .031 rather than
// .044; on AVX2 .13 rather than .20, .052 rather than .064.
#if defined(__AVX512F__)
// Which lanes are at least 0 and below n.
UPS_INLINE uint16_t inside(vi x, vi n) {
  return static_cast<uint16_t>(__builtin_ia32_ucmpd512_mask(x, n, 1, -1));
}
UPS_INLINE vi index_if(uint16_t inside, vi index) {
  return __builtin_ia32_blendmd_512_mask(vi{} - 1, index, inside);
}
// Out of range, and of NaN: the lowest integer.
UPS_INLINE vi whole_of(vf x) { return __builtin_ia32_cvttps2dq512_mask(x, vi{}, -1, 4); }
UPS_INLINE uint16_t equal(vf a, vf b) {
  return static_cast<uint16_t>(__builtin_ia32_cmpps512_mask(a, b, 0, -1, 4));
}
UPS_INLINE bool all(uint16_t lanes) { return lanes == 0xffff; }
#else
UPS_INLINE vi inside(vi x, vi n) { return (x > vi{} - 1) & (x < n); }
UPS_INLINE vi index_if(vi inside, vi index) { return index | ~inside; }
UPS_INLINE vi whole_of(vf x) { return __builtin_ia32_cvttps2dq256(x); }
UPS_INLINE vi equal(vf a, vf b) { return a == b; }
UPS_INLINE bool all(vi lanes) { return __builtin_ia32_movmskps256(reinterpret_cast<vf>(lanes)) == 255; }
#endif

struct VectorAxis {
  vf step, shift, low, period, last;
  vi size;
  explicit VectorAxis(const GridAxis& axis) {
    const Axis<float> a(axis);
    step = splat(a.step);
    shift = splat(a.shift);
    low = splat(a.low);
    period = splat(a.period);
    last = splat(a.last);
    size = vi{} + static_cast<int32_t>(axis.size);
  }
};

// Weights of LANES points at (x, y) right of and below pixels (left, top), which float arithmetic would round
// more than once.
__attribute__((noinline)) void weigh_in_double(float* __restrict weight, const float* __restrict y,
                                               const float* __restrict top, const float* __restrict x,
                                               const float* __restrict left, int64_t n) {
  double down[LANES], across[LANES];
  for (int i = 0; i < LANES; ++i) {
    down[i] = static_cast<double>(y[i]) - static_cast<double>(top[i]);
    across[i] = static_cast<double>(x[i]) - static_cast<double>(left[i]);
  }
  for (int i = 0; i < LANES; ++i) weight[i] = static_cast<float>((1.0 - down[i]) * (1.0 - across[i]));
  for (int i = 0; i < LANES; ++i) weight[n + i] = static_cast<float>((1.0 - down[i]) * across[i]);
  for (int i = 0; i < LANES; ++i) weight[2 * n + i] = static_cast<float>(down[i] * (1.0 - across[i]));
  for (int i = 0; i < LANES; ++i) weight[3 * n + i] = static_cast<float>(down[i] * across[i]);
}

template <int F, int P>
void points(int32_t* index, float* weight, const float* grid, const GridAxis* axes, int64_t pixel,
            int64_t n) {
  const VectorAxis a(axes[0]), b(axes[1]);
  const vf one = splat(1.0f);
  const int32_t step = static_cast<int32_t>(pixel);
  const vi row = b.size * step;
  for (int64_t i = 0; i < n; i += LANES) {
    if (i + LANES > n) i = n - LANES;
    const Pairs<float, LANES> g = split_pairs<float, LANES>(grid + 2 * i);
    const vf y = (g.odd + one) * a.step + a.shift, x = (g.even + one) * b.step + b.shift;
    if (F == LINEAR) {
      const vf v = pad<P>(y, a), u = pad<P>(x, b), v0 = floor_of(v), u0 = floor_of(u);
      // What is left of a position is no exact float to the left of the first pixel's middle.
      const vf t = v - v0, s = u - u0, t0 = one - t, s0 = one - s;
      const bool exact = all(equal(v0 + t, v)) && all(equal(u0 + s, u)) && all(equal(one - t0, t)) &&
                         all(equal(one - s0, s));
      if (exact) {
        store(weight + i, t0 * s0);
        store(weight + n + i, t0 * s);
        store(weight + 2 * n + i, t * s0);
        store(weight + 3 * n + i, t * s);
      } else {
        float at[4][LANES];
        store(at[0], v);
        store(at[1], v0);
        store(at[2], u);
        store(at[3], u0);
        weigh_in_double(weight + i, at[0], at[1], at[2], at[3], n);
      }
      const vi top = whole_of(v0), left = whole_of(u0), bottom = top + 1, right = left + 1;
      const auto has_top = inside(top, a.size), has_bottom = inside(bottom, a.size),
                 has_left = inside(left, b.size), has_right = inside(right, b.size);
      const vi at = top * row + left * step;
      store(index + i, index_if(has_top & has_left, at));
      store(index + n + i, index_if(has_top & has_right, at + step));
      store(index + 2 * n + i, index_if(has_bottom & has_left, at + row));
      store(index + 3 * n + i, index_if(has_bottom & has_right, at + row + step));
    } else {
      const vi top = whole_of(F == NEAREST ? even_of(pad<P>(y, a)) : pad<P>(even_of(y), a));
      const vi left = whole_of(F == NEAREST ? even_of(pad<P>(x, b)) : pad<P>(even_of(x), b));
      store(index + i, index_if(inside(top, a.size) & inside(left, b.size), top * row + left * step));
    }
  }
}

template <int F>
void fill_points(GridSampleKernels* kernels) {
  kernels->points[F][ZEROS] = points<F, ZEROS>;
  kernels->points[F][BORDER] = points<F, BORDER>;
  kernels->points[F][REFLECTION] = points<F, REFLECTION>;
}
#endif

// elements

#if defined(__AVX2__)
// LANES elements of 4 bytes at p[index], 0 where it is negative. Bilinear 3 channels of 256x256 .28 ms rather
// than .46 one by one, nearest .11 rather than .15; on AVX2 .34 rather than .50, .12 rather than .15.
UPS_INLINE vf gather(const float* p, vi index) {
#if defined(__AVX512F__)
  const uint16_t inside = static_cast<uint16_t>(~__builtin_ia32_cvtd2mask512(index));
  return __builtin_ia32_gathersiv16sf(vf{}, p, index, static_cast<int16_t>(inside), 4);
#else
  return __builtin_ia32_gathersiv8sf(vf{}, p, index, reinterpret_cast<vf>(~index), 4);
#endif
}

// Which lanes of `last` are `distance` after those of `first`, which is an index.
#if defined(__AVX512F__)
UPS_INLINE uint16_t neighbours(vi first, vi last, int32_t distance) {
  const int alike = __builtin_ia32_pcmpeqd512_mask(last - first, vi{} + distance, -1);
  return static_cast<uint16_t>(alike & ~__builtin_ia32_cvtd2mask512(first));
}
#else
UPS_INLINE vi neighbours(vi first, vi last, int32_t distance) { return (last - first == distance) & ~first; }
#endif

// v[j] = the elements at p[index + j]; index in memory.
template <int N>
UPS_INLINE void load_along(vf* v, const float* p, const int32_t* index) {
  if constexpr (N == 4)
    turn_four(*reinterpret_cast<vf(*)[4]>(v),
              [&](int r) __attribute__((always_inline)) { return p + index[r]; });
  else
    pairs_at(v, p, load(index));
}
#endif

template <class T>
void move(void* out, const void* in, const int32_t* __restrict index, int64_t n) {
  T* __restrict o = static_cast<T*>(out);
  const T* __restrict x = static_cast<const T*>(in);
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    if (n >= LANES) {
      for (int64_t i = 0; i < n; i += LANES) {
        if (i + LANES > n) i = n - LANES;
        ask_ahead<LANES * 4>(static_cast<float*>(out) + i);
        store(static_cast<float*>(out) + i, gather(static_cast<const float*>(in), load(index + i)));
      }
      return;
    }
#endif
  for (int64_t i = 0; i < n; ++i) o[i] = index[i] < 0 ? T(0) : x[index[i]];
}

// Rounds to an integer, ties to even, within limits; NaN to 0.
UPS_INLINE float whole(float v, float low, float high) {
  v = v == v ? v : 0.0f;
  v = v < low ? low : v;
  v = v > high ? high : v;
  return (v + 12582912.0f) - 12582912.0f;
}

// S as it is stored, computed with as Compute.
template <class S>
struct Stored;
template <>
struct Stored<float> {
  typedef float Compute;
  UPS_MEMBER float widen(float v) { return v; }
  UPS_MEMBER float narrow(float v) { return v; }
};
template <>
struct Stored<double> {
  typedef double Compute;
  UPS_MEMBER double widen(double v) { return v; }
  UPS_MEMBER double narrow(double v) { return v; }
};
template <>
struct Stored<Half> {
  typedef float Compute;
  UPS_MEMBER float widen(Half v) { return from_half(v.bits); }
  UPS_MEMBER Half narrow(float v) { return Half{to_half(v)}; }
};
template <>
struct Stored<uint8_t> {
  typedef float Compute;
  UPS_MEMBER float widen(uint8_t v) { return static_cast<float>(v); }
  UPS_MEMBER uint8_t narrow(float v) {
    return static_cast<uint8_t>(static_cast<int32_t>(whole(v, 0.0f, 255.0f)));
  }
};
template <>
struct Stored<int8_t> {
  typedef float Compute;
  UPS_MEMBER float widen(int8_t v) { return static_cast<float>(v); }
  UPS_MEMBER int8_t narrow(float v) {
    return static_cast<int8_t>(static_cast<int32_t>(whole(v, -128.0f, 127.0f)));
  }
};

void round_weights(float* __restrict out, const double* __restrict in, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]);
}

// m points, of STEP at most.
template <class S, int STEP>
UPS_INLINE void some_points(S* o, const S* x, const int32_t* index, const typename Stored<S>::Compute* weight,
                            int64_t count, int64_t n, int m) {
  typedef typename Stored<S>::Compute C;
  C sum[STEP] = {};
  for (int64_t k = 0; k < count; ++k, index += n, weight += n)
    for (int j = 0; j < m; ++j) {
      // There is a pixel 0, and no branch.
      const int32_t from = index[j];
      const C value = Stored<S>::widen(x[from < 0 ? 0 : from]);
      sum[j] += weight[j] * (from < 0 ? C(0) : value);
    }
  for (int j = 0; j < m; ++j) o[j] = Stored<S>::narrow(sum[j]);
}

#if defined(__AVX2__)
// LANES points of a plane of floats. ALONG taps at a time are neighbours as a rule; with 1 none are.
template <int ALONG>
UPS_INLINE vf vector_of_points(const float* x, const int32_t* index, const float* weight, int64_t count,
                               int64_t n) {
  vf sum{};
  for (int64_t k = 0; k < count; k += ALONG, index += ALONG * n, weight += ALONG * n) {
    vf v[ALONG];
    bool beside = false;
    if constexpr (ALONG > 1) {
      beside = all(neighbours(load(index), load(index + (ALONG - 1) * n), ALONG - 1));
      if (beside) load_along<ALONG>(v, x, index);
    }
    if (!beside) {
#pragma GCC unroll 4
      for (int j = 0; j < ALONG; ++j) v[j] = gather(x, load(index + j * n));
    }
#pragma GCC unroll 4
    for (int j = 0; j < ALONG; ++j) sum += load(weight + j * n) * v[j];
  }
  return sum;
}

template <int ALONG>
void plane_of_points(float* out, const float* in, const int32_t* index, const float* weight, int64_t count,
                     int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) {
    if (i + LANES > n) i = n - LANES;
    ask_ahead<LANES * 4>(out + i);
    store(out + i, vector_of_points<ALONG>(in, index + i, weight + i, count, n));
  }
}
#endif

template <class S>
void plane(void* out, const void* in, const int32_t* __restrict index, const void* weight, int64_t count,
           int64_t along, int64_t n) {
  const auto* w = static_cast<const typename Stored<S>::Compute*>(weight);
  S* o = static_cast<S*>(out);
  const S* x = static_cast<const S*>(in);
  constexpr int STEP = 8;
#if defined(__AVX2__)
  if constexpr (__is_same(S, float))
    if (n >= LANES)
      return along == 1   ? plane_of_points<1>(o, x, index, w, count, n)
             : along == 2 ? plane_of_points<2>(o, x, index, w, count, n)
                          : plane_of_points<4>(o, x, index, w, count, n);
#endif
  int64_t i = 0;
  for (; i + STEP <= n; i += STEP) some_points<S, STEP>(o + i, x, index + i, w + i, count, n, STEP);
  if (i < n) some_points<S, STEP>(o + i, x, index + i, w + i, count, n, static_cast<int>(n - i));
}

template <class S>
UPS_INLINE void pixel(S* __restrict o, const S* __restrict x, const int32_t* index,
                      const typename Stored<S>::Compute* weight, int64_t count, int64_t stride,
                      int64_t channels) {
  typedef typename Stored<S>::Compute C;
  constexpr int64_t STEP = 64;
  for (int64_t c = 0; c < channels; c += STEP) {
    const int m = static_cast<int>(channels - c < STEP ? channels - c : STEP);
    C sum[STEP] = {};
    for (int64_t k = 0; k < count; ++k) {
      const int64_t from = index[k * stride];
      const C w = weight[k * stride];
      if (from < 0) {
        // Nothing is there: zeros, times a weight that may be NaN.
        for (int j = 0; j < m; ++j) sum[j] += w * C(0);
        continue;
      }
      const S* __restrict p = x + from * channels + c;
      if constexpr (__is_same(S, Half)) {
        float wide[STEP];
        copy_run(wide, p, m);
        for (int j = 0; j < m; ++j) sum[j] += w * wide[j];
      } else {
        for (int j = 0; j < m; ++j) sum[j] += w * Stored<S>::widen(p[j]);
      }
    }
    if constexpr (__is_same(S, Half))
      copy_run(o + c, sum, m);
    else
      for (int j = 0; j < m; ++j) o[c + j] = Stored<S>::narrow(sum[j]);
  }
}

// The same of floats that fill vectors: bilinear 128x128x16 takes .10 ms rather than .40.
UPS_INLINE void pixel_of_vectors(float* out, const float* in, const int32_t* index, const float* weight,
                                 int64_t count, int64_t stride, int64_t channels) {
  for (int64_t c = 0; c < channels; c += LANES) {
    if (c + LANES > channels) c = channels - LANES;
    vf sum{};
    for (int64_t k = 0; k < count; ++k) {
      const int64_t from = index[k * stride];
      sum += splat(weight[k * stride]) * (from < 0 ? vf{} : load(in + from * channels + c));
    }
    store(out + c, sum);
  }
}

template <class S>
void pixels(void* out, const void* in, const int32_t* index, const void* weights, int64_t count,
            int64_t channels, int64_t n) {
  const auto* weight = static_cast<const typename Stored<S>::Compute*>(weights);
  S* o = static_cast<S*>(out);
  const S* x = static_cast<const S*>(in);
  if constexpr (__is_same(S, float))
    if (channels >= LANES) {
      for (int64_t i = 0; i < n; ++i, o += channels)
        pixel_of_vectors(o, x, index + i, weight + i, count, n, channels);
      return;
    }
  for (int64_t i = 0; i < n; ++i, o += channels) pixel(o, x, index + i, weight + i, count, n, channels);
}

template <class T, int F>
void fill_filter(GridSampleKernels* kernels, int type) {
  kernels->taps[type][F][ZEROS] = taps<T, F, ZEROS>;
  kernels->taps[type][F][BORDER] = taps<T, F, BORDER>;
  kernels->taps[type][F][REFLECTION] = taps<T, F, REFLECTION>;
}

template <class T>
void fill_type(GridSampleKernels* kernels, int type) {
  fill_filter<T, NEAREST>(kernels, type);
  fill_filter<T, NEAREST_FIRST>(kernels, type);
  fill_filter<T, LINEAR>(kernels, type);
  fill_filter<T, CUBIC>(kernels, type);
}

}  // namespace

void fill_grid_sample(GridSampleKernels* kernels) {
  fill_type<float>(kernels, 0);
  fill_type<double>(kernels, 1);
#if defined(__AVX2__)
  fill_points<NEAREST>(kernels);
  fill_points<NEAREST_FIRST>(kernels);
  fill_points<LINEAR>(kernels);
#endif
  kernels->combine = combine;
  kernels->product[0] = product<float>;
  kernels->product[1] = product<double>;
  kernels->round_weights = round_weights;
  kernels->move[0] = move<uint8_t>;
  kernels->move[1] = move<uint16_t>;
  kernels->move[2] = move<uint32_t>;
  kernels->move[3] = move<uint64_t>;
  kernels->plane[F32] = plane<float>;
  kernels->plane[F64] = plane<double>;
  kernels->plane[F16] = plane<Half>;
  kernels->plane[U8] = plane<uint8_t>;
  kernels->plane[I8] = plane<int8_t>;
  kernels->pixels[F32] = pixels<float>;
  kernels->pixels[F64] = pixels<double>;
  kernels->pixels[F16] = pixels<Half>;
  kernels->pixels[U8] = pixels<uint8_t>;
  kernels->pixels[I8] = pixels<int8_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
