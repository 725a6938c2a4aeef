// Max pooling across a row, and down rows that were reduced across. In this order the first of equal elements
// in row-major order wins without its position being looked at: in its row by the order of the taps, among
// rows by the order of the rows.
#include "kernels/kernels.h"
#include "kernels/max-pool2d-pixels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// B vectors from element i on; KERNEL taps, or any with 0.
template <class O, bool INDEXED, bool NUMBERS, int B, int KERNEL>
UPS_INLINE void taps_block(typename O::Element* out, int32_t* index, const typename O::Element* in,
                           const int64_t* taps, int64_t kernel, const int32_t* position, int32_t base,
                           int32_t step, int64_t i) {
  typedef typename O::Element T;
  enum : int { N = width<T, INDEXED>() };
  typedef Pack<T, N> P;
  typedef typename Best<O, N, INDEXED>::Index I;
  Best<O, N, INDEXED> best[B];
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b)
    best[b] = Best<O, N, INDEXED>::of(P::load(in + taps[0] + i + b * N), all<I>(INDEXED ? base : 0));
#pragma GCC unroll 4
  for (int64_t k = 1; k < (KERNEL > 0 ? KERNEL : kernel); ++k)
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b)
      offer<NUMBERS>(&best[b], P::load(in + taps[k] + i + b * N), all<I>(INDEXED ? base + k * step : 0));
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b) {
    P::store(out + i + b * N, best[b].value);
    if (INDEXED) store_index(index + i + b * N, best[b].index + load_index<I>(position + i + b * N));
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

// Windows of 2 and 3 at stride 2 without phases: pairs are split in registers.
template <class O, bool INDEXED, int KERNEL, int N>
void pairs_of(typename O::Element* out, int32_t* index, const typename O::Element* in,
              const RowPositions* positions, int64_t base, int64_t n) {
  typedef typename O::Element T;
  typedef typename Best<O, N, INDEXED>::Index I;
  const int32_t step = INDEXED ? static_cast<int32_t>(positions->step) : 0;
  for (int64_t i = 0; i < n; i += N) {
    if (i + N > n) i = n - N;
    prefetch_ahead<T, N>(in + 2 * i);
    const auto pair = split_pairs<T, N>(in + 2 * i);
    auto best = Best<O, N, INDEXED>::of(pair.even, I{});
    best.offer(pair.odd, all<I>(step));
    if (KERNEL == 3) best.offer(split_pairs<T, N>(in + 2 * i + 1).odd, all<I>(2 * step));
    Pack<T, N>::store(out + i, best.value);
    if (INDEXED) store_index(index + i, best.index + load_index<I>(positions->position + i) + all<I>(base));
  }
}

// Rows of volumes are short: vectors of four elements still take a third of the time that single ones do.
template <class T, int N>
constexpr int least_of_pairs() {
  return sizeof(T) == 4 && N > 4 ? 4 : N;
}

// The same by the widest vectors that fit n >= least_of_pairs.
template <class O, bool INDEXED, int N>
void pairs_vector(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t kernel,
                  const RowPositions* positions, int64_t base, int64_t n) {
  if constexpr (N > least_of_pairs<typename O::Element, N>())
    if (n < N) return pairs_vector<O, INDEXED, N / 2>(out, index, in, kernel, positions, base, n);
  kernel == 2 ? pairs_of<O, INDEXED, 2, N>(out, index, in, positions, base, n)
              : pairs_of<O, INDEXED, 3, N>(out, index, in, positions, base, n);
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
  const bool by_pairs = axis.stride == 2 && w->inner == 1 && axis.dilation == 1 &&
                        (axis.kernel == 2 || axis.kernel == 3) && n >= least_of_pairs<T, N>();
  if (n < N && w->inner > 1) return pixels_wide<O, INDEXED, NUMBERS, false>(run, 0, axis.out_size);
  if (n < N && !by_pairs) return row_scalar<O>(out, index, in, w, positions, base, 0, axis.out_size);
  if (w->inner > 1) {
    pixels_wide<O, INDEXED, NUMBERS, false>(run, 0, axis.full_begin);
    pixels_wide<O, INDEXED, NUMBERS, false>(run, axis.full_end, axis.out_size);
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
  if (by_pairs) return pairs_vector<O, INDEXED, N>(to, to_index, from, axis.kernel, &shifted, base, n);
  if (axis.stride > 1) {
    split_phases(space, from, w, (full - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1);
    from = space;
  }
  taps_vector<O, INDEXED, NUMBERS>(to, to_index, from, w, &shifted, base, n);
}

template <class O, bool INDEXED>
void row_by(typename O::Element* out, int32_t* index, const typename O::Element* in, const RowWindows* w,
            const RowPositions* positions, int64_t base, typename O::Element* space) {
  numbers_first<typename O::Element>([&](auto numbers) {
    row_of<O, INDEXED, decltype(numbers)::IS>(out, index, in, w, positions, base, space);
  });
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
  typedef typename Best<O, N, INDEXED>::Index I;
  Best<O, N, INDEXED> best[B];
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b)
    best[b] = Best<O, N, INDEXED>::of(P::load(rows[0] + i + b * N),
                                      INDEXED ? load_index<I>(indices[0] + i + b * N) : I{});
#pragma GCC unroll 4
  for (int64_t r = 1; r < (ROWS > 0 ? ROWS : count); ++r)
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b)
      offer<NUMBERS>(&best[b], P::load(rows[r] + i + b * N),
                     INDEXED ? load_index<I>(indices[r] + i + b * N) : I{});
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
  // By a vector that reaches back, unless `out` is one of the rows.
  if (i < n && n >= N && rows[0] != out) {
    rows_block<O, INDEXED, NUMBERS, 1, ROWS>(out, index, rows, indices, count, n - N);
    return;
  }
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
  if (rows[0] == out) return rows_of<O, INDEXED, false, 0>(out, index, rows, indices, count, n);
  numbers_first<typename O::Element>([&](auto numbers) {
    constexpr bool kNumbers = decltype(numbers)::IS;
    if (kNumbers && count == 3)
      rows_of<O, INDEXED, kNumbers, kNumbers ? 3 : 0>(out, index, rows, indices, count, n);
    else
      rows_of<O, INDEXED, kNumbers, 0>(out, index, rows, indices, count, n);
  });
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

}  // namespace

void fill_max_pool2d_rows(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order)      \
  kernels->row[type] = row<order>; \
  kernels->rows[type] = rows<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
}

}  // namespace UPS_ISA
}  // namespace upsampling
