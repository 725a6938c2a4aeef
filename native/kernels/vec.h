// Vector types of the instruction set this file is compiled for. GNU vectors: gcc and clang, x86 and arm
// alike.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifndef UPS_ISA
#error "compile with -DUPS_ISA=baseline, avx2 or avx512"
#endif

// The lanes of a float vector.
#if defined(__AVX512F__)
#define UPS_LANES 16
#elif defined(__AVX2__)
#define UPS_LANES 8
#else
#define UPS_LANES 4
#endif

#define UPS_INLINE static inline __attribute__((always_inline))

#define UPS_MEMBER static inline __attribute__((always_inline))

// Vectors wider than a register, such as LANES doubles, are taken apart by the compiler, and gcc warns of how
// a call would pass them. Helpers that take them are inlined: none is ever called.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace upsampling {
namespace UPS_ISA {

enum : int { LANES = UPS_LANES };

template <class T, int N>
struct VectorOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  // The same, as it may lie in memory: at any address, aliasing anything.
  typedef T memory __attribute__((vector_size(N * sizeof(T)), aligned(1), may_alias));
};

typedef VectorOf<float, LANES>::type vf;
typedef VectorOf<int32_t, LANES>::type vi;
typedef VectorOf<double, LANES / 2>::type vd;

UPS_INLINE vf load(const float* p) { return *reinterpret_cast<const VectorOf<float, LANES>::memory*>(p); }
UPS_INLINE void store(float* p, vf v) { *reinterpret_cast<VectorOf<float, LANES>::memory*>(p) = v; }
UPS_INLINE vi load(const int32_t* p) { return *reinterpret_cast<const VectorOf<int32_t, LANES>::memory*>(p); }
UPS_INLINE void store(int32_t* p, vi v) { *reinterpret_cast<VectorOf<int32_t, LANES>::memory*>(p) = v; }
UPS_INLINE vd load(const double* p) {
  return *reinterpret_cast<const VectorOf<double, LANES / 2>::memory*>(p);
}
UPS_INLINE void store(double* p, vd v) { *reinterpret_cast<VectorOf<double, LANES / 2>::memory*>(p) = v; }

// Asks for the lines that BYTES from p on will be stored to some way further on: stores to what is not in the
// caches wait for one line after the other (nearest 2x of 128x128x64 takes 0.77 ms rather than 0.88).
template <int BYTES>
UPS_INLINE void ask_ahead(void* p) {
  enum : int { AHEAD = 2048 };
#pragma GCC unroll 16
  for (int b = 0; b < BYTES; b += 64) __builtin_prefetch(static_cast<char*>(p) + AHEAD + b, 1);
}

// All lanes alike. Written as a subtraction because gcc keeps x + 0 (-0 + 0 is +0) but drops x - 0.
UPS_INLINE vf splat(float x) { return x - vf{}; }
UPS_INLINE vd splat(double x) { return x - vd{}; }

}  // namespace UPS_ISA
}  // namespace upsampling
