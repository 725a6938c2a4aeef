// Average pooling: rows are summed first, then the sum is summed across and divided. The order of additions
// is that of the taps, whatever the vector length.
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/phases.h"
#include "kernels/pool.h"
#include "kernels/turn.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

UPS_INLINE double as_sum(double v) { return v; }
UPS_INLINE float as_sum(float v) { return v; }
UPS_INLINE float as_sum(uint8_t v) { return static_cast<float>(v); }
UPS_INLINE float as_sum(int8_t v) { return static_cast<float>(v); }

template <class A, class S>
void sum_rows(void* out, const void* const* rows, int64_t count, int64_t n, bool more) {
  A* __restrict o = static_cast<A*>(out);
  int64_t r = 0;
  if (!more) {
    if (count >= 2) {
      const S* __restrict a = static_cast<const S*>(rows[0]), * __restrict b = static_cast<const S*>(rows[1]);
      for (int64_t i = 0; i < n; ++i) o[i] = as_sum(a[i]) + as_sum(b[i]);
      r = 2;
    } else {
      const S* __restrict a = static_cast<const S*>(rows[0]);
      for (int64_t i = 0; i < n; ++i) o[i] = as_sum(a[i]);
      r = 1;
    }
  }
  for (; r < count; ++r) {
    const S* __restrict a = static_cast<const S*>(rows[r]);
    for (int64_t i = 0; i < n; ++i) o[i] += as_sum(a[i]);
  }
}

void sum_half_rows(void* out, const void* const* rows, int64_t count, int64_t n, bool more) {
  float* o = static_cast<float*>(out);
  const auto row = [&](int64_t r, int64_t i) { return static_cast<const Half*>(rows[r]) + i; };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vf sum = more ? load(o + i) : load(row(0, i));
    for (int64_t r = more ? 0 : 1; r < count; ++r) sum += load(row(r, i));
    store(o + i, sum);
  }
  for (; i < n; ++i) {
    float sum = more ? o[i] : from_half(row(0, i)->bits);
    for (int64_t r = more ? 0 : 1; r < count; ++r) sum += from_half(row(r, i)->bits);
    o[i] = sum;
  }
}

template <class T>
void row_scalar(T* out, const T* in, const RowWindows* w, const T* divisor, int64_t begin, int64_t end) {
  const int64_t inner = w->inner;
  for (int64_t o = begin; o < end; ++o) {
    const int64_t first = w->axis.first[o], count = w->axis.count[o];
    for (int64_t c = 0; c < inner; ++c) {
      T sum = 0;
      if (count > 0) {
        sum = in[first * inner + c];
        for (int64_t k = 1; k < count; ++k) sum += in[(first + k * w->axis.dilation) * inner + c];
        sum /= divisor[o * inner + c];
      }
      out[o * inner + c] = sum;
    }
  }
}

template <class T, int N>
UPS_INLINE void taps_vector(T* out, const T* in, const RowWindows* w, const T* divisor, int64_t n) {
  typedef Pack<T, N> P;
  const int64_t kernel = w->axis.kernel;
  for (int64_t i = 0; i < n; i += N) {
    if (i + N > n) i = n - N;
    typename P::V sum = P::load(in + w->taps[0] + i);
    for (int64_t k = 1; k < kernel; ++k) sum += P::load(in + w->taps[k] + i);
    P::store(out + i, sum / P::load(divisor + i));
  }
}

// Windows of 2 and 3 at stride 2 of one channel: pairs are split in registers.
template <class T, int N, int KERNEL>
void pairs_vector(T* out, const T* in, const T* divisor, int64_t n) {
  typedef Pack<T, N> P;
  for (int64_t i = 0; i < n; i += N) {
    if (i + N > n) i = n - N;
    const auto pair = split_pairs<T, N>(in + 2 * i);
    typename P::V sum = pair.even + pair.odd;
    if (KERNEL == 3) sum += split_pairs<T, N>(in + 2 * i + 1).odd;
    P::store(out + i, sum / P::load(divisor + i));
  }
}

// B vectors of an output pixel from channel c on, of windows over so many rows. The channels of a pixel have
// one divisor.
template <class T, int N, int B>
UPS_INLINE void pixel_block(T* out, const T* const* rows, int64_t count, int64_t first, int64_t taps,
                            int64_t step, int64_t c, T by) {
  typedef Pack<T, N> P;
  typename P::V sum[B] = {};
  for (int64_t k = 0; k < taps; ++k) {
    const int64_t at = first + k * step + c;
    typename P::V tap[B];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) tap[b] = P::load(rows[0] + at + b * N);
    for (int64_t r = 1; r < count; ++r)
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) tap[b] += P::load(rows[r] + at + b * N);
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) sum[b] = k == 0 ? tap[b] : sum[b] + tap[b];
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) P::store(out + c + b * N, taps == 0 ? sum[b] : sum[b] / by);
}

template <class T>
void pixels(T* out, const T* const* rows, int64_t count, const WindowTable* axis, int64_t inner,
            const T* divisor) {
  enum : int { N = LANES * 4 / sizeof(T) };
  const int64_t step = axis->dilation * inner;
  for (int64_t o = 0; o < axis->out_size; ++o, out += inner, divisor += inner) {
    const int64_t first = axis->first[o] * inner, taps = axis->count[o];
    int64_t c = 0;
    for (; c + 4 * N <= inner; c += 4 * N)
      pixel_block<T, N, 4>(out, rows, count, first, taps, step, c, *divisor);
    for (; c < inner; c += N) {
      if (c + N > inner) c = inner - N;
      pixel_block<T, N, 1>(out, rows, count, first, taps, step, c, *divisor);
    }
  }
}

template <class T>
void row(T* out, const T* in, const RowWindows* w, const T* divisor, T* space) {
  enum : int { N = LANES * 4 / sizeof(T) };
  const WindowTable& axis = w->axis;
  if (w->inner >= N) return pixels<T>(out, &in, 1, &w->axis, w->inner, divisor);
  const int64_t full = axis.full_end - axis.full_begin, n = full * w->inner;
  if (n < N) return row_scalar(out, in, w, divisor, 0, axis.out_size);
  row_scalar(out, in, w, divisor, 0, axis.full_begin);
  row_scalar(out, in, w, divisor, axis.full_end, axis.out_size);
  const T* from = in + w->start;
  if (w->inner == 1 && axis.stride == 2 && axis.dilation == 1 && (axis.kernel == 2 || axis.kernel == 3)) {
    const auto run = axis.kernel == 2 ? pairs_vector<T, N, 2> : pairs_vector<T, N, 3>;
    return run(out + axis.full_begin, from, divisor + axis.full_begin, n);
  }
  if (axis.stride > 1) {
    split_phases(space, from, w, (full - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1);
    from = space;
  }
  taps_vector<T, N>(out + axis.full_begin * w->inner, from, w, divisor + axis.full_begin * w->inner, n);
}

template <class T>
UPS_INLINE T least(T a, T b) {
  return a < b ? a : b;
}

// The sums down `rows` rows of V vectors of columns of P planes side by side: in one alone each addition
// waits for the one before.
template <int V, int P, class Row>
UPS_INLINE void sum_columns(float* to, const float* x, int64_t rows, const PlaneMeans& w, const Row& row) {
  const int64_t plane = w.rows * w.columns;
  vf sum[P * V];
#pragma GCC unroll 8
  for (int k = 0; k < P * V; ++k) sum[k] = row(0, load(x + k / V * plane + k % V * LANES));
  for (int64_t r = 1; r < rows; ++r)
#pragma GCC unroll 8
    for (int k = 0; k < P * V; ++k) sum[k] += row(r, load(x + k / V * plane + r * w.columns + k % V * LANES));
#pragma GCC unroll 8
  for (int k = 0; k < P * V; ++k) store(to + (k % V * LANES + k / V) * LANES, sum[k]);
}

// by_column[j / LANES][i][j % LANES] = the sum down column j of plane i, for V vectors of columns, m of them
// there, and n planes; `left` elements from x on.
template <int V, class Row>
void columns_of(float* by_column, const float* x, int64_t left, int64_t n, int64_t m, const PlaneMeans& w,
                const Row& row) {
  enum : int { BESIDE = V == 1 ? 8 : V == 2 ? 4 : V <= 4 ? 2 : 1 };
  const int64_t plane = w.rows * w.columns, before_last = plane - w.columns;
  for (int64_t i = 0; i < n;) {
    float* to = by_column + i * LANES;
    if (i + BESIDE <= n && left >= (BESIDE - 1) * plane + before_last + V * LANES) {
      sum_columns<V, BESIDE>(to, x, w.rows, w, row);
      i += BESIDE, x += BESIDE * plane, left -= BESIDE * plane;
      continue;
    }
    // The last rows of the last plane end before the vectors would.
    const int64_t spare = left - V * LANES, whole = spare < 0 ? 0 : least(w.rows, spare / w.columns + 1);
    if (whole > 0) sum_columns<V, 1>(to, x, whole, w, row);
    for (int64_t r = whole; r < w.rows; ++r)
      for (int64_t j = 0; j < m; ++j) {
        float* sum = to + j / LANES * LANES * LANES + j % LANES;
        *sum = r == 0 ? row(r, x[j]) : *sum + row(r, x[r * w.columns + j]);
      }
    ++i, x += plane, left -= plane;
  }
}

// The columns of LANES planes are summed by rows, turned, and summed across in order. Some vectors of columns
// at a time, so that they are read as they lie: 64x56x56 takes 10 us rather than 16 of one. Whole rows of up
// to eight (64x112x112 .108 ms, .121 of four), of longer ones four (3x1080x1920 1.1 ms, 1.5 of eight).
template <bool WEIGHTED>
void whole_planes_of(float* out, const float* in, int64_t planes, const PlaneMeans& w) {
  enum : int { MOST = 8, BLOCK = LANES * LANES };
  const int64_t plane = w.rows * w.columns, some = (w.columns > MOST * LANES ? MOST / 2 : MOST) * LANES;
  const auto row = [&](int64_t r, auto v)
                       __attribute__((always_inline)) { return WEIGHTED ? v * w.by_row[r] : v; };
  typedef decltype(row) Row;
  static constexpr decltype(&columns_of<1, Row>) of_vectors[MOST] = {
      columns_of<1, Row>, columns_of<2, Row>, columns_of<3, Row>, columns_of<4, Row>,
      columns_of<5, Row>, columns_of<6, Row>, columns_of<7, Row>, columns_of<8, Row>};
  for (int64_t p = 0; p < planes; p += LANES) {
    const int64_t n = least<int64_t>(planes - p, LANES);
    vf sum{};
    for (int64_t c = 0; c < w.columns; c += some) {
      const int64_t m = least<int64_t>(w.columns - c, some), left = (planes - p) * plane - c;
      const float* x = in + p * plane + c;
      float by_column[MOST * BLOCK], turned[BLOCK];
      of_vectors[(m - 1) / LANES](by_column, x, left, n, m, w, row);
      for (int64_t v = 0; v < m; v += LANES) {
        float* block = by_column + v * LANES;
        for (int64_t i = n; i < LANES; ++i) store(block + i * LANES, vf{});
        turn(turned, LANES, block, LANES, LANES);
        for (int64_t j = 0; j < least<int64_t>(m - v, LANES); ++j) {
          const vf column = load(turned + j * LANES), x = WEIGHTED ? column * w.by_column[c + v + j] : column;
          sum = c + v + j == 0 ? x : sum + x;
        }
      }
    }
    const vf mean = WEIGHTED ? sum : sum / w.divisor;
    for (int64_t i = 0; i < n; ++i) out[p + i] = mean[i];
  }
}

void whole_planes(float* out, const float* in, int64_t planes, const PlaneMeans* w) {
  w->by_row == nullptr ? whole_planes_of<false>(out, in, planes, *w)
                       : whole_planes_of<true>(out, in, planes, *w);
}

UPS_INLINE float round_half_even(float x) { return (x + 12582912.0f) - 12582912.0f; }

void narrow_f32(void* out, const float* in, int64_t n) {
  __builtin_memcpy(out, in, static_cast<size_t>(n) * 4);
}

void narrow_f16(void* out, const float* in, int64_t n) { copy_run(static_cast<Half*>(out), in, n); }

template <class S>
void narrow_byte(void* out, const float* in, int64_t n) {
  constexpr float low = S(-1) < S(0) ? -128.0f : 0.0f, high = S(-1) < S(0) ? 127.0f : 255.0f;
  S* __restrict o = static_cast<S*>(out);
  for (int64_t i = 0; i < n; ++i) {
    float v = in[i];
    v = v < low ? low : v;
    v = v > high ? high : v;
    o[i] = static_cast<S>(static_cast<int32_t>(round_half_even(v)));
  }
}

}  // namespace

void fill_avg_pool2d(AvgPoolKernels* kernels) {
  kernels->sum_rows[F32] = sum_rows<float, float>;
  kernels->sum_rows[F64] = sum_rows<double, double>;
  kernels->sum_rows[F16] = sum_half_rows;
  kernels->sum_rows[U8] = sum_rows<float, uint8_t>;
  kernels->sum_rows[I8] = sum_rows<float, int8_t>;
  kernels->row = row<float>;
  kernels->row_double = row<double>;
  kernels->pixels = pixels<float>;
  kernels->pixels_double = pixels<double>;
  kernels->whole_planes = whole_planes;
  kernels->narrow[F32] = narrow_f32;
  kernels->narrow[F16] = narrow_f16;
  kernels->narrow[U8] = narrow_byte<uint8_t>;
  kernels->narrow[I8] = narrow_byte<int8_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
