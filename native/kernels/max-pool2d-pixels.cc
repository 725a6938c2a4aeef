// Max pooling of rows of pixels of several channels, rows and taps at once.
#include "kernels/max-pool2d-pixels.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

#if defined(__AVX512F__)
// Pixels of whole cache lines that begin within one, with a stride: read from line to line, and where one
// ends within a line the next one begins. A load that takes two lines costs two: 64x64x7x7 3x3 stride 2 15
// us rather than 22, 2x2 with indices 10.5 rather than 12, 1x64x112x112 .039 to .066 ms rather than .043 to
// .073.

// A window: its rows from its first tap on, and how far its taps are from there, in elements. The last one
// inside stands for those that hang over a border: equal elements never win.
template <int KERNEL>
struct Window {
  const float* row[KERNEL];
  int64_t at[KERNEL];
  int64_t position;
};

// The rows under output row i.
template <int KERNEL>
UPS_INLINE void rows_of_window(const float* (&rows)[KERNEL], const PixelRows& under, int64_t i) {
  const int64_t last = under.counts[i] - 1;
  for (int r = 0; r < KERNEL; ++r)
    rows[r] = static_cast<const float*>(under.in[i * under.most + (r < last ? r : last)]);
}

// B vectors of an output pixel from channel c on. With SEAM the last one reaches into the next pixel, `inner`
// further: it has the lanes `mine` of this one, `theirs` of the next one.
template <int B, bool SEAM, bool INDEXED, int KERNEL>
UPS_INLINE void line_block(float* out, int32_t* index, const Window<KERNEL>& here, const Window<KERNEL>& next,
                           const int32_t (&where)[KERNEL][KERNEL], int64_t c, int64_t inner, uint16_t mine,
                           uint16_t theirs) {
  constexpr int WHOLE = SEAM ? B - 1 : B, LAST = WHOLE * LANES;
  typedef Best<OrderedFloat<float>, LANES, INDEXED> Winner;
  Winner best[B];
#pragma GCC unroll 3
  for (int r = 0; r < KERNEL; ++r)
#pragma GCC unroll 3
    for (int k = 0; k < KERNEL; ++k) {
      const float* tap = held(here.row[r] + here.at[k] + c);
      vf taps[B];
#pragma GCC unroll 4
      for (int b = 0; b < WHOLE; ++b) taps[b] = load(tap + b * LANES);
      if (SEAM) {
        const float* beyond = next.row[r] + next.at[k] + c - inner;
        taps[B - 1] = __builtin_ia32_loadups512_mask(tap + LAST, vf{}, mine);
        taps[B - 1] = __builtin_ia32_loadups512_mask(beyond + LAST, taps[B - 1], theirs);
      }
      const Index spot = all(where[r][k]);
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) {
        if (r == 0 && k == 0)
          best[b] = Winner::of(taps[b], Index{});
        else if (INDEXED)
          offer<true>(&best[b], taps[b], spot);
        else
          offer_plainly<true>(&best[b], taps[b], spot);
      }
    }
  const Index first = all(here.position);
#pragma GCC unroll 4
  for (int b = 0; b < WHOLE; ++b) {
    store(out + c + b * LANES, best[b].value);
    if (INDEXED) store_index(index + c + b * LANES, best[b].index + first);
  }
  if constexpr (SEAM) {
    __builtin_ia32_storeups512_mask(out + c + LAST, best[B - 1].value, mine | theirs);
    if constexpr (INDEXED) {
      const vi firsts = __builtin_ia32_blendmd_512_mask(first, all(next.position), theirs);
      __builtin_ia32_storedqusi512_mask(index + c + LAST, best[B - 1].index + firsts, mine | theirs);
    }
  }
}

// `lead` is where a line begins in the first pixel; it does so in all of them.
template <bool INDEXED, int KERNEL>
void line_rows(float* out, int32_t* index, const PixelRows& under, const RowWindows* w, int64_t step,
               int64_t lead) {
  const WindowTable& axis = w->axis;
  const int64_t inner = w->inner, n = axis.out_size, seam = inner - LANES + lead;
  const uint16_t mine = 0xffff >> lead, others = ~mine;
  int64_t row_step = 0;
  for (int64_t i = 0; INDEXED && i < under.count; ++i)
    if (under.counts[i] > 1) row_step = under.bases[i * under.most + 1] - under.bases[i * under.most];
  int32_t where[KERNEL][KERNEL];
  for (int r = 0; r < KERNEL; ++r)
    for (int k = 0; k < KERNEL; ++k)
      where[r][k] = static_cast<int32_t>(r * row_step + k * axis.dilation * step);
  const float* rows[KERNEL];
  int64_t base = 0;
  const auto begin_row = [&](int64_t i) __attribute__((always_inline)) {
    rows_of_window(rows, under, i);
    base = under.bases[i * under.most];
  };
  const auto window = [&](int64_t o) __attribute__((always_inline)) {
    Window<KERNEL> to;
    const int64_t first = axis.first[o], last = axis.count[o] - 1;
    for (int r = 0; r < KERNEL; ++r) to.row[r] = rows[r] + first * inner;
    for (int k = 0; k < KERNEL; ++k) to.at[k] = (k < last ? k : last) * axis.dilation * inner;
    to.position = base + first * step;
    return to;
  };
  begin_row(0);
  auto here = window(0);
  // The lanes of the first pixel before its first line.
  line_block<1, true, INDEXED, KERNEL>(out, index, here, here, where, seam - inner, 0, 0, others);
  for (int64_t i = 0, o = 0; i < under.count;) {
    if (under.ahead) prefetch_pixel(rows, KERNEL, *w, o);
    auto next = here;
    uint16_t theirs = others;
    if (++o < n) {
      next = window(o);
    } else if (o = 0, ++i < under.count) {
      begin_row(i);
      next = window(0);
    } else {
      theirs = 0;
    }
    int64_t c = lead;
    for (; c + 3 * LANES < seam; c += 4 * LANES)
      line_block<4, false, INDEXED, KERNEL>(out, index, here, next, where, c, inner, 0, 0);
    if (c + 3 * LANES == seam)
      line_block<4, true, INDEXED, KERNEL>(out, index, here, next, where, c, inner, mine, theirs);
    else if (c + 2 * LANES == seam)
      line_block<3, true, INDEXED, KERNEL>(out, index, here, next, where, c, inner, mine, theirs);
    else if (c + LANES == seam)
      line_block<2, true, INDEXED, KERNEL>(out, index, here, next, where, c, inner, mine, theirs);
    else
      line_block<1, true, INDEXED, KERNEL>(out, index, here, next, where, c, inner, mine, theirs);
    out += inner;
    if (INDEXED) index += inner;
    here = next;
  }
}

// Without a stride, of pixels of B lines: a column of them is reduced down once for the three windows over
// it. That finds no index, as of equal elements that of the first row wins, nor the sign of zeros: false
// where there is a negative one, which is the least integer. 64x64x7x7 3x3 .019 ms rather than .039.
template <int B>
bool column_rows(float* out, const PixelRows& under, const RowWindows* w, int64_t lead) {
  constexpr int LAST = (B - 1) * LANES;
  const vf lowest = splat(OrderedFloat<float>::lowest());
  const int64_t inner = B * LANES, n = w->axis.out_size, in_size = w->axis.in_size, pad = w->axis.pad;
  const uint16_t mine = 0xffff >> lead, others = ~mine;
  const float* rows[3];
  struct Column {
    vf line[B];
  };
  vi least{};
  const auto greatest = [&](vf a, vf b, vf c) __attribute__((always_inline)) {
    const vi x = reinterpret_cast<vi>(a), y = reinterpret_cast<vi>(b), z = reinterpret_cast<vi>(c);
    const vi xy = x < y ? x : y, xyz = xy < z ? xy : z;
    least = least < xyz ? least : xyz;
    return greater(c, greater(b, a));
  };
  // Of pixel x and the head of the next one.
  const auto column = [&](int64_t x) __attribute__((always_inline)) {
    Column to;
    const int64_t at = x * inner + lead;
    const bool inside = x >= 0 && x < in_size;
#pragma GCC unroll 8
    for (int b = 0; b < B - 1; ++b) to.line[b] = lowest;
    if (inside) {
#pragma GCC unroll 8
      for (int b = 0; b < B - 1; ++b) {
        const int64_t c = at + b * LANES;
        to.line[b] =
            greatest(loaded(load(rows[0] + c)), loaded(load(rows[1] + c)), loaded(load(rows[2] + c)));
      }
    }
    const uint16_t there = (inside ? mine : 0) | (x >= -1 && x < in_size - 1 ? others : 0);
    vf last[3];
    for (int r = 0; r < 3; ++r) last[r] = __builtin_ia32_loadups512_mask(rows[r] + at + LAST, lowest, there);
    to.line[B - 1] = greatest(last[0], last[1], last[2]);
    return to;
  };
  for (int64_t i = 0; i < under.count; ++i, out += n * inner) {
    rows_of_window(rows, under, i);
    Column first = column(-1 - pad), second = column(-pad);
    for (int64_t o = -1; o < n; ++o) {
      const Column third = column(o - pad + 2);
      vf best[B];
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) best[b] = greater(third.line[b], greater(second.line[b], first.line[b]));
      float* to = out + o * inner + lead;
      if (o >= 0) {
#pragma GCC unroll 8
        for (int b = 0; b < B - 1; ++b) store(to + b * LANES, best[b]);
      }
      const uint16_t here = (o >= 0 ? mine : 0) | (o < n - 1 ? others : 0);
      __builtin_ia32_storeups512_mask(to + LAST, best[B - 1], here);
      first = second;
      second = third;
    }
    const vi zero = least == all(INT32_MIN);
    for (int j = 0; j < LANES; ++j)
      if (zero[j]) return false;
  }
  return true;
}

// False where pixels are better read, or have to be, as they lie. Two lines of 2x2 windows take 9.1 ns from
// line to line, 8.2 as they lie.
template <bool INDEXED>
UPS_INLINE bool by_lines(float* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                         int64_t step) {
  const WindowTable& axis = w->axis;
  const int64_t lead = unaligned<LANES>(static_cast<const float*>(under.in[0]));
  if (!under.square || w->inner % LANES != 0) return false;
  for (int64_t i = 0; i < under.count; ++i)
    if (under.counts[i] == 0) return false;
  for (int64_t o = 0; o < axis.out_size; ++o)
    if (axis.count[o] == 0) return false;
  if (!INDEXED && axis.kernel == 3 && axis.stride == 1 && axis.dilation == 1 && axis.full_begin == axis.pad &&
      axis.full_end == axis.in_size - 2 + axis.pad) {
    if (w->inner == 2 * LANES) return column_rows<2>(out, under, w, lead);
    if (w->inner == 3 * LANES) return column_rows<3>(out, under, w, lead);
    if (w->inner == 4 * LANES) return column_rows<4>(out, under, w, lead);
    if (w->inner == 6 * LANES) return column_rows<6>(out, under, w, lead);
    if (w->inner == 8 * LANES) return column_rows<8>(out, under, w, lead);
  }
  if (lead == 0 || axis.stride == 1) return false;
  if (axis.kernel == 2 && w->inner > 2 * LANES)
    return line_rows<INDEXED, 2>(out, index, under, w, step, lead), true;
  if (axis.kernel == 3 && w->inner > LANES)
    return line_rows<INDEXED, 3>(out, index, under, w, step, lead), true;
  return false;
}
#endif

template <class O, bool INDEXED, bool NUMBERS>
void pixel_rows(typename O::Element* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                const RowPositions* positions) {
  typedef typename O::Element T;
#if defined(__AVX512F__)
  if constexpr (Numbers<T>::SOUGHT && NUMBERS)
    if (by_lines<INDEXED>(out, index, under, w, positions->step)) return;
#endif
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
    pixels_wide<O, INDEXED, NUMBERS, true>(run, 0, n);
  }
}

template <class O>
void pixels(void* out, int32_t* index, const PixelRows* under, const RowWindows* w,
            const RowPositions* positions) {
  typedef typename O::Element T;
  numbers_first<T>([&](auto numbers) {
    if (index == nullptr)
      pixel_rows<O, false, decltype(numbers)::IS>(static_cast<T*>(out), nullptr, *under, w, positions);
    else
      pixel_rows<O, true, decltype(numbers)::IS>(static_cast<T*>(out), index, *under, w, positions);
  });
}

}  // namespace

void fill_max_pool2d_pixels(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order) kernels->pixels[type] = pixels<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
}

}  // namespace UPS_ISA
}  // namespace upsampling
