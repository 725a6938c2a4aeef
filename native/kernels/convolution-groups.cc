// Small groups channels last: a vector holds the channels of several, and each tap of a pixel is spread over
// the lanes of its group by a permute.
#include "kernels/contract.h"
#include "kernels/kernels.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Of each S lanes, the one numbered `member` in all of them.
template <int S>
UPS_INLINE vf spread(vf v, int member) {
  vi at;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) at[i] = i / S * S + member;
  return __builtin_shuffle(v, at);
}

// U pixels of a vector of channels.
template <int S, int U>
UPS_INLINE void group_pixels(float* out, const float* in, const ConvDeepLast* d, const float* weight,
                             const float* bias) {
  vf a[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) a[u] = load(bias);
  for (int64_t t = 0; t < d->taps; ++t) {
    const float *x = in + d->offset[t], *w = weight + d->order[t];
    vf v[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) v[u] = load(x + u * d->in_pixel);
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) {
      const vf by = load(w + s * LANES);
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) a[u] += by * spread<S>(v[u], s);
    }
  }
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) store(out + u * d->out_pixel, a[u]);
}

// All channels of some pixels before the next ones.
template <int S, int U>
UPS_INLINE void group_channels(float* out, const float* in, const ConvDeepLast* d, const float* weight,
                               int64_t each, const float* bias) {
  for (int64_t at = 0; at < d->channels; at += LANES, weight += each) {
    const int64_t c = at + LANES <= d->channels ? at : d->channels - LANES;
    group_pixels<S, U>(out + c, in + c, d, weight, bias + c);
  }
}

template <int S>
void groups_last(float* out, const float* in, const ConvDeepLast* d, const float* weight, int64_t each,
                 const float* bias) {
  enum : int { MOST = LANES == 16 ? 8 : 4 };  // sums, inputs and a product in registers
  for (int64_t left = d->pixels; left > 0;) {
    const int64_t n = left >= MOST ? MOST : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    if (n == MOST)
      group_channels<S, MOST>(out, in, d, weight, each, bias);
    else if (n == 4)
      group_channels<S, 4>(out, in, d, weight, each, bias);
    else if (n == 2)
      group_channels<S, 2>(out, in, d, weight, each, bias);
    else
      group_channels<S, 1>(out, in, d, weight, each, bias);
    left -= n;
    in += n * d->in_pixel;
    out += n * d->out_pixel;
  }
}

}  // namespace

void fill_convolution_groups(KernelTable* table) {
  table->conv.groups_last[0] = groups_last<2>;
#if UPS_LANES >= 8
  table->conv.groups_last[1] = groups_last<4>;
#endif
#if UPS_LANES >= 16
  table->conv.groups_last[2] = groups_last<8>;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
