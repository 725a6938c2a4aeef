// Shrinking by whole factors: every output is the sum of its own group of elements.
#include "kernels/kernels.h"
#include "kernels/resample-element.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Elements 0, 2, 4 … of two vectors, and 1, 3, 5 ….
struct EvenOdd {
  vf even, odd;
};
UPS_INLINE EvenOdd even_odd(vf a, vf b) {
  vi even, odd;
  for (int i = 0; i < LANES; ++i) {
    even[i] = 2 * i;
    odd[i] = 2 * i + 1;
  }
  return {__builtin_shuffle(a, b, even), __builtin_shuffle(a, b, odd)};
}

// FACTOR vectors of elements one after the other to vectors of every FACTOR-th.
template <int FACTOR>
UPS_INLINE void unravel(vf* v) {
  if constexpr (FACTOR == 3) {
    // Of two vectors what there is, then of the third what is missing.
    vf part[3];
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k) {
      vi two, three;
      for (int i = 0; i < LANES; ++i) {
        const int at = 3 * i + k;
        two[i] = at < 2 * LANES ? at : 0;
        three[i] = at < 2 * LANES ? i : at - LANES;
      }
      part[k] = __builtin_shuffle(__builtin_shuffle(v[0], v[1], two), v[2], three);
    }
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k) v[k] = part[k];
  } else if constexpr (FACTOR > 1) {
    enum : int { HALF = FACTOR / 2 };
    vf even[HALF], odd[HALF];
#pragma GCC unroll 4
    for (int k = 0; k < HALF; ++k) {
      const EvenOdd pair = even_odd(v[2 * k], v[2 * k + 1]);
      even[k] = pair.even;
      odd[k] = pair.odd;
    }
    unravel<HALF>(even);
    unravel<HALF>(odd);
#pragma GCC unroll 4
    for (int k = 0; k < HALF; ++k) {
      v[2 * k] = even[k];
      v[2 * k + 1] = odd[k];
    }
  }
}

template <int FACTOR>
UPS_INLINE vf sum_along(vf* v, const float* weight) {
  unravel<FACTOR>(v);
  vf sum = weight[0] * v[0];
#pragma GCC unroll 8
  for (int k = 1; k < FACTOR; ++k) sum += weight[k] * v[k];
  return sum;
}

template <int FACTOR>
void across_groups(float* __restrict out, const float* __restrict in, const float* weight, int64_t n) {
  int64_t o = 0;
  for (; o + LANES <= n; o += LANES) {
    vf v[FACTOR];
#pragma GCC unroll 8
    for (int k = 0; k < FACTOR; ++k) v[k] = load(in + o * FACTOR + k * LANES);
    store(out + o, sum_along<FACTOR>(v, weight));
  }
  for (; o < n; ++o) {
    float sum = weight[0] * in[o * FACTOR];
    for (int k = 1; k < FACTOR; ++k) sum += weight[k] * in[o * FACTOR + k];
    out[o] = sum;
  }
}

// Bytes that are asked for ahead.
enum : int64_t { GROUPS_AHEAD = 8192 };

// Both ways at once: nothing is written but the result (area 4x down of 64x256x256: 0.21 ms rather than
// 0.45).
template <class S, int FACTOR>
void sum_groups(void* out, const void* in, int64_t rows, int64_t n, const float* down, int64_t taps,
                const float* along) {
  S* __restrict to = static_cast<S*>(out);
  const S* from = static_cast<const S*>(in);
  const int64_t in_row = n * FACTOR, group = taps * in_row;
  // Several rows at a time are read ahead by nothing else: two groups of short rows, one of long ones.
  const int64_t ahead = (GROUPS_AHEAD / static_cast<int64_t>(sizeof(S)) + group - 1) / group * group;
  for (int64_t r = 0; r < rows; ++r, from += group, to += n) {
    const S* next = from + ahead;
    for (int64_t o = 0; o < n; o += LANES) {
      if (o + LANES > n) o = n - LANES;
      const S* row = from + o * FACTOR;
      const auto line = [&](vf* v) __attribute__((always_inline)) {
#pragma GCC unroll 8
        for (int k = 0; k < FACTOR; ++k) v[k] = Packed<S>::load(row + k * LANES);
#pragma GCC unroll 8
        for (int b = 0; b < FACTOR * LANES; b += 64 / static_cast<int>(sizeof(S)))
          __builtin_prefetch(next + b);
        row += in_row;
        next += FACTOR * LANES;
      };
      vf v[FACTOR], x[FACTOR];
      line(v);
#pragma GCC unroll 8
      for (int k = 0; k < FACTOR; ++k) v[k] *= splat(down[0]);
      for (int64_t t = 1; t < taps; ++t) {
        line(x);
#pragma GCC unroll 8
        for (int k = 0; k < FACTOR; ++k) v[k] += splat(down[t]) * x[k];
      }
      Packed<S>::store(to + o, sum_along<FACTOR>(v, along));
    }
  }
}

template <class S>
void fill_sum_groups(SumGroups* by_factor) {
  by_factor[0] = sum_groups<S, 2>;
  by_factor[1] = sum_groups<S, 3>;
  by_factor[2] = sum_groups<S, 4>;
  by_factor[3] = sum_groups<S, 8>;
}

}  // namespace

void fill_resample_groups(ResampleKernels* kernels) {
  kernels->across_groups[0] = across_groups<2>;
  kernels->across_groups[1] = across_groups<3>;
  kernels->across_groups[2] = across_groups<4>;
  kernels->across_groups[3] = across_groups<8>;
  fill_sum_groups<float>(kernels->sum_groups[F32]);
  fill_sum_groups<Half>(kernels->sum_groups[F16]);
  fill_sum_groups<uint8_t>(kernels->sum_groups[U8]);
  fill_sum_groups<int8_t>(kernels->sum_groups[I8]);
}

}  // namespace UPS_ISA
}  // namespace upsampling
