// Small groups channels last: a vector holds the outputs of several, and each tap of a pixel is spread over
// the lanes of its group by a permute.
#include "kernels/contract.h"
#include "kernels/kernels.h"
#include "kernels/some.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Inputs of which vectors: of groups of so many channels that become as many; ANY, or all of ONE group. Of
// vectors that are not full (SOME), too.
enum : int { ANY = 0, ONE = 1 };

// Of each S lanes, the one numbered `member` in all of them.
template <int S>
UPS_INLINE vf spread(vf v, int member) {
  vi at;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) at[i] = i / S * S + member;
  return __builtin_shuffle(v, at);
}

// U pixels of a vector of outputs.
template <int S, bool SOME, int U>
UPS_INLINE void group_pixels(float* out, const float* in, const ConvDeepLast* d, int64_t members,
                             const ConvGroups::Vector& vector, const float* weight, const float* bias) {
  const Some inputs = first_lanes(SOME ? vector.inputs : 0), outputs = first_lanes(SOME ? vector.outputs : 0);
  const int64_t in_pixel = d->in_pixel, out_pixel = d->out_pixel;
  const vi first = S == ANY ? load(vector.at) : vi{};
  vf a[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) a[u] = load(bias);
  for (int64_t t = 0; t < d->taps; ++t) {
    const float *x = in + d->offset[t], *w = weight + d->order[t];
    vf v[U];
    if constexpr (S != ONE) {
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) v[u] = SOME ? load_some(x + u * in_pixel, inputs) : load(x + u * in_pixel);
    }
    if constexpr (S > ONE) {
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) {
        const vf by = load(w + s * LANES);
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u) a[u] += by * spread<S>(v[u], s);
      }
    } else {
      vi at = first;
      for (int64_t s = 0; s < members; ++s, at += 1) {
        const vf by = load(w + s * LANES);
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u)
          a[u] += by * (S == ONE ? splat(x[u * in_pixel + s]) : __builtin_shuffle(v[u], at));
      }
    }
  }
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u) {
    if constexpr (SOME)
      store_some(out + u * out_pixel, a[u], outputs);
    else
      store(out + u * out_pixel, a[u]);
  }
}

// All outputs of some pixels before the next ones.
template <int S, int U>
UPS_INLINE void group_vectors(float* out, const float* in, const ConvDeepLast* d, const ConvGroups* g,
                              const float* weight, const float* bias) {
  for (int64_t i = 0; i < g->vectors; ++i, weight += g->each, bias += LANES) {
    const ConvGroups::Vector& v = g->vector[i];
    float* o = out + v.out;
    const float* x = in + v.in;
    if constexpr (S > ONE) {
      group_pixels<S, false, U>(o, x, d, S, v, weight, bias);
    } else if (v.alike) {
      if (v.outputs == LANES)
        group_pixels<ONE, false, U>(o, x, d, g->members, v, weight, bias);
      else
        group_pixels<ONE, true, U>(o, x, d, g->members, v, weight, bias);
    } else if (v.inputs == LANES && v.outputs == LANES) {
      group_pixels<ANY, false, U>(o, x, d, g->members, v, weight, bias);
    } else {
      group_pixels<ANY, true, U>(o, x, d, g->members, v, weight, bias);
    }
  }
}

template <int S>
void groups_last(float* out, const float* in, const ConvDeepLast* d, const ConvGroups* g, const float* weight,
                 const float* bias) {
  enum : int { MOST = LANES == 16 ? 8 : 4 };  // sums, inputs and a product in registers
  const int64_t pixels = d->pixels;
  for (int64_t r = 0; r < d->rows; ++r, in += d->in_row, out += d->out_row)
    for (int64_t left = pixels; left > 0;) {
      // The last ones reach back where only one is missing.
      const int64_t n = left >= MOST || (left == MOST - 1 && pixels >= MOST) ? int64_t{MOST}
                        : left >= 4 || (left == 3 && pixels >= 4)            ? 4
                        : left >= 2                                          ? 2
                                                                             : 1;
      const int64_t i = pixels - (left < n ? n : left);
      float* o = out + i * d->out_pixel;
      const float* x = in + i * d->in_pixel;
      left -= n;
      if (n == MOST)
        group_vectors<S, MOST>(o, x, d, g, weight, bias);
      else if (n == 4)
        group_vectors<S, 4>(o, x, d, g, weight, bias);
      else if (n == 2)
        group_vectors<S, 2>(o, x, d, g, weight, bias);
      else
        group_vectors<S, 1>(o, x, d, g, weight, bias);
    }
}

}  // namespace

void fill_convolution_groups(KernelTable* table) {
  table->conv.groups_last[0] = groups_last<2>;
#if UPS_LANES >= 8
  table->conv.groups_last[1] = groups_last<4>;
  table->conv.groups_any = groups_last<ANY>;
#endif
#if UPS_LANES >= 16
  table->conv.groups_last[2] = groups_last<8>;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
