// Max pooling of pixels of several channels: every tap of a window is read where it lies.
#pragma once
#include "kernels/max-pool2d.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

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

template <class T>
UPS_INLINE void prefetch_input(const T* from, int64_t elements) {
  const char* at = reinterpret_cast<const char*>(from) + PIXELS_AHEAD;
  for (int64_t j = 0; j < elements * static_cast<int64_t>(sizeof(T)); j += 64) __builtin_prefetch(at + j);
}

// Asks for the fresh input of output pixel o, of a window of so many rows, ahead of time.
template <class T>
UPS_INLINE void prefetch_pixel(const T* const* rows, int64_t count, const RowWindows& w, int64_t o) {
  for (int64_t r = count > w.axis.stride ? count - w.axis.stride : 0; r < count; ++r)
    prefetch_input(rows[r] + w.axis.first[o] * w.inner, w.axis.stride * w.inner);
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
  // Comparisons do not wait for each other: 7x7 windows of 512x512x3 at stride 4 take .27 ms rather than .54.
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
    const int64_t stop = whole < inner && i + 4 <= n ? i + 4 : i + 1;
    for (int64_t j = i; j < stop; ++j) {
      if (ahead) prefetch_pixel(run.rows, run.count, *run.windows, begin + j);
      for (int64_t c = 0; c < whole; c += 4 * N) p.template block<4, CHANNELS>(taps, begin + j, j, c);
    }
    for (int64_t c = whole; c < inner; c += N) {
      if (c + N > inner) c = inner - N;
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
      for (int64_t i = o; i < stop; ++i) pixel_scalar<O, INDEXED>(run, i);
    else if (KERNEL > 0 && axis.stride == 1 && stop > o + 1 && (stop - o) * run.windows->inner >= WIDE)
      line_pixels<O, INDEXED, NUMBERS, WIDE, KERNEL>(run, o, stop);
    else if (run.windows->inner < N)
      narrow_pixels<O, INDEXED, NUMBERS, N, KERNEL>(p, run, o, stop);
    else
      wide_pixels<O, INDEXED, NUMBERS, N, KERNEL>(p, run, o, stop);
    o = stop;
  }
}

template <class O, bool INDEXED, bool NUMBERS, bool SQUARE, int WIDE, int N>
void pixels_by(const PixelRun<typename O::Element>& run, int64_t from, int64_t to) {
  const int64_t kernel = run.windows->axis.kernel;
  // Not where it would be code that hardly runs.
  if constexpr (SQUARE && (sizeof(typename O::Element) <= 2 || NUMBERS || !NanFlag::THERE)) {
    if (kernel == 2 && run.count == 2) return pixels_of<O, INDEXED, NUMBERS, WIDE, N, 2>(run, from, to);
    if (kernel == 3 && run.count == 3) return pixels_of<O, INDEXED, NUMBERS, WIDE, N, 3>(run, from, to);
  }
  pixels_of<O, INDEXED, NUMBERS, WIDE, N, 0>(run, from, to);
}

// By the narrowest vectors that hold the channels of a pixel, of 16 bytes at least and four elements. SQUARE:
// there may be windows of as many rows as taps, which have their own loops.
template <class O, bool INDEXED, bool NUMBERS, bool SQUARE>
void pixels_wide(const PixelRun<typename O::Element>& run, int64_t from, int64_t to) {
  enum : int {
    SIZE = sizeof(typename O::Element),
    N = width<typename O::Element, INDEXED>(),
    LEAST = INDEXED ? (SIZE == 1 ? 8 : 4) : (SIZE == 8 ? 4 : 16 / SIZE),
    HALF = N / 2 < LEAST ? N : N / 2,
    QUARTER = HALF / 2 < LEAST ? HALF : HALF / 2
  };
  const int64_t inner = run.windows->inner;
  if (inner <= QUARTER) return pixels_by<O, INDEXED, NUMBERS, SQUARE, N, QUARTER>(run, from, to);
  if (inner <= HALF) return pixels_by<O, INDEXED, NUMBERS, SQUARE, N, HALF>(run, from, to);
  pixels_by<O, INDEXED, NUMBERS, SQUARE, N, N>(run, from, to);
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
