// Rows blended down the plane, on their way past the caches or not: what is done with kept rows, and with
// those that are resampled across only when they are needed.
#pragma once
#include "kernels/resample-element.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// The same past the caches, after what waits and leaving what is not a line; n >= 2 · LANES.
template <class Vector>
UPS_INLINE void stream_row(float* out, int64_t n, RowStream* stream, const Vector& vector) {
  typedef Packed<float> P;
  int64_t i = P::lead(out);
  if (stream->waiting > 0) {
    vi lane;
    for (int l = 0; l < LANES; ++l) lane[l] = l + LANES;
    lane -= static_cast<int32_t>(stream->waiting);
    P::stream(out - stream->waiting, __builtin_shuffle(load(stream->last), vector(0), lane));
  } else if (i > 0) {
    P::store(out, vector(0));
  }
  for (; i + LANES <= n; i += LANES) P::stream(out + i, vector(i));
  stream->waiting = n - i;
  store(stream->last, vector(n - LANES));
}

// The sum of TAPS rows, in the order of the taps, whatever the vector length; TAPS 0: `taps` of them.
template <class S, int TAPS>
UPS_INLINE void blend_row(S* __restrict out, const float* const* rows, const float* weight, int64_t taps,
                          int64_t n, RowStream* stream, int64_t ahead) {
  if (TAPS == 0) {
    fill<S>(
        out, n,
        [&](int64_t i) __attribute__((always_inline)) {
          vf sum = weight[0] * load(rows[0] + i);
          for (int64_t k = 1; k < taps; ++k) sum += weight[k] * load(rows[k] + i);
          return sum;
        },
        [&](int64_t i) __attribute__((always_inline)) {
          float sum = weight[0] * rows[0][i];
          for (int64_t k = 1; k < taps; ++k) sum += weight[k] * rows[k][i];
          return sum;
        });
    return;
  }
  const float* row[TAPS > 0 ? TAPS : 1];
  vf w[TAPS > 0 ? TAPS : 1];
  for (int k = 0; k < TAPS; ++k) {
    row[k] = rows[k];
    w[k] = splat(weight[k]);
  }
  const auto vector = [&](int64_t i) __attribute__((always_inline)) {
    vf sum = w[0] * load(row[0] + i);
#pragma GCC unroll 4
    for (int k = 1; k < TAPS; ++k) sum += w[k] * load(row[k] + i);
    return sum;
  };
  if (stream != nullptr && sizeof(S) == sizeof(float) && n >= 2 * LANES)
    return stream_row(reinterpret_cast<float*>(out), n, stream, vector);
  const auto scalar = [&](int64_t i) __attribute__((always_inline)) {
    float sum = weight[0] * row[0][i];
    for (int k = 1; k < TAPS; ++k) sum += weight[k] * row[k][i];
    return sum;
  };
  fill<S, true>(out, n, vector, scalar, ahead);
}

// One row after the other: caches take one stream of stores at twice the speed of two. ready(o) is called
// before the rows under o are read.
template <class S, int TAPS, class Ready>
UPS_INLINE void down_taps(S* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream,
                          const Ready& ready) {
  const int64_t size = axis->out_size;
  const float* weight = static_cast<const float*>(axis->weight);
  const float* row[TAPS];
  float w[TAPS];
  const int64_t ahead = out_stride == n ? 4096 / static_cast<int64_t>(sizeof(S)) : out_stride;
  const int32_t* index = axis->index;
  for (int64_t o = first; o < end;) {
    ready(o);
    for (int k = 0; k < TAPS; ++k) row[k] = rows + (index[k * size + o] & mask) * stride;
    // All outputs between the same rows.
    bool same;
    do {
      for (int k = 0; k < TAPS; ++k) w[k] = weight[k * size + o];
      blend_row<S, TAPS>(out, row, w, TAPS, n, stream, ahead);
      out += out_stride;
      ++o;
      same = o < end;
      for (int k = 0; k < TAPS && same; ++k) same = index[k * size + o] == index[k * size + o - 1];
    } while (same);
  }
}

void flush(float* out, RowStream* stream) {
  const int64_t n = stream->waiting;
  for (int64_t i = 0; i < n; ++i) out[i - n] = stream->last[LANES - n + i];
  stream->waiting = 0;
#if defined(__SSE2__)
  __builtin_ia32_sfence();
#endif
}

template <class S, class Ready>
UPS_INLINE void down_rows(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream,
                          const Ready& ready) {
  S* to = static_cast<S*>(out);
  const int64_t size = axis->out_size;
  bool uniform = true;
  for (int64_t o = first; o < end; ++o) uniform = uniform && axis->count[o] == axis->taps;
  if (uniform && axis->taps == 2)
    return down_taps<S, 2>(to, out_stride, rows, stride, mask, axis, first, end, n, stream, ready);
  if (uniform && axis->taps == 4)
    return down_taps<S, 4>(to, out_stride, rows, stride, mask, axis, first, end, n, stream, ready);
  if (stream != nullptr) flush(static_cast<float*>(out), stream);
  const float* weight = static_cast<const float*>(axis->weight);
  for (int64_t o = first; o < end; ++o, to += out_stride) {
    ready(o);
    const int32_t* index = axis->index + o;
    const int64_t count = axis->count[o];
    fill<S>(
        to, n,
        [&](int64_t i) __attribute__((always_inline)) {
          vf sum = weight[o] * load(rows + (index[0] & mask) * stride + i);
          for (int64_t k = 1; k < count; ++k)
            sum += weight[k * size + o] * load(rows + (index[k * size] & mask) * stride + i);
          return sum;
        },
        [&](int64_t i) __attribute__((always_inline)) {
          float sum = weight[o] * rows[(index[0] & mask) * stride + i];
          for (int64_t k = 1; k < count; ++k)
            sum += weight[k * size + o] * rows[(index[k * size] & mask) * stride + i];
          return sum;
        });
  }
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
