// Leaves of interpolation: rows across, then rows blended.
#include "kernels/resample.h"

#include "kernels/half.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// elements

struct Half {
  uint16_t bits;
};

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
template <>
struct Element<double> {
  UPS_MEMBER double narrow(double v) { return v; }
};

// gcc 12 turns __builtin_convertvector between bytes and words into scalar code, and a vector's `a < b ? a :
// b` into a comparison and a blend: with those, bilinear uint8 2x of 3x224x224 takes .073 ms rather than
// .039.
typedef char Bytes16 __attribute__((vector_size(16)));

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
  typedef int Ints4 __attribute__((vector_size(16)));
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

UPS_INLINE vi get_bytes(const void* p, bool is_signed) {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  Bytes16 b;
  __builtin_memcpy(&b, p, LANES);
  return is_signed ? __builtin_ia32_pmovsxbd512_mask(b, vi{}, -1)
                   : __builtin_ia32_pmovzxbd512_mask(b, vi{}, -1);
#else
  // By way of a register: half of a vector in memory makes the load of the whole wait for its store, which
  // took two fifths of a uint8 resize.
  typedef long long Longs2 __attribute__((vector_size(16)));
  long long bits;
  __builtin_memcpy(&bits, p, LANES);
  const Bytes16 b = reinterpret_cast<Bytes16>(Longs2{bits, 0});
  return is_signed ? __builtin_ia32_pmovsxbd256(b) : __builtin_ia32_pmovzxbd256(b);
#endif
#elif defined(__SSE2__)
  // Every byte four times, of which the topmost one is shifted down.
  typedef int Ints4 __attribute__((vector_size(16)));
  typedef short Shorts8 __attribute__((vector_size(16)));
  int bits;
  __builtin_memcpy(&bits, p, LANES);
  const Bytes16 b = reinterpret_cast<Bytes16>(Ints4{bits, 0, 0, 0});
  const Shorts8 twice = reinterpret_cast<Shorts8>(__builtin_ia32_punpcklbw128(b, b));
  const vi four = reinterpret_cast<vi>(__builtin_ia32_punpcklwd128(twice, twice));
  typedef VectorOf<uint32_t, LANES>::type vu;
  return is_signed ? four >> 24 : reinterpret_cast<vi>(reinterpret_cast<vu>(four) >> 24);
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
#if defined(__F16C__)
  typedef short Halves __attribute__((vector_size(16)));
  typedef float Floats __attribute__((vector_size(32)));
  typedef short HalvesMemory __attribute__((vector_size(16), aligned(1), may_alias));
  typedef float FloatsMemory __attribute__((vector_size(32), aligned(1), may_alias));
  UPS_MEMBER vf load(const Half* p) {
    vf v;
    for (int i = 0; i < LANES; i += 8)
      reinterpret_cast<FloatsMemory*>(&v)[i / 8] =
          __builtin_ia32_vcvtph2ps256(*reinterpret_cast<const HalvesMemory*>(p + i));
    return v;
  }
  UPS_MEMBER void store(Half* p, vf v) {
    for (int i = 0; i < LANES; i += 8) {
      const Floats part = reinterpret_cast<const FloatsMemory*>(&v)[i / 8];
      *reinterpret_cast<HalvesMemory*>(p + i) = __builtin_ia32_vcvtps2ph256(part, 0);
    }
  }
#else
  UPS_MEMBER vf load(const Half* p) {
    vf v;
    for (int i = 0; i < LANES; ++i) v[i] = from_half(p[i].bits);
    return v;
  }
  UPS_MEMBER void store(Half* p, vf v) {
    for (int i = 0; i < LANES; ++i) p[i].bits = to_half(v[i]);
  }
#endif
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

// The same past the caches, after what waits and leaving what is not a line; n >= 2 · LANES.
template <class Vector>
UPS_INLINE void stream_row(float* out, int64_t n, RowStream* stream, const Vector& vector) {
  typedef Packed<float> P;
  int64_t i = P::lead(out);
  if (stream->waiting > 0) {
    vi lane;
    for (int l = 0; l < LANES; ++l) lane[l] = l + LANES;
    lane -= static_cast<int32_t>(stream->waiting);
    P::stream(out - stream->waiting, __builtin_shuffle(load(stream->last), vector(0), lane));
  } else if (i > 0) {
    P::store(out, vector(0));
  }
  for (; i + LANES <= n; i += LANES) P::stream(out + i, vector(i));
  stream->waiting = n - i;
  store(stream->last, vector(n - LANES));
}

void stream_copy(float* out, const float* in, int64_t n, RowStream* stream) {
  stream_row(out, n, stream, [&](int64_t i) __attribute__((always_inline)) { return load(in + i); });
}

template <class S>
void widen(float* __restrict out, const void* in, int64_t n) {
  const S* __restrict x = static_cast<const S*>(in);
  fill<float>(
      out, n, [&](int64_t i) __attribute__((always_inline)) { return Packed<S>::load(x + i); },
      [&](int64_t i) __attribute__((always_inline)) { return Element<S>::widen(x[i]); });
}

// down the rows

// The sum of TAPS rows, in the order of the taps, whatever the vector length; TAPS 0: `taps` of them.
template <class S, int TAPS>
UPS_INLINE void blend_row(S* __restrict out, const float* const* rows, const float* weight, int64_t taps,
                          int64_t n, RowStream* stream, int64_t ahead) {
  if (TAPS == 0) {
    fill<S>(
        out, n,
        [&](int64_t i) __attribute__((always_inline)) {
          vf sum = weight[0] * load(rows[0] + i);
          for (int64_t k = 1; k < taps; ++k) sum += weight[k] * load(rows[k] + i);
          return sum;
        },
        [&](int64_t i) __attribute__((always_inline)) {
          float sum = weight[0] * rows[0][i];
          for (int64_t k = 1; k < taps; ++k) sum += weight[k] * rows[k][i];
          return sum;
        });
    return;
  }
  const float* row[TAPS > 0 ? TAPS : 1];
  vf w[TAPS > 0 ? TAPS : 1];
  for (int k = 0; k < TAPS; ++k) {
    row[k] = rows[k];
    w[k] = splat(weight[k]);
  }
  const auto vector = [&](int64_t i) __attribute__((always_inline)) {
    vf sum = w[0] * load(row[0] + i);
#pragma GCC unroll 4
    for (int k = 1; k < TAPS; ++k) sum += w[k] * load(row[k] + i);
    return sum;
  };
  if (stream != nullptr && sizeof(S) == sizeof(float) && n >= 2 * LANES)
    return stream_row(reinterpret_cast<float*>(out), n, stream, vector);
  const auto scalar = [&](int64_t i) __attribute__((always_inline)) {
    float sum = weight[0] * row[0][i];
    for (int k = 1; k < TAPS; ++k) sum += weight[k] * row[k][i];
    return sum;
  };
  fill<S, true>(out, n, vector, scalar, ahead);
}

template <class S>
void blend_to(void* out, const float* const* rows, const float* weight, int64_t taps, int64_t n) {
  S* o = static_cast<S*>(out);
  if (taps == 1)
    blend_row<S, 1>(o, rows, weight, taps, n, nullptr, 0);
  else if (taps == 2)
    blend_row<S, 2>(o, rows, weight, taps, n, nullptr, 0);
  else if (taps == 4)
    blend_row<S, 4>(o, rows, weight, taps, n, nullptr, 0);
  else
    blend_row<S, 0>(o, rows, weight, taps, n, nullptr, 0);
}

// One row after the other: caches take one stream of stores at twice the speed of two. ready(o) is called
// before the rows under o are read.
template <class S, int TAPS, class Ready>
UPS_INLINE void down_taps(S* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream,
                          const Ready& ready) {
  const int64_t size = axis->out_size;
  const float* weight = static_cast<const float*>(axis->weight);
  const float* row[TAPS];
  float w[TAPS];
  const int64_t ahead = out_stride == n ? 8192 / static_cast<int64_t>(sizeof(S)) : out_stride;
  const int32_t* index = axis->index;
  for (int64_t o = first; o < end;) {
    ready(o);
    for (int k = 0; k < TAPS; ++k) row[k] = rows + (index[k * size + o] & mask) * stride;
    // All outputs between the same rows.
    bool same;
    do {
      for (int k = 0; k < TAPS; ++k) w[k] = weight[k * size + o];
      blend_row<S, TAPS>(out, row, w, TAPS, n, stream, ahead);
      out += out_stride;
      ++o;
      same = o < end;
      for (int k = 0; k < TAPS && same; ++k) same = index[k * size + o] == index[k * size + o - 1];
    } while (same);
  }
}

void flush(float* out, RowStream* stream) {
  const int64_t n = stream->waiting;
  for (int64_t i = 0; i < n; ++i) out[i - n] = stream->last[LANES - n + i];
  stream->waiting = 0;
#if defined(__SSE2__)
  __builtin_ia32_sfence();
#endif
}

template <class S, class Ready>
UPS_INLINE void down_rows(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
                          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream,
                          const Ready& ready) {
  S* to = static_cast<S*>(out);
  const int64_t size = axis->out_size;
  bool uniform = true;
  for (int64_t o = first; o < end; ++o) uniform = uniform && axis->count[o] == axis->taps;
  if (uniform && axis->taps == 2)
    return down_taps<S, 2>(to, out_stride, rows, stride, mask, axis, first, end, n, stream, ready);
  if (uniform && axis->taps == 4)
    return down_taps<S, 4>(to, out_stride, rows, stride, mask, axis, first, end, n, stream, ready);
  if (stream != nullptr) flush(static_cast<float*>(out), stream);
  const float* weight = static_cast<const float*>(axis->weight);
  for (int64_t o = first; o < end; ++o, to += out_stride) {
    ready(o);
    const int32_t* index = axis->index + o;
    const int64_t count = axis->count[o];
    fill<S>(
        to, n,
        [&](int64_t i) __attribute__((always_inline)) {
          vf sum = weight[o] * load(rows + (index[0] & mask) * stride + i);
          for (int64_t k = 1; k < count; ++k)
            sum += weight[k * size + o] * load(rows + (index[k * size] & mask) * stride + i);
          return sum;
        },
        [&](int64_t i) __attribute__((always_inline)) {
          float sum = weight[o] * rows[(index[0] & mask) * stride + i];
          for (int64_t k = 1; k < count; ++k)
            sum += weight[k * size + o] * rows[(index[k * size] & mask) * stride + i];
          return sum;
        });
  }
}

template <class S>
void down(void* out, int64_t out_stride, const float* rows, int64_t stride, int64_t mask,
          const AxisTable* axis, int64_t first, int64_t end, int64_t n, RowStream* stream) {
  down_rows<S>(out, out_stride, rows, stride, mask, axis, first, end, n, stream,
               [](int64_t) __attribute__((always_inline)) {});
}

// Outputs from i on, STEP vectors at a time as far as they go; returns where it stopped. Several vectors side
// by side: caches read rows faster in long stretches than a vector of each in turn.
template <class S, int STEP>
UPS_INLINE int64_t blend_steps(float* __restrict out, const S* const* row, const float* weight, int64_t taps,
                               int64_t i, int64_t n) {
  for (; i + STEP * LANES <= n; i += STEP * LANES) {
    vf sum[STEP];
    const vf first = splat(weight[0]);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) sum[j] = first * Packed<S>::load(row[0] + i + j * LANES);
    for (int64_t k = 1; k < taps; ++k) {
      const vf w = splat(weight[k]);
#pragma GCC unroll 8
      for (int j = 0; j < STEP; ++j) sum[j] += w * Packed<S>::load(row[k] + i + j * LANES);
    }
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) store(out + i + j * LANES, sum[j]);
  }
  return i;
}

// The same to the end.
template <class S>
UPS_INLINE void blend_rest(float* __restrict out, const S* const* row, const float* weight, int64_t taps,
                           int64_t i, int64_t n) {
  i = blend_steps<S, 4>(out, row, weight, taps, i, n);
  i = blend_steps<S, 1>(out, row, weight, taps, i, n);
  if (i == n) return;
  if (n >= LANES) {
    blend_steps<S, 1>(out, row, weight, taps, n - LANES, n);
    return;
  }
  for (; i < n; ++i) {
    float sum = weight[0] * Element<S>::widen(row[0][i]);
    for (int64_t k = 1; k < taps; ++k) sum += weight[k] * Element<S>::widen(row[k][i]);
    out[i] = sum;
  }
}

template <class S>
void blend_from(float* __restrict out, const void* const* rows, const float* weight, int64_t taps,
                int64_t n) {
  const S* const* row = reinterpret_cast<const S* const*>(rows);
  const int64_t i = blend_steps<S, 8>(out, row, weight, taps, 0, n);
  blend_rest<S>(out, row, weight, taps, i, n);
}

// STEP vectors of all sums: a row that two of them share is read once (uint8 1080x1920x3 to 224x224,
// antialiased, takes 0.37 ms rather than 0.39). Of so many rows the caches read ahead too little (float32
// 3x1080x1920: 0.90 ms rather than 1.15 without asking).
template <class S, int STEP>
UPS_INLINE void blend_column(float* __restrict out, int64_t out_stride, const S* in, int64_t in_stride,
                             const RowSum* sums, int64_t count) {
  vf sum[STEP], next[STEP]{};
  const auto ask = [&](const S* row) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int j = 0; j < STEP * LANES; j += 64 / static_cast<int>(sizeof(S)))
      __builtin_prefetch(row + STEP * LANES + j);
  };
  const auto one = [&](const S* row, float u, bool begins) __attribute__((always_inline)) {
    ask(row);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) {
      const vf x = splat(u) * Packed<S>::load(row + j * LANES);
      sum[j] = begins ? x : sum[j] + x;
    }
  };
  const auto two = [&](const S* row, float u, float v, bool begins) __attribute__((always_inline)) {
    ask(row);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) {
      const vf x = Packed<S>::load(row + j * LANES);
      sum[j] += splat(u) * x;
      next[j] = begins ? splat(v) * x : next[j] + splat(v) * x;
    }
  };
  int64_t k = sums->first;
  const S* row = in + k * in_stride;
  one(row, sums->weight[0], true);
  row += in_stride;
  ++k;
  for (int64_t r = 0;; ++r, out += out_stride) {
    const RowSum s = sums[r];
    const int64_t alone = r + 1 < count ? sums[r + 1].first : s.last;
    for (; k < alone; ++k, row += in_stride) one(row, s.weight[k - s.first], false);
    for (bool begins = true; k < s.last; ++k, row += in_stride, begins = false)
      two(row, s.weight[k - s.first], sums[r + 1].weight[k - alone], begins);
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) store(out + j * LANES, sum[j]);
    if (r + 1 == count) return;
#pragma GCC unroll 8
    for (int j = 0; j < STEP; ++j) sum[j] = next[j];
  }
}

template <class S>
void blend_overlapping(float* __restrict out, int64_t out_stride, const void* in, int64_t in_stride,
                       const RowSum* sums, int64_t count, int64_t n) {
  const S* from = static_cast<const S*>(in);
  enum : int { STEP = LANES == 16 ? 8 : 4 };
  int64_t i = 0;
  for (; i + STEP * LANES <= n; i += STEP * LANES)
    blend_column<S, STEP>(out + i, out_stride, from + i, in_stride, sums, count);
  for (; i < n; i += LANES) {
    if (i + LANES > n) i = n - LANES;
    blend_column<S, 1>(out + i, out_stride, from + i, in_stride, sums, count);
  }
}

void blend_double(double* __restrict out, const double* const* rows, const double* weight, int64_t taps,
                  int64_t n) {
  int64_t i = 0;
  for (; i + LANES / 2 <= n; i += LANES / 2) {
    vd sum = weight[0] * load(rows[0] + i);
    for (int64_t k = 1; k < taps; ++k) sum += weight[k] * load(rows[k] + i);
    store(out + i, sum);
  }
  for (; i < n; ++i) {
    double sum = weight[0] * rows[0][i];
    for (int64_t k = 1; k < taps; ++k) sum += weight[k] * rows[k][i];
    out[i] = sum;
  }
}

// along a row

// Output `o`, element by element.
template <class T>
UPS_INLINE void resample_pixel(T* __restrict out, const T* __restrict in, const AxisTable* axis,
                               int64_t inner, int64_t o) {
  const int64_t size = axis->out_size, count = axis->count[o];
  const T* weight = static_cast<const T*>(axis->weight);
  for (int64_t c = 0; c < inner; ++c) {
    T sum = weight[o] * in[axis->index[o] * inner + c];
    for (int64_t k = 1; k < count; ++k)
      sum += weight[k * size + o] * in[axis->index[k * size + o] * inner + c];
    out[c] = sum;
  }
}

template <class T>
void resample_row(T* __restrict out, const T* __restrict in, const AxisTable* axis, int64_t inner) {
  for (int64_t o = 0; o < axis->out_size; ++o, out += inner) resample_pixel(out, in, axis, inner, o);
}

// The elements that one tap of a block reads.
template <int WINDOW>
UPS_INLINE vf pick(const float* in, vf a, vf b, vi lane) {
  if (WINDOW == 1) return __builtin_shuffle(a, lane);
  if (WINDOW == 2) return __builtin_shuffle(a, b, lane);
  vf v;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) v[i] = in[lane[i]];
  return v;
}

// The lanes and weights of a block, in registers.
template <int TAPS>
struct Pattern {
  vi lane[TAPS];
  vf weight[TAPS];
  UPS_MEMBER Pattern at(const PreparedTaps* t, int64_t b) {
    Pattern p;
#pragma GCC unroll 4
    for (int k = 0; k < TAPS; ++k) {
      p.lane[k] = load(t->lane + (b * TAPS + k) * LANES);
      p.weight[k] = load(t->weight + (b * TAPS + k) * LANES);
    }
    return p;
  }
  // The outputs of the block, from the vectors that hold its taps.
  template <int WINDOW>
  inline __attribute__((always_inline)) vf sum(const float* in, vf a, vf b) const {
    vf sum = weight[0] * pick<WINDOW>(in, a, b, lane[0]);
#pragma GCC unroll 4
    for (int k = 1; k < TAPS; ++k) sum += weight[k] * pick<WINDOW>(in, a, b, lane[k]);
    return sum;
  }
  inline __attribute__((always_inline)) vf sum(vf v) const { return sum<1>(nullptr, v, v); }
};

// The block whose pattern block b has: in a run one of the first ones.
UPS_INLINE int64_t pattern_of(const PreparedTaps* t, int64_t b) {
  return b < t->run || b >= t->run_end ? b : t->run + (b - t->run) % t->period;
}

template <int TAPS, int WINDOW>
UPS_INLINE vf block_of(const float* in, const Pattern<TAPS>& pattern) {
  vf a{}, b{};
  if (WINDOW > 0) a = load(in);
  if (WINDOW > 1) b = load(in + LANES);
  return pattern.template sum<WINDOW>(in, a, b);
}

template <int TAPS, int WINDOW>
UPS_INLINE vf block_at(const float* in, const PreparedTaps* t, int64_t b) {
  if constexpr (TAPS > 0) return block_of<TAPS, WINDOW>(in + t->base[b], Pattern<TAPS>::at(t, b));
  const float* from = in + t->base[b];
  const int32_t* lane = t->lane + b * t->taps * LANES;
  const float* weight = t->weight + b * t->taps * LANES;
  vf first{}, second{};
  if (WINDOW > 0) first = load(from);
  if (WINDOW > 1) second = load(from + LANES);
  vf sum = load(weight) * pick<WINDOW>(from, first, second, load(lane));
  for (int64_t k = 1; k < t->taps; ++k) {
    const vf w = load(weight + k * LANES);
    const vf more = sum + w * pick<WINDOW>(from, first, second, load(lane + k * LANES));
    sum = t->masked ? (w != splat(0.0f) ? more : sum) : more;
  }
  return sum;
}

// The blocks from first to end: those up to `run`, those of the run, and those up to `whole`; then one that
// is not a whole vector, if `rest`.
struct Blocks {
  int64_t first, run, run_end, whole, rest;
};
UPS_INLINE Blocks blocks_of(const PreparedTaps* t, int64_t first, int64_t end) {
  Blocks k;
  k.first = first;
  k.rest = end * LANES > t->n ? t->n % LANES : 0;
  k.whole = end - (k.rest > 0);
  k.run = k.run_end = k.whole;
  if (t->run_end > t->run) {
    k.run = t->run < first ? first : t->run > k.whole ? k.whole : t->run;
    k.run_end = t->run_end < k.run ? k.run : t->run_end > k.whole ? k.whole : t->run_end;
  }
  return k;
}

// The blocks of a run that are `period` apart: what is alike stays in registers.
template <int TAPS, int WINDOW>
UPS_INLINE void across_run(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                           const PreparedTaps* t, int64_t b, int64_t end, int64_t period) {
  const auto pattern = Pattern<TAPS>::at(t, pattern_of(t, b));
  const int64_t step = t->run_step, apart = period * LANES, n = (end - b + period - 1) / period;
  in += t->base[b];
  out += b * LANES;
  for (int64_t r = 0; r < count; ++r, in += in_stride, out += out_stride) {
    if (n < 4) {
      for (int64_t i = 0; i < n; ++i) store(out + i * apart, block_of<TAPS, WINDOW>(in + i * step, pattern));
      continue;
    }
    // The last four reach back over blocks that are already there.
    for (int64_t i = 0; i < n; i += 4) {
      if (i + 4 > n) i = n - 4;
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        store(out + (i + j) * apart, block_of<TAPS, WINDOW>(in + (i + j) * step, pattern));
    }
  }
}

template <int TAPS, int WINDOW>
UPS_INLINE void across_blocks(float* out, int64_t out_stride, const float* in, int64_t in_stride,
                              int64_t count, const PreparedTaps* t, const Blocks& k) {
  out -= k.first * LANES;
  const auto singly = [&](int64_t from, int64_t to) __attribute__((always_inline)) {
    if (from + 1 == to && count == 1)  // the usual case, without loops
      return store(out + from * LANES, block_at<TAPS, WINDOW>(in, t, from));
    for (int64_t b = from; b < to; ++b)
      for (int64_t r = 0; r < count; ++r)
        store(out + r * out_stride + b * LANES, block_at<TAPS, WINDOW>(in + r * in_stride, t, b));
  };
  singly(k.first, k.run);
  if constexpr (TAPS > 0 && WINDOW > 0) {
    if (t->period == 1) {
      if (k.run < k.run_end)
        across_run<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, k.run, k.run_end, 1);
    } else {
      for (int64_t p = 0; k.run + p < k.run_end && p < t->period; ++p)
        across_run<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, k.run + p, k.run_end, t->period);
    }
  } else {
    singly(k.run, k.run_end);
  }
  singly(k.run_end, k.whole);
  for (int64_t r = 0; r < count && k.rest > 0; ++r) {
    const vf v = block_at<TAPS, WINDOW>(in + r * in_stride, t, k.whole);
    for (int64_t i = 0; i < k.rest; ++i) out[r * out_stride + k.whole * LANES + i] = v[i];
  }
}

typedef void (*AcrossTaps)(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                           const PreparedTaps* t, const Blocks* k);

template <int TAPS, int WINDOW>
void across_taps(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                 const PreparedTaps* t, const Blocks* k) {
  across_blocks<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, *k);
}
template <int TAPS>
UPS_INLINE AcrossTaps across_window(int window) {
  return window == 1 ? across_taps<TAPS, 1> : window == 2 ? across_taps<TAPS, 2> : across_taps<TAPS, 0>;
}
UPS_INLINE AcrossTaps across_leaf(const PreparedTaps* t) {
  if (t->taps == 2 && !t->masked) return across_window<2>(t->window);
  if (t->taps == 4 && !t->masked) return across_window<4>(t->window);
  return across_window<0>(t->window);
}

void across(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
            const PreparedTaps* t, int64_t first, int64_t end) {
  const Blocks k = blocks_of(t, first, end);
  across_leaf(t)(out, out_stride, in, in_stride, count, t, &k);
}

// Where outputs from `first` on that are fewer elements than a vector, each written as a whole one whose end
// the next one overwrites, would read or write beyond the end of their row. A mirrored axis reads its last
// inputs first: then from the beginning on.
UPS_INLINE int64_t whole_pixels(const AxisTable* axis, int64_t inner, int64_t first, int64_t end) {
  const int64_t size = axis->out_size, last = axis->in_size * inner - LANES;
  const auto reaches_out = [&](int64_t o) __attribute__((always_inline)) {
    bool beyond = (end - o) * inner < LANES;
    for (int64_t k = 0; k < axis->count[o]; ++k) beyond = beyond || axis->index[k * size + o] * inner > last;
    return beyond;
  };
  int64_t whole = end;
  if (first < end && reaches_out(first)) return first;
  while (whole > first && reaches_out(whole - 1)) --whole;
  return whole;
}

// Bicubic 2x of 64x64x8: 33 us rather than 85 with taps picked one by one.
void across_short_pixels(float* out, const float* in, const AxisTable* axis, int64_t inner, int64_t first,
                         int64_t end) {
  const int64_t size = axis->out_size, whole = whole_pixels(axis, inner, first, end);
  const float* weight = static_cast<const float*>(axis->weight);
  int64_t o = first;
  for (; o < whole; ++o, out += inner) {
    const int64_t count = axis->count[o];
    vf sum = weight[o] * load(in + axis->index[o] * inner);
    for (int64_t k = 1; k < count; ++k)
      sum += weight[k * size + o] * load(in + axis->index[k * size + o] * inner);
    store(out, sum);
  }
  for (; o < end; ++o, out += inner) resample_pixel(out, in, axis, inner, o);
}

void across_pixels(float* __restrict out, const float* __restrict in, const AxisTable* axis, int64_t inner,
                   int64_t first, int64_t end) {
  if (inner < LANES) return across_short_pixels(out, in, axis, inner, first, end);
  const int64_t size = axis->out_size;
  const float* weight = static_cast<const float*>(axis->weight);
  for (int64_t o = first; o < end; ++o, out += inner) {
    const int64_t count = axis->count[o];
    const float* a = in + axis->index[o] * inner;
    const vf u = splat(weight[o]);
    if (count == 2) {
      const float* b = in + axis->index[size + o] * inner;
      const vf v = splat(weight[size + o]);
      // The next pixel too, where it is between the same two.
      if (o + 1 < end && axis->count[o + 1] == 2 && axis->index[o + 1] == axis->index[o] &&
          axis->index[size + o + 1] == axis->index[size + o]) {
        const vf u2 = splat(weight[o + 1]), v2 = splat(weight[size + o + 1]);
        for (int64_t c = 0; c < inner; c += LANES) {
          if (c + LANES > inner) c = inner - LANES;
          const vf x = load(a + c), y = load(b + c);
          store(out + c, u * x + v * y);
          store(out + inner + c, u2 * x + v2 * y);
        }
        ++o;
        out += inner;
        continue;
      }
      for (int64_t c = 0; c < inner; c += LANES) {
        if (c + LANES > inner) c = inner - LANES;
        store(out + c, u * load(a + c) + v * load(b + c));
      }
      continue;
    }
    for (int64_t c = 0; c < inner; c += LANES) {
      if (c + LANES > inner) c = inner - LANES;
      vf sum = u * load(a + c);
      for (int64_t k = 1; k < count; ++k)
        sum += weight[k * size + o] * load(in + axis->index[k * size + o] * inner + c);
      store(out + c, sum);
    }
  }
}

// across, then down

// With TAPS taps of one vector across, or any way.
template <class S, int TAPS>
void strip_by(void* out, int64_t out_stride, const void* in, const ResampleStrip* strip, int64_t first,
              int64_t end, RowStream* stream) {
  enum : int64_t { AHEAD_BYTES = 16 * 1024 };
  const ResampleStrip s = *strip;
  const S* rows = static_cast<const S*>(in);
  const AcrossTaps by_taps = TAPS == 0 && s.taps != nullptr ? across_leaf(s.taps) : nullptr;
  const Blocks blocks =
      s.taps != nullptr ? blocks_of(s.taps, s.first / LANES, (s.end + LANES - 1) / LANES) : Blocks{};
  const auto across = [&](float* to, const float* from, int64_t in_stride,
                          int64_t count) __attribute__((always_inline)) {
    if constexpr (TAPS > 0)
      return across_blocks<TAPS, 1>(to, s.stride, from, in_stride, count, s.taps, blocks);
    if (by_taps != nullptr) return by_taps(to, s.stride, from, in_stride, count, s.taps, &blocks);
    for (int64_t r = 0; r < count; ++r, to += s.stride, from += in_stride)
      across_pixels(to, from, s.x, s.inner, s.first / s.inner, s.end / s.inner);
  };
  const bool copies = s.taps == nullptr && s.x == nullptr;
  const int64_t n = s.high - s.low, bytes = n * static_cast<int64_t>(sizeof(S));
  const bool ahead = bytes <= AHEAD_BYTES;
  int64_t have = 0;  // source rows before this one are in the ring, as far as it reaches
  const auto ready = [&](int64_t o) __attribute__((always_inline)) {
    if (s.high_row[o] < have) return;
    // With the rows of as many outputs as the ring holds.
    int64_t last = o + 1;
    while (last < end && s.high_row[last] - s.low_row[o] < s.slots) ++last;
    const int64_t done = s.high_row[last - 1] + 1;
    for (int64_t row = have > s.low_row[o] ? have : s.low_row[o]; row < done;) {
      const int64_t slot = row & (s.slots - 1), room = s.slots - slot,
                    run = done - row < room ? done - row : room;
      float* to = s.ring + slot * s.stride;
      const S* from = rows + row * s.in_row;
      // The rows after these come next. Where these are parts of rows nothing else would read ahead.
      for (int64_t r = run; r < 2 * run && ahead; ++r) {
        const char* next = reinterpret_cast<const char*>(from + r * s.in_row + s.low);
        for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(next + i);
      }
      if (copies) {
        for (int64_t r = 0; r < run; ++r) widen<S>(to + r * s.stride, from + r * s.in_row + s.low, n);
      } else if (s.staged != nullptr) {
        for (int64_t r = 0; r < run; ++r)
          widen<S>(s.staged + r * s.staged_row, from + r * s.in_row + s.low, n);
        across(to, s.staged - s.low, s.staged_row, run);
      } else {
        across(to, reinterpret_cast<const float*>(from), s.in_row, run);
      }
      row += run;
    }
    have = done;
  };
  down_rows<S>(out, out_stride, s.ring, s.stride, s.slots - 1, s.y, first, end, s.end - s.first, stream,
               ready);
}

// ROWS output rows between source rows a and b, whose weights are top and bottom.
template <int ROWS, bool NEAR>
UPS_INLINE void row_of_pixels(float* out, int64_t out_stride, const float* a, const float* b, const vf* top,
                              const vf* bottom, const ResampleStrip* s) {
  // One row at a time is what comes from memory: 2x of 100x152x128 takes 0.82 ms rather than 0.97 with 1024.
  // What fits the second level is held up by asking: 2x of 14x14x256 takes 12.5 us rather than 13.6 without.
  enum : int64_t {
    IN_AHEAD = (ROWS == 1 ? 4096 : 1024) / sizeof(float),
    OUT_AHEAD = NEAR ? 0 : 8192 / sizeof(float)
  };
  const int64_t inner = s->inner, x0 = s->first / inner, x1 = s->end / inner, nx = s->x->out_size;
  const int32_t *left = s->x->index, *right = left + nx;
  const float *u = static_cast<const float*>(s->x->weight), *v = u + nx;
  for (int64_t x = x0; x < x1;) {
    const int64_t l = left[x] * inner, r = right[x] * inner;
    // The next pixel too, where it is between the same two.
    const bool both = x + 1 < x1 && left[x + 1] == left[x] && right[x + 1] == right[x];
    const vf u0 = splat(u[x]), v0 = splat(v[x]);
    const vf u1 = splat(u[both ? x + 1 : x]), v1 = splat(v[both ? x + 1 : x]);
    float* second = both ? out + inner : out;
    for (int64_t c = 0; c < inner; c += LANES) {
      if (c + LANES > inner) c = inner - LANES;
      const vf al = load(a + l + c), ar = load(a + r + c), bl = load(b + l + c), br = load(b + r + c);
      // Asked for now, the next lines hold up neither loads nor stores.
      __builtin_prefetch(b + r + c + IN_AHEAD);
      const vf a0 = u0 * al + v0 * ar, b0 = u0 * bl + v0 * br, a1 = u1 * al + v1 * ar, b1 = u1 * bl + v1 * br;
#pragma GCC unroll 2
      for (int i = 0; i < ROWS; ++i) {
        const int64_t at = i * out_stride + c;
        __builtin_prefetch(out + at + OUT_AHEAD, 1);
        __builtin_prefetch(second + at + OUT_AHEAD, 1);
        store(out + at, top[i] * a0 + bottom[i] * b0);
        store(second + at, top[i] * a1 + bottom[i] * b1);
      }
    }
    out += both ? 2 * inner : inner;
    x += both ? 2 : 1;
  }
}

// Both ways at once: more arithmetic than with rows that are kept, and fewer loads and stores, which bound
// it. Bilinear 2x of 128x128x64 takes 0.36 ms rather than 0.47.
void strip_of_pixels(float* out, int64_t out_stride, const float* in, const ResampleStrip* s, int64_t first,
                     int64_t end) {
  const int64_t ny = s->y->out_size;
  const int32_t *above = s->y->index, *below = above + ny;
  const float *w = static_cast<const float*>(s->y->weight), *z = w + ny;
  for (int64_t o = first; o < end;) {
    const float *a = in + above[o] * s->in_row, *b = in + below[o] * s->in_row;
    const bool both = s->two_rows && o + 1 < end && above[o + 1] == above[o] && below[o + 1] == below[o];
    const vf top[2] = {splat(w[o]), splat(w[both ? o + 1 : o])};
    const vf bottom[2] = {splat(z[o]), splat(z[both ? o + 1 : o])};
    float* to = out + (o - first) * out_stride;
    if (both && s->near)
      row_of_pixels<2, true>(to, out_stride, a, b, top, bottom, s);
    else if (both)
      row_of_pixels<2, false>(to, out_stride, a, b, top, bottom, s);
    else
      row_of_pixels<1, false>(to, out_stride, a, b, top, bottom, s);
    o += both ? 2 : 1;
  }
}

// OUTS output rows between the same TAPS resampled rows, of which the last one may be resampled on the way.
template <class S, int TAPS, int OUTS>
struct Woven {
  enum : int { COUNT = OUTS };
  S* out;
  int64_t out_stride, out_ahead;  // elements to what is written so much later that it is asked for now
  const S* in;                    // the source of the last row
  int64_t in_ahead;
  float* row[TAPS];
  vf weight[OUTS][TAPS];
};

// The elements from `at` on of output `o`.
template <class S, int TAPS, int OUTS>
UPS_INLINE vf woven(const Woven<S, TAPS, OUTS>& w, int o, int64_t at, vf last) {
  vf sum = w.weight[o][0] * load(w.row[0] + at);
#pragma GCC unroll 2
  for (int k = 1; k < TAPS - 1; ++k) sum += w.weight[o][k] * load(w.row[k] + at);
  return sum + w.weight[o][TAPS - 1] * last;
}

// N blocks from b on, which begin at element `at` of the strip; across(b, source) resamples one.
template <bool FRESH, int N, class S, int TAPS, int OUTS, class Across>
UPS_INLINE void weave_blocks(const Woven<S, TAPS, OUTS>& w, const int32_t* base, int64_t b, int64_t at,
                             const Across& across) {
  vf last[N];
#pragma GCC unroll 4
  for (int j = 0; j < N; ++j) {
    float* to = w.row[TAPS - 1] + at + j * LANES;
    if (FRESH) {
      const S* from = w.in + base[b + j];
      __builtin_prefetch(from + w.in_ahead);
      last[j] = across(b + j, Packed<S>::load(from));
      store(to, last[j]);
    } else {
      last[j] = load(to);
    }
  }
#pragma GCC unroll 2
  for (int o = 0; o < OUTS; ++o) {
    S* to = w.out + o * w.out_stride + at;
    __builtin_prefetch(to + w.out_ahead, 1);
    vf v[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) v[j] = woven(w, o, at + j * LANES, last[j]);
    if (N > 1)
      put_group(to, v);
    else
      Packed<S>::store(to, v[0]);
  }
}

template <bool FRESH, class S, int TAPS, int OUTS, class Across>
UPS_INLINE void weave_segment(const Woven<S, TAPS, OUTS>& w, const int32_t* base, int64_t from, int64_t to,
                              int64_t first, const Across& across) {
  enum : int { GROUP = Packed<S>::GROUP };
  int64_t b = from;
  if constexpr (GROUP > 1)
    for (; b + GROUP <= to; b += GROUP) weave_blocks<FRESH, GROUP>(w, base, b, (b - first) * LANES, across);
  for (; b < to; ++b) weave_blocks<FRESH, 1>(w, base, b, (b - first) * LANES, across);
}

template <bool FRESH, class S, int TAPS, int OUTS>
UPS_INLINE void weave(const Woven<S, TAPS, OUTS>& rows, const PreparedTaps* t, const Blocks& k) {
  const Woven<S, TAPS, OUTS> w = rows;
  const auto by_table = [=](int64_t b, vf v)
                            __attribute__((always_inline)) { return Pattern<TAPS>::at(t, b).sum(v); };
  if constexpr (!FRESH) {
    weave_segment<false>(w, t->base, k.first, k.whole, k.first, by_table);
  } else {
    weave_segment<true>(w, t->base, k.first, k.run, k.first, by_table);
    if (t->period == 1 && k.run < k.run_end) {
      const auto pattern = Pattern<TAPS>::at(t, t->run);
      weave_segment<true>(w, t->base, k.run, k.run_end, k.first,
                          [&](int64_t, vf v) __attribute__((always_inline)) { return pattern.sum(v); });
    } else if (k.run < k.run_end) {
      int64_t pattern = pattern_of(t, k.run);
      weave_segment<true>(w, t->base, k.run, k.run_end, k.first,
                          [&](int64_t, vf v) __attribute__((always_inline)) {
                            const vf sum = by_table(pattern, v);
                            if (++pattern == t->run + t->period) pattern = t->run;
                            return sum;
                          });
    }
    weave_segment<true>(w, t->base, k.run_end, k.whole, k.first, by_table);
  }
  if (k.rest == 0) return;
  // The last vector reaches back.
  const int64_t at = (k.whole - k.first) * LANES;
  float* last = w.row[TAPS - 1] + at;
  if (FRESH) store(last, by_table(k.whole, Packed<S>::load(w.in + t->base[k.whole])));
  vi lane;
  for (int i = 0; i < LANES; ++i) lane[i] = i;
  lane += static_cast<int32_t>(k.rest);
  for (int o = 0; o < OUTS; ++o)
    Packed<S>::store(
        w.out + o * w.out_stride + at + k.rest - LANES,
        __builtin_shuffle(woven(w, o, at - LANES, load(last - LANES)), woven(w, o, at, load(last)), lane));
}

// A strip whose rows are resampled as they are blended, two outputs at a time: a load of what was stored
// just before waits for the stores to the output, which are many. Bilinear 2x of 64 planes 128x128 takes 0.39
// ms rather than 0.47. TAPS both ways, of one vector across; at least a vector of source elements.
template <class S, int TAPS>
void strip_woven(void* out, int64_t out_stride, const void* in, const ResampleStrip* strip, int64_t first,
                 int64_t end) {
  const ResampleStrip s = *strip;
  const PreparedTaps* t = s.taps;
  const Blocks k = blocks_of(t, s.first / LANES, (s.end + LANES - 1) / LANES);
  const int64_t ny = s.y->out_size;
  const int32_t* index = s.y->index;
  const float* weight = static_cast<const float*>(s.y->weight);
  const S* rows = static_cast<const S*>(in);
  const auto slot = [&](int64_t row)
                        __attribute__((always_inline)) { return s.ring + (row & (s.slots - 1)) * s.stride; };
  // What comes after these two rows; of whole rows, which adjoin, some way further on.
  const bool whole = s.end - s.first == out_stride;
  const int64_t out_ahead = whole ? 8192 / static_cast<int64_t>(sizeof(S)) : 2 * out_stride;
  const int64_t in_ahead = whole ? 4096 / static_cast<int64_t>(sizeof(S)) : s.in_row;
  const auto blend = [&](auto& w, int64_t o) __attribute__((always_inline)) {
    w.out = static_cast<S*>(out) + (o - first) * out_stride;
    w.out_stride = out_stride;
    w.out_ahead = out_ahead;
    w.in = rows + static_cast<int64_t>(s.high_row[o]) * s.in_row;
    w.in_ahead = in_ahead;
    for (int i = 0; i < TAPS; ++i) {
      w.row[i] = slot(index[i * ny + o]);
      for (int64_t j = 0; j < w.COUNT; ++j) w.weight[j][i] = splat(weight[i * ny + o + j]);
    }
  };
  const auto one = [&](int64_t o, bool fresh) __attribute__((always_inline)) {
    Woven<S, TAPS, 1> w;
    blend(w, o);
    fresh ? weave<true>(w, t, k) : weave<false>(w, t, k);
  };
  const auto two = [&](int64_t o, bool fresh) __attribute__((always_inline)) {
    Woven<S, TAPS, 2> w;
    blend(w, o);
    fresh ? weave<true>(w, t, k) : weave<false>(w, t, k);
  };
  int64_t have = 0;  // source rows before this one are in the ring, as far as it reaches
  for (int64_t o = first; o < end;) {
    const int64_t last = s.high_row[o];
    bool fresh = last >= have && index[(TAPS - 1) * ny + o] == last;
    for (int i = 0; i < TAPS - 1; ++i) fresh = fresh && index[i * ny + o] != last;
    if (have < s.low_row[o]) have = s.low_row[o];
    const int64_t before = fresh ? last : last + 1;
    for (; have < before; ++have)
      for (int64_t b = k.first; b * LANES < s.end; ++b)
        store(
            slot(have) + (b - k.first) * LANES,
            Pattern<TAPS>::at(t, pattern_of(t, b)).sum(Packed<S>::load(rows + have * s.in_row + t->base[b])));
    int64_t until = o + 1;
    const auto same = [&](int64_t other) __attribute__((always_inline)) {
      bool alike = true;
      for (int i = 0; i < TAPS; ++i) alike = alike && index[i * ny + other] == index[i * ny + o];
      return alike;
    };
    while (until < end && same(until)) ++until;
    if (fresh) have = last + 1;
    for (; o + 2 <= until; o += 2, fresh = false) two(o, fresh);
    if (o < until) one(o++, fresh);
  }
}

template <class S>
void strip_of(void* out, int64_t out_stride, const void* in, const ResampleStrip* s, int64_t first,
              int64_t end, RowStream* stream) {
  if (s->at_once)
    return strip_of_pixels(static_cast<float*>(out), out_stride, static_cast<const float*>(in), s, first,
                           end);
  // Floats whose pattern takes several blocks are faster when it stays in registers for many rows: 2x of
  // 512x512x3 takes 0.31 ms rather than 0.36.
  const bool weaves = stream == nullptr && s->taps != nullptr && !s->taps->masked && s->taps->window == 1 &&
                      s->in_row >= LANES && s->end - s->first >= LANES && s->even &&
                      s->y->taps == s->taps->taps && (sizeof(S) < sizeof(float) || s->taps->period <= 1);
  if (weaves && s->taps->taps == 2) return strip_woven<S, 2>(out, out_stride, in, s, first, end);
  if (weaves && s->taps->taps == 4) return strip_woven<S, 4>(out, out_stride, in, s, first, end);
  // Enlargements, without a call for every row: bilinear 2x of 64 planes 128x128 takes 0.46 ms rather than
  // 0.51.
  auto leaf = strip_by<S, 0>;
  if (s->taps != nullptr && !s->taps->masked && s->taps->window == 1) {
    if (s->taps->taps == 2) leaf = strip_by<S, 2>;
    if (s->taps->taps == 4) leaf = strip_by<S, 4>;
  }
  leaf(out, out_stride, in, s, first, end, stream);
}

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

// Bytes, and floats of each row, that are asked for ahead.
enum : int64_t { GROUPS_AHEAD = 8192, PIXELS_AHEAD = 256 };
// Floats of a cache line.
constexpr int LINE = 16;

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

// Both ways at once, down first (area 4x down of 256x256x64: 0.2 ms rather than 0.35). Taps across that
// overlap sum the same rows again.
template <int STEP>
UPS_INLINE void pixel_of_sums(float* out, const float* const* rows, const float* down, int64_t taps,
                              const int32_t* index, const float* along, int64_t size, int64_t count,
                              int64_t inner, int64_t c) {
  const auto read = [&](int64_t row, int64_t at, int j) __attribute__((always_inline)) {
    // Of several rows at a time caches do not read ahead fast enough: 0.2 ms rather than 0.27. Asking twice
    // for a line takes vectors of 8 0.24 ms rather than 0.21.
    if (j * LANES % LINE == 0) __builtin_prefetch(rows[row] + at + j * LANES + PIXELS_AHEAD);
    return load(rows[row] + at + j * LANES);
  };
  const auto summed = [&](vf* v, int64_t k) __attribute__((always_inline)) {
    const int64_t at = index[k * size] * inner + c;
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) v[j] = splat(down[0]) * read(0, at, j);
    for (int64_t t = 1; t < taps; ++t) {
#pragma GCC unroll 4
      for (int j = 0; j < STEP; ++j) v[j] += splat(down[t]) * read(t, at, j);
    }
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) v[j] *= splat(along[k * size]);
  };
  vf sum[STEP], v[STEP];
  summed(sum, 0);
  for (int64_t k = 1; k < count; ++k) {
    summed(v, k);
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) sum[j] += v[j];
  }
#pragma GCC unroll 4
  for (int j = 0; j < STEP; ++j) store(out + c + j * LANES, sum[j]);
}

// The same of two rows and two pixels of each (480x640x6 to 224x224: 0.10 ms rather than 0.18 by way of
// columns, 64x64x16 to 48x80: 10 us rather than 12). Pixels shorter than a vector are written as whole ones,
// whose ends the next pixel overwrites; the last ones element by element.
void sum_four_pixels(float* out, const float* const* rows, const float* down, const AxisTable* axis,
                     int64_t inner) {
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const float *along = static_cast<const float*>(axis->weight), *along2 = along + size;
  const float *a = rows[0], *b = rows[1];
  const vf w = splat(down[0]), z = splat(down[1]);
  const auto vector = [&](float* to, int64_t l, int64_t r, vf u, vf v) __attribute__((always_inline)) {
    const vf x = w * load(a + l) + z * load(b + l), y = w * load(a + r) + z * load(b + r);
    __builtin_prefetch(to + 2048, 1);
    __builtin_prefetch(b + r + 256);
    store(to, u * x + v * y);
  };
  int64_t o = 0;
  if (inner >= LANES) {
    for (; o < size; ++o, out += inner) {
      const int64_t l = left[o] * inner, r = right[o] * inner;
      const vf u = splat(along[o]), v = splat(along2[o]);
      for (int64_t c = 0; c < inner; c += LANES) {
        if (c + LANES > inner) c = inner - LANES;
        vector(out + c, l + c, r + c, u, v);
      }
    }
    return;
  }
  const int64_t whole = whole_pixels(axis, inner, 0, size);
  for (; o < whole; ++o, out += inner)
    vector(out, left[o] * inner, right[o] * inner, splat(along[o]), splat(along2[o]));
  for (; o < size; ++o, out += inner)
    for (int64_t c = 0; c < inner; ++c) {
      const int64_t l = left[o] * inner + c, r = right[o] * inner + c;
      const float x = down[0] * a[l] + down[1] * b[l], y = down[0] * a[r] + down[1] * b[r];
      out[c] = along[o] * x + along2[o] * y;
    }
}

void sum_pixels(float* __restrict out, const float* const* rows, const float* down, int64_t taps,
                const AxisTable* axis, int64_t inner) {
  const int64_t size = axis->out_size;
  for (int64_t o = 0; o < size; ++o, out += inner) {
    const int32_t* index = axis->index + o;
    const float* along = static_cast<const float*>(axis->weight) + o;
    int64_t c = 0;
    for (; c + 4 * LANES <= inner; c += 4 * LANES)
      pixel_of_sums<4>(out, rows, down, taps, index, along, size, axis->count[o], inner, c);
    for (; c < inner; c += LANES) {
      if (c + LANES > inner) c = inner - LANES;
      pixel_of_sums<1>(out, rows, down, taps, index, along, size, axis->count[o], inner, c);
    }
  }
}

// along many rows at once

// LANES / 4 times four floats, `apart` from one another.
UPS_INLINE vf fours(const float* p, int64_t apart) {
  typedef VectorOf<float, 4>::memory Four;
  const auto four = [&](int i) __attribute__((always_inline)) {
    return *reinterpret_cast<const Four*>(p + i * apart);
  };
#if defined(__AVX512F__)
  vf v = __builtin_ia32_broadcastf32x4_512(four(0), vf{}, 0xffff);
  v = __builtin_ia32_broadcastf32x4_512(four(1), v, 0x00f0);
  v = __builtin_ia32_broadcastf32x4_512(four(2), v, 0x0f00);
  return __builtin_ia32_broadcastf32x4_512(four(3), v, 0xf000);
#elif defined(__AVX2__)
  return __builtin_ia32_vinsertf128_ps256(
      __builtin_ia32_vbroadcastf128_ps256(reinterpret_cast<const VectorOf<float, 4>::type*>(p)), four(1), 1);
#else
  return four(0);
#endif
}

// to[i·to_stride + r] = from[r·from_stride + i] for i < n, in whole vectors, and r < LANES. Loads put rows
// that are four apart side by side, so that what is left to turn is 4×4 within quarters: half of the
// permutes. uint8 1080x1920x3 to 224x224, antialiased, takes 0.43 ms rather than 0.45 with vectors of 16;
// area of 3x1080x1920 to 224x224 1.15 ms rather than 1.30 with those of 8.
UPS_INLINE void turn(float* to, int64_t to_stride, const float* from, int64_t from_stride, int64_t n) {
  vi low, high;
  for (int i = 0; i < LANES; ++i) {
    low[i] = i / 4 * 4 + i % 4 / 2 + i % 2 * LANES;
    high[i] = low[i] + 2;
  }
  for (int64_t i = 0; i < n; i += 4) {
    vf v[4], w[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) v[r] = fours(from + r * from_stride + i, 4 * from_stride);
    const auto weave = [&](vf* out, const vf* in) __attribute__((always_inline)) {
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        out[2 * j] = __builtin_shuffle(in[j], in[j + 2], low);
        out[2 * j + 1] = __builtin_shuffle(in[j], in[j + 2], high);
      }
    };
    weave(w, v);
    weave(v, w);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) store(to + (i + j) * to_stride, v[j]);
  }
}

void to_columns(float* columns, const float* rows, int64_t stride, int64_t n) {
  turn(columns, LANES, rows, stride, n);
}

void to_rows(float* rows, int64_t stride, const float* columns, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) turn(rows + i, stride, columns + i * LANES, LANES, LANES);
}

// STEP elements of a pixel.
template <int STEP>
UPS_INLINE void along_step(float* __restrict out, const float* __restrict columns, const float* weight,
                           const int32_t* index, int64_t size, int64_t count, int64_t pixel) {
  vf sum[STEP];
  const auto add = [&](int64_t k) __attribute__((always_inline)) {
    const vf w = splat(weight[k * size]);
    const float* from = columns + index[k * size] * pixel;
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) {
      const vf v = w * load(from + j * LANES);
      sum[j] = k == 0 ? v : sum[j] + v;
    }
  };
  add(0);
  for (int64_t k = 1; k < count; ++k) add(k);
#pragma GCC unroll 4
  for (int j = 0; j < STEP; ++j) store(out + j * LANES, sum[j]);
}

// Four elements of a pixel at a time, which share what is read of the table, and REST (uint8
// 1080x1920x3 to 224x224, antialiased, takes 0.39 ms rather than 0.43).
template <int REST>
void along_rest(float* __restrict out, const float* __restrict columns, const AxisTable* axis, int64_t first,
                int64_t end, int64_t inner, int64_t start) {
  const int64_t size = axis->out_size;
  for (int64_t o = first; o < end; ++o) {
    const float* weight = static_cast<const float*>(axis->weight) + o;
    const int32_t* index = axis->index + o;
    const float* from = columns - start * LANES;
    for (int64_t c = REST; c < inner; c += 4, out += 4 * LANES, from += 4 * LANES)
      along_step<4>(out, from, weight, index, size, axis->count[o], inner * LANES);
    if constexpr (REST > 0) {
      along_step<REST>(out, from, weight, index, size, axis->count[o], inner * LANES);
      out += REST * LANES;
    }
  }
}

void along_columns(float* out, const float* columns, const AxisTable* axis, int64_t first, int64_t end,
                   int64_t inner, int64_t start) {
  constexpr decltype(&along_rest<0>) by_rest[] = {along_rest<0>, along_rest<1>, along_rest<2>, along_rest<3>};
  by_rest[inner % 4](out, columns, axis, first, end, inner, start);
}

template <class S>
void fill_sum_groups(SumGroups* by_factor) {
  by_factor[0] = sum_groups<S, 2>;
  by_factor[1] = sum_groups<S, 3>;
  by_factor[2] = sum_groups<S, 4>;
  by_factor[3] = sum_groups<S, 8>;
}

}  // namespace

void fill_resample(KernelTable* table) {
  table->widen[F32] = widen<float>;
  table->widen[F16] = widen<Half>;
  table->widen[U8] = widen<uint8_t>;
  table->widen[I8] = widen<int8_t>;
  table->blend[F32] = blend_to<float>;
  table->blend[F16] = blend_to<Half>;
  table->blend[U8] = blend_to<uint8_t>;
  table->blend[I8] = blend_to<int8_t>;
  table->blend_double = blend_double;
  table->resample_row = resample_row<float>;
  table->resample_row_double = resample_row<double>;
  ResampleKernels& r = table->resample;
  r.across = across;
  r.across_pixels = across_pixels;
  r.down[F32] = down<float>;
  r.down[F16] = down<Half>;
  r.down[U8] = down<uint8_t>;
  r.down[I8] = down<int8_t>;
  r.strip[F32] = strip_of<float>;
  r.strip[F16] = strip_of<Half>;
  r.strip[U8] = strip_of<uint8_t>;
  r.strip[I8] = strip_of<int8_t>;
  r.blend_from[F32] = blend_from<float>;
  r.blend_from[F16] = blend_from<Half>;
  r.blend_from[U8] = blend_from<uint8_t>;
  r.blend_from[I8] = blend_from<int8_t>;
  r.to_columns = to_columns;
  r.to_rows = to_rows;
  r.along_columns = along_columns;
  r.flush = flush;
  r.stream_row = stream_copy;
  r.across_groups[0] = across_groups<2>;
  r.across_groups[1] = across_groups<3>;
  r.across_groups[2] = across_groups<4>;
  r.across_groups[3] = across_groups<8>;
  fill_sum_groups<float>(r.sum_groups[F32]);
  fill_sum_groups<Half>(r.sum_groups[F16]);
  fill_sum_groups<uint8_t>(r.sum_groups[U8]);
  fill_sum_groups<int8_t>(r.sum_groups[I8]);
  r.sum_pixels = sum_pixels;
  r.sum_four_pixels = sum_four_pixels;
  r.blend_overlapping[F32] = blend_overlapping<float>;
  r.blend_overlapping[F16] = blend_overlapping<Half>;
  r.blend_overlapping[U8] = blend_overlapping<uint8_t>;
  r.blend_overlapping[I8] = blend_overlapping<int8_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
