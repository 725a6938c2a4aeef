// Products of transposed convolutions to few channels: what meets in an output is added in a fixed order.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// U vectors of positions from `at` on; `border`: some of what they read may be no input.
template <int S, int U>
UPS_INLINE void meet_block(vf (&a)[U][S], const float* c, const ConvMeet* d, float bias, int64_t at,
                           bool border) {
  typedef VectorOf<uint32_t, LANES>::type Lanes;
  Lanes lane;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) lane[i] = static_cast<uint32_t>(i);
  const Lanes width = static_cast<uint32_t>(d->width) - Lanes{};
  const int64_t rows = d->rows;
#pragma GCC unroll 8
  for (int s = 0; s < S; ++s) {
#pragma GCC unroll 2
    for (int u = 0; u < U; ++u) a[u][s] = splat(bias);
    const ConvMeet::Tap *first = d->tap + d->first[s], *last = d->tap + d->first[s + 1];
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = c + d->row[r] + at;
      for (const ConvMeet::Tap* tap = first; tap < last; ++tap)
#pragma GCC unroll 2
        for (int u = 0; u < U; ++u) {
          const vf v = load(row + tap->at + u * LANES);
          a[u][s] +=
              border ? (lane + static_cast<uint32_t>(at + u * LANES + tap->shift) < width ? v : vf{}) : v;
        }
    }
  }
#pragma GCC unroll 2
  for (int u = 0; u < U; ++u) zip<S>(a[u]);
}

template <int S>
void meet(float* out, const float* c, const ConvMeet* d, float bias) {
  const int64_t n = d->n, positions = (n + S - 1) / S;
  const bool whole = n % S == 0 && positions >= LANES;
  for (int64_t i = 0; i < positions;) {
    if (i + d->low >= 0 && i + d->high + 2 * LANES <= d->width && (i + 2 * LANES) * S <= n) {
      vf a[2][S];
      meet_block<S, 2>(a, c, d, bias, i, false);
#pragma GCC unroll 2
      for (int u = 0; u < 2; ++u)
#pragma GCC unroll 8
        for (int s = 0; s < S; ++s) store(out + (i + u * LANES) * S + s * LANES, a[u][s]);
      i += 2 * LANES;
      continue;
    }
    const int64_t at = whole && i + LANES > positions ? positions - LANES : i;
    vf a[1][S];
    meet_block<S, 1>(a, c, d, bias, at, true);
    if ((at + LANES) * S <= n) {
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) store(out + at * S + s * LANES, a[0][s]);
    } else {
      float last[S * LANES];
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) store(last + s * LANES, a[0][s]);
      copy_stored<float>(out + at * S, last, n - at * S);
    }
    i += LANES;
  }
}

}  // namespace

void fill_convolution_overlap(KernelTable* table) {
  table->conv.meet[1] = meet<1>;
  table->conv.meet[2] = meet<2>;
  table->conv.meet[3] = meet<3>;
  table->conv.meet[4] = meet<4>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
