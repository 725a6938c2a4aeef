// float16 to float and back: ties to even, the same bits on every instruction set.
#pragma once
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

// As it is stored.
struct Half {
  uint16_t bits;
};

#if defined(__F16C__)
// In hardware: 64 planes of float16 64x64 doubled take .11 ms rather than 4.8, a transposed 2x2 convolution
// of 32 channels of 32x32 .06 ms rather than .26.
typedef short Halves8 __attribute__((vector_size(16)));

UPS_INLINE float from_half(uint16_t h) { return __builtin_ia32_vcvtph2ps(Halves8{static_cast<short>(h)})[0]; }
UPS_INLINE uint16_t to_half(float f) {
  typedef float Floats4 __attribute__((vector_size(16)));
  return static_cast<uint16_t>(__builtin_ia32_vcvtps2ph(Floats4{f}, 0)[0]);
}
#else
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
#endif

#if defined(__AVX512F__)  // in one vector: from two halves by way of memory 64 planes take .44 ms
typedef short Halves __attribute__((vector_size(32)));
typedef short HalvesMemory __attribute__((vector_size(32), aligned(1), may_alias));
UPS_INLINE vf load(const Half* p) {
  return __builtin_ia32_vcvtph2ps512_mask(*reinterpret_cast<const HalvesMemory*>(p), vf{}, -1, 4);
}
UPS_INLINE void store(Half* p, vf v) {
  *reinterpret_cast<HalvesMemory*>(p) = __builtin_ia32_vcvtps2ph512_mask(v, 0, Halves{}, -1);
}
#elif defined(__F16C__)
typedef short HalvesMemory __attribute__((vector_size(16), aligned(1), may_alias));
UPS_INLINE vf load(const Half* p) {
  return __builtin_ia32_vcvtph2ps256(*reinterpret_cast<const HalvesMemory*>(p));
}
UPS_INLINE void store(Half* p, vf v) {
  *reinterpret_cast<HalvesMemory*>(p) = __builtin_ia32_vcvtps2ph256(v, 0);
}
#else
UPS_INLINE vf load(const Half* p) {
  vf v;
  for (int i = 0; i < LANES; ++i) v[i] = from_half(p[i].bits);
  return v;
}
UPS_INLINE void store(Half* p, vf v) {
  for (int i = 0; i < LANES; ++i) p[i].bits = to_half(v[i]);
}
#endif

UPS_INLINE void copy_run(float* to, const Half* from, int64_t n) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, load(from + i));
  for (; i < n; ++i) to[i] = from_half(from[i].bits);
}
UPS_INLINE void copy_run(Half* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, load(from + i));
  for (; i < n; ++i) to[i].bits = to_half(from[i]);
}

}  // namespace UPS_ISA
}  // namespace upsampling
