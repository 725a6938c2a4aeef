// Pixels to few channels: a vector holds elements of a window, as they follow one another in a row of pixels.
// The sums of a block of outputs stay in registers until their lanes are added up.
#include "kernels/convolution-windows.h"

#include "kernels/contract.h"
#include "kernels/kernels.h"
#include "kernels/some.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <int H, int... I>
UPS_INLINE vf fold_half(vf v, Indices<I...>) {
  return v + __builtin_shufflevector(v, v, (I ^ H)...);
}

// Lane l: the sum of a[l], l < N.
template <int N, int H>
UPS_INLINE vf fold_lanes(vf v) {
  if constexpr (H >= N)
    return fold_lanes<N, H / 2>(fold_half<H>(v, typename IndicesUpTo<LANES>::type()));
  else
    return v;
}

// Of N sums, beginning with number I, each of them STEP after the one before: part of one of them in every
// lane, in turn. Those from COUNT on are nothing. Not by a loop over all levels (add_lanes): that keeps the
// sums in memory.
template <int N, int I, int STEP, int COUNT>
UPS_INLINE vf add_sums(const vf (&a)[COUNT]) {
  if constexpr (I >= COUNT) {
    return vf{};
  } else if constexpr (N == 1) {
    return a[I];
  } else {
    const vf x = add_sums<N / 2, I, 2 * STEP, COUNT>(a), y = add_sums<N / 2, I + STEP, 2 * STEP, COUNT>(a);
    return UPS_ZIP(x, y, 0) + UPS_ZIP(x, y, 1);
  }
}

constexpr int power_of_two(int n) { return n <= 1 ? 1 : 2 * power_of_two((n + 1) / 2); }

// P pixels of O columns.
template <int P, int O>
UPS_INLINE void window_block(float* out, const float* in, const ConvWindows* d, const float* w, vf bias) {
  enum : int { N = power_of_two(P * O) };
  const int64_t in_pixel = d->in_pixel, weight = d->weight, whole = d->n / LANES * LANES;
  const Some rest = first_lanes(d->n - whole);
  vf a[P * O];
#pragma GCC unroll 16
  for (int i = 0; i < P * O; ++i) a[i] = vf{};
  const auto add = [&](const float* y, const vf(&x)[P]) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int o = 0; o < O; ++o) {
      const vf v = load(y + o * weight);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) a[p * O + o] += v * x[p];
    }
  };
  for (int64_t r = 0; r < d->runs; ++r) {
    const float *from = in + d->offset[r], *y = w + d->order[r];
    vf x[P];
    for (int64_t i = 0; i < whole; i += LANES) {
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p)
        x[p] = O > 1 ? loaded(load(from + p * in_pixel + i)) : load(from + p * in_pixel + i);
      add(y + i, x);
    }
    if (whole == d->n) continue;
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) x[p] = load_some(from + p * in_pixel + whole, rest);
    add(y + whole, x);
  }
  const vf sums = fold_lanes<N, LANES / 2>(add_sums<N, 0, 1, P * O>(a)) + bias;
  if constexpr (P * O == LANES)
    store(out, sums);
  else
    store_some(out, sums, first_lanes(P * O));
}

// Blocks of P pixels, of which the last reaches back.
template <int P, int O>
UPS_INLINE void window_blocks(float* out, const float* in, const ConvWindows* d, const float* w, vf bias) {
  if constexpr (P > 1) {
    if (d->pixels < P) return window_blocks<P / 2, O>(out, in, d, w, bias);
  }
  for (int64_t i = 0; i < d->pixels; i += P) {
    const int64_t p = i + P <= d->pixels ? i : d->pixels - P;
    window_block<P, O>(out + p * O, in + p * d->in_pixel, d, w, bias);
  }
}

template <int O>
void windows(float* out, const float* in, const ConvWindows* d, const float* w, const float* bias) {
  window_blocks<LANES / O, O>(out, in, d, w, load(bias));
}

template <int O>
void fill(WindowKernels* kernels) {
  kernels->windows[O] = windows<O>;
  if constexpr (O > 1) fill<O - 1>(kernels);
}

}  // namespace

void fill_convolution_windows(WindowKernels* kernels) {
  if constexpr (LANES > 2) fill<LANES / 2 - 1>(kernels);
}

}  // namespace UPS_ISA
}  // namespace upsampling
