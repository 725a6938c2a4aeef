// Max pooling: across a row first, then down the rows. In this order the first of equal elements in row-major
// order wins without its position being looked at: in its row by the order of the taps, among rows by the
// order of the rows.
#include "kernels/kernels.h"
#include "kernels/order.h"
#include "kernels/phases.h"
#include "kernels/pool.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

typedef VectorOf<int32_t, LANES>::type Index;

UPS_INLINE Index load_index(const int32_t* p) { return Pack<int32_t, LANES>::load(p); }
template <class I>
UPS_INLINE void store_index(int32_t* p, I v) {
  Pack<int32_t, sizeof(I) / 4>::store(p, v);
}
template <class I = Index>
UPS_INLINE I all(int64_t v) {
  return I{} + static_cast<int32_t>(v);
}

// Vectors of values alone fill a register; with indices there is a value for each 32-bit lane.
template <class T, bool INDEXED>
constexpr int width() {
  return INDEXED ? LANES : LANES * 4 / static_cast<int>(sizeof(T));
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

// What the windows of a run of output pixels have in common.
template <class T>
struct PixelRun {
  T* out;
  int32_t* index;
  const T* const* rows;
  int64_t count;
  const int64_t* bases;
  const RowWindows* windows;
  const int32_t* position;  // as in RowPositions
  int64_t step;
  bool ahead;  // whether to ask for input ahead of time
};

// How far ahead the input of pixels of channels is asked for: 2x2 windows of 1x256x256x64 take 0.31 ms rather
// than 0.41 without, and 16 KiB were worse than nothing for 3x3.
enum : int { PIXELS_AHEAD = 4 * 1024 };

template <class O, bool INDEXED>
void pixel_scalar(const PixelRun<typename O::Element>& run, int64_t o) {
  typedef typename O::Element T;
  const WindowTable& axis = run.windows->axis;
  const int64_t first = axis.first[o], taps = axis.count[o], inner = run.windows->inner;
  for (int64_t c = 0; c < inner; ++c) {
    T best = O::lowest();
    int64_t where = INDEXED ? run.bases[0] + first * run.step : 0;
    bool found = false;
    for (int64_t r = 0; r < run.count; ++r)
      for (int64_t k = 0; k < taps; ++k) {
        const int64_t at = first + k * axis.dilation;
        const T v = run.rows[r][at * inner + c];
        if (found && !O::wins(v, best)) continue;
        found = true;
        best = v;
        where = INDEXED ? run.bases[r] + at * run.step : 0;
      }
    run.out[o * inner + c] = best;
    if (INDEXED) run.index[o * inner + c] = static_cast<int32_t>(where);
  }
}

// Where the vectors of a block lie: in the channels of one pixel, in the same channels of several, or in a
// line of the channels of all.
enum Spread { CHANNELS, ACROSS, LINE };

// The windows of a row of output pixels, of KERNEL rows and taps, or any with 0, at least one. All that
// blocks need, so that none of it is read again after their stores. NUMBERS: no element is NaN.
template <class O, bool INDEXED, bool NUMBERS, int N, int KERNEL>
struct Pixels {
  typedef typename O::Element T;
  typedef Pack<T, N> P;
  typedef Best<O, N, INDEXED> Winner;
  typedef typename Winner::Index I;
  enum : int { K = KERNEL > 0 ? KERNEL : 1 };

  const T* const* rows;
  const int64_t* bases;
  int64_t count, pitch, step;
  const T* row[K];
  int32_t where[K][K];  // positions of taps from the first one on, all of them there
  T* out;
  int32_t* index;
  const int32_t* spots;  // positions of the first taps, from bases[0] on; with all taps and indices only
  // From pixel to pixel, in input and in position.
  int64_t inner, apart, along, top, pixel_step;

  UPS_MEMBER Pixels of(const PixelRun<T>& run) {
    const WindowTable& axis = run.windows->axis;
    Pixels p;
    p.inner = run.windows->inner;
    p.rows = run.rows;
    p.bases = run.bases;
    p.count = run.count;
    p.pitch = axis.dilation * p.inner;
    p.step = axis.dilation * run.step;
    for (int r = 0; r < K; ++r) {
      p.row[r] = run.rows[r];
      if (INDEXED)
        for (int k = 0; k < K; ++k)
          p.where[r][k] = static_cast<int32_t>(run.bases[r] - run.bases[0] + k * p.step);
    }
    p.out = run.out;
    p.index = run.index;
    p.spots = run.position;
    p.apart = axis.stride * p.inner;
    p.along = axis.stride * run.step;
    p.top = INDEXED ? run.bases[0] : 0;
    p.pixel_step = run.step;
    return p;
  }

  // Windows of as many taps, the first one at pixel `first` of the input.
  struct Taps {
    int64_t first, count;
    int64_t at[K];  // in elements
  };
  // A window with fewer taps than KERNEL has its last one twice: equal elements never win. Of NaNs the last
  // one does.
  inline __attribute__((always_inline)) Taps taps(int64_t first, int64_t count) const {
    Taps t;
    t.first = first;
    t.count = count;
    for (int k = 0; k < K; ++k) t.at[k] = (k < count ? k : count - 1) * pitch;
    return t;
  }

  // B vectors from channel c of output pixel o on, which is the i-th one with these taps.
  template <int B, Spread SPREAD>
  inline __attribute__((always_inline)) void block(const Taps& taps, int64_t o, int64_t i, int64_t c) const {
    const int64_t from = taps.first * inner + i * apart + c, next = SPREAD == ACROSS ? apart : N,
                  to = o * inner + c, next_to = SPREAD == ACROSS ? inner : N;
    Winner best[B];
    // Held: gcc would step the address of each vector of each tap on its own, and spill.
    const T* here[K];
    for (int r = 0; r < K; ++r) here[r] = held(row[r] + from);
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) best[b] = Winner::of(P::load(here[0] + b * next), I{});
    const auto compare = [&](const T* tap, int32_t position) __attribute__((always_inline)) {
      const I where_all = all<I>(position);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        if (INDEXED)
          offer<NUMBERS>(&best[b], P::load(tap + b * next), where_all);
        else
          offer_plainly<NUMBERS>(&best[b], P::load(tap + b * next), where_all);
      }
    };
    if constexpr (KERNEL > 0) {
#pragma GCC unroll 3
      for (int r = 0; r < KERNEL; ++r)
#pragma GCC unroll 3
        for (int k = r == 0 ? 1 : 0; k < KERNEL; ++k)
          compare(k == 0 ? here[r] : held(here[r] + taps.at[k]),
                  !INDEXED  ? 0
                  : NUMBERS ? where[r][k]
                            : where[r][k < taps.count ? k : taps.count - 1]);
    } else {
      for (int64_t r = 0; r < count; ++r)
        for (int64_t k = r == 0 ? 1 : 0; k < taps.count; ++k)
          compare(rows[r] + from + k * pitch,
                  INDEXED ? static_cast<int32_t>(bases[r] - bases[0] + k * step) : 0);
    }
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      P::store(out + to + b * next_to, best[b].value);
      if (INDEXED) {
        const I first = SPREAD == LINE
                            ? Pack<int32_t, sizeof(I) / 4>::load(spots + to + b * N) + all<I>(top)
                            : all<I>(top + taps.first * pixel_step + (SPREAD == ACROSS ? i + b : i) * along);
        store_index(index + to + b * next_to, best[b].index + first);
      }
    }
  }
};

// Asks for the fresh input of output pixel o ahead of time.
template <class T>
UPS_INLINE void prefetch_pixel(const PixelRun<T>& run, int64_t o) {
  const WindowTable& axis = run.windows->axis;
  const int64_t bytes = axis.stride * run.windows->inner * static_cast<int64_t>(sizeof(T));
  for (int64_t r = run.count > axis.stride ? run.count - axis.stride : 0; r < run.count; ++r) {
    const char* at =
        reinterpret_cast<const char*>(run.rows[r] + axis.first[o] * run.windows->inner) + PIXELS_AHEAD;
    for (int64_t j = 0; j < bytes; j += 64) __builtin_prefetch(at + j);
  }
}

// Pixels of fewer channels than a vector, in order: the vectors also write what the next pixels overwrite.
template <class O, bool INDEXED, bool NUMBERS, int N, int KERNEL>
UPS_INLINE void narrow_pixels(const Pixels<O, INDEXED, NUMBERS, N, KERNEL>& p,
                              const PixelRun<typename O::Element>& run, int64_t begin, int64_t end) {
  typedef typename O::Element T;
  const WindowTable& axis = run.windows->axis;
  const auto taps = p.taps(axis.first[begin], axis.count[begin]);
  const int64_t inner = p.inner, n = end - begin, before = N - inner;
  // Those whose vectors end within the rows.
  const int64_t last_tap = taps.first + (taps.count - 1) * axis.dilation;
  int64_t fit = 0;
  while (fit < n && (last_tap + fit * axis.stride) * inner + N <= axis.in_size * inner &&
         (begin + fit) * inner + N <= axis.out_size * inner)
    ++fit;
  int64_t i = 0;
  if constexpr (KERNEL > 0)
    for (; i + 4 <= fit; i += 4) p.template block<4, ACROSS>(taps, begin + i, i, 0);
  for (; i < n; ++i) {
    if (i >= fit && (taps.first + i * axis.stride) * inner < before) {
      pixel_scalar<O, INDEXED>(run, begin + i);
      continue;
    }
    if (i < fit) {
      p.template block<1, CHANNELS>(taps, begin + i, i, 0);
      continue;
    }
    // Where the vector would not fit, it begins before the pixel.
    T values[N];
    int32_t indices[N];
    const int64_t to = (begin + i) * inner;
    auto q = p;
    q.out = values + before - to;
    q.index = indices + before - to;
    q.template block<1, CHANNELS>(taps, begin + i, i, -before);
    for (int64_t c = 0; c < inner; ++c) p.out[to + c] = values[before + c];
    if (INDEXED)
      for (int64_t c = 0; c < inner; ++c) p.index[to + c] = indices[before + c];
  }
}

template <class O, bool INDEXED, bool NUMBERS, int N, int KERNEL>
UPS_INLINE void wide_pixels(const Pixels<O, INDEXED, NUMBERS, N, KERNEL>& p,
                            const PixelRun<typename O::Element>& run, int64_t begin, int64_t end) {
  const WindowTable& axis = run.windows->axis;
  const auto taps = p.taps(axis.first[begin], axis.count[begin]);
  const int64_t inner = p.inner, n = end - begin, whole = inner / (4 * N) * (4 * N);
  const bool ahead = run.ahead;
  for (int64_t i = 0; i < n;) {
    const int64_t stop = KERNEL > 0 && whole < inner && i + 4 <= n ? i + 4 : i + 1;
    for (int64_t j = i; j < stop; ++j) {
      if (ahead) prefetch_pixel(run, begin + j);
      for (int64_t c = 0; c < whole; c += 4 * N) p.template block<4, CHANNELS>(taps, begin + j, j, c);
    }
    for (int64_t c = whole; c < inner; c += N) {
      if (c + N > inner) c = inner - N;
      if constexpr (KERNEL > 0)
        if (stop == i + 4) {
          p.template block<4, ACROSS>(taps, begin + i, i, c);
          continue;
        }
      p.template block<1, CHANNELS>(taps, begin + i, i, c);
    }
    i = stop;
  }
}

// Pixels without a stride, of N elements at least.
template <class O, bool INDEXED, bool NUMBERS, int N, int KERNEL>
void line_pixels(const PixelRun<typename O::Element>& run, int64_t begin, int64_t end) {
  const auto p = Pixels<O, INDEXED, NUMBERS, N, KERNEL>::of(run);
  const auto taps = p.taps(run.windows->axis.first[begin], KERNEL);
  const int64_t n = (end - begin) * p.inner;
  p.template block<1, LINE>(taps, begin, 0, 0);
  int64_t c = unaligned<N>(p.row[0] + taps.first * p.inner);
  for (; c + 4 * N <= n; c += 4 * N) p.template block<4, LINE>(taps, begin, 0, c);
  for (; c < n; c += N) {
    if (c + N > n) c = n - N;
    p.template block<1, LINE>(taps, begin, 0, c);
  }
}

// Output pixels from … to - 1, the ones with all their taps together. WIDE is the widest vector.
template <class O, bool INDEXED, bool NUMBERS, int WIDE, int N, int KERNEL>
void pixels_of(const PixelRun<typename O::Element>& run, int64_t from, int64_t to) {
  const WindowTable& axis = run.windows->axis;
  const auto p = Pixels<O, INDEXED, NUMBERS, N, KERNEL>::of(run);
  for (int64_t o = from; o < to;) {
    const int64_t stop = o == axis.full_begin && axis.full_begin < axis.full_end ? axis.full_end : o + 1;
    if (run.count == 0 || axis.count[o] == 0)
      pixel_scalar<O, INDEXED>(run, o);
    else if (KERNEL > 0 && axis.stride == 1 && stop > o + 1 && (stop - o) * run.windows->inner >= WIDE)
      line_pixels<O, INDEXED, NUMBERS, WIDE, KERNEL>(run, o, stop);
    else if (run.windows->inner < N)
      narrow_pixels<O, INDEXED, NUMBERS, N, KERNEL>(p, run, o, stop);
    else
      wide_pixels<O, INDEXED, NUMBERS, N, KERNEL>(p, run, o, stop);
    o = stop;
  }
}

template <class O, bool INDEXED, bool NUMBERS, int WIDE, int N>
void pixels_by(const PixelRun<typename O::Element>& run, int64_t from, int64_t to) {
  const int64_t kernel = run.windows->axis.kernel;
  // Not where it would be code that hardly runs.
  if constexpr (sizeof(typename O::Element) <= 2 || NUMBERS || !NanFlag::THERE) {
    if (kernel == 2 && run.count == 2) return pixels_of<O, INDEXED, NUMBERS, WIDE, N, 2>(run, from, to);
    if (kernel == 3 && run.count == 3) return pixels_of<O, INDEXED, NUMBERS, WIDE, N, 3>(run, from, to);
  }
  pixels_of<O, INDEXED, NUMBERS, WIDE, N, 0>(run, from, to);
}

// By the narrowest vectors that hold the channels of a pixel, of 16 bytes at least and four elements.
template <class O, bool INDEXED, bool NUMBERS>
void pixels_wide(const PixelRun<typename O::Element>& run, int64_t from, int64_t to) {
  enum : int {
    SIZE = sizeof(typename O::Element),
    // Indices beside 64-bit values: vectors of two registers are taken apart lane by lane.
    N = INDEXED && SIZE == 8 ? (LANES < 8 ? 4 : LANES / 2) : width<typename O::Element, INDEXED>(),
    LEAST = INDEXED ? (SIZE == 1 ? 8 : 4) : (SIZE == 8 ? 4 : 16 / SIZE),
    HALF = N / 2 < LEAST ? N : N / 2,
    QUARTER = HALF / 2 < LEAST ? HALF : HALF / 2
  };
  const int64_t inner = run.windows->inner;
  if (inner <= QUARTER) return pixels_by<O, INDEXED, NUMBERS, N, QUARTER>(run, from, to);
  if (inner <= HALF) return pixels_by<O, INDEXED, NUMBERS, N, HALF>(run, from, to);
  pixels_by<O, INDEXED, NUMBERS, N, N>(run, from, to);
}

// B vectors from element i on; KERNEL taps, or any with 0.
template <class O, bool INDEXED, bool NUMBERS, int B, int KERNEL>
UPS_INLINE void taps_block(typename O::Element* out, int32_t* index, const typename O::Element* in,
                           const int64_t* taps, int64_t kernel, const int32_t* position, int32_t base,
                           int32_t step, int64_t i) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Pack<T, N> P;
  Best<O, N, INDEXED> best[B];
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b)
    best[b] = Best<O, N, INDEXED>::of(P::load(in + taps[0] + i + b * N), all(INDEXED ? base : 0));
#pragma GCC unroll 4
  for (int64_t k = 1; k < (KERNEL > 0 ? KERNEL : kernel); ++k)
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b)
      offer<NUMBERS>(&best[b], P::load(in + taps[k] + i + b * N), all(INDEXED ? base + k * step : 0));
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b) {
    P::store(out + i + b * N, best[b].value);
    if (INDEXED) store_index(index + i + b * N, best[b].index + load_index(position + i + b * N));
  }
}

template <class O, bool INDEXED, bool NUMBERS, int KERNEL>
void taps_by(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
             const int32_t* position, int32_t base, int32_t step, int64_t n) {
  enum : int { N = width<typename O::Element, INDEXED>() };
  const int64_t kernel = w->axis.kernel;
  int64_t own[KERNEL > 0 ? KERNEL : 1];
  for (int k = 0; k < KERNEL; ++k) own[k] = w->taps[k];
  const int64_t* const taps = KERNEL > 0 ? own : w->taps;
  taps_block<O, INDEXED, NUMBERS, 1, KERNEL>(out, index, in, taps, kernel, position, base, step, 0);
  int64_t i = unaligned<N>(in);
  for (; i + 4 * N <= n; i += 4 * N)
    taps_block<O, INDEXED, NUMBERS, 4, KERNEL>(out, index, in, taps, kernel, position, base, step, i);
  for (; i < n; i += N) {
    // The last vector reaches back over elements that are already there.
    if (i + N > n) i = n - N;
    taps_block<O, INDEXED, NUMBERS, 1, KERNEL>(out, index, in, taps, kernel, position, base, step, i);
  }
}

// n elements; tap k of element i is in[taps[k] + i]. At least N of them.
template <class O, bool INDEXED, bool NUMBERS>
void taps_vector(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
                 const RowPositions* positions, int64_t base, int64_t n) {
  const int32_t step = INDEXED ? static_cast<int32_t>(w->axis.dilation * positions->step) : 0,
                from = static_cast<int32_t>(base);
  if constexpr (NUMBERS)
    if (w->axis.kernel == 3)
      return taps_by<O, INDEXED, NUMBERS, 3>(out, index, in, w, positions->position, from, step, n);
  taps_by<O, INDEXED, NUMBERS, 0>(out, index, in, w, positions->position, from, step, n);
}

// Two rows read side by side hide from the hardware that they lie one behind the other: 0.8 → 0.46 ms for 16
// MB with both asked for ahead. Asking beyond the buffer does no harm.
template <class T, int N>
UPS_INLINE void prefetch_ahead(const T* p) {
  const char* at = reinterpret_cast<const char*>(p) + 8 * 1024;
#pragma GCC unroll 8
  for (int j = 0; j < 2 * N * static_cast<int>(sizeof(T)); j += 64) __builtin_prefetch(at + j);
}

// Windows of 2 and 3 at stride 2 without phases: pairs are split in registers.
template <class O, bool INDEXED, int KERNEL>
void pairs_vector(typename O::Element* out, int32_t* index, const typename O::Element* in,
                  const RowPositions* positions, int64_t base, int64_t n) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  const int32_t step = INDEXED ? static_cast<int32_t>(positions->step) : 0;
  for (int64_t i = 0; i < n; i += N) {
    if (i + N > n) i = n - N;
    prefetch_ahead<T, N>(in + 2 * i);
    const auto pair = split_pairs<T, N>(in + 2 * i);
    auto best = Best<O, N, INDEXED>::of(pair.even, Index{});
    best.offer(pair.odd, all(step));
    if (KERNEL == 3) best.offer(split_pairs<T, N>(in + 2 * i + 1).odd, all(2 * step));
    Pack<T, N>::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index + load_index(positions->position + i) + all(base));
  }
}

template <class O, bool INDEXED, bool NUMBERS>
void row_of(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
            const RowPositions* positions, int64_t base, typename O::Element* space) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  const WindowTable& axis = w->axis;
  const int64_t full = axis.full_end - axis.full_begin, n = full * w->inner;
  const PixelRun<T> run = {
      out,  index, &in, 1, &base, w, INDEXED ? positions->position : nullptr, INDEXED ? positions->step : 0,
      false};
  if (n < N && w->inner > 1) return pixels_wide<O, INDEXED, NUMBERS>(run, 0, axis.out_size);
  if (n < N) return row_scalar<O>(out, index, in, w, positions, base, 0, axis.out_size);
  if (w->inner > 1) {
    pixels_wide<O, INDEXED, NUMBERS>(run, 0, axis.full_begin);
    pixels_wide<O, INDEXED, NUMBERS>(run, axis.full_end, axis.out_size);
  } else {
    row_scalar<O>(out, index, in, w, positions, base, 0, axis.full_begin);
    row_scalar<O>(out, index, in, w, positions, base, axis.full_end, axis.out_size);
  }
  const int64_t skip = axis.full_begin * w->inner;
  const RowPositions shifted = {INDEXED ? positions->position + skip : nullptr,
                                INDEXED ? positions->step : 0};
  T* to = out + skip;
  int32_t* to_index = INDEXED ? index + skip : nullptr;
  const T* from = in + w->start;
  if (axis.stride == 2 && w->inner == 1 && axis.dilation == 1 && axis.kernel == 2)
    return pairs_vector<O, INDEXED, 2>(to, to_index, from, &shifted, base, n);
  if (axis.stride == 2 && w->inner == 1 && axis.dilation == 1 && axis.kernel == 3)
    return pairs_vector<O, INDEXED, 3>(to, to_index, from, &shifted, base, n);
  if (axis.stride > 1) {
    split_phases(space, from, w, (full - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1);
    from = space;
  }
  taps_vector<O, INDEXED, NUMBERS>(to, to_index, from, w, &shifted, base, n);
}

template <class O, bool INDEXED>
void row_by(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
            const RowPositions* positions, int64_t base, typename O::Element* space) {
  if constexpr (Numbers<typename O::Element>::SOUGHT && NanFlag::THERE) {
    NanFlag::lower();
    row_of<O, INDEXED, true>(out, index, in, w, positions, base, space);
    if (!NanFlag::raised()) return;
  }
  row_of<O, INDEXED, false>(out, index, in, w, positions, base, space);
}

template <class O>
void row(void* out, int32_t* index, const void* in, const RowWindows* w, const RowPositions* positions,
         int64_t base, void* space) {
  typedef typename O::Element T;
  if (index == nullptr)
    row_by<O, false>(static_cast<T*>(out), nullptr, static_cast<const T*>(in), w, positions, base,
                     static_cast<T*>(space));
  else
    row_by<O, true>(static_cast<T*>(out), index, static_cast<const T*>(in), w, positions, base,
                    static_cast<T*>(space));
}

// B vectors from element i on; ROWS rows, or any with 0.
template <class O, bool INDEXED, bool NUMBERS, int B, int ROWS>
UPS_INLINE void rows_block(typename O::Element* out, int32_t* index, const typename O::Element* const* rows,
                           const int32_t* const* indices, int64_t count, int64_t i) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Pack<T, N> P;
  Best<O, N, INDEXED> best[B];
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b)
    best[b] = Best<O, N, INDEXED>::of(P::load(rows[0] + i + b * N),
                                      INDEXED ? load_index(indices[0] + i + b * N) : Index{});
#pragma GCC unroll 4
  for (int64_t r = 1; r < (ROWS > 0 ? ROWS : count); ++r)
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b)
      offer<NUMBERS>(&best[b], P::load(rows[r] + i + b * N),
                     INDEXED ? load_index(indices[r] + i + b * N) : Index{});
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b) {
    P::store(out + i + b * N, best[b].value);
    if (INDEXED) store_index(index + i + b * N, best[b].index);
  }
}

template <class O, bool INDEXED, bool NUMBERS, int ROWS>
void rows_of(typename O::Element* out, int32_t* index, const typename O::Element* const* in,
             const int32_t* const* in_index, int64_t count, int64_t n) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>(), R = ROWS > 0 ? ROWS : 1 };
  const T* own[R];
  const int32_t* own_index[R];
  for (int r = 0; r < ROWS; ++r) {
    own[r] = in[r];
    own_index[r] = INDEXED ? in_index[r] : nullptr;
  }
  const T* const* const rows = ROWS > 0 ? own : in;
  const int32_t* const* const indices = ROWS > 0 ? own_index : in_index;
  int64_t i = 0;
  if (n >= N) {
    rows_block<O, INDEXED, NUMBERS, 1, ROWS>(out, index, rows, indices, count, 0);
    i = unaligned<N>(rows[0]);
  }
  for (; i + 4 * N <= n; i += 4 * N)
    rows_block<O, INDEXED, NUMBERS, 4, ROWS>(out, index, rows, indices, count, i);
  for (; i + N <= n; i += N) rows_block<O, INDEXED, NUMBERS, 1, ROWS>(out, index, rows, indices, count, i);
  // Not by a vector that reaches back: `out` may be one of the rows.
  for (; i < n; ++i) {
    T best = rows[0][i];
    int64_t where = 0;
    for (int64_t r = 1; r < count; ++r) {
      const bool won = O::wins(rows[r][i], best);
      best = won ? rows[r][i] : best;
      where = won ? r : where;
    }
    out[i] = best;
    if (INDEXED) index[i] = indices[where][i];
  }
}

template <class O, bool INDEXED>
void rows_by(typename O::Element* out, int32_t* index, const typename O::Element* const* rows,
             const int32_t* const* indices, int64_t count, int64_t n) {
  // `out` as one of the rows is what they were reduced to so far: it cannot be done again.
  if constexpr (Numbers<typename O::Element>::SOUGHT && NanFlag::THERE)
    if (rows[0] != out) {
      NanFlag::lower();
      if (count == 3)
        rows_of<O, INDEXED, true, 3>(out, index, rows, indices, count, n);
      else
        rows_of<O, INDEXED, true, 0>(out, index, rows, indices, count, n);
      if (!NanFlag::raised()) return;
    }
  rows_of<O, INDEXED, false, 0>(out, index, rows, indices, count, n);
}

template <class O>
void rows(void* out, int32_t* index, const void* const* in, const int32_t* const* indices, int64_t count,
          int64_t n) {
  typedef typename O::Element T;
  const T* const* from = reinterpret_cast<const T* const*>(in);
  if (index == nullptr)
    rows_by<O, false>(static_cast<T*>(out), nullptr, from, nullptr, count, n);
  else
    rows_by<O, true>(static_cast<T*>(out), index, from, indices, count, n);
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
  inline __attribute__((always_inline)) Best<O, N, INDEXED> best(Index first, int32_t step) const {
    auto b = Best<O, N, INDEXED>::of(tap[0], first);
#pragma GCC unroll 8
    for (int k = 1; k < KERNEL; ++k) offer_plainly<NUMBERS>(&b, tap[k], first + k * step);
    return b;
  }
};

// Columns whose windows hang over the left or right border, of one output row of KERNEL whole rows.
template <class O, int KERNEL>
void border_columns(typename O::Element* out, int32_t* index, const typename O::Element* in,
                    const WindowTable& axis, const RowPositions* positions, int64_t base, int64_t row_step,
                    int64_t begin, int64_t end) {
  typedef typename O::Element T;
  for (int64_t o = begin; o < end; ++o) {
    const int64_t first = axis.first[o], count = axis.count[o];
    T best = count > 0 ? in[first] : O::lowest();
    int64_t row = 0, at = first;
    for (int64_t r = 0; r < KERNEL; ++r)
      for (int64_t k = r == 0 ? 1 : 0; k < count; ++k) {
        const T v = in[r * axis.in_size + first + k];
        const bool won = O::wins(v, best);
        best = won ? v : best;
        row = won ? r : row;
        at = won ? first + k : at;
      }
    out[o] = best;
    if (index != nullptr) index[o] = static_cast<int32_t>(base + row * row_step + at * positions->step);
  }
}

// Where an output row of stride_two stands, in and out.
template <class T>
struct StrideTwoRow {
  T* out;
  int32_t* index;
  const T *a, *b, *c;  // the rows under the window
  // The third row of a window is the first of the next one: reduced across once and kept.
  const T* kept;
  const int32_t* kept_index;
  T* next;
  int32_t* next_index;
  const int32_t* position;
  int32_t step;
};

// One vector of an output row.
template <class O, bool INDEXED, bool NUMBERS, int KERNEL>
UPS_INLINE void stride_two_vector(const StrideTwoRow<typename O::Element>& row, int64_t i, Index top,
                                  Index below, Index bottom) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Best<O, N, INDEXED> Winner;
  typedef Taps<T, N, KERNEL, 2> Row;
  const T *a = row.a + 2 * i, *b = row.b + 2 * i, *c = row.c + 2 * i;
  prefetch_ahead<T, N>(b);
  prefetch_ahead<T, N>(KERNEL == 3 ? c : a);
  Winner best;
  if constexpr (KERNEL == 3)
    best = Winner::of(Pack<T, N>::load(row.kept + i), INDEXED ? load_index(row.kept_index + i) : Index{});
  else
    best = Row::at(a).template best<O, INDEXED, NUMBERS>(top, row.step);
  const Winner second = Row::at(b).template best<O, INDEXED, NUMBERS>(below, row.step);
  offer_plainly<NUMBERS>(&best, second.value, second.index);
  if constexpr (KERNEL == 3) {
    const Winner third = Row::at(c).template best<O, INDEXED, NUMBERS>(bottom, row.step);
    Pack<T, N>::store(row.next + i, third.value);
    if (INDEXED) store_index(row.next_index + i, third.index);
    offer_plainly<NUMBERS>(&best, third.value, third.index);
  }
  Pack<T, N>::store(row.out + i, best.value);
  if (INDEXED) store_index(row.index + i, best.index + load_index(row.position + i));
}

template <class O, bool INDEXED, bool NUMBERS, int KERNEL>
void stride_two_of(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t count,
                   const RowWindows* w, const RowPositions* positions, int64_t base, int64_t row_step,
                   typename O::Element* space, int32_t* index_space) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  const WindowTable axis = w->axis;
  const int64_t n = axis.full_end - axis.full_begin, skip = axis.full_begin, in_row = axis.in_size;
  const int32_t step = INDEXED ? static_cast<int32_t>(positions->step) : 0;
  T *kept = space, *next = space + axis.out_size;
  int32_t *kept_index = index_space, *next_index = INDEXED ? index_space + axis.out_size : nullptr;
  if (KERNEL == 3)
    for (int64_t i = 0; i < n; i += N) {
      if (i + N > n) i = n - N;
      const auto first = Taps<T, N, KERNEL, 2>::at(in + w->start + 2 * i)
                             .template best<O, INDEXED, NUMBERS>(all(INDEXED ? base : 0), step);
      Pack<T, N>::store(kept + i, first.value);
      if (INDEXED) store_index(kept_index + i, first.index);
    }
  for (int64_t r = 0; r < count; ++r) {
    const T* a = in + w->start;
    const StrideTwoRow<T> row = {out + skip,
                                 INDEXED ? index + skip : nullptr,
                                 a,
                                 a + in_row,
                                 a + 2 * in_row,
                                 kept,
                                 kept_index,
                                 next,
                                 next_index,
                                 INDEXED ? positions->position + skip : nullptr,
                                 step};
    const Index top = all(INDEXED ? base : 0), below = all(INDEXED ? base + row_step : 0),
                bottom = all(INDEXED ? base + 2 * row_step : 0);
    int64_t i = 0;
    for (; i + N <= n; i += N) stride_two_vector<O, INDEXED, NUMBERS, KERNEL>(row, i, top, below, bottom);
    if (i < n) stride_two_vector<O, INDEXED, NUMBERS, KERNEL>(row, n - N, top, below, bottom);
    if (skip > 0) border_columns<O, KERNEL>(out, index, in, axis, positions, base, row_step, 0, skip);
    if (skip + n < axis.out_size)
      border_columns<O, KERNEL>(out, index, in, axis, positions, base, row_step, skip + n, axis.out_size);
    T* const free = kept;
    int32_t* const free_index = kept_index;
    kept = next;
    kept_index = next_index;
    next = free;
    next_index = free_index;
    in += 2 * in_row;
    out += axis.out_size;
    if (INDEXED) index += axis.out_size;
    base += 2 * row_step;
  }
}

template <class V>
UPS_INLINE V greater(V v, V best) {
  return v > best ? v : best;
}

// Two rows of maxima across, of which the first ones stand at `former`. Equal numbers differ in nothing but
// the sign of zero; where it does, `ties` is set.
template <class T, class V, class Bits>
UPS_INLINE V across(V later, V former, Bits* ties) {
  const V best = greater(later, former);
  if constexpr (Numbers<T>::SOUGHT) *ties |= (Bits)best ^ (Bits)greater(former, later);
  return best;
}

// Windows of 2x2 and 3x3 at stride 2 the other way round, without indices: KERNEL rows are reduced down, and
// their pairs split once. The first of equal numbers in row-major order still wins, unless zeros of both
// signs do. NaNs are not looked at.
template <class T, int N, int KERNEL>
struct DownFirst {
  typedef Pack<T, N> P;
  typedef typename P::V V;
  typedef typename VectorOf<int32_t, N>::type Bits;
  typedef typename IndicesUpTo<N>::type All;
  const T* rows[KERNEL];
  T lowest;

  inline __attribute__((always_inline)) V column(int64_t at) const {
    V best = P::load(rows[0] + at);
#pragma GCC unroll 3
    for (int k = 1; k < KERNEL; ++k) best = greater(P::load(rows[k] + at), best);
    return best;
  }
  // A vector with the maximum of one column last, or the lowest value for a column left of the row.
  V last_of(int64_t at) const {
    T best = lowest;
    if (at >= 0)
      for (int k = 0; k < KERNEL; ++k) best = k == 0 || rows[k][at] > best ? rows[k][at] : best;
    V v{};
    v[N - 1] = best;
    return v;
  }
  template <int... I>
  UPS_MEMBER V shifted(V last, V v, Indices<I...>) {
    return __builtin_shufflevector(last, v, (N - 1 + I)...);
  }
  // The same of 2N - 1 elements, of which b begins one early; the lowest value stands for the one missing.
  template <int... I>
  UPS_MEMBER V even_short(V a, V b, Indices<I...>) {
    return __builtin_shufflevector(a, b, (2 * I < N ? 2 * I : 2 * I + 1)...);
  }
  template <int... I>
  UPS_MEMBER V odd_short(V a, V b, V lowest, Indices<I...>) {
    const V v = __builtin_shufflevector(a, b,
                                        (2 * I + 1 < N       ? 2 * I + 1
                                         : 2 * I + 2 < 2 * N ? 2 * I + 2
                                                             : 0)...);
    return __builtin_shufflevector(v, lowest, (I < N - 1 ? I : N)...);
  }

  // Windows of which the second last columns are `at`, at + 2 …; `last` holds the column before.
  inline __attribute__((always_inline)) V windows(int64_t at, V* last, Bits* ties) const {
    prefetch_ahead<T, N>(rows[KERNEL - 1] + at);
    prefetch_ahead<T, N>(rows[KERNEL - 2] + at);
    const auto pair = split_pairs<T, N>(column(at), column(at + N));
    return joined(pair.even, pair.odd, last, ties);
  }
  // The same where the last column of the last window is missing.
  inline __attribute__((always_inline)) V windows_short(int64_t at, V* last, Bits* ties) const {
    const V a = column(at), b = column(at + N - 1);
    return joined(even_short(a, b, All()), odd_short(a, b, V{} + lowest, All()), last, ties);
  }
  UPS_MEMBER V joined(V former, V later, V* last, Bits* ties) {
    if constexpr (KERNEL == 2) return across<T>(later, former, ties);
    const V before = shifted(*last, later, All());
    *last = later;
    return across<T>(later, across<T>(former, before, ties), ties);
  }
};

// The arguments of stride_two. True where zeros of both signs may have been equal.
template <class O, int KERNEL>
bool down_first(typename O::Element* out, const typename O::Element* in, int64_t count,
                const WindowTable& axis) {
  typedef typename O::Element T;
  enum : int { N = LANES };
  typedef DownFirst<T, N, KERNEL> Rows;
  typedef Pack<T, N> P;
  // Windows of which one column is missing are as good as whole.
  const int64_t n = axis.out_size, in_row = axis.in_size, pad = axis.pad;
  const bool left = KERNEL == 3 && axis.full_begin == 1 && pad == 1 && axis.count[0] == 2,
             right = KERNEL == 3 && axis.full_end == n - 1 && axis.count[n - 1] == 2;
  const int64_t begin = left ? 0 : axis.full_begin, full = axis.full_end;
  typename Rows::Bits ties{};
  for (int64_t r = 0; r < count; ++r, in += 2 * in_row, out += n) {
    Rows rows;
    for (int k = 0; k < KERNEL; ++k) rows.rows[k] = in + k * in_row;
    rows.lowest = O::lowest();
    const auto at = [&](int64_t o) { return 2 * o - pad + KERNEL - 2; };
    const auto before = [&](int64_t o) { return KERNEL == 2 ? typename Rows::V{} : rows.last_of(at(o) - 1); };
    int64_t o = begin;
    auto last = before(o);
    for (; o + N <= full; o += N) P::store(out + o, rows.windows(at(o), &last, &ties));
    if (right) {
      last = before(n - N);
      P::store(out + n - N, rows.windows_short(at(n - N), &last, &ties));
    } else if (o < full) {
      last = before(full - N);
      P::store(out + full - N, rows.windows(at(full - N), &last, &ties));
    }
    if (begin > 0) border_columns<O, KERNEL>(out, nullptr, in, axis, nullptr, 0, 0, 0, begin);
    if (full + right < n) border_columns<O, KERNEL>(out, nullptr, in, axis, nullptr, 0, 0, full + right, n);
  }
  bool tied = false;
  for (int j = 0; j < N; ++j) tied |= ties[j] != 0;
  return tied;
}

template <class O, bool INDEXED, int KERNEL>
void stride_two_by(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t count,
                   const RowWindows* w, const RowPositions* positions, int64_t base, int64_t row_step,
                   typename O::Element* space, int32_t* index_space) {
  typedef typename O::Element T;
  enum : bool {
    NUMBERS = Numbers<T>::SOUGHT && NanFlag::THERE,
    DOWN_FIRST = !INDEXED && sizeof(T) == 4 && (NUMBERS || !Numbers<T>::SOUGHT)
  };
  // So many rows together; those with a NaN are done again.
  constexpr int64_t kRows = 16;
  for (int64_t r = 0; r < count; r += kRows) {
    const int64_t n = count - r < kRows ? count - r : kRows;
    const T* from = in + 2 * r * w->axis.in_size;
    T* to = out + r * w->axis.out_size;
    int32_t* to_index = INDEXED ? index + r * w->axis.out_size : nullptr;
    const int64_t at = base + 2 * r * row_step;
    if constexpr (NUMBERS) NanFlag::lower();
    if constexpr (DOWN_FIRST) {
      const bool tied = down_first<O, KERNEL>(to, from, n, w->axis);
      if (!tied && !(NUMBERS && NanFlag::raised())) continue;
    }
    if constexpr (NUMBERS) {
      NanFlag::lower();
      stride_two_of<O, INDEXED, true, KERNEL>(to, to_index, from, n, w, positions, at, row_step, space,
                                              index_space);
      if (!NanFlag::raised()) continue;
    }
    stride_two_of<O, INDEXED, false, KERNEL>(to, to_index, from, n, w, positions, at, row_step, space,
                                             index_space);
  }
}

template <class O, int KERNEL>
void stride_two(void* out, int32_t* index, const void* in, int64_t count, const RowWindows* w,
                const RowPositions* positions, int64_t base, int64_t row_step, void* space,
                int32_t* index_space) {
  typedef typename O::Element T;
  if (index == nullptr)
    stride_two_by<O, false, KERNEL>(static_cast<T*>(out), nullptr, static_cast<const T*>(in), count, w,
                                    positions, base, row_step, static_cast<T*>(space), nullptr);
  else
    stride_two_by<O, true, KERNEL>(static_cast<T*>(out), index, static_cast<const T*>(in), count, w,
                                   positions, base, row_step, static_cast<T*>(space), index_space);
}

// n full windows of a row, at least a vector of them. KERNEL taps, or any with 0. True when NUMBERS and one
// was none.
template <class O, bool INDEXED, bool NUMBERS, int KERNEL, int STRIDE>
UPS_INLINE bool full_windows(typename O::Element* out, int32_t* index, const typename O::Element* in,
                             const RowWindows& w, const RowPositions& positions, int64_t base, int64_t n) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Best<O, N, INDEXED> Winner;
  typedef Pack<T, N> P;
  const int32_t step = INDEXED ? static_cast<int32_t>(w.axis.dilation * positions.step) : 0;
  const int64_t kernel = w.axis.kernel;
  typename P::V sum{};
  for (int64_t i = 0;; i = i + 2 * N <= n ? i + N : n - N) {
    Winner best;
    if constexpr (KERNEL > 0) {
      const auto taps = Taps<T, N, KERNEL, STRIDE>::at(in + STRIDE * i);
      // Side by side, the first taps of the next vector are the later ones of this.
      if (NUMBERS) sum += STRIDE == 1 && i + N < n ? taps.tap[0] : taps.sum();
      best = taps.template best<O, INDEXED, NUMBERS>(Index{}, step);
    } else {
      best = Winner::of(P::load(in + w.taps[0] + i), Index{});
      if (NUMBERS) sum += best.value;
      for (int64_t k = 1; k < kernel; ++k) {
        const auto v = P::load(in + w.taps[k] + i);
        if (NUMBERS) sum += v;
        offer_plainly<NUMBERS>(&best, v, all(INDEXED ? k * step : 0));
      }
    }
    P::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index + load_index(positions.position + i) + all(base));
    if (i + N == n) break;
  }
  if constexpr (NUMBERS) return any_nan(sum);
  return false;
}

// Rows of many windows, reduced across.
template <class O, bool INDEXED, int KERNEL, int STRIDE>
struct LongRows {
  typedef typename O::Element T;
  const PlaneWindows& w;
  // Windows begin … end - 1, which hang over a border. True when one is NaN.
  bool border(T* out, int32_t* index, const T* in, int64_t base, int side, int64_t begin, int64_t end) const {
    bool nan = false;
#if defined(__AVX2__)  // permutes by index vectors: branches on random values take 20 ns per row
    const WindowTable& x = w.across->axis;
    if constexpr (sizeof(T) == 4) {
      if (w.lanes[side] != nullptr) {
        typedef Pack<T, LANES> P;
        const auto v = P::load(in + (side == 0 ? 0 : x.in_size - LANES));
        const auto tap = [&](int64_t k) __attribute__((always_inline)) {
          return __builtin_shuffle(v, load_index(w.lanes[side] + k * LANES));
        };
        const auto at = [&](int64_t k) __attribute__((always_inline)) {
          return INDEXED ? load_index(w.spots[side] + k * LANES) : Index{};
        };
        auto best = Best<O, LANES, INDEXED>::of(tap(0), at(0));
        const int64_t kernel = KERNEL > 0 ? KERNEL : x.kernel;
#pragma GCC unroll 8
        for (int64_t k = 1; k < kernel; ++k) best.offer(tap(k), at(k));
        const int64_t to = side == 0 ? 0 : x.out_size - LANES;
        P::store(out + to, best.value);
        if (INDEXED) store_index(index + to, best.index + all(base));
        if constexpr (Numbers<T>::SOUGHT) nan = any_nan(best.value);
        return nan;
      }
    }
#endif
    row_scalar<O>(out, index, in, w.across, &w.positions, base, begin, end);
    for (int64_t o = begin; o < end; ++o) nan |= out[o] != out[o];
    return nan;
  }
  // Whether there may be a NaN in the result. The borders come first: they also write what the rest
  // overwrites.
  inline __attribute__((always_inline)) bool operator()(T* out, int32_t* index, const T* in,
                                                        int64_t base) const {
    const RowWindows& across = *w.across;
    const int64_t begin = across.axis.full_begin, end = across.axis.full_end, n = end - begin;
    bool nan = false;
    if (begin > 0) nan |= border(out, index, in, base, 0, 0, begin);
    if (end < across.axis.out_size) nan |= border(out, index, in, base, 1, end, across.axis.out_size);
    const RowPositions shifted = {INDEXED ? w.positions.position + begin : nullptr, w.positions.step};
    const T* from = in + across.start;
    if (KERNEL == 0 && across.axis.stride > 1) {
      T* phases = static_cast<T*>(w.phases);
      split_phases(phases, from, &across,
                   (n - 1) * across.axis.stride + (across.axis.kernel - 1) * across.axis.dilation + 1);
      from = phases;
    }
    T* to = out + begin;
    int32_t* to_index = INDEXED ? index + begin : nullptr;
    if constexpr (Numbers<T>::SOUGHT)
      if (__builtin_expect(
              !full_windows<O, INDEXED, true, KERNEL, STRIDE>(to, to_index, from, across, shifted, base, n),
              1))
        return nan;
    full_windows<O, INDEXED, false, KERNEL, STRIDE>(to, to_index, from, across, shifted, base, n);
    return true;
  }
};

// n elements of an output row from `count` rows reduced across, ROWS of them or any with 0. At least a
// vector.
template <class O, bool INDEXED, bool NUMBERS, int ROWS>
UPS_INLINE void down(typename O::Element* out, int32_t* index, const typename O::Element* const* rows,
                     const int32_t* const* indices, int64_t count, int64_t n) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Pack<T, N> P;
  if (ROWS > 0) count = ROWS;
  for (int64_t i = 0;; i = i + 2 * N <= n ? i + N : n - N) {
    auto best = Best<O, N, INDEXED>::of(P::load(rows[0] + i), INDEXED ? load_index(indices[0] + i) : Index{});
#pragma GCC unroll 3
    for (int64_t r = 1; r < count; ++r)
      offer_plainly<NUMBERS>(&best, P::load(rows[r] + i), INDEXED ? load_index(indices[r] + i) : Index{});
    P::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index);
    if (i + N == n) break;
  }
}

template <class O, bool INDEXED, bool NUMBERS>
UPS_INLINE void down_any(typename O::Element* out, int32_t* index, const PlaneWindows& w, int64_t count,
                         int64_t n) {
  typedef typename O::Element T;
  const T* const* rows = reinterpret_cast<const T* const*>(w.rows);
  if (count == 3)
    down<O, INDEXED, NUMBERS, 3>(out, index, rows, w.indices, count, n);
  else if (count == 2)
    down<O, INDEXED, NUMBERS, 2>(out, index, rows, w.indices, count, n);
  else
    down<O, INDEXED, NUMBERS, 0>(out, index, rows, w.indices, count, n);
}

// Output rows of one plane after another. Rows are reduced across by `reduce` once, when the first window
// wants them.
template <class O, bool INDEXED, class Reduce>
UPS_INLINE void planes_by(typename O::Element* out, int32_t* index, const typename O::Element* in,
                          int64_t planes, int64_t begin, int64_t end, const PlaneWindows& w,
                          const Reduce& reduce) {
  typedef typename O::Element T;
  const WindowTable y = w.down;
  const int64_t in_row = w.across->axis.in_size, n = w.across->axis.out_size, pitch = w.pitch,
                mask = w.slots - 1;
  T* const ring = static_cast<T*>(w.ring);
  for (int64_t p = 0; p < planes; ++p) {
    int64_t done = 0, with_nan = -1;  // the next row to reduce, the last one with NaN
    for (int64_t o = begin; o < end; ++o) {
      const int64_t first = y.first[o], count = y.count[o];
      if (done < first) done = first;
      for (; done < first + count; ++done) {
        const int64_t slot = (done & mask) * pitch;
        if (reduce(ring + slot, INDEXED ? w.ring_index + slot : nullptr, in + done * in_row,
                   INDEXED ? done * w.row_step : 0))
          with_nan = done;
      }
      for (int64_t k = 0; k < count; ++k) {
        const int64_t slot = ((first + k) & mask) * pitch;
        w.rows[k] = ring + slot;
        if (INDEXED) w.indices[k] = w.ring_index + slot;
      }
      if (Numbers<T>::SOUGHT && __builtin_expect(with_nan < first, 1))
        down_any<O, INDEXED, true>(out, index, w, count, n);
      else
        down_any<O, INDEXED, false>(out, index, w, count, n);
      out += n;
      if (INDEXED) index += n;
    }
    in += y.in_size * in_row;
    out += (y.out_size - (end - begin)) * n;
    if (INDEXED) index += (y.out_size - (end - begin)) * n;
  }
}

template <class O, bool INDEXED>
void planes_of(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t planes,
               int64_t begin, int64_t end, const PlaneWindows& w) {
  const WindowTable& x = w.across->axis;
#define UPS_ROWS(kernel_, stride_)                                      \
  if (x.dilation == 1 && x.kernel == kernel_ && x.stride == stride_)    \
    return planes_by<O, INDEXED>(out, index, in, planes, begin, end, w, \
                                 LongRows<O, INDEXED, kernel_, stride_>{w});
  UPS_ROWS(2, 1)
  UPS_ROWS(3, 1)
  UPS_ROWS(5, 1)
  UPS_ROWS(2, 2)
  UPS_ROWS(3, 2)
  if constexpr (sizeof(typename O::Element) >= 4) {
    UPS_ROWS(3, 3)
  }
#undef UPS_ROWS
  planes_by<O, INDEXED>(out, index, in, planes, begin, end, w, LongRows<O, INDEXED, 0, 0>{w});
}

template <class O>
void planes(void* out, int32_t* index, const void* in, int64_t planes, int64_t begin, int64_t end,
            const PlaneWindows* w) {
  typedef typename O::Element T;
  if (index == nullptr)
    planes_of<O, false>(static_cast<T*>(out), nullptr, static_cast<const T*>(in), planes, begin, end, *w);
  else
    planes_of<O, true>(static_cast<T*>(out), index, static_cast<const T*>(in), planes, begin, end, *w);
}

#if defined(__AVX2__)  // permutes by index vectors
// Rows of `planes` planes reduced across, VECTORS vectors of input at a time: taps are permutes of them. True
// when NUMBERS and one was none.
template <class O, bool INDEXED, bool NUMBERS, int VECTORS, int KERNEL>
bool short_across(const typename O::Element* in, int64_t planes, const ShortPlanes& w) {
  typedef typename O::Element T;
  typedef Pack<T, LANES> P;
  typedef typename P::V V;
  typedef Best<O, LANES, INDEXED> Winner;
  Index lane[KERNEL > 0 ? KERNEL : 1], spot[KERNEL > 0 ? KERNEL : 1];
  for (int k = 0; k < KERNEL; ++k) {
    lane[k] = load_index(w.lanes + k * LANES);
    spot[k] = INDEXED ? load_index(w.spots + k * LANES) : Index{};
  }
  const V lowest = V{} + O::lowest();
  const int64_t in_row = w.in_row, rows = w.in_rows, out_row = w.out_row, together = w.across,
                kernel = w.kernel_x, pads = (w.bottom + w.top) * out_row;
  const T* const safe = static_cast<const T*>(w.in_end) - VECTORS * LANES;
  T* out = static_cast<T*>(w.space);
  int32_t* index = w.index_space;
  V sum{};
  const auto pad = [&](int64_t n, const int32_t* indices) __attribute__((always_inline)) {
    for (int64_t i = 0; i < n; i += LANES) {
      P::store(out + i, lowest);
      if (INDEXED) store_index(index + i, load_index(indices + i));
    }
    out += n;
    if (INDEXED) index += n;
  };
  pad(w.top * out_row, w.pad_index + w.bottom * out_row);
  for (int64_t p = 0; p < planes; ++p) {
    Index base{};
    for (int64_t r = 0; r < rows; r += together) {
      const T* from = in + r * in_row;
      T last[VECTORS * LANES];
      if (__builtin_expect(from > safe, 0)) {
        const int64_t n = (rows - r < together ? rows - r : together) * in_row;
        for (int64_t i = 0; i < VECTORS * LANES; ++i) last[i] = i < n ? from[i] : T(0);
        from = last;
      }
      const V a = P::load(from), b = VECTORS == 1 ? a : P::load(from + LANES);
      if (NUMBERS) sum += VECTORS == 1 ? a : a + b;
      const auto tap = [&](int64_t k) __attribute__((always_inline)) {
        const Index at = KERNEL > 0 ? lane[k] : load_index(w.lanes + k * LANES);
        return VECTORS == 1 ? __builtin_shuffle(a, at) : __builtin_shuffle(a, b, at);
      };
      const auto where = [&](int64_t k) __attribute__((always_inline)) {
        return !INDEXED ? Index{} : KERNEL > 0 ? spot[k] : load_index(w.spots + k * LANES);
      };
      Winner best = Winner::of(tap(0), where(0));
      if constexpr (KERNEL > 0)
#pragma GCC unroll 8
        for (int k = 1; k < KERNEL; ++k) offer_plainly<NUMBERS>(&best, tap(k), where(k));
      else
        for (int64_t k = 1; k < kernel; ++k) offer_plainly<NUMBERS>(&best, tap(k), where(k));
      P::store(out + r * out_row, best.value);
      if (INDEXED) {
        store_index(index + r * out_row, best.index + base);
        base += static_cast<int32_t>(together * w.row_step);
      }
    }
    in += rows * in_row;
    out += rows * out_row;
    if (INDEXED) index += rows * out_row;
    pad(pads, w.pad_index);
  }
  if constexpr (NUMBERS) return any_nan(sum);
  return false;
}

// Those rows reduced down.
template <class O, bool INDEXED, bool NUMBERS, int VECTORS, int KERNEL>
void short_down(typename O::Element* out, int32_t* index, int64_t planes, const ShortPlanes& w) {
  typedef typename O::Element T;
  typedef Pack<T, LANES> P;
  typedef Best<O, LANES, INDEXED> Winner;
  const int64_t out_row = w.out_row, rows = w.out_rows, together = w.down, step = w.stride_y * out_row,
                kernel = KERNEL > 0 ? KERNEL : w.kernel_y, plane = (w.top + w.in_rows + w.bottom) * out_row;
  const Index picked = VECTORS > 0 ? load_index(w.picked) : Index{};
  const T* in = static_cast<const T*>(w.space);
  const int32_t* in_index = w.index_space;
  const T* const safe = out + planes * rows * out_row - LANES;
  for (int64_t p = 0; p < planes; ++p) {
    for (int64_t o = 0; o < rows; o += together) {
      const auto best_at = [&](int64_t at) __attribute__((always_inline)) {
        Winner best = Winner::of(P::load(in + at), INDEXED ? load_index(in_index + at) : Index{});
#pragma GCC unroll 3
        for (int64_t k = 1; k < kernel; ++k)
          offer_plainly<NUMBERS>(&best, P::load(in + at + k * out_row),
                                 INDEXED ? load_index(in_index + at + k * out_row) : Index{});
        return best;
      };
      Winner best = best_at(o * step);
      if constexpr (VECTORS == 1) {
        best.value = __builtin_shuffle(best.value, picked);
        if (INDEXED) best.index = __builtin_shuffle(best.index, picked);
      } else if constexpr (VECTORS == 2) {
        const Winner more = best_at(o * step + LANES);
        best.value = __builtin_shuffle(best.value, more.value, picked);
        if (INDEXED) best.index = __builtin_shuffle(best.index, more.index, picked);
      }
      T* to = out + o * out_row;
      if (__builtin_expect(to <= safe, 1)) {
        P::store(to, best.value);
        if (INDEXED) store_index(index + o * out_row, best.index);
      } else {
        const int64_t n = (rows - o < together ? rows - o : together) * out_row;
        for (int64_t i = 0; i < n; ++i) {
          to[i] = best.value[i];
          if (INDEXED) index[o * out_row + i] = best.index[i];
        }
      }
    }
    in += plane;
    out += rows * out_row;
    if (INDEXED) in_index += plane, index += rows * out_row;
  }
}

template <class O, bool INDEXED, bool NUMBERS>
bool short_across_any(const typename O::Element* in, int64_t planes, const ShortPlanes& w) {
  const bool two = w.across * w.in_row > LANES;
  if (w.kernel_x == 2)
    return two ? short_across<O, INDEXED, NUMBERS, 2, 2>(in, planes, w)
               : short_across<O, INDEXED, NUMBERS, 1, 2>(in, planes, w);
  if (w.kernel_x == 3)
    return two ? short_across<O, INDEXED, NUMBERS, 2, 3>(in, planes, w)
               : short_across<O, INDEXED, NUMBERS, 1, 3>(in, planes, w);
  return two ? short_across<O, INDEXED, NUMBERS, 2, 0>(in, planes, w)
             : short_across<O, INDEXED, NUMBERS, 1, 0>(in, planes, w);
}

template <class O, bool INDEXED, bool NUMBERS, int VECTORS>
void short_down_by(typename O::Element* out, int32_t* index, int64_t planes, const ShortPlanes& w) {
  if (w.kernel_y == 2)
    short_down<O, INDEXED, NUMBERS, VECTORS, 2>(out, index, planes, w);
  else if (w.kernel_y == 3)
    short_down<O, INDEXED, NUMBERS, VECTORS, 3>(out, index, planes, w);
  else
    short_down<O, INDEXED, NUMBERS, VECTORS, 0>(out, index, planes, w);
}

template <class O, bool INDEXED, bool NUMBERS>
void short_down_any(typename O::Element* out, int32_t* index, int64_t planes, const ShortPlanes& w) {
  if (w.picked_vectors == 0)
    short_down_by<O, INDEXED, NUMBERS, 0>(out, index, planes, w);
  else if (w.picked_vectors == 1)
    short_down_by<O, INDEXED, NUMBERS, 1>(out, index, planes, w);
  else
    short_down_by<O, INDEXED, NUMBERS, 2>(out, index, planes, w);
}

// So many planes across, then down: what was stored has reached the cache when it is read at other addresses.
template <class O, bool INDEXED>
void short_planes_of(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t planes,
                     const ShortPlanes& w) {
  typedef typename O::Element T;
  const int64_t in_plane = w.in_rows * w.in_row, out_plane = w.out_rows * w.out_row;
  for (int64_t p = 0; p < planes; p += w.together) {
    const int64_t n = planes - p < w.together ? planes - p : w.together;
    const T* from = in + p * in_plane;
    T* to = out + p * out_plane;
    int32_t* to_index = INDEXED ? index + p * out_plane : nullptr;
    if constexpr (Numbers<T>::SOUGHT)
      if (__builtin_expect(!short_across_any<O, INDEXED, true>(from, n, w), 1)) {
        short_down_any<O, INDEXED, true>(to, to_index, n, w);
        continue;
      }
    short_across_any<O, INDEXED, false>(from, n, w);
    short_down_any<O, INDEXED, false>(to, to_index, n, w);
  }
}

template <class O>
void short_planes(void* out, int32_t* index, const void* in, int64_t planes, const ShortPlanes* w) {
  typedef typename O::Element T;
  if (index == nullptr)
    short_planes_of<O, false>(static_cast<T*>(out), nullptr, static_cast<const T*>(in), planes, *w);
  else
    short_planes_of<O, true>(static_cast<T*>(out), index, static_cast<const T*>(in), planes, *w);
}
#endif

template <class O, bool INDEXED, bool NUMBERS>
void pixel_rows(typename O::Element* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                const RowPositions* positions) {
  typedef typename O::Element T;
  const int64_t n = w->axis.out_size, kernel = w->axis.kernel;
  PixelRun<T> run;
  run.windows = w;
  run.position = positions->position;
  run.step = positions->step;
  run.ahead = under.ahead;
  for (int64_t i = 0; i < under.count; ++i) {
    run.out = out + i * n * w->inner;
    run.index = INDEXED ? index + i * n * w->inner : nullptr;
    run.rows = reinterpret_cast<const T* const*>(under.in) + i * under.most;
    run.bases = under.bases + i * under.most;
    run.count = under.counts[i];
    // Windows of 2x2 and 3x3 that hang over the upper or lower border have their last row twice.
    const T* rows[3];
    int64_t bases[3];
    if (under.square && run.count > 0 && run.count < kernel && kernel <= 3) {
      for (int64_t r = 0; r < kernel; ++r) {
        rows[r] = run.rows[r < run.count ? r : run.count - 1];
        bases[r] = run.bases[r < run.count ? r : run.count - 1];
      }
      run.rows = rows;
      run.bases = bases;
      run.count = kernel;
    }
    pixels_wide<O, INDEXED, NUMBERS>(run, 0, n);
  }
}

template <class O, bool INDEXED>
void pixels_by_flag(typename O::Element* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                    const RowPositions* positions) {
  if constexpr (Numbers<typename O::Element>::SOUGHT && NanFlag::THERE) {
    NanFlag::lower();
    pixel_rows<O, INDEXED, true>(out, index, under, w, positions);
    if (!NanFlag::raised()) return;
  }
  pixel_rows<O, INDEXED, false>(out, index, under, w, positions);
}

template <class O>
void pixels(void* out, int32_t* index, const PixelRows* under, const RowWindows* w,
            const RowPositions* positions) {
  typedef typename O::Element T;
  if (index == nullptr)
    pixels_by_flag<O, false>(static_cast<T*>(out), nullptr, *under, w, positions);
  else
    pixels_by_flag<O, true>(static_cast<T*>(out), index, *under, w, positions);
}

}  // namespace

void fill_max_pool2d(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order)                          \
  kernels->row[type] = row<order>;                     \
  kernels->rows[type] = rows<order>;                   \
  kernels->stride_two[type][0] = stride_two<order, 2>; \
  kernels->stride_two[type][1] = stride_two<order, 3>; \
  kernels->planes[type] = planes<order>;               \
  kernels->short_planes[type] = nullptr;               \
  kernels->pixels[type] = pixels<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
#if defined(__AVX2__)
  kernels->short_planes[F32] = short_planes<OrderedFloat<float>>;
  kernels->short_planes[I32] = short_planes<Ordered<int32_t>>;
  kernels->short_planes[U32] = short_planes<Ordered<uint32_t>>;
#endif
}

}  // namespace UPS_ISA
}  // namespace upsampling
