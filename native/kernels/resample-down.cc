// Resizing down the plane: weighted sums of rows.
#include "kernels/resample-down.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

void stream_copy(float* out, const float* in, int64_t n, RowStream* stream) {
  stream_row(out, n, stream, [&](int64_t i) __attribute__((always_inline)) { return load(in + i); });
}

template <class S>
void blend_to(void* out, const float* const* rows, const float* weight, int64_t taps, int64_t n) {
  S* o = static_cast<S*>(out);
  if (taps == 1)
    blend_row<S, 1>(o, rows, weight, taps, n, nullptr, 0);
  else if (taps == 2)
    blend_row<S, 2>(o, rows, weight, taps, n, nullptr, 0);
  else if (taps == 4)
    blend_row<S, 4>(o, rows, weight, taps, n, nullptr, 0);
  else
    blend_row<S, 0>(o, rows, weight, taps, n, nullptr, 0);
}

template <class S>
void down(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream) {
  down_rows<S>(out, out_stride, rows, stride, mask, axis, first, end, n, stream,
               [](int64_t) __attribute__((always_inline)) {});
}

// Outputs from i on, STEP vectors at a time as far as they go; returns where it stopped. Several vectors side
// by side: caches read rows faster in long stretches than a vector of each in turn.
template <class S, int STEP>
UPS_INLINE int64_t blend_steps(float* __restrict out, const S* const* row, const float* weight, int64_t taps,
                               int64_t i, int64_t n) {
  for (; i + STEP * LANES <= n; i += STEP * LANES) {
    vf sum[STEP];
    const vf first = splat(weight[0]);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) sum[j] = first * Packed<S>::load(row[0] + i + j * LANES);
    for (int64_t k = 1; k < taps; ++k) {
      const vf w = splat(weight[k]);
#pragma GCC unroll 8
      for (int j = 0; j < STEP; ++j) sum[j] += w * Packed<S>::load(row[k] + i + j * LANES);
    }
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) store(out + i + j * LANES, sum[j]);
  }
  return i;
}

// The same to the end.
template <class S>
UPS_INLINE void blend_rest(float* __restrict out, const S* const* row, const float* weight, int64_t taps,
                           int64_t i, int64_t n) {
  i = blend_steps<S, 4>(out, row, weight, taps, i, n);
  i = blend_steps<S, 1>(out, row, weight, taps, i, n);
  if (i == n) return;
  if (n >= LANES) {
    blend_steps<S, 1>(out, row, weight, taps, n - LANES, n);
    return;
  }
  for (; i < n; ++i) {
    float sum = weight[0] * Element<S>::widen(row[0][i]);
    for (int64_t k = 1; k < taps; ++k) sum += weight[k] * Element<S>::widen(row[k][i]);
    out[i] = sum;
  }
}

template <class S>
void blend_from(float* __restrict out, const void* const* rows, const float* weight, int64_t taps,
                int64_t n) {
  const S* const* row = reinterpret_cast<const S* const*>(rows);
  const int64_t i = blend_steps<S, 8>(out, row, weight, taps, 0, n);
  blend_rest<S>(out, row, weight, taps, i, n);
}

// STEP vectors of all sums: a row that two of them share is read once (uint8 1080x1920x3 to 224x224,
// antialiased, takes 0.37 ms rather than 0.39). Of so many rows the caches read ahead too little (float32
// 3x1080x1920: 0.90 ms rather than 1.15 without asking).
template <class S, int STEP>
UPS_INLINE void blend_column(float* __restrict out, int64_t out_stride, const S* in, int64_t in_stride,
                             const RowSum* sums, int64_t count) {
  vf sum[STEP], next[STEP]{};
  const auto ask = [&](const S* row) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int j = 0; j < STEP * LANES; j += 64 / static_cast<int>(sizeof(S)))
      __builtin_prefetch(row + STEP * LANES + j);
  };
  const auto one = [&](const S* row, float u, bool begins) __attribute__((always_inline)) {
    ask(row);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) {
      const vf x = splat(u) * Packed<S>::load(row + j * LANES);
      sum[j] = begins ? x : sum[j] + x;
    }
  };
  const auto two = [&](const S* row, float u, float v, bool begins) __attribute__((always_inline)) {
    ask(row);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) {
      const vf x = Packed<S>::load(row + j * LANES);
      sum[j] += splat(u) * x;
      next[j] = begins ? splat(v) * x : next[j] + splat(v) * x;
    }
  };
  int64_t k = sums->first;
  const S* row = in + k * in_stride;
  one(row, sums->weight[0], true);
  row += in_stride;
  ++k;
  for (int64_t r = 0;; ++r, out += out_stride) {
    const RowSum s = sums[r];
    const int64_t alone = r + 1 < count ? sums[r + 1].first : s.last;
    for (; k < alone; ++k, row += in_stride) one(row, s.weight[k - s.first], false);
    for (bool begins = true; k < s.last; ++k, row += in_stride, begins = false)
      two(row, s.weight[k - s.first], sums[r + 1].weight[k - alone], begins);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) store(out + j * LANES, sum[j]);
    if (r + 1 == count) return;
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) sum[j] = next[j];
  }
}

template <class S>
void blend_overlapping(float* __restrict out, int64_t out_stride, const void* in, int64_t in_stride,
                       const RowSum* sums, int64_t count, int64_t n) {
  const S* from = static_cast<const S*>(in);
  enum : int { STEP = LANES == 16 ? 8 : 4 };
  int64_t i = 0;
  for (; i + STEP * LANES <= n; i += STEP * LANES)
    blend_column<S, STEP>(out + i, out_stride, from + i, in_stride, sums, count);
  for (; i < n; i += LANES) {
    if (i + LANES > n) i = n - LANES;
    blend_column<S, 1>(out + i, out_stride, from + i, in_stride, sums, count);
  }
}

// The sum of TAPS rows, or of `taps` of them with TAPS 0.
template <int TAPS>
UPS_INLINE void blend_doubles(double* __restrict out, const double* const* rows, const double* weight,
                              int64_t taps, int64_t n) {
  const int64_t count = TAPS > 0 ? TAPS : taps;
  fill_doubles(
      out, n,
      [&](int64_t i) __attribute__((always_inline)) {
        vd sum = weight[0] * load(rows[0] + i);
#pragma GCC unroll 4
        for (int64_t k = 1; k < count; ++k) sum += weight[k] * load(rows[k] + i);
        // Asked for now: bilinear 2x of 480x640x3 takes 2.3 ms rather than 3.2.
        __builtin_prefetch(out + i + 512, 1);
        return sum;
      },
      [&](int64_t i) __attribute__((always_inline)) {
        double sum = weight[0] * rows[0][i];
        for (int64_t k = 1; k < count; ++k) sum += weight[k] * rows[k][i];
        return sum;
      });
}

void blend_double(double* out, const double* const* rows, const double* weight, int64_t taps, int64_t n) {
  if (taps == 2) return blend_doubles<2>(out, rows, weight, taps, n);
  if (taps == 4) return blend_doubles<4>(out, rows, weight, taps, n);
  blend_doubles<0>(out, rows, weight, taps, n);
}

template <class S>
void fill(KernelTable* table, int type) {
  table->widen[type] = widen<S>;
  table->blend[type] = blend_to<S>;
  ResampleKernels& r = table->resample;
  r.down[type] = down<S>;
  r.blend_from[type] = blend_from<S>;
  r.blend_overlapping[type] = blend_overlapping<S>;
}

}  // namespace

void fill_resample_down(KernelTable* table) {
  fill<float>(table, F32);
  fill<Half>(table, F16);
  fill<uint8_t>(table, U8);
  fill<int8_t>(table, I8);
  table->blend_double = blend_double;
  table->resample.flush = flush;
  table->resample.stream_row = stream_copy;
}

}  // namespace UPS_ISA
}  // namespace upsampling
