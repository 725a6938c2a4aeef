// Doubled planes: the four phases of a step of two read the same 3 x 3 neighbours, so that a vector of
// positions of all of them is computed at once.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

#if defined(__AVX512F__)
// Doubled planes: a vector of positions of all four phases reads 3 x 3 neighbours, of which the rows that are
// left behind stay in registers. 3 loads for 16 products: 256 planes of 32x32 take 0.092 ms, by pairs of
// phases 0.164. Of 16 registers the weights alone would fill all.
UPS_INLINE void deep_column(float* out, const float* in, const ConvDeep* d, const vf (&w)[4][4],
                            const vf (&start)[4]) {
  const int64_t rows = d->rows, in_row = d->in_row, out_row = d->out_row;
  vf x[3][3];
#pragma GCC unroll 2
  for (int y = 0; y < 2; ++y)
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) x[y][i] = load(in + y * in_row + i);
  for (int64_t r = 0; r < rows; ++r, in += in_row, out += 2 * out_row) {
    vf a[4];
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) x[2][i] = load(in + 2 * in_row + i);
#pragma GCC unroll 4
    for (int f = 0; f < 4; ++f) a[f] = start[f];
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t)
#pragma GCC unroll 4
      for (int f = 0; f < 4; ++f) a[f] += w[f][t] * x[f / 2 + t / 2][f % 2 + t % 2];
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y) {
      store(out + y * out_row, UPS_ZIP(a[2 * y], a[2 * y + 1], 0));
      store(out + y * out_row + LANES, UPS_ZIP(a[2 * y], a[2 * y + 1], 1));
    }
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y)
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) x[y][i] = x[y + 1][i];
  }
}

void deep_double(float* out, const float* in, const ConvDeep* d, const float* const* weight,
                 const float* bias) {
  vf w[4][4], start[4];
#pragma GCC unroll 4
  for (int f = 0; f < 4; ++f) {
    start[f] = splat(bias[f]);
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) w[f][t] = splat(weight[f][t]);
  }
  for (int64_t i = 0; i < d->n; i += LANES) {
    // The last vector reaches back.
    const int64_t at = i + LANES <= d->n ? i : d->n - LANES;
    deep_column(out + 2 * at, in + at, d, w, start);
  }
}
#endif

#if UPS_LANES > 4
// A row of NV vectors of positions, from 3 x 3 neighbours of every channel: all phases of O outputs. 64
// channels of 32x32 to 3 take 0.046 ms, phase by phase 0.077; on AVX2 0.076 and 0.088, on SSE2, which has no
// broadcast loads, 0.184 and 0.168.
template <int O, int NV>
UPS_INLINE void doubled_row(float* out, const float* in, const ConvDouble* d, const float* const* weight,
                            const float* bias) {
  const int64_t channels = d->channels, in_row = d->in_row;
  vf a[4][O][NV];
#pragma GCC unroll 4
  for (int f = 0; f < 4; ++f)
#pragma GCC unroll 4
    for (int o = 0; o < O; ++o)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) a[f][o][u] = splat(bias[o]);
  const float* w[4] = {weight[0], weight[1], weight[2], weight[3]};
  for (int64_t c0 = 0; c0 < channels; c0 += ConvTiles::kBlock) {
    const int64_t some = channels - c0 < ConvTiles::kBlock ? channels - c0 : ConvTiles::kBlock,
                  tap = some * O;
    for (int64_t c = 0; c < some; ++c, in += d->in_channel) {
#pragma GCC unroll 3
      for (int y = 0; y < 3; ++y)
#pragma GCC unroll 3
        for (int x = 0; x < 3; ++x) {
          vf v[NV];
#pragma GCC unroll 2
          for (int u = 0; u < NV; ++u) v[u] = load(in + y * in_row + x + u * LANES);
#pragma GCC unroll 4
          for (int f = 0; f < 4; ++f) {
            const int ty = y - f / 2, tx = x - f % 2;
            if (ty < 0 || ty > 1 || tx < 0 || tx > 1) continue;
#pragma GCC unroll 4
            for (int o = 0; o < O; ++o) {
              const vf e = splat(w[f][(2 * ty + tx) * tap + o]);
#pragma GCC unroll 2
              for (int u = 0; u < NV; ++u) a[f][o][u] += e * v[u];
            }
          }
        }
#pragma GCC unroll 4
      for (int f = 0; f < 4; ++f) w[f] += O;
    }
#pragma GCC unroll 4
    for (int f = 0; f < 4; ++f) w[f] += 3 * tap;
  }
#pragma GCC unroll 4
  for (int o = 0; o < O; ++o)
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y)
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) {
        float* to = out + o * d->out_channel + y * d->out_row + 2 * u * LANES;
        store(to, UPS_ZIP(a[2 * y][o][u], a[2 * y + 1][o][u], 0));
        store(to + LANES, UPS_ZIP(a[2 * y][o][u], a[2 * y + 1][o][u], 1));
      }
}

// The last vectors of a row reach back. On AVX-512 there are registers for two vectors of all phases: 64
// channels doubled to 3 take .042 ms rather than .052.
template <int O>
void doubled(float* out, const float* in, const ConvDouble* d, const float* const* weight,
             const float* bias) {
  enum : int { NV = LANES == 16 ? 2 : 1 };
  const int64_t n = d->n;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += 2 * d->out_row)
    for (int64_t i = 0; i < n;) {
      if (n >= NV * LANES && i + LANES < n) {
        const int64_t at = i + NV * LANES <= n ? i : n - NV * LANES;
        doubled_row<O, NV>(out + 2 * at, in + at, d, weight, bias);
        i = at + NV * LANES;
      } else {
        const int64_t at = i + LANES <= n ? i : n - LANES;
        doubled_row<O, 1>(out + 2 * at, in + at, d, weight, bias);
        i = at + LANES;
      }
    }
}
#endif

}  // namespace

void fill_convolution_doubled(KernelTable* table) {
#if UPS_LANES > 4
  table->conv.doubled[1] = doubled<1>;
  table->conv.doubled[2] = doubled<2>;
  table->conv.doubled[3] = doubled<3>;
#endif
#if defined(__AVX512F__)
  table->conv.deep_double = deep_double;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
