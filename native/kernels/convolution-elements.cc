// What fills and empties tiles: stretches of inputs between zeros, transposes, and outputs that leave the
// sums of all phases of a stride in turn. Nothing is computed, elements are widened and rounded on the way.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/phases.h"
#include "kernels/turn.h"
#include "kernels/zip.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

UPS_INLINE float widen(float v) { return v; }
UPS_INLINE double widen(double v) { return v; }
UPS_INLINE float widen(Half v) { return from_half(v.bits); }
template <class S, class T>
struct Narrow {
  UPS_MEMBER S of(T v) { return v; }
};
template <>
struct Narrow<Half, float> {
  UPS_MEMBER Half of(float v) { return Half{to_half(v)}; }
};

// LANES rows of n elements to columns. Reads in fours.
UPS_INLINE void turn_some(float* to, int64_t to_row, const float* from, int64_t from_row, int64_t n) {
  const int64_t whole = n & -4;
  turn(to, to_row, from, from_row, whole);
  if (whole == n) return;
  float last[4 * LANES];
  turn(last, LANES, from + whole, from_row, 4);
  for (int64_t k = whole; k < n; ++k) store(to + k * to_row, load(last + (k - whole) * LANES));
}

// Pixels first … stop, `step` apart, of neighbouring channels, and zeros around them.
template <class T, class S>
UPS_INLINE void turn(T* to, int64_t width, const S* from, int64_t channels, int64_t step, int64_t lead,
                     int64_t stop, int64_t n) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < lead; ++i) to[c * width + i] = 0;
    for (int64_t i = stop; i < n; ++i) to[c * width + i] = 0;
  }
  int64_t i = lead;
  if constexpr (__is_same(S, float)) {
    // Of the last channels, fours are read that reach into the next pixels.
    const int64_t rest = channels % 4, reach = rest == 0 ? 0 : (4 - rest + step - 1) / step;
    for (; i + LANES + reach <= stop; i += LANES) turn_some(to + i, width, from + i * step, step, channels);
  }
  for (; i < stop; ++i)
    for (int64_t c = 0; c < channels; ++c) to[c * width + i] = widen(from[i * step + c]);
}

template <class T>
void transpose(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t rows, int64_t columns) {
  if constexpr (__is_same(T, float)) {
    if (rows >= LANES && columns >= LANES) {
      // The last blocks reach back.
      for (int64_t i = 0; i < rows; i += LANES) {
        if (i + LANES > rows) i = rows - LANES;
        for (int64_t j = 0; j < columns; j += LANES) {
          if (j + LANES > columns) j = columns - LANES;
          turn(to + j * to_row + i, to_row, from + i * from_row + j, from_row, LANES);
        }
      }
      return;
    }
  }
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) to[j * to_row + i] = from[i * from_row + j];
}

// to[i] = from[step·i], i < n, by vectors if the step is STEP; the last one reaches back or, if it is LOOSE,
// writes beyond. Asks for what is `ahead`. 3x3 at stride 3 of 64 images of 8 planes of 82x82 to 4 takes 1.5
// ms rather than 3.4 element by element.
template <int STEP, bool LOOSE, class T, class S>
UPS_INLINE void copy_row(T* to, const S* from, int64_t step, int64_t n, const S* end, int64_t ahead) {
  int64_t i = 0;
  if constexpr (__is_same(S, T) && STEP == 1 && !LOOSE) return copy_run(to, from, n);
  if constexpr (__is_same(S, T) && STEP > 0) {
    enum : int { L = Simd<T>::L };
    for (; i < n; i += L) {
      if (i + L > n && !LOOSE) {
        if (n < L) break;
        i = n - L;
      }
      if (end - from < STEP * (i + L)) break;
      typename Simd<T>::V x[STEP];
#pragma GCC unroll 4
      for (int s = 0; s < STEP; ++s) {
        __builtin_prefetch(from + ahead + STEP * i + s * L);
        x[s] = load(from + STEP * i + s * L);
      }
      store(to + i, every<STEP>(x, typename IndicesUpTo<L>::type()));
    }
  }
  for (; i < n; ++i) to[i] = widen(from[step * i]);
}

template <bool LOOSE, class T>
UPS_INLINE void clear(T* to, int64_t n) {
  enum : int { L = Simd<T>::L };
  int64_t i = 0;
  for (; LOOSE && i < n; i += L) store(to + i, typename Simd<T>::V{});
  for (; i < n; ++i) to[i] = 0;
}

// All runs of a channel before the next channel: they share its cache lines.
template <int STEP, bool LOOSE, class T, class S>
void copy_runs(T* to, int64_t width, const S* x, int64_t channels, int64_t channel, int64_t step,
               const ConvRun* runs, int64_t count, int64_t n, const S* end) {
  const int64_t ahead = (1 + 1024 / (count * n * step + 1)) * channel;
  for (int64_t c = 0; c < channels; ++c, to += width, x += channel) {
    for (const ConvRun* run = runs; run < runs + count; ++run) {
      T* at = to + run->to;
      if (run->lead > 0) clear<LOOSE>(at, run->lead);
      copy_row<STEP, LOOSE>(at + run->lead, x + run->from + run->lead * step, step, run->stop - run->lead,
                            end, ahead);
      if (run->stop < n) clear<LOOSE>(at + run->stop, n - run->stop);
    }
  }
}

template <class T, class S>
void gather(T* to, int64_t width, const void* from, int64_t channels, int64_t channel, int64_t step,
            const ConvRun* runs, int64_t count, int64_t n) {
  const S* x = static_cast<const S*>(from);
  if (channel == 1) {
    for (int64_t r = 0; r < count; ++r)
      turn(to + runs[r].to, width, x + runs[r].from, channels, step, runs[r].lead, runs[r].stop, n);
    return;
  }
  copy_runs<1, false>(to, width, x, channels, channel, step, runs, count, n, x);
}

template <bool LOOSE, class T, class S>
void gather_planes(T* to, int64_t width, const void* from, int64_t channels, int64_t channel, int64_t step,
                   const ConvRun* runs, int64_t count, int64_t n, const void* end) {
  const S *x = static_cast<const S*>(from), *stop = static_cast<const S*>(end);
  const auto copy = step == 1   ? copy_runs<1, LOOSE, T, S>
                    : step == 2 ? copy_runs<2, LOOSE, T, S>
                    : step == 3 ? copy_runs<3, LOOSE, T, S>
                    : step == 4 ? copy_runs<4, LOOSE, T, S>
                                : copy_runs<0, LOOSE, T, S>;
  copy(to, width, x, channels, channel, step, runs, count, n, stop);
}

// n outputs of groups of N.
template <int N>
UPS_INLINE void zip_line(float* o, const float* c, int64_t width, int64_t n) {
  const int64_t whole = n % N == 0 && n >= LANES * N ? n / N : n / N / LANES * LANES;
  for (int64_t i = 0; i < whole; i += LANES) {
    // The last vector reaches back: its rest took 2 % of all by a detour through memory (rows of 28).
    if (i > whole - LANES) i = whole - LANES;
    vf x[N];
#pragma GCC unroll 16
    for (int s = 0; s < N; ++s) x[s] = load(c + s * width + i);
    zip<N>(x);
#pragma GCC unroll 16
    for (int s = 0; s < N; ++s) store(o + i * N + s * LANES, x[s]);
  }
  if (whole * N == n) return;
  float rest[N * LANES];
  vf x[N];
#pragma GCC unroll 16
  for (int s = 0; s < N; ++s) x[s] = load(c + s * width + whole);
  zip<N>(x);
#pragma GCC unroll 16
  for (int s = 0; s < N; ++s) store(rest + s * LANES, x[s]);
  copy_run(o + whole * N, rest, n - whole * N);
}

#if UPS_LANES > 4
// n outputs of groups of up to M slots, a vector of groups at a time: turned with whatever is behind the
// slots, which the next group is laid over. Transposed 5x5 and 7x7 at stride 5 and 7 of 64x64: .10 and .17 ms
// rather than .15 and .25 with vectors of 16, .14 and .28 rather than .19 and .38 with those of 8.
template <int M>
UPS_INLINE void zip_some(float* o, const float* c, int64_t width, int64_t slots, int64_t n) {
  enum : int { GROUPS = LANES / M };  // of a vector
  vi lane;
  for (int i = 0; i < LANES; ++i)
    lane[i] = i / static_cast<int>(slots) * M % LANES + i % static_cast<int>(slots);
  float last[LANES * M + LANES];
  for (; n > 0; n -= slots * LANES, c += LANES, o += slots * LANES) {
    // Vectors end behind their groups.
    const bool whole = n >= slots * LANES + LANES;
    float* to = whole ? o : last;
    vf x[M];
#pragma GCC unroll 16
    for (int s = 0; s < M; ++s) x[s] = load(c + (s < slots ? s : 0) * width);
    zip<M>(x);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
      store(to + i * GROUPS * slots, GROUPS == 1 ? x[i] : __builtin_shuffle(x[i], lane));
    if (!whole) copy_run(o, last, n < slots * LANES ? n : slots * LANES);
  }
}
#endif

template <class T, class S>
UPS_INLINE void line(S* o, const T* c, int64_t width, int64_t slots, int64_t n) {
  if (slots == 1) return copy_run(o, c, n);
  const int64_t whole = n / slots;
  int64_t done = 0;
  if constexpr (__is_same(S, Half)) {
    // Put in order as floats, some groups at a time.
    constexpr int64_t SLOTS = 16, GROUPS = 64;
    float some[SLOTS * GROUPS];
    for (; slots <= SLOTS && done < whole; done += GROUPS) {
      const int64_t m = (whole - done < GROUPS ? whole - done : GROUPS) * slots;
      line(some, c + done, width, slots, m);
      copy_run(o + done * slots, some, m);
    }
  }
  if constexpr (__is_same(S, float)) {
    if (slots == 2) return zip_line<2>(o, c, width, n);
    if (slots == 3) return zip_line<3>(o, c, width, n);
    if (slots == 4) return zip_line<4>(o, c, width, n);
    if (slots == 8) return zip_line<8>(o, c, width, n);
#if UPS_LANES > 4
    if (slots < 8) return zip_some<8>(o, c, width, slots, n);
#endif
#if UPS_LANES == 16
    if (slots < 16) return zip_some<16>(o, c, width, slots, n);
#endif
    if (slots % LANES == 0)
      for (; done + LANES <= whole; done += LANES)
        for (int64_t s = 0; s < slots; s += LANES)
          turn(o + done * slots + s, slots, c + s * width + done, width, LANES);
  }
  for (int64_t i = done; i < whole; ++i)
    for (int64_t s = 0; s < slots; ++s) o[i * slots + s] = Narrow<S, T>::of(c[s * width + i]);
  for (int64_t s = 0; s < n % slots; ++s) o[whole * slots + s] = Narrow<S, T>::of(c[s * width + whole]);
}

template <class T, class S>
void interleave(void* out, const T* c, int64_t width, int64_t slots, int64_t n) {
  line(static_cast<S*>(out), c, width, slots, n);
}

template <class T, class S>
void lines(void* out, const T* c, int64_t width, int64_t slots, const ConvLine* list, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    line(static_cast<S*>(out) + list[i].to, c + list[i].at, width, slots, list[i].n);
  }
}

template <class T, class S>
void spread(void* out, int64_t step, const T* c, int64_t width, int64_t n, int64_t pixels) {
  S* o = static_cast<S*>(out);
  for (int64_t p = 0; p < pixels; ++p, o += step, c += width) {
    copy_run(o, c, n);
  }
}

template <class T, class S>
void scatter(void* out, int64_t step, const T* c, int64_t n) {
  S* o = static_cast<S*>(out);
  for (int64_t i = 0; i < n; ++i) o[i * step] = Narrow<S, T>::of(c[i]);
}

template <class T, class S>
void fill(ConvLeaves<T>* leaves, int type) {
  leaves->gather[type] = gather<T, S>;
  leaves->gather_planes[0][type] = gather_planes<false, T, S>;
  leaves->gather_planes[1][type] = gather_planes<true, T, S>;
  leaves->interleave[type] = interleave<T, S>;
  leaves->lines[type] = lines<T, S>;
  leaves->spread[type] = spread<T, S>;
  leaves->scatter[type] = scatter<T, S>;
}

}  // namespace

void fill_convolution_elements(KernelTable* table) {
  table->conv.transpose = transpose<float>;
  table->conv_double.transpose = transpose<double>;
  fill<float, float>(&table->conv, F32);
  fill<float, Half>(&table->conv, F16);
  fill<double, double>(&table->conv_double, F64);
}

}  // namespace UPS_ISA
}  // namespace upsampling
