// Max pooling of rows of pixels of several channels, rows and taps at once.
#include "kernels/max-pool2d-pixels.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

#if defined(__AVX512F__)
// The rows under output row i.
template <int KERNEL>
UPS_INLINE void rows_of_window(const float* (&rows)[KERNEL], const PixelRows& under, int64_t i) {
  const int64_t last = under.counts[i] - 1;
  for (int r = 0; r < KERNEL; ++r)
    rows[r] = static_cast<const float*>(under.in[i * under.most + (r < last ? r : last)]);
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

// False where that has to be or is better left to others.
UPS_INLINE bool by_columns(float* out, const PixelRows& under, const RowWindows* w) {
  const WindowTable& axis = w->axis;
  const int64_t lead = unaligned<LANES>(static_cast<const float*>(under.in[0]));
  if (!under.square || w->inner % LANES != 0 || axis.kernel != 3 || axis.stride != 1 || axis.dilation != 1 ||
      axis.full_begin != axis.pad || axis.full_end != axis.in_size - 2 + axis.pad)
    return false;
  for (int64_t i = 0; i < under.count; ++i)
    if (under.counts[i] == 0) return false;
  for (int64_t o = 0; o < axis.out_size; ++o)
    if (axis.count[o] == 0) return false;
  if (w->inner == 2 * LANES) return column_rows<2>(out, under, w, lead);
  if (w->inner == 3 * LANES) return column_rows<3>(out, under, w, lead);
  if (w->inner == 4 * LANES) return column_rows<4>(out, under, w, lead);
  if (w->inner == 6 * LANES) return column_rows<6>(out, under, w, lead);
  if (w->inner == 8 * LANES) return column_rows<8>(out, under, w, lead);
  return false;
}
#endif

template <class O, bool INDEXED, bool NUMBERS>
void pixel_rows(typename O::Element* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                const RowPositions* positions) {
  typedef typename O::Element T;
#if defined(__AVX512F__)
  if constexpr (Numbers<T>::SOUGHT && NUMBERS && !INDEXED)
    if (by_columns(out, under, w)) return;
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

template <int N>
struct Count {
  enum : int { COUNT = N };
};

// Every window from its own taps, four vectors at a time: unrolled for 2x2 or 3x3 it takes as long, and
// windows at the borders then look at all nine. 64x64x7x7 3x3 stride 2 12 us rather than 17 by rows of
// windows, with indices 16 rather than 21, 1x24x200x304 3x3 stride 3 69 us rather than 79.
//
// Where pixels of whole cache lines begin within one they are read from line to line, SEAM: what is left of a
// pixel at both ends makes a vector, as the first lanes of one line and the last ones of another; that of the
// pixel before has the lanes between. A load that takes two lines costs two.
template <bool INDEXED, bool SEAM>
void windows_of(float* out, int32_t* index, const float* in, int64_t planes, int64_t begin, int64_t end,
                const PixelPlanes& w) {
  typedef Best<OrderedFloat<float>, LANES, INDEXED> Winner;
  const WindowTable down = w.down, across = w.across;
  const int64_t inner = w.inner, in_row = across.in_size * inner, row_pitch = down.dilation * in_row,
                pitch = across.dilation * inner;
  const vi row_step = all(INDEXED ? down.dilation * w.row_step : 0),
           step = all(INDEXED ? across.dilation * w.column_step : 0);
  const int64_t lead = SEAM ? unaligned<LANES>(in) : 0, last = inner - LANES + lead;
  const int64_t beside = (inner - 1) / LANES % 4;
#if defined(__AVX512F__)
  // The lanes of both ends of a pixel, and those of its first line that can be stored.
  const uint16_t tail = 0xffff >> lead, head = 0xffff ^ tail;
  uint16_t there = head;
  vf carried{};
  vi carried_index{};
#endif
  for (int64_t plane = 0; plane < planes; ++plane, in += down.in_size * in_row)
    for (int64_t r = begin; r < end; ++r) {
      const float* const row = in + down.first[r] * in_row;
      const int64_t rows = down.count[r];
      for (int64_t o = 0; o < across.out_size; ++o) {
        const float* const first = row + across.first[o] * inner;
        const int64_t taps = across.count[o];
        if (w.ahead)
          for (int64_t y = rows > down.stride ? rows - down.stride : 0; y < rows; ++y)
            prefetch_input(first + y * row_pitch, across.stride * inner);
        const vi position = all(INDEXED ? down.first[r] * w.row_step + across.first[o] * w.column_step : 0);
        const auto block = [&](auto count, auto ends, int64_t c) __attribute__((always_inline)) {
          enum : int { B = decltype(count)::COUNT };
          enum : bool { ENDS = decltype(ends)::IS, BOTH = SEAM && ENDS };
          const auto at = [&](int b) __attribute__((always_inline)) {
            return !ENDS ? c + b * LANES : b == 0 ? last : c + (b - 1) * LANES;
          };
          const auto load_of = [&](const float* tap, int b) __attribute__((always_inline)) {
#if defined(__AVX512F__)
            if (BOTH && b == 0) {
              const vf ends = __builtin_ia32_loadups512_mask(tap + last, vf{}, tail);
              return __builtin_ia32_loadups512_mask(tap + last - inner, ends, head);
            }
#endif
            return load(tap + at(b));
          };
          Winner best[B];
#pragma GCC unroll 4
          for (int b = 0; b < B; ++b) best[b] = Winner::of(load_of(first, b), position);
          const float *from = first, *tap = first + pitch;
          vi from_where = position, where = position + step;
          for (int64_t y = rows, x = taps - 1;; x = taps) {
            for (; x > 0; --x) {
#pragma GCC unroll 4
              for (int b = 0; b < B; ++b) {
                if (INDEXED)
                  offer<true>(&best[b], load_of(tap, b), where);
                else
                  offer_plainly<true>(&best[b], load_of(tap, b), where);
              }
              tap += pitch;
              where += step;
            }
            if (--y == 0) break;
            tap = from += row_pitch;
            where = from_where += row_step;
          }
#pragma GCC unroll 4
          for (int b = 0; b < B; ++b) {
#if defined(__AVX512F__)
            if constexpr (BOTH)
              if (b == 0) {
                const vf line = __builtin_ia32_blendmps_512_mask(carried, best[b].value, head);
                __builtin_ia32_storeups512_mask(out + last - inner, line, there);
                carried = best[b].value;
                if constexpr (INDEXED) {
                  const vi indices = __builtin_ia32_blendmd_512_mask(carried_index, best[b].index, head);
                  __builtin_ia32_storedqusi512_mask(index + last - inner, indices, there);
                  carried_index = best[b].index;
                }
                there = 0xffff;
                continue;
              }
#endif
            store(out + at(b), best[b].value);
            if (INDEXED) store(index + at(b), best[b].index);
          }
        };
        // Some pixels of few channels at once, whose windows are as wide: a single vector waits for the
        // maximum before, and every row of taps for how it ends. 5x5 at stride 2 of 33 planes of 44x44 takes
        // .026 ms rather than .041.
        const auto several = [&](auto count) __attribute__((always_inline)) {
          enum : int { B = decltype(count)::COUNT, U = 4 };
          const float* from[U];
          vi where[U];
          Winner best[U][B];
#pragma GCC unroll 4
          for (int u = 0; u < U; ++u) {
            from[u] = row + across.first[o + u] * inner;
            where[u] = all(INDEXED ? down.first[r] * w.row_step + across.first[o + u] * w.column_step : 0);
#pragma GCC unroll 2
            for (int b = 0; b < B; ++b)
              best[u][b] = Winner::of(load(from[u] + (b == 0 ? last : 0)), where[u]);
          }
          for (int64_t y = 0; y < rows; ++y) {
            vi further = all(INDEXED ? down.dilation * w.row_step * y : 0);
            const int64_t at = y * row_pitch;
            if (y == 0) further += step;
            for (int64_t x = y == 0 ? 1 : 0; x < taps; ++x, further += step)
#pragma GCC unroll 4
              for (int u = 0; u < U; ++u)
#pragma GCC unroll 2
                for (int b = 0; b < B; ++b) {
                  const vf v = load(from[u] + at + x * pitch + (b == 0 ? last : 0));
                  if (INDEXED)
                    offer<true>(&best[u][b], v, where[u] + further);
                  else
                    offer_plainly<true>(&best[u][b], v, where[u]);
                }
          }
#pragma GCC unroll 4
          for (int u = 0; u < U; ++u)
#pragma GCC unroll 2
            for (int b = 0; b < B; ++b) {
              const int64_t c = u * inner + (b == 0 ? last : 0);
              store(out + c, best[u][b].value);
              if (INDEXED) store(index + c, best[u][b].index);
            }
          o += U - 1;
          out += U * inner;
          if (INDEXED) index += U * inner;
        };
        if (!SEAM && inner <= 2 * LANES && o + 4 <= across.out_size && across.count[o + 1] == taps &&
            across.count[o + 2] == taps && across.count[o + 3] == taps) {
          if (beside == 0)
            several(Count<1>());
          else
            several(Count<2>());
          continue;
        }
        switch (beside) {
          case 0:
            block(Count<1>(), Yes(), lead);
            break;
          case 1:
            block(Count<2>(), Yes(), lead);
            break;
          case 2:
            block(Count<3>(), Yes(), lead);
            break;
          default:
            block(Count<4>(), Yes(), lead);
        }
        for (int64_t c = lead + beside * LANES; c < last; c += 4 * LANES) block(Count<4>(), No(), c);
        out += inner;
        if (INDEXED) index += inner;
      }
    }
#if defined(__AVX512F__)
  if constexpr (SEAM) {
    __builtin_ia32_storeups512_mask(out + last - inner, carried, tail);
    if constexpr (INDEXED) __builtin_ia32_storedqusi512_mask(index + last - inner, carried_index, tail);
  }
#endif
}

bool windows(void* out, int32_t* index, const void* in, int64_t planes, int64_t begin, int64_t end,
             const PixelPlanes* w) {
  auto* to = static_cast<float*>(out);
  const auto* from = static_cast<const float*>(in);
  NanFlag::lower();
#if defined(__AVX512F__)
  if (unaligned<LANES>(from) != 0 && w->inner % LANES == 0 && w->inner > LANES)
    index == nullptr ? windows_of<false, true>(to, nullptr, from, planes, begin, end, *w)
                     : windows_of<true, true>(to, index, from, planes, begin, end, *w);
  else
#endif
    index == nullptr ? windows_of<false, false>(to, nullptr, from, planes, begin, end, *w)
                     : windows_of<true, false>(to, index, from, planes, begin, end, *w);
  return !NanFlag::raised();
}

}  // namespace

void fill_max_pool2d_pixels(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order) kernels->pixels[type] = pixels<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
  // Where no flag tells of NaN, everything would be done twice. Values of 3x3 with four lanes take 40 %
  // longer.
  if (NanFlag::THERE && LANES > 4) kernels->windows[F32] = windows;
}

}  // namespace UPS_ISA
}  // namespace upsampling
