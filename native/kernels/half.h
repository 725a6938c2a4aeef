// float16 to float and back: ties to even, the same bits on every instruction set.
#pragma once
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

// As it is stored.
struct Half {
  uint16_t bits;
};

UPS_INLINE float from_half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 31u, fraction = h & 1023u;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000u | (fraction << 13) | (fraction != 0 ? 0x400000u : 0u);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112) << 23) | (fraction << 13);
  } else {
    const float tiny = static_cast<float>(fraction) * 0x1p-24f;
    __builtin_memcpy(&bits, &tiny, 4);
    bits |= sign;
  }
  float f;
  __builtin_memcpy(&f, &bits, 4);
  return f;
}

UPS_INLINE uint16_t to_half(float f) {
  uint32_t bits;
  __builtin_memcpy(&bits, &f, 4);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65520 and above
  if (magnitude < 0x38800000u) {                                               // below 2^-14: subnormal
    float m;
    __builtin_memcpy(&m, &magnitude, 4);
    m = m * 0x1p24f + 8388608.0f;  // the addition rounds to an integer, ties to even
    uint32_t r;
    __builtin_memcpy(&r, &m, 4);
    return static_cast<uint16_t>(sign | (r & 0x7fffffu));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

}  // namespace UPS_ISA
}  // namespace upsampling
