// Leaves that move elements without looking at them.
#include "kernels/move.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class T>
void gather(void* out, const void* in, const int32_t* index, int64_t n) {
  T* __restrict o = static_cast<T*>(out);
  const T* __restrict x = static_cast<const T*>(in);
  for (int64_t i = 0; i < n; ++i) o[i] = x[index[i]];
}

template <int BYTES>
struct Bytes {
  typedef typename VectorOf<uint8_t, BYTES>::memory V;
};

enum : int { VECTOR = LANES * 4 };

template <class V>
UPS_INLINE void put(char* out, V v) {
  typedef typename VectorOf<uint8_t, sizeof(V)>::memory M;
  *reinterpret_cast<M*>(out) = reinterpret_cast<M>(v);
}

// The masks of permutes that double every element: of the first half of a vector, and of the second. Bytes
// and pairs of bytes are permuted within 16 bytes, which every instruction set can.
template <class T>
struct Doubling {
  enum : int { BYTES = sizeof(T) < 4 ? 16 : VECTOR, N = BYTES / sizeof(T) };
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<T, N>::memory M;
  V low, high;
  Doubling() {
    for (int i = 0; i < N; ++i) {
      low[i] = static_cast<T>(i / 2);
      high[i] = static_cast<T>(N / 2 + i / 2);
    }
  }
};

template <class T, int FACTOR>
void repeat(void* out, const void* in, int64_t n) {
  typedef Doubling<T> D;
  typedef typename D::V V;
  const T* x = static_cast<const T*>(in);
  const D d;
  int64_t i = 0;
  for (; i + D::N <= n; i += D::N) {
    const V v = *reinterpret_cast<const typename D::M*>(x + i);
    const V a = __builtin_shuffle(v, d.low), b = __builtin_shuffle(v, d.high);
    char* to = static_cast<char*>(out) + i * FACTOR * sizeof(T);
    if (FACTOR == 2) {
      put(to, a);
      put(to + D::BYTES, b);
    } else {
      put(to, __builtin_shuffle(a, d.low));
      put(to + D::BYTES, __builtin_shuffle(a, d.high));
      put(to + 2 * D::BYTES, __builtin_shuffle(b, d.low));
      put(to + 3 * D::BYTES, __builtin_shuffle(b, d.high));
    }
  }
  T* row = static_cast<T*>(out);
  for (; i < n; ++i)
    for (int f = 0; f < FACTOR; ++f) row[i * FACTOR + f] = x[i];
}

// Pixels of at least a vector of V: whole vectors, the last one overlapping.
template <class V>
UPS_INLINE void spread_vectors(char* out, const char* in, const int32_t* index, int64_t n, int64_t bytes) {
  for (int64_t o = 0; o < n; ++o, out += bytes) {
    const char* from = in + index[o] * bytes;
    for (int64_t b = 0; b < bytes; b += sizeof(V)) {
      if (b + static_cast<int64_t>(sizeof(V)) > bytes) b = bytes - sizeof(V);
      put(out + b, *reinterpret_cast<const V*>(from + b));
    }
  }
}

template <int BYTES>
UPS_INLINE void spread_fixed(char* out, const char* in, const int32_t* index, int64_t n) {
  for (int64_t o = 0; o < n; ++o, out += BYTES) __builtin_memcpy(out, in + int64_t{index[o]} * BYTES, BYTES);
}

void spread(void* out, const void* in, const int32_t* index, int64_t n, int64_t bytes) {
  char* o = static_cast<char*>(out);
  const char* x = static_cast<const char*>(in);
  if (bytes >= VECTOR) return spread_vectors<Bytes<VECTOR>::V>(o, x, index, n, bytes);
  if (bytes >= 32) return spread_vectors<Bytes<32>::V>(o, x, index, n, bytes);
  if (bytes >= 16) return spread_vectors<Bytes<16>::V>(o, x, index, n, bytes);
  if (bytes == 3) return spread_fixed<3>(o, x, index, n);
  if (bytes == 6) return spread_fixed<6>(o, x, index, n);
  if (bytes == 12) return spread_fixed<12>(o, x, index, n);
  for (int64_t p = 0; p < n; ++p, o += bytes)
    for (int64_t b = 0; b < bytes; ++b) o[b] = x[index[p] * bytes + b];
}

}  // namespace

void fill_move(MoveKernels* k) {
  k->gather[0] = gather<uint8_t>;
  k->gather[1] = gather<uint16_t>;
  k->gather[2] = gather<uint32_t>;
  k->gather[3] = gather<uint64_t>;
  k->repeat[0][0] = repeat<uint8_t, 2>;
  k->repeat[0][1] = repeat<uint8_t, 4>;
  k->repeat[1][0] = repeat<uint16_t, 2>;
  k->repeat[1][1] = repeat<uint16_t, 4>;
  k->repeat[2][0] = repeat<uint32_t, 2>;
  k->repeat[2][1] = repeat<uint32_t, 4>;
  k->repeat[3][0] = repeat<uint64_t, 2>;
  k->repeat[3][1] = repeat<uint64_t, 4>;
  k->spread = spread;
}

}  // namespace UPS_ISA
}  // namespace upsampling
