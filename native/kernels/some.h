// Parts of vectors.
#pragma once
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

// Some lanes, mostly the first `count`: what lies elsewhere may be anything, or not be there. Instruction
// sets with masks do that in one instruction rather than lane by lane, and take lanes by bits, too.
#if defined(__AVX512F__)
typedef uint16_t Some;
UPS_INLINE Some first_lanes(int64_t count) { return static_cast<Some>((1u << count) - 1); }
UPS_INLINE Some lanes_of(uint64_t bits) { return static_cast<Some>(bits); }
UPS_INLINE vf load_some(const float* p, Some some) { return __builtin_ia32_loadups512_mask(p, vf{}, some); }
UPS_INLINE vi load_some(const int32_t* p, Some some) {
  return __builtin_ia32_loaddqusi512_mask(p, vi{}, some);
}
UPS_INLINE void store_some(float* p, vf v, Some some) { __builtin_ia32_storeups512_mask(p, v, some); }
#elif defined(__AVX2__)
typedef vi Some;
UPS_INLINE Some first_lanes(int64_t count) {
  return vi{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count);
}
UPS_INLINE Some lanes_of(uint64_t bits) {
  const vi bit = {1, 2, 4, 8, 16, 32, 64, 128};
  return ((vi{} + static_cast<int32_t>(bits & 255)) & bit) != 0;
}
UPS_INLINE vf load_some(const float* p, Some some) {
  return __builtin_ia32_maskloadps256(reinterpret_cast<const vf*>(p), some);
}
UPS_INLINE vi load_some(const int32_t* p, Some some) {
  return __builtin_ia32_maskloadd256(reinterpret_cast<const vi*>(p), some);
}
UPS_INLINE void store_some(float* p, vf v, Some some) {
  __builtin_ia32_maskstoreps256(reinterpret_cast<vf*>(p), some, v);
}
#else
typedef int64_t Some;
UPS_INLINE Some first_lanes(int64_t count) { return count; }
UPS_INLINE vf load_some(const float* p, Some some) {
  vf v = {};
  for (int64_t i = 0; i < some; ++i) v[i] = p[i];
  return v;
}
UPS_INLINE void store_some(float* p, vf v, Some some) {
  for (int64_t i = 0; i < some; ++i) p[i] = v[i];
}
#endif

}  // namespace UPS_ISA
}  // namespace upsampling
