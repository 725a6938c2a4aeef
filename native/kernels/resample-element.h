// Elements as they are stored, of which resizes compute in float: vectors of them, and rows written in whole
// vectors.
#pragma once
#include "kernels/half.h"
#include "kernels/resample.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Rounds to an integer, ties to even: adding 1.5·2^23 leaves no room for a fraction. Right for |x| < 2^22.
UPS_INLINE float round_half_even(float x) { return (x + 12582912.0f) - 12582912.0f; }

// S as it is stored; computed with as a float.
template <class S>
struct Element;
template <>
struct Element<float> {
  UPS_MEMBER float widen(float v) { return v; }
  UPS_MEMBER float narrow(float v) { return v; }
};
template <>
struct Element<Half> {
  UPS_MEMBER float widen(Half v) { return from_half(v.bits); }
  UPS_MEMBER Half narrow(float v) { return Half{to_half(v)}; }
};
template <>
struct Element<uint8_t> {
  UPS_MEMBER float widen(uint8_t v) { return static_cast<float>(v); }
  UPS_MEMBER uint8_t narrow(float v) {
    v = v < 0.0f ? 0.0f : v;
    v = v > 255.0f ? 255.0f : v;
    return static_cast<uint8_t>(static_cast<int32_t>(round_half_even(v)));
  }
};
template <>
struct Element<int8_t> {
  UPS_MEMBER float widen(int8_t v) { return static_cast<float>(v); }
  UPS_MEMBER int8_t narrow(float v) {
    v = v < -128.0f ? -128.0f : v;
    v = v > 127.0f ? 127.0f : v;
    return static_cast<int8_t>(static_cast<int32_t>(round_half_even(v)));
  }
};

// gcc 12 turns __builtin_convertvector between bytes and words into scalar code, and a vector's `a < b ? a :
// b` into a comparison and a blend: with those, bilinear uint8 2x of 3x224x224 takes .073 ms rather than
// .039.
typedef char Bytes16 __attribute__((vector_size(16)));
typedef int Ints4 __attribute__((vector_size(16)));

UPS_INLINE vf clamp(vf v, vf low, vf high) {
#if defined(__AVX512F__)
  v = __builtin_ia32_maxps512_mask(v, low, v, -1, 4);
  return __builtin_ia32_minps512_mask(v, high, v, -1, 4);
#elif defined(__AVX2__)
  return __builtin_ia32_minps256(__builtin_ia32_maxps256(v, low), high);
#elif defined(__SSE2__)
  return __builtin_ia32_minps(__builtin_ia32_maxps(v, low), high);
#else
  v = v < low ? low : v;
  return v > high ? high : v;
#endif
}

// The low byte of every lane.
UPS_INLINE void put_bytes(void* p, vi v) {
#if defined(__AVX512F__)
  const Bytes16 b = __builtin_ia32_pmovdb512_mask(v, Bytes16{}, -1);
  __builtin_memcpy(p, &b, LANES);
#elif defined(__SSE2__)
  typedef long long Longs2 __attribute__((vector_size(16)));
  Ints4 part[LANES / 4];
  const vi low = v & 255;
  __builtin_memcpy(part, &low, sizeof part);
  const auto words = __builtin_ia32_packssdw128(part[0], part[LANES / 4 - 1]);
  const Longs2 b = reinterpret_cast<Longs2>(__builtin_ia32_packuswb128(words, words));
  const long long bits = b[0];
  __builtin_memcpy(p, &bits, LANES);
#else
  typedef typename VectorOf<int8_t, LANES>::type V;
  const V b = __builtin_convertvector(v, V);
  __builtin_memcpy(p, &b, LANES);
#endif
}

#if defined(__SSE2__)
// The first LANES bytes.
UPS_INLINE vi widen_bytes(Bytes16 b, bool is_signed) {
#if defined(__AVX512F__)
  return is_signed ? __builtin_ia32_pmovsxbd512_mask(b, vi{}, -1)
                   : __builtin_ia32_pmovzxbd512_mask(b, vi{}, -1);
#elif defined(__AVX2__)
  return is_signed ? __builtin_ia32_pmovsxbd256(b) : __builtin_ia32_pmovzxbd256(b);
#else
  // Every byte four times, of which the topmost one is shifted down.
  typedef short Shorts8 __attribute__((vector_size(16)));
  const Shorts8 twice = reinterpret_cast<Shorts8>(__builtin_ia32_punpcklbw128(b, b));
  const vi four = reinterpret_cast<vi>(__builtin_ia32_punpcklwd128(twice, twice));
  typedef VectorOf<uint32_t, LANES>::type vu;
  return is_signed ? four >> 24 : reinterpret_cast<vi>(reinterpret_cast<vu>(four) >> 24);
#endif
}
#endif

UPS_INLINE vi get_bytes(const void* p, bool is_signed) {
#if defined(__AVX512F__)
  Bytes16 b;
  __builtin_memcpy(&b, p, LANES);
  return widen_bytes(b, is_signed);
#elif defined(__AVX2__)
  // By way of a register: half of a vector in memory makes the load of the whole wait for its store, which
  // took two fifths of a uint8 resize.
  typedef long long Longs2 __attribute__((vector_size(16)));
  long long bits;
  __builtin_memcpy(&bits, p, LANES);
  return widen_bytes(reinterpret_cast<Bytes16>(Longs2{bits, 0}), is_signed);
#elif defined(__SSE2__)
  int bits;
  __builtin_memcpy(&bits, p, LANES);
  return widen_bytes(reinterpret_cast<Bytes16>(Ints4{bits, 0, 0, 0}), is_signed);
#else
  uint8_t b[LANES];
  __builtin_memcpy(b, p, LANES);
  vi v;
  for (int i = 0; i < LANES; ++i) v[i] = is_signed ? static_cast<int8_t>(b[i]) : b[i];
  return v;
#endif
}

#if defined(__SSE2__)
// Four vectors rounded, ties to even, and clamped: saturating packs do in a third of the instructions what
// clamp and put_bytes do one vector at a time (bilinear uint8 2x: 1.5 times as fast). They work within 16
// bytes; a last permute sets the quarters right.
template <bool SIGNED>
UPS_INLINE void put_rounded(void* p, const vf* v) {
#if defined(__AVX512F__)
  typedef short Words __attribute__((vector_size(64)));
  vi i[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) i[j] = __builtin_ia32_cvtps2dq512_mask(v[j], vi{}, -1, 4);
  const Words low = __builtin_ia32_packssdw512_mask(i[0], i[1], Words{}, -1);
  const Words high = __builtin_ia32_packssdw512_mask(i[2], i[3], Words{}, -1);
  const vi order = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  const VectorOf<char, 64>::type none{};
  const vi bytes = reinterpret_cast<vi>(SIGNED ? __builtin_ia32_packsswb512_mask(low, high, none, -1)
                                               : __builtin_ia32_packuswb512_mask(low, high, none, -1));
#elif defined(__AVX2__)
  const vi order = {0, 4, 1, 5, 2, 6, 3, 7};
  const auto low =
      __builtin_ia32_packssdw256(__builtin_ia32_cvtps2dq256(v[0]), __builtin_ia32_cvtps2dq256(v[1]));
  const auto high =
      __builtin_ia32_packssdw256(__builtin_ia32_cvtps2dq256(v[2]), __builtin_ia32_cvtps2dq256(v[3]));
  const vi bytes = reinterpret_cast<vi>(SIGNED ? __builtin_ia32_packsswb256(low, high)
                                               : __builtin_ia32_packuswb256(low, high));
#else
  const vi order = {0, 1, 2, 3};
  const auto low = __builtin_ia32_packssdw128(__builtin_ia32_cvtps2dq(v[0]), __builtin_ia32_cvtps2dq(v[1]));
  const auto high = __builtin_ia32_packssdw128(__builtin_ia32_cvtps2dq(v[2]), __builtin_ia32_cvtps2dq(v[3]));
  const vi bytes = reinterpret_cast<vi>(SIGNED ? __builtin_ia32_packsswb128(low, high)
                                               : __builtin_ia32_packuswb128(low, high));
#endif
  store(static_cast<int32_t*>(p), __builtin_shuffle(bytes, order));
}
#endif

// A vector of stored elements: bytes here, floats in registers.
template <class S>
struct Packed {
#if defined(__SSE2__)
  enum : int { GROUP = 4 };
#else
  enum : int { GROUP = 1 };
#endif
  UPS_MEMBER vf load(const S* p) { return __builtin_convertvector(get_bytes(p, static_cast<S>(-1) < 0), vf); }
  UPS_MEMBER void store(S* p, vf v) {
    v = clamp(v, splat(static_cast<float>(Element<S>::narrow(-1e9f))),
              splat(static_cast<float>(Element<S>::narrow(1e9f))));
    // The low bits of the sum are the integer, ties to even.
    put_bytes(p, reinterpret_cast<vi>(v + splat(12582912.0f)));
  }
};
template <>
struct Packed<float> {
  enum : int { GROUP = 1 };
  UPS_MEMBER vf load(const float* p) { return UPS_ISA::load(p); }
  UPS_MEMBER void store(float* p, vf v) { UPS_ISA::store(p, v); }
  // Elements up to the next address that a streaming store may go to.
  UPS_MEMBER int64_t lead(const float* p) {
    const uintptr_t bytes = LANES * sizeof(float), at = reinterpret_cast<uintptr_t>(p) % bytes;
    return at == 0 ? 0 : static_cast<int64_t>((bytes - at) / sizeof(float));
  }
  // 64 planes of 256x256 doubled take 1.69 ms rather than 3.61 by way of the caches.
  UPS_MEMBER void stream(float* p, vf v) {
#if defined(__AVX512F__)
    __builtin_ia32_movntps512(p, v);
#elif defined(__AVX2__)
    __builtin_ia32_movntps256(p, v);
#elif defined(__SSE2__)
    __builtin_ia32_movntps(p, v);
#else
    UPS_ISA::store(p, v);
#endif
  }
};
template <>
struct Packed<Half> {
  enum : int { GROUP = 1 };
  UPS_MEMBER vf load(const Half* p) { return UPS_ISA::load(p); }
  UPS_MEMBER void store(Half* p, vf v) { UPS_ISA::store(p, v); }
};

// Writes GROUP vectors.
template <class S>
UPS_INLINE void put_group(S* p, const vf* v) {
  Packed<S>::store(p, v[0]);
}
#if defined(__SSE2__)
UPS_INLINE void put_group(uint8_t* p, const vf* v) { put_rounded<false>(p, v); }
UPS_INLINE void put_group(int8_t* p, const vf* v) { put_rounded<true>(p, v); }
#endif

// out[i] = vector(i) in whole vectors, the last one overlapping; short rows element by element. What will be
// written next begins `ahead` elements further on: asked for now, it does not hold up the stores then.
template <class S, bool AHEAD = false, class Vector, class Scalar>
UPS_INLINE void fill(S* out, int64_t n, const Vector& vector, const Scalar& scalar, int64_t ahead = 0) {
  if (n < LANES) {
    for (int64_t i = 0; i < n; ++i) out[i] = Element<S>::narrow(scalar(i));
    return;
  }
  enum : int { GROUP = Packed<S>::GROUP };
  int64_t i = 0;
  if (GROUP > 1) {
    for (; i + GROUP * LANES <= n; i += GROUP * LANES) {
      vf v[GROUP];
#pragma GCC unroll 4
      for (int j = 0; j < GROUP; ++j) v[j] = vector(i + j * LANES);
      if (AHEAD) __builtin_prefetch(out + i + ahead, 1);
      put_group(out + i, v);
    }
  }
  const auto one = [&](int64_t at) __attribute__((always_inline)) {
    if (AHEAD && GROUP == 1) __builtin_prefetch(out + at + ahead, 1);
    Packed<S>::store(out + at, vector(at));
  };
  if (GROUP == 1) {
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) one(i + j * LANES);
    }
  }
  for (; i + LANES <= n; i += LANES) one(i);
  if (i < n) Packed<S>::store(out + n - LANES, vector(n - LANES));
}

// The same of doubles.
template <class Vector, class Scalar>
UPS_INLINE void fill_doubles(double* out, int64_t n, const Vector& vector, const Scalar& scalar) {
  enum : int { STEP = LANES / 2 };
  int64_t i = 0;
  for (; i + STEP <= n; i += STEP) store(out + i, vector(i));
  if (i < n && n >= STEP) return store(out + n - STEP, vector(n - STEP));
  for (; i < n; ++i) out[i] = scalar(i);
}

template <class S>
void widen(float* __restrict out, const void* in, int64_t n) {
  const S* __restrict x = static_cast<const S*>(in);
  fill<float>(
      out, n, [&](int64_t i) __attribute__((always_inline)) { return Packed<S>::load(x + i); },
      [&](int64_t i) __attribute__((always_inline)) { return Element<S>::widen(x[i]); });
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
