// What the leaves of max pooling share: the running winner of a window, and the question whether there are
// NaNs.
#pragma once
#include "kernels/order.h"
#include "kernels/phases.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

typedef VectorOf<int32_t, LANES>::type Index;

template <class I = Index>
UPS_INLINE I load_index(const int32_t* p) {
  return Pack<int32_t, sizeof(I) / 4>::load(p);
}
template <class I>
UPS_INLINE void store_index(int32_t* p, I v) {
  Pack<int32_t, sizeof(I) / 4>::store(p, v);
}
template <class I = Index>
UPS_INLINE I all(int64_t v) {
  return I{} + static_cast<int32_t>(v);
}

// Vectors of values alone fill a register; with indices there is a value for each 32-bit lane, but of 64-bit
// values half as many: gcc takes vectors of two registers apart lane by lane (3x3 windows of 32 planes of
// 64x64 2.4 ms rather than .15).
template <class T, bool INDEXED>
constexpr int width() {
  return !INDEXED                       ? LANES * 4 / static_cast<int>(sizeof(T))
         : sizeof(T) == 8 && LANES >= 8 ? LANES / 2
                                        : LANES;
}

// A running winner of N lanes.
template <class O, int N, bool INDEXED>
struct Best {
  typedef typename O::Element T;
  typedef typename VectorOf<T, N>::type V;
  typedef typename VectorOf<int32_t, INDEXED ? N : LANES>::type Index;
  V value;
  Index index;
  UPS_MEMBER Best of(V v, Index i) {
    Best b;
    b.value = v;
    b.index = i;
    return b;
  }
  inline __attribute__((always_inline)) void offer(V v, Index i) {
    const auto won = O::wins(v, value);
    value = won ? v : value;
    if constexpr (INDEXED) index = __builtin_convertvector(won, Index) ? i : index;
  }
  // The same where neither is NaN; without indices it is one instruction.
  inline __attribute__((always_inline)) void offer_number(V v, Index i) {
#if defined(__AVX512F__)
    // Compares into a mask register: 0.47 ms rather than 0.50 for 2x2 windows of 1x256x256x64.
    if constexpr (INDEXED && sizeof(V) == 64 && sizeof(T) == 4) {
      const auto won =
          __builtin_ia32_cmpps512_mask(reinterpret_cast<vf>(v), reinterpret_cast<vf>(value), 14, 0xffff, 4);
      index = reinterpret_cast<Index>(
          __builtin_ia32_blendmd_512_mask(reinterpret_cast<vi>(index), reinterpret_cast<vi>(i), won));
      value = v > value ? v : value;
      return;
    }
#endif
    if constexpr (INDEXED) {
      const auto won = v > value;
      index = __builtin_convertvector(won, Index) ? i : index;
    }
    value = v > value ? v : value;
  }
};

// float16 keeps the rank of the winner: finding it takes as long as everything else.
template <int N, bool INDEXED>
struct Best<OrderedHalf, N, INDEXED> {
  typedef typename VectorOf<uint16_t, N>::type V;
  typedef typename VectorOf<int16_t, N>::type Rank;
  typedef typename VectorOf<int32_t, INDEXED ? N : LANES>::type Index;
  V value;
  Rank rank;
  Index index;
  UPS_MEMBER Best of(V v, Index i) {
    Best b;
    b.value = v;
    b.rank = OrderedHalf::rank<Rank>(v);
    b.index = i;
    return b;
  }
  inline __attribute__((always_inline)) void offer(V v, Index i) {
    const Rank r = OrderedHalf::rank<Rank>(v);
    const auto won = (r > rank) | (r == 0x7fff);
    value = won ? v : value;
    rank = r > rank ? r : rank;
    if constexpr (INDEXED) index = __builtin_convertvector(won, Index) ? i : index;
  }
  inline __attribute__((always_inline)) void offer_number(V v, Index i) { offer(v, i); }
};

// Whether types have NaNs that are worth looking for: with them ruled out a maximum is one instruction
// instead of five.
template <class T>
struct Numbers {
  enum : bool { SOUGHT = false };
};
template <>
struct Numbers<float> {
  enum : bool { SOUGHT = true };
};

// Tells afterwards whether an element was NaN: comparing one raises a flag of the processor, which costs
// nothing until it is read.
struct NanFlag {
#if defined(__SSE2__)
  enum : bool { THERE = true };
  UPS_MEMBER bool raised() {
    uint32_t state;
    asm volatile("stmxcsr %0" : "=m"(state) : : "memory");
    return state & 1;
  }
  UPS_MEMBER void lower() {
    uint32_t state;
    asm volatile("stmxcsr %0" : "=m"(state) : : "memory");
    if ((state & 1) == 0) return;
    state &= ~1u;
    asm volatile("ldmxcsr %0" : : "m"(state) : "memory");
  }
#else
  enum : bool { THERE = false };
  UPS_MEMBER bool raised() { return true; }
  UPS_MEMBER void lower() {}
#endif
};

struct Yes {
  enum : bool { IS = true };
};
struct No {
  enum : bool { IS = false };
};

// Does the work as if no element was NaN, and again, `No`, where one was.
template <class T, class Work>
UPS_INLINE void numbers_first(const Work& work) {
  if constexpr (Numbers<T>::SOUGHT && NanFlag::THERE) {
    NanFlag::lower();
    work(Yes());
    if (!NanFlag::raised()) return;
  }
  work(No());
}

template <class V>
UPS_INLINE bool any_nan(V v) {
#if defined(__AVX512F__)  // compares into a mask register; by way of a vector it takes twice as long
  if constexpr (sizeof(V) == 64) return __builtin_ia32_cmpps512_mask(v, v, 3, 0xffff, 4) != 0;
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return __builtin_ia32_movmskps256((V)(v != v)) != 0;
#endif
#if defined(__SSE__)
  if constexpr (sizeof(V) == 16) return __builtin_ia32_movmskps((V)(v != v)) != 0;
#endif
  const auto c = v != v;
  int64_t words[sizeof(V) / 8], any = 0;
  __builtin_memcpy(words, &c, sizeof(c));
  for (size_t i = 0; i < sizeof(V) / 8; ++i) any |= words[i];
  return any != 0;
}

template <bool NUMBERS, class Winner, class V, class I>
UPS_INLINE void offer(Winner* best, V v, I where) {
  if (NUMBERS)
    best->offer_number(loaded(v), where);
  else
    best->offer(v, where);
}

// The same without `loaded`: these vectors are used once, or may be wider than a register.
template <bool NUMBERS, class Winner, class V, class I>
UPS_INLINE void offer_plainly(Winner* best, V v, I where) {
  if (NUMBERS)
    best->offer_number(v, where);
  else
    best->offer(v, where);
}

// Of numbers; the former where they are equal.
template <class V>
UPS_INLINE V greater(V v, V best) {
  return v > best ? v : best;
}

template <class T>
UPS_INLINE T* held(T* p) {
  asm("" : "+r"(p));
  return p;
}

// Elements from p on up to where vectors of N lie in one cache line each. Memory from JavaScript begins 16
// bytes after a line, where every load of 64 bytes takes two.
template <int N, class T>
UPS_INLINE int64_t unaligned(const T* p) {
  return static_cast<int64_t>(-reinterpret_cast<uintptr_t>(p) & (N * sizeof(T) - 1)) /
         static_cast<int64_t>(sizeof(T));
}

// Two rows read side by side hide from the hardware that they lie one behind the other: 0.8 → 0.46 ms for 16
// MB with both asked for ahead. Asking beyond the buffer does no harm.
template <class T, int N>
UPS_INLINE void prefetch_ahead(const T* p) {
  const char* at = reinterpret_cast<const char*>(p) + 8 * 1024;
#pragma GCC unroll 8
  for (int j = 0; j < 2 * N * static_cast<int>(sizeof(T)); j += 64) __builtin_prefetch(at + j);
}

// Windows of output pixels begin … end - 1, element by element, also the ones that hang over a border.
template <class O>
void row_scalar(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
                const RowPositions* positions, int64_t base, int64_t begin, int64_t end) {
  typedef typename O::Element T;
  const WindowTable& axis = w->axis;
  const int64_t inner = w->inner;
  for (int64_t o = begin; o < end; ++o) {
    const int64_t first = axis.first[o], count = axis.count[o];
    for (int64_t c = 0; c < inner; ++c) {
      T best = count > 0 ? in[first * inner + c] : O::lowest();
      int64_t where = first;
      for (int64_t k = 1; k < count; ++k) {
        const int64_t at = first + k * axis.dilation;
        const T v = in[at * inner + c];
        const bool won = O::wins(v, best);
        best = won ? v : best;
        where = won ? at : where;
      }
      out[o * inner + c] = best;
      if (index != nullptr) index[o * inner + c] = static_cast<int32_t>(base + where * positions->step);
    }
  }
}

// The taps of N windows side by side, of which the first begins at `in`.
template <class T, int N, int KERNEL, int STRIDE>
struct Taps {
  typedef typename VectorOf<T, N>::type V;
  typedef typename IndicesUpTo<N>::type All;
  V tap[KERNEL];
  UPS_MEMBER Taps at(const T* in) {
    typedef Pack<T, N> P;
    Taps t;
    if constexpr (STRIDE == 1) {
#pragma GCC unroll 8
      for (int k = 0; k < KERNEL; ++k) t.tap[k] = P::load(in + k);
    } else if constexpr (STRIDE == 2) {
      const auto pair = split_pairs<T, N>(in);
      t.tap[0] = pair.even;
      t.tap[1] = pair.odd;
      if constexpr (KERNEL == 3) t.tap[2] = split_pairs<T, N>(in + 1).odd;
    } else {
      const V a = P::load(in), b = P::load(in + N), c = P::load(in + 2 * N);
      t.tap[0] = third<0>(a, b, c, All());
      t.tap[1] = third<1>(a, b, c, All());
      t.tap[2] = third<2>(a, b, c, All());
    }
    return t;
  }
  // Elements FIRST, FIRST + 3 … of three vectors: those of the first two, then the rest.
  template <int FIRST, int... I>
  UPS_MEMBER V third(V a, V b, V c, Indices<I...>) {
    const V two = __builtin_shufflevector(a, b, (FIRST + 3 * I < 2 * N ? FIRST + 3 * I : 0)...);
    return __builtin_shufflevector(two, c, (FIRST + 3 * I < 2 * N ? I : FIRST + 3 * I - N)...);
  }
  // NaN where one of them is, and possibly where there are infinities.
  inline __attribute__((always_inline)) V sum() const {
    V s = tap[0];
#pragma GCC unroll 8
    for (int k = 1; k < KERNEL; ++k) s += tap[k];
    return s;
  }
  // The winner, numbered from `first` on.
  template <class O, bool INDEXED, bool NUMBERS>
  inline __attribute__((always_inline)) Best<O, N, INDEXED> best(typename Best<O, N, INDEXED>::Index first,
                                                                 int32_t step) const {
    auto b = Best<O, N, INDEXED>::of(tap[0], first);
#pragma GCC unroll 8
    for (int k = 1; k < KERNEL; ++k) offer_plainly<NUMBERS>(&b, tap[k], first + k * step);
    return b;
  }
};

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
