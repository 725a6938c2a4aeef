// Max pooling of planes of one channel: rows are reduced across once and kept while windows want them.
#include "kernels/kernels.h"
#include "kernels/max-pool2d.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// n full windows of a row, at least N of them. KERNEL taps, or any with 0. True when NUMBERS and one was
// none.
template <class O, bool INDEXED, bool NUMBERS, int KERNEL, int STRIDE, int N>
UPS_INLINE bool full_windows(typename O::Element* out, int32_t* index, const typename O::Element* in,
                             const RowWindows& w, const RowPositions& positions, int64_t base, int64_t n) {
  typedef typename O::Element T;
  typedef Best<O, N, INDEXED> Winner;
  typedef typename Winner::Index I;
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
      best = taps.template best<O, INDEXED, NUMBERS>(I{}, step);
    } else {
      best = Winner::of(P::load(in + w.taps[0] + i), I{});
      if (NUMBERS) sum += best.value;
      for (int64_t k = 1; k < kernel; ++k) {
        const auto v = P::load(in + w.taps[k] + i);
        if (NUMBERS) sum += v;
        offer_plainly<NUMBERS>(&best, v, all<I>(INDEXED ? k * step : 0));
      }
    }
    P::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index + load_index<I>(positions.position + i) + all<I>(base));
    if (i + N == n) break;
  }
  if constexpr (NUMBERS) return any_nan(sum);
  return false;
}

// Rows of many windows, reduced across.
template <class O, bool INDEXED, int KERNEL, int STRIDE, int N = width<typename O::Element, INDEXED>()>
struct LongRows {
  enum : int { WIDTH = N };
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
      if (__builtin_expect(!full_windows<O, INDEXED, true, KERNEL, STRIDE, N>(to, to_index, from, across,
                                                                              shifted, base, n),
                           1))
        return nan;
    full_windows<O, INDEXED, false, KERNEL, STRIDE, N>(to, to_index, from, across, shifted, base, n);
    return true;
  }
};

// n elements of an output row from `count` rows reduced across, ROWS of them or any with 0. At least N.
template <class O, bool INDEXED, bool NUMBERS, int N, int ROWS>
UPS_INLINE void down(typename O::Element* out, int32_t* index, const typename O::Element* const* rows,
                     const int32_t* const* indices, int64_t count, int64_t n) {
  typedef typename O::Element T;
  typedef typename Best<O, N, INDEXED>::Index I;
  typedef Pack<T, N> P;
  if (ROWS > 0) count = ROWS;
  for (int64_t i = 0;; i = i + 2 * N <= n ? i + N : n - N) {
    auto best = Best<O, N, INDEXED>::of(P::load(rows[0] + i), INDEXED ? load_index<I>(indices[0] + i) : I{});
#pragma GCC unroll 3
    for (int64_t r = 1; r < count; ++r)
      offer_plainly<NUMBERS>(&best, P::load(rows[r] + i), INDEXED ? load_index<I>(indices[r] + i) : I{});
    P::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index);
    if (i + N == n) break;
  }
}

template <class O, bool INDEXED, bool NUMBERS, int N>
UPS_INLINE void down_any(typename O::Element* out, int32_t* index, const PlaneWindows& w, int64_t count,
                         int64_t n) {
  typedef typename O::Element T;
  const T* const* rows = reinterpret_cast<const T* const*>(w.rows);
  if (count == 3)
    down<O, INDEXED, NUMBERS, N, 3>(out, index, rows, w.indices, count, n);
  else if (count == 2)
    down<O, INDEXED, NUMBERS, N, 2>(out, index, rows, w.indices, count, n);
  else
    down<O, INDEXED, NUMBERS, N, 0>(out, index, rows, w.indices, count, n);
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
        down_any<O, INDEXED, true, Reduce::WIDTH>(out, index, w, count, n);
      else
        down_any<O, INDEXED, false, Reduce::WIDTH>(out, index, w, count, n);
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
  // Rows of narrow types that do not fill a register: 64x64 bytes, 3x3 windows of 32 planes, .04 ms rather
  // than .46 element by element.
  if constexpr (width<typename O::Element, INDEXED>() > LANES)
    if (x.full_end - x.full_begin < width<typename O::Element, INDEXED>())
      return planes_by<O, INDEXED>(out, index, in, planes, begin, end, w,
                                   LongRows<O, INDEXED, 0, 0, LANES>{w});
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

#if defined(__AVX2__)  // permutes by index vectors: 5x5 windows of 2048 planes of 4x4 .013 ms rather than
                       // .280
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

}  // namespace

void fill_max_pool2d_planes(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order)            \
  kernels->planes[type] = planes<order>; \
  kernels->short_planes[type] = nullptr;
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
