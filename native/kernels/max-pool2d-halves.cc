// Max pooling by windows of 2x2 and 3x3 at stride 2, planes of one channel.
#include "kernels/kernels.h"
#include "kernels/max-pool2d.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

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
template <class O, bool INDEXED, bool NUMBERS, int KERNEL, int N, class I>
UPS_INLINE void stride_two_vector(const StrideTwoRow<typename O::Element>& row, int64_t i, I top, I below,
                                  I bottom) {
  typedef typename O::Element T;
  typedef Best<O, N, INDEXED> Winner;
  typedef Taps<T, N, KERNEL, 2> Row;
  const T *a = row.a + 2 * i, *b = row.b + 2 * i, *c = row.c + 2 * i;
  prefetch_ahead<T, N>(b);
  prefetch_ahead<T, N>(KERNEL == 3 ? c : a);
  // Two streams of stores: 2x2 windows of 16 MB 1.09 -> .87 ms where the second level holds 2 MB and the
  // third one gives 29 GB/s. A single one gains nothing.
  if constexpr (INDEXED) {
    ask_ahead<N* static_cast<int>(sizeof(T))>(row.out + i);
    ask_ahead<N* static_cast<int>(sizeof(int32_t))>(row.index + i);
  }
  Winner best;
  if constexpr (KERNEL == 3)
    best = Winner::of(Pack<T, N>::load(row.kept + i), INDEXED ? load_index<I>(row.kept_index + i) : I{});
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
  if (INDEXED) store_index(row.index + i, best.index + load_index<I>(row.position + i));
}

template <class O, bool INDEXED, bool NUMBERS, int KERNEL, int N>
void stride_two_of(typename O::Element* out, int32_t* index, const typename O::Element* in, int64_t count,
                   const RowWindows* w, const RowPositions* positions, int64_t base, int64_t row_step,
                   typename O::Element* space, int32_t* index_space) {
  typedef typename O::Element T;
  typedef typename Best<O, N, INDEXED>::Index I;
  const WindowTable axis = w->axis;
  const int64_t n = axis.full_end - axis.full_begin, skip = axis.full_begin, in_row = axis.in_size;
  const int32_t step = INDEXED ? static_cast<int32_t>(positions->step) : 0;
  T *kept = space, *next = space + axis.out_size;
  int32_t *kept_index = index_space, *next_index = INDEXED ? index_space + axis.out_size : nullptr;
  if (KERNEL == 3)
    for (int64_t i = 0; i < n; i += N) {
      if (i + N > n) i = n - N;
      const auto first = Taps<T, N, KERNEL, 2>::at(in + w->start + 2 * i)
                             .template best<O, INDEXED, NUMBERS>(all<I>(INDEXED ? base : 0), step);
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
    const I top = all<I>(INDEXED ? base : 0), below = all<I>(INDEXED ? base + row_step : 0),
            bottom = all<I>(INDEXED ? base + 2 * row_step : 0);
    int64_t i = 0;
    for (; i + N <= n; i += N) stride_two_vector<O, INDEXED, NUMBERS, KERNEL, N>(row, i, top, below, bottom);
    if (i < n) stride_two_vector<O, INDEXED, NUMBERS, KERNEL, N>(row, n - N, top, below, bottom);
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
    if constexpr (DOWN_FIRST) {
      if constexpr (NUMBERS) NanFlag::lower();
      const bool tied = down_first<O, KERNEL>(to, from, n, w->axis);
      if (!tied && !(NUMBERS && NanFlag::raised())) continue;
    }
    numbers_first<T>([&](auto numbers) {
      constexpr int kWide = width<T, INDEXED>(), kNarrow = kWide < LANES ? kWide : LANES;
      constexpr bool kNumbers = decltype(numbers)::IS;
      if (w->axis.full_end - w->axis.full_begin < kWide)
        stride_two_of<O, INDEXED, kNumbers, KERNEL, kNarrow>(to, to_index, from, n, w, positions, at,
                                                             row_step, space, index_space);
      else
        stride_two_of<O, INDEXED, kNumbers, KERNEL, kWide>(to, to_index, from, n, w, positions, at, row_step,
                                                           space, index_space);
    });
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

}  // namespace

void fill_max_pool2d_halves(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order)                          \
  kernels->stride_two[type][0] = stride_two<order, 2>; \
  kernels->stride_two[type][1] = stride_two<order, 3>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
}

}  // namespace UPS_ISA
}  // namespace upsampling
