// Leaves of the convolution family: register tiles over packed operands, and what fills and empties them.
//
// Products and sums contract to FMA here, so the last bits differ between instruction sets.
#if defined(__clang__)
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif
#include "kernels/convolution.h"

#include "kernels/half.h"
#include "kernels/kernels.h"

#if defined(__AVX512F__)
#define UPS_TILE 14
#elif defined(__AVX2__)
#define UPS_TILE 6
#else
#define UPS_TILE 4
#endif

namespace upsampling {
namespace UPS_ISA {

namespace {

#define UPS_MEMBER static inline __attribute__((always_inline))

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef vf V;
  enum : int { L = LANES };
};
template <>
struct Simd<double> {
  typedef vd V;
  enum : int { L = LANES / 2 };
};

// --- tiles
// -----------------------------------------------------------------------------------------------------------

template <class T, int B>
void tile(T* c, const int32_t* place, const T* b, const T* v, int64_t k, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  V acc[B][2];
  if (bias != nullptr) {
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) acc[j][0] = acc[j][1] = splat(bias[j]);
  } else {
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      acc[j][0] = load(c + place[j]);
      acc[j][1] = load(c + place[j] + L);
    }
  }
  for (int64_t i = 0; i < k; ++i) {
    const V x = load(v), y = load(v + L);
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      const V w = splat(b[j]);
      acc[j][0] += w * x;
      acc[j][1] += w * y;
    }
    v += 2 * L;
    b += B;
  }
#pragma GCC unroll 16
  for (int j = 0; j < B; ++j) {
    store(c + place[j], acc[j][0]);
    store(c + place[j] + L, acc[j][1]);
  }
}

template <class T, int NV, int B>
void rows(T* c, const T* b, int64_t row, const T* v, int64_t k, const T* bias) {
  typedef typename Simd<T>::V V;
  enum : int { L = Simd<T>::L };
  V acc[B][NV];
#pragma GCC unroll 16
  for (int j = 0; j < B; ++j)
#pragma GCC unroll 2
    for (int u = 0; u < NV; ++u) acc[j][u] = bias != nullptr ? load(bias + u * L) : load(c + (2 * j + u) * L);
  // A base for every third row: the others are reached by scaled addresses.
  const T* base[(B + 2) / 3];
#pragma GCC unroll 16
  for (int j = 0; j < (B + 2) / 3; ++j) base[j] = b + 3 * j * row;
  for (int64_t i = 0; i < k; ++i) {
    V x[NV];
#pragma GCC unroll 2
    for (int u = 0; u < NV; ++u) x[u] = load(v + u * L);
#pragma GCC unroll 16
    for (int j = 0; j < B; ++j) {
      const V w = splat(base[j / 3][j % 3 * row + i]);
#pragma GCC unroll 2
      for (int u = 0; u < NV; ++u) acc[j][u] += w * x[u];
    }
    v += 2 * L;
  }
#pragma GCC unroll 16
  for (int j = 0; j < B; ++j)
#pragma GCC unroll 2
    for (int u = 0; u < NV; ++u) store(c + (2 * j + u) * L, acc[j][u]);
}

// --- elements
// --------------------------------------------------------------------------------------------------------

struct Half {
  uint16_t bits;
};
UPS_INLINE float widen(float v) { return v; }
UPS_INLINE double widen(double v) { return v; }
UPS_INLINE float widen(Half v) { return from_half(v.bits); }
template <class S, class T>
struct Narrow {
  UPS_MEMBER S of(T v) { return v; }
};
template <>
struct Narrow<Half, float> {
  UPS_MEMBER Half of(float v) { return Half{to_half(v)}; }
};

template <class T, class S>
void gather(T* to, int64_t width, const void* from, int64_t channels, int64_t channel, int64_t step,
            int64_t n) {
  enum : int { L = Simd<T>::L };
  const S* x = static_cast<const S*>(from);
  for (int64_t c = 0; c < channels; ++c, to += width, x += channel) {
    if (step == 1 && n == 2 * L) {
      for (int i = 0; i < 2 * L; ++i) to[i] = widen(x[i]);
    } else if (step == 1) {
      for (int64_t i = 0; i < n; ++i) to[i] = widen(x[i]);
    } else if (step == 2) {
      for (int64_t i = 0; i < n; ++i) to[i] = widen(x[2 * i]);
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = widen(x[i * step]);
    }
  }
}

template <class T, class S>
void interleave(void* out, const T* c, int64_t width, int64_t slots, int64_t n) {
  S* o = static_cast<S*>(out);
  if (slots == 1) {
    for (int64_t i = 0; i < n; ++i) o[i] = Narrow<S, T>::of(c[i]);
    return;
  }
  if (slots == 2) {
    const int64_t pairs = n / 2;
    for (int64_t i = 0; i < pairs; ++i) {
      o[2 * i] = Narrow<S, T>::of(c[i]);
      o[2 * i + 1] = Narrow<S, T>::of(c[width + i]);
    }
    if (n % 2 != 0) o[n - 1] = Narrow<S, T>::of(c[pairs]);
    return;
  }
  const int64_t whole = n / slots;
  for (int64_t i = 0; i < whole; ++i)
    for (int64_t s = 0; s < slots; ++s) o[i * slots + s] = Narrow<S, T>::of(c[s * width + i]);
  for (int64_t s = 0; s < n % slots; ++s) o[whole * slots + s] = Narrow<S, T>::of(c[s * width + whole]);
}

template <class T, class S>
void scatter(void* out, int64_t step, const T* c, int64_t n) {
  S* o = static_cast<S*>(out);
  for (int64_t i = 0; i < n; ++i) o[i * step] = Narrow<S, T>::of(c[i]);
}

template <class T, int B>
void fill_tiles(ConvLeaves<T>* leaves) {
  leaves->tile[B] = tile<T, B>;
  leaves->rows[0][B] = rows<T, 1, B>;
  leaves->rows[1][B] = rows<T, 2, B>;
  if constexpr (B > 1) fill_tiles<T, B - 1>(leaves);
}

template <class T, class S>
void fill_elements(ConvLeaves<T>* leaves, int type) {
  leaves->gather[type] = gather<T, S>;
  leaves->interleave[type] = interleave<T, S>;
  leaves->scatter[type] = scatter<T, S>;
}

}  // namespace

void fill_convolution(KernelTable* table) {
  table->conv.lanes = Simd<float>::L;
  table->conv_double.lanes = Simd<double>::L;
  table->conv.most = table->conv_double.most = UPS_TILE;
  fill_tiles<float, UPS_TILE>(&table->conv);
  fill_tiles<double, UPS_TILE>(&table->conv_double);
  fill_elements<float, float>(&table->conv, F32);
  fill_elements<float, Half>(&table->conv, F16);
  fill_elements<double, double>(&table->conv_double, F64);
}

}  // namespace UPS_ISA
}  // namespace upsampling
