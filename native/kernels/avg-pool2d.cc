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

// The columns of LANES planes are summed by rows, turned, and summed across in order.
template <bool WEIGHTED>
void whole_planes_of(float* out, const float* in, int64_t planes, const PlaneMeans& w) {
  const int64_t rows = w.rows, columns = w.columns, plane = rows * columns;
  const auto row = [&](int64_t r, auto v)
                       __attribute__((always_inline)) { return WEIGHTED ? v * w.by_row[r] : v; };
  for (int64_t p = 0; p < planes; p += LANES) {
    const int64_t n = least<int64_t>(planes - p, LANES);
    vf sum{};
    for (int64_t c = 0; c < columns; c += LANES) {
      const int64_t m = least<int64_t>(columns - c, LANES);
      float by_column[LANES * LANES], turned[LANES * LANES];
      for (int64_t i = 0; i < n;) {
        const float* x = in + (p + i) * plane + c;
        const int64_t left = (planes - p - i) * plane - c;  // elements from x on
        float* to = by_column + i * LANES;
        // Several planes side by side: in one alone each addition waits for the one before.
        constexpr int kBeside = 4;
        if (i + kBeside <= n && left >= kBeside * plane + LANES) {
          vf v[kBeside];
#pragma GCC unroll 4
          for (int k = 0; k < kBeside; ++k) v[k] = row(0, load(x + k * plane));
          for (int64_t r = 1; r < rows; ++r)
#pragma GCC unroll 4
            for (int k = 0; k < kBeside; ++k) v[k] += row(r, load(x + k * plane + r * columns));
#pragma GCC unroll 4
          for (int k = 0; k < kBeside; ++k) store(to + k * LANES, v[k]);
          i += kBeside;
          continue;
        }
        // The last rows of the last planes end before a vector would.
        int64_t whole = rows;
        if (left < plane + LANES) whole = left < LANES ? 0 : (left - LANES) / columns + 1;
        if (whole > rows) whole = rows;
        vf v{};
        for (int64_t r = 0; r < whole; ++r) v = r == 0 ? row(r, load(x)) : v + row(r, load(x + r * columns));
        store(to, v);
        for (int64_t r = whole; r < rows; ++r)
          for (int64_t j = 0; j < m; ++j) to[j] = r == 0 ? row(r, x[j]) : to[j] + row(r, x[r * columns + j]);
        ++i;
      }
      for (int64_t i = n; i < LANES; ++i) store(by_column + i * LANES, vf{});
      turn(turned, LANES, by_column, LANES, LANES);
      for (int64_t j = 0; j < m; ++j) {
        const vf column = load(turned + j * LANES), v = WEIGHTED ? column * w.by_column[c + j] : column;
        sum = c + j == 0 ? v : sum + v;
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
