// Rows of planes, read where they are: nothing is copied, so nothing is planned either. A vector holds
// outputs of a row, and inputs that are a step apart are brought together in registers.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/phases.h"
#include "kernels/some.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Vectors of four load some of their lanes one by one: 3x3 at stride 2 of 64 channels of 15x15 to 3 took .024
// ms rather than .019; it takes .007 rather than .016 with vectors of 16 and .0065 rather than .013 of 8.
#if UPS_LANES >= 8

// B outputs of each of R rows, of one vector of columns. EDGE: some taps read beside the row.
template <int STEP, int B, int R, bool EDGE>
UPS_INLINE void direct_block(float* out, const float* in, const ConvDirect* d, int64_t y0, int64_t y1,
                             const uint64_t* inside, const float* w, const float* bias, int64_t n,
                             int64_t left) {
  const int64_t plane = d->in_channel, row = d->y_step * d->in_row, taps = d->taps_y * d->taps_x;
  vf acc[R][B];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 14
    for (int j = 0; j < B; ++j) acc[r][j] = splat(bias[j]);
  for (int64_t c = 0, some; c < d->channels; c += some) {
    some = d->channels - c < ConvTiles::kBlock ? d->channels - c : ConvTiles::kBlock;
    for (int64_t ty = y0; ty < y1; ++ty)
      for (int64_t tx = 0; tx < d->taps_x; ++tx) {
        if (EDGE && inside[tx] == 0) continue;
        Some lanes[STEP];
#pragma GCC unroll 4
        for (int s = 0; s < STEP && EDGE; ++s) lanes[s] = lanes_of(inside[tx] >> s * LANES);
        const float* from = in + c * plane + d->offset_y[ty] * d->in_row + d->offset_x[tx];
        const float* v = w + (c * taps + (ty * d->taps_x + tx) * some) * B;
        int64_t i = some;
        do {
          vf x[R];
#pragma GCC unroll 4
          for (int r = 0; r < R; ++r) {
            vf y[STEP];
#pragma GCC unroll 4
            for (int s = 0; s < STEP; ++s) {
              const float* p = from + r * row + s * LANES;
              if constexpr (EDGE)
                y[s] = load_some(p, lanes[s]);
              else
                y[s] = load(p);
            }
            x[r] = every<STEP>(y, typename IndicesUpTo<LANES>::type());
          }
#pragma GCC unroll 14
          for (int j = 0; j < B; ++j) {
            const vf z = splat(v[j]);
#pragma GCC unroll 4
            for (int r = 0; r < R; ++r) acc[r][j] += z * x[r];
          }
          from += plane;
          v += B;
        } while (--i > 0);
      }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r, out += d->columns, left -= d->columns) {
    // What is written beyond the end of a row is written over by the next one.
    if (left >= LANES) {
#pragma GCC unroll 14
      for (int j = 0; j < B; ++j) store(out + j * d->out_channel, acc[r][j]);
      continue;
    }
    float last[B * LANES];
#pragma GCC unroll 14
    for (int j = 0; j < B; ++j) store(last + j * LANES, acc[r][j]);
    for (int j = 0; j < B; ++j) copy_stored(out + j * d->out_channel, last + j * LANES, n);
  }
}

// The vectors of R rows, the last one first.
template <int STEP, int B, int R>
void direct_rows(float* out, const float* in, const ConvDirect* d, int64_t oy, int64_t y0, int64_t y1,
                 const float* w, const float* bias) {
  const uint64_t all = STEP * LANES == 64 ? ~uint64_t{0} : (uint64_t{1} << STEP * LANES % 64) - 1;
  in += oy * d->y_step * d->in_row;
  for (int64_t x = (d->columns - 1) / LANES * LANES; x >= 0; x -= LANES) {
    const uint64_t* inside = d->inside + x / LANES * (d->taps_x + 1);
    const int64_t rest = d->columns - x, n = rest < LANES ? rest : int64_t{LANES},
                  left = (d->end - oy) * d->columns - x;
    float* to = out + oy * d->columns + x;
    if (inside[d->taps_x] == all)
      direct_block<STEP, B, R, false>(to, in + x * STEP, d, y0, y1, inside, w, bias, n, left);
    else
      direct_block<STEP, B, R, true>(to, in + x * STEP, d, y0, y1, inside, w, bias, n, left);
  }
}

// Taps of a window that are inside the planes.
UPS_INLINE void taps_of_row(const ConvDirect* d, int64_t oy, int64_t* y0, int64_t* y1) {
  *y0 = 0;
  *y1 = d->taps_y;
  while (*y0 < *y1 && oy * d->y_step + d->offset_y[*y0] < 0) ++*y0;
  while (*y1 > *y0 && oy * d->y_step + d->offset_y[*y1 - 1] >= d->in_rows) --*y1;
}

template <int STEP, int B>
void direct(float* out, const float* in, const ConvDirect* d, const float* w, const float* bias) {
  // Rows whose sums and inputs fill the registers.
  constexpr int REGISTERS = LANES == 16 ? 32 : 16, MOST = (REGISTERS - 1) / (B + 1), R = MOST < 4 ? MOST : 4;
  for (int64_t oy = d->begin; oy < d->end;) {
    int64_t y0, y1, z0 = -1, z1 = -1;
    taps_of_row(d, oy, &y0, &y1);
    if (oy + R <= d->end) taps_of_row(d, oy + R - 1, &z0, &z1);
    if (z0 == y0 && z1 == y1) {
      direct_rows<STEP, B, R>(out, in, d, oy, y0, y1, w, bias);
      oy += R;
    } else {
      direct_rows<STEP, B, 1>(out, in, d, oy++, y0, y1, w, bias);
    }
  }
}

template <int STEP, int B>
void fill(ConvLeaves<float>* leaves) {
  leaves->direct[STEP - 1][B] = direct<STEP, B>;
  if constexpr (B > 1) fill<STEP, B - 1>(leaves);
}

#endif

}  // namespace

void fill_convolution_direct(KernelTable* table) {
#if UPS_LANES >= 8
  fill<1, TILE>(&table->conv);
  fill<2, TILE>(&table->conv);
  fill<3, TILE>(&table->conv);
#else
  (void)table;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
