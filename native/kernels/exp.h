// exp(x) for x <= 0: the same bits on every instruction set, below 2 units in the last place off.
#pragma once
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

// 2^n · p(r) with x = n·ln 2 + r (Cephes' polynomial, S. Moshier). Below -87 the result is 0, NaN stays NaN.
UPS_INLINE float exp_below_zero(float x) {
  const float y = x < -87.0f ? -87.0f : x;
  const float shifted = y * 1.44269504f + 12582912.0f;
  int32_t bits;
  __builtin_memcpy(&bits, &shifted, 4);
  const float n = shifted - 12582912.0f;
  const float r = (y - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const int32_t scale_bits = static_cast<int32_t>((static_cast<uint32_t>(bits) - 0x4b400000u + 127u) << 23);
  float scale;
  __builtin_memcpy(&scale, &scale_bits, 4);
  return x < -87.0f ? 0.0f : p * scale;
}

// The same with the Taylor polynomial of degree 13, exact to double precision for |r| <= ln 2 / 2.
UPS_INLINE double exp_below_zero(double x) {
  const double y = x < -708.0 ? -708.0 : x;
  const double shifted = y * 1.4426950408889634 + 6755399441055744.0;
  int64_t bits;
  __builtin_memcpy(&bits, &shifted, 8);
  const double n = shifted - 6755399441055744.0;
  const double r = (y - n * 0.693145751953125) - n * 1.42860682030941723212e-6;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * (r * r) + r + 1.0;
  const int64_t scale_bits =
      static_cast<int64_t>((static_cast<uint64_t>(bits) - 0x4338000000000000u + 1023u) << 52);
  double scale;
  __builtin_memcpy(&scale, &scale_bits, 8);
  return x < -708.0 ? 0.0 : p * scale;
}

}  // namespace UPS_ISA
}  // namespace upsampling
