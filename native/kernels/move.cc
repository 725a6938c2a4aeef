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

template <class T>
struct Twice;
template <>
struct Twice<uint8_t> {
  typedef uint16_t type;
};
template <>
struct Twice<uint16_t> {
  typedef uint32_t type;
};
template <>
struct Twice<uint32_t> {
  typedef uint64_t type;
};

enum : int { VECTOR = LANES * 4 };

// Both halves of each element of W are the element of T that it was widened from.
template <class T, class W>
UPS_INLINE typename VectorOf<W, VECTOR / sizeof(W)>::type widened(const T* in) {
  typedef typename VectorOf<T, VECTOR / sizeof(W)>::memory Narrow;
  typedef typename VectorOf<W, VECTOR / sizeof(W)>::type Wide;
  const Wide v = __builtin_convertvector(*reinterpret_cast<const Narrow*>(in), Wide);
  return v | (v << (8 * sizeof(T)));
}

template <class V>
UPS_INLINE void put(char* out, int64_t stride, int64_t copies, V v) {
  typedef typename VectorOf<uint8_t, sizeof(V)>::memory M;
  for (int64_t c = 0; c < copies; ++c) *reinterpret_cast<M*>(out + c * stride) = reinterpret_cast<M>(v);
}

// A vector of results from the elements at `in`, for words that can be widened FACTOR times.
template <class T, int FACTOR>
struct Repeated {
  typedef typename Twice<T>::type W;
  enum : int { INPUTS = VECTOR / sizeof(W) / (FACTOR / 2) };
  UPS_MEMBER auto of(const T* in) {
    if constexpr (FACTOR == 2) {
      return widened<T, W>(in);
    } else {
      typedef typename Twice<W>::type W4;
      typedef typename VectorOf<T, VECTOR / sizeof(W4)>::memory Narrow;
      typedef typename VectorOf<W4, VECTOR / sizeof(W4)>::type Wide;
      Wide v = __builtin_convertvector(*reinterpret_cast<const Narrow*>(in), Wide);
      v |= v << (8 * sizeof(T));
      return v | (v << (16 * sizeof(T)));
    }
  }
};

// Words that cannot: by permutes.
template <class T, int FACTOR>
struct Permuted {
  enum : int { N = VECTOR / sizeof(T), INPUTS = N / FACTOR < 1 ? 1 : N / FACTOR };
  UPS_MEMBER auto of(const T* in) {
    typename VectorOf<T, N>::type v{};
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) v[i] = in[i / FACTOR];
    return v;
  }
};
template <>
struct Repeated<uint32_t, 4> : Permuted<uint32_t, 4> {};
template <int FACTOR>
struct Repeated<uint64_t, FACTOR> : Permuted<uint64_t, FACTOR> {};

template <class T, int FACTOR>
void repeat(void* out, int64_t stride, int64_t copies, const void* in, int64_t n) {
  typedef Repeated<T, FACTOR> R;
  char* o = static_cast<char*>(out);
  const T* x = static_cast<const T*>(in);
  int64_t i = 0;
  if (VECTOR / sizeof(T) >= FACTOR)
    for (; i + R::INPUTS <= n; i += R::INPUTS) put(o + i * FACTOR * sizeof(T), stride, copies, R::of(x + i));
  for (int64_t c = 0; c < copies; ++c) {
    T* row = reinterpret_cast<T*>(o + c * stride);
    for (int64_t j = i; j < n; ++j)
      for (int f = 0; f < FACTOR; ++f) row[j * FACTOR + f] = x[j];
  }
}

// Pixels of at least a vector of V: whole vectors, the last one overlapping.
template <class V>
UPS_INLINE void spread_vectors(char* out, int64_t stride, int64_t copies, const char* in,
                               const int32_t* index, int64_t n, int64_t bytes) {
  for (int64_t o = 0; o < n; ++o, out += bytes) {
    const char* from = in + index[o] * bytes;
    for (int64_t b = 0; b < bytes; b += sizeof(V)) {
      if (b + static_cast<int64_t>(sizeof(V)) > bytes) b = bytes - sizeof(V);
      put(out + b, stride, copies, *reinterpret_cast<const V*>(from + b));
    }
  }
}

template <int BYTES>
UPS_INLINE void spread_fixed(char* out, int64_t stride, int64_t copies, const char* in, const int32_t* index,
                             int64_t n) {
  for (int64_t o = 0; o < n; ++o, out += BYTES)
    for (int64_t c = 0; c < copies; ++c)
      __builtin_memcpy(out + c * stride, in + int64_t{index[o]} * BYTES, BYTES);
}

void spread(void* out, int64_t stride, int64_t copies, const void* in, const int32_t* index, int64_t n,
            int64_t bytes) {
  char* o = static_cast<char*>(out);
  const char* x = static_cast<const char*>(in);
  if (bytes >= VECTOR) return spread_vectors<Bytes<VECTOR>::V>(o, stride, copies, x, index, n, bytes);
  if (bytes >= 32) return spread_vectors<Bytes<32>::V>(o, stride, copies, x, index, n, bytes);
  if (bytes >= 16) return spread_vectors<Bytes<16>::V>(o, stride, copies, x, index, n, bytes);
  if (bytes == 3) return spread_fixed<3>(o, stride, copies, x, index, n);
  if (bytes == 6) return spread_fixed<6>(o, stride, copies, x, index, n);
  if (bytes == 12) return spread_fixed<12>(o, stride, copies, x, index, n);
  for (int64_t p = 0; p < n; ++p, o += bytes)
    for (int64_t c = 0; c < copies; ++c)
      for (int64_t b = 0; b < bytes; ++b) o[c * stride + b] = x[index[p] * bytes + b];
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
