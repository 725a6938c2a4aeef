// Max unpooling: values back to where they came from.
#include "kernels/kernels.h"
#include "kernels/order.h"
#include "kernels/phases.h"
#include "kernels/pool.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class I>
int64_t check(const void* index, int64_t n, int64_t base, int64_t size) {
  const I* at = static_cast<const I*>(index);
  typedef decltype(I() + 0u + 0ull) Wide;
  constexpr int64_t kBlock = 512;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = begin + kBlock < n ? begin + kBlock : n;
    bool bad = false;
    for (int64_t i = begin; i < end; ++i)
      bad |= static_cast<Wide>(static_cast<int64_t>(at[i]) - base) >= static_cast<Wide>(size);
    if (!bad) continue;
    for (int64_t i = begin; i < end; ++i)
      if (static_cast<uint64_t>(static_cast<int64_t>(at[i]) - base) >= static_cast<uint64_t>(size)) return i;
  }
  return n;
}

// 32-bit indices are compared in 32 bits: twice the lanes.
template <>
int64_t check<int32_t>(const void* index, int64_t n, int64_t base, int64_t size) {
  const int32_t* at = static_cast<const int32_t*>(index);
  const int64_t last = base + size - 1;
  const int32_t low = base > INT32_MAX ? INT32_MAX : static_cast<int32_t>(base);
  const int32_t high = last > INT32_MAX ? INT32_MAX : static_cast<int32_t>(last);
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = begin + kBlock < n ? begin + kBlock : n;
    int32_t bad = base > INT32_MAX ? 1 : 0;
    for (int64_t i = begin; i < end; ++i) bad |= (at[i] < low) | (at[i] > high);
    if (bad == 0) continue;
    for (int64_t i = begin; i < end; ++i)
      if (at[i] < base || at[i] > last) return i;
  }
  return n;
}

struct Replace {
  template <class T>
  UPS_MEMBER T of(T, T v) {
    return v;
  }
};
// The last of equals, as where nothing is compared.
template <class O>
struct Greatest {
  template <class T>
  UPS_MEMBER T of(T had, T v) {
    return O::wins(had, v) ? had : v;
  }
};
struct Sum {
  template <class T>
  UPS_MEMBER T of(T had, T v) {
    return had + v;
  }
};

template <class T, class I, class How>
void scatter(void* out, const void* in, const void* index, int64_t n, int64_t inner, int64_t base,
             int64_t size) {
  T* o = static_cast<T*>(out);
  const T* v = static_cast<const T*>(in);
  const I* at = static_cast<const I*>(index);
  if (inner == 1) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t to = static_cast<int64_t>(at[i]) - base;
      if (static_cast<uint64_t>(to) < static_cast<uint64_t>(size)) o[to] = How::template of<T>(o[to], v[i]);
    }
    return;
  }
  for (int64_t i = 0; i < n; i += inner)
    for (int64_t c = 0; c < inner; ++c) {
      const int64_t to = static_cast<int64_t>(at[i + c]) - base;
      if (static_cast<uint64_t>(to) < static_cast<uint64_t>(size))
        o[to * inner + c] = How::template of<T>(o[to * inner + c], v[i + c]);
    }
}

// out = a0 b0 a1 b1 …
template <class T, int N, int... I>
UPS_INLINE void store_woven(T* out, typename VectorOf<T, N>::type a, typename VectorOf<T, N>::type b,
                            Indices<I...>) {
  Pack<T, N>::store(out, __builtin_shufflevector(a, b, (I / 2 + (I % 2) * N)...));
  Pack<T, N>::store(out + N, __builtin_shufflevector(a, b, (N / 2 + I / 2 + (I % 2) * N)...));
}

// T stands for any element of its width: bits are moved.
template <class T, class X>
bool two_by_two(void* out0, void* out1, const void* in, const void* index, int64_t n, int64_t base,
                int64_t below) {
  enum : int { N = LANES * 4 / (sizeof(T) > sizeof(X) ? sizeof(T) : sizeof(X)) };
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<X, N>::type VX;
  typedef typename IndicesUpTo<N>::type All;
  T *a = static_cast<T*>(out0), *b = static_cast<T*>(out1);
  const T* v = static_cast<const T*>(in);
  const X* at = static_cast<const X*>(index);
  VX corner;
  for (int j = 0; j < N; ++j) corner[j] = static_cast<X>(base + 2 * j);
  VX stray = VX{};
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    const VX where = Pack<X, N>::load(at + i) - corner;
    const VX is00 = where == 0, is01 = where == 1, is10 = where == static_cast<X>(below),
             is11 = where == static_cast<X>(below + 1);
    stray |= ~(is00 | is01 | is10 | is11);
    const V x = Pack<T, N>::load(v + i);
    store_woven<T, N>(a + 2 * i, x & __builtin_convertvector(is00, V), x & __builtin_convertvector(is01, V),
                      All());
    store_woven<T, N>(b + 2 * i, x & __builtin_convertvector(is10, V), x & __builtin_convertvector(is11, V),
                      All());
    corner += static_cast<X>(2 * N);
  }
  X strayed = 0;
  for (int j = 0; j < N; ++j) strayed |= stray[j];
  for (; i < n; ++i) {
    const X where = static_cast<X>(at[i] - static_cast<X>(base + 2 * i));
    strayed |= !(where == 0 || where == 1 || where == below || where == below + 1);
    a[2 * i] = where == 0 ? v[i] : 0;
    a[2 * i + 1] = where == 1 ? v[i] : 0;
    b[2 * i] = where == below ? v[i] : 0;
    b[2 * i + 1] = where == below + 1 ? v[i] : 0;
  }
  return strayed == 0;
}

template <class T>
void fill_width(MaxUnpoolKernels* kernels, int slot) {
  kernels->scatter[slot][0] = scatter<T, int32_t, Replace>;
  kernels->scatter[slot][1] = scatter<T, int64_t, Replace>;
  kernels->two_by_two[slot][0] = two_by_two<T, int32_t>;
  kernels->two_by_two[slot][1] = two_by_two<T, int64_t>;
}

}  // namespace

void fill_max_unpool2d(MaxUnpoolKernels* kernels) {
  kernels->check[0] = check<int32_t>;
  kernels->check[1] = check<int64_t>;
  fill_width<int8_t>(kernels, 0);
  fill_width<int16_t>(kernels, 1);
  fill_width<int32_t>(kernels, 2);
  fill_width<int64_t>(kernels, 3);
#define UPS_FILL(type, order)                                                        \
  kernels->scatter_max[type][0] = scatter<order::Element, int32_t, Greatest<order>>; \
  kernels->scatter_max[type][1] = scatter<order::Element, int64_t, Greatest<order>>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
  kernels->scatter_sum[F32][0] = scatter<float, int32_t, Sum>;
  kernels->scatter_sum[F32][1] = scatter<float, int64_t, Sum>;
  kernels->scatter_sum[F64][0] = scatter<double, int32_t, Sum>;
  kernels->scatter_sum[F64][1] = scatter<double, int64_t, Sum>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
