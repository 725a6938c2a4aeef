// Products of few pixels with weights as they came: weights are read once, in the order they are in, because
// packing them would take longer than the products.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// R rows of weights and Q of inputs.
template <int R, int Q>
UPS_INLINE void dots_block(float* out, const float* w, const float* x, const ConvDots* d,
                           const int64_t* place, int64_t rows, const float* bias) {
  const float *at[R], *from[Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) at[r] = w + (r < rows ? r : rows - 1) * d->row;
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) from[q] = x + q * d->pixel;
  vf acc[R * Q];
#pragma GCC unroll 16
  for (int i = 0; i < R * Q; ++i) acc[i] = vf{};
  int64_t e = d->begin;
  for (; e + LANES <= d->end; e += LANES) {
    vf v[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) v[q] = load(from[q] + e);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf y = load(at[r] + e);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) acc[r * Q + q] += y * v[q];
    }
  }
  if (e < d->end) {
    // Back from the end, without what is in the sums.
    const int64_t back = d->end - LANES;
    vi lane;
    for (int i = 0; i < LANES; ++i) lane[i] = i;
    const vi fresh = lane >= static_cast<int32_t>(e - back);
    vf v[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) v[q] = fresh ? load(from[q] + back) : vf{};
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf y = load(at[r] + back);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) acc[r * Q + q] += y * v[q];
    }
  }
  float sums[LANES];
  store(sums, add_lanes<R * Q>(acc));
  for (int i = R * Q; i < LANES; ++i) sums[i % (R * Q)] += sums[i];
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      float* o = out + r * d->out_row + place[q];
      *o = (d->begin > 0 ? *o : bias != nullptr ? bias[r] : 0.0f) + sums[r * Q + q];
    }
}

template <int R, int Q>
UPS_INLINE void dots_pixel(float* out, const float* w, const float* x, const ConvDots* d, int64_t p,
                           const float* bias) {
  for (int64_t r = 0; r < d->rows; r += R)
    dots_block<R, Q>(out + r * d->out_row, w + r * d->row, x + p * d->pixel, d, d->place + p,
                     d->rows - r < R ? d->rows - r : R, bias != nullptr ? bias + r : nullptr);
}

void dots(float* out, const float* w, const float* x, const ConvDots* d, const float* bias) {
  int64_t p = 0;
#if defined(__AVX512F__)  // registers for four pixels: 1x1 512->512 of 2x2 .020 ms rather than .033
  for (; p + 4 <= d->pixels; p += 4) dots_pixel<4, 4>(out, w, x, d, p, bias);
#endif
  for (; p + 2 <= d->pixels; p += 2) dots_pixel < LANES<8 ? 2 : 4, 2>(out, w, x, d, p, bias);
  if (p < d->pixels) dots_pixel < LANES<8 ? 4 : 8, 1>(out, w, x, d, p, bias);
}

// Q pixels, N vectors of columns.
template <int Q, int N>
UPS_INLINE void columns_block(float* out, const float* w, const float* x, const ConvColumns* d) {
  const float* from[Q];
  vf acc[Q][N];
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) {
    from[q] = x + q * d->pixel;
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) acc[q][u] = vf{};
  }
  const int64_t row = d->row, channel = d->channel, channels = d->channels;
  for (int64_t c = 0, at = 0; c < channels; ++c, w += row, at += channel) {
    vf v[N];
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) {
      // Rows may be pages apart.
      __builtin_prefetch(w + 12 * row + u * LANES);
      v[u] = load(w + u * LANES);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const vf y = splat(from[q][at]);
#pragma GCC unroll 8
      for (int u = 0; u < N; ++u) acc[q][u] += y * v[u];
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int u = 0; u < N; ++u) store(out + q * d->out_row + u * LANES, acc[q][u]);
}

template <int Q, int N>
UPS_INLINE void columns_pixels(float* out, const float* w, const float* x, const ConvColumns* d) {
  int64_t i = 0;
  for (; i + N * LANES <= d->columns; i += N * LANES) columns_block<Q, N>(out + i, w + i, x, d);
  for (; i < d->columns; i += LANES) {
    // The last vector reaches back.
    if (i + LANES > d->columns) i = d->columns - LANES;
    columns_block<Q, 1>(out + i, w + i, x, d);
  }
}

void columns(float* out, const float* w, const float* x, const ConvColumns* d) {
  // Registers for four pixels: 1x1 512->512 of 2x4 .037 ms rather than .063.
  enum : int { Q = LANES == 16 ? 4 : 2 };
  int64_t p = 0;
  for (; p + Q <= d->pixels; p += Q) columns_pixels<Q, 4>(out + p * d->out_row, w, x + p * d->pixel, d);
  for (; p < d->pixels; ++p) columns_pixels<1, 8>(out + p * d->out_row, w, x + p * d->pixel, d);
}

}  // namespace

void fill_convolution_few(KernelTable* table) {
  table->conv.dots = dots;
  table->conv.columns = columns;
}

}  // namespace UPS_ISA
}  // namespace upsampling
