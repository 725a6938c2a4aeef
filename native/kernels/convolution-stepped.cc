// Transposed convolutions whose kernel is their step: every input makes outputs of its own. All phases of a
// vector of inputs are summed in registers, woven there and stored where they belong; as sums of a tile they
// would be laid down in between.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// U vectors of inputs.
template <int S, int U>
UPS_INLINE void stepped_block(float* out, const float* in, const ConvStepped* d, const float* w, float bias) {
  vf a[S * S][U];
#pragma GCC unroll 9
  for (int f = 0; f < S * S; ++f)
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) a[f][u] = splat(bias);
  const int64_t channels = d->channels, in_channel = d->in_channel;
  for (int64_t c = 0; c < channels; ++c, in += in_channel, w += S * S) {
    vf x[U];
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) x[u] = load(in + u * LANES);
#pragma GCC unroll 9
    for (int f = 0; f < S * S; ++f) {
      const vf e = splat(w[f]);
#pragma GCC unroll 4
      for (int u = 0; u < U; ++u) a[f][u] += e * x[u];
    }
  }
#pragma GCC unroll 3
  for (int y = 0; y < S; ++y)
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) {
      vf z[S];
#pragma GCC unroll 3
      for (int s = 0; s < S; ++s) z[s] = a[y * S + s][u];
      zip<S>(z);
#pragma GCC unroll 3
      for (int s = 0; s < S; ++s) store(out + y * d->out_row + (u * S + s) * LANES, z[s]);
    }
}

// The last vector of a row reaches back.
template <int S>
void stepped(float* out, const float* in, const ConvStepped* d, const float* w, float bias) {
  enum : int { U = LANES == 16 ? (S == 2 ? 4 : 2) : LANES == 8 ? (S == 2 ? 2 : 1) : 1 };
  const int64_t n = d->n;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += S * d->out_row) {
    int64_t i = 0;
    for (; i + U * LANES <= n; i += U * LANES) stepped_block<S, U>(out + i * S, in + i, d, w, bias);
    for (; i < n; i += LANES) {
      if (i + LANES > n) i = n - LANES;
      stepped_block<S, 1>(out + i * S, in + i, d, w, bias);
    }
  }
}

}  // namespace

void fill_convolution_stepped(KernelTable* table) {
  table->conv.stepped[2] = stepped<2>;
  table->conv.stepped[3] = stepped<3>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
