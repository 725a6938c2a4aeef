// Resizing strips of a plane both ways: its rows across when they are first needed, and then down while they
// are still near.
#include "kernels/kernels.h"
#include "kernels/resample-across.h"
#include "kernels/resample-down.h"
#include "kernels/resample-pixels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// With TAPS taps of one vector across, or any way.
template <class S, int TAPS>
void strip_by(void* out, int64_t out_stride, const void* in, const ResampleStrip* strip, int64_t first,
              int64_t end, RowStream* stream) {
  // Along longer rows the caches read ahead: 3x1080x1920 to 224x224 takes .81 ms rather than 1.08.
  enum : int64_t { AHEAD_BYTES = 4 * 1024 };
  const ResampleStrip s = *strip;
  const S* rows = static_cast<const S*>(in);
  const AcrossTaps by_taps = TAPS == 0 && s.taps != nullptr ? across_leaf(s.taps) : nullptr;
  Blocks blocks =
      s.taps != nullptr ? blocks_of(s.taps, s.first / LANES, (s.end + LANES - 1) / LANES) : Blocks{};
  // Rows of the ring have room for whole vectors.
  blocks.whole += blocks.rest > 0;
  blocks.rest = 0;
  const auto across = [&](float* to, const float* from, int64_t in_stride,
                          int64_t count) __attribute__((always_inline)) {
    if constexpr (TAPS > 0)
      return across_blocks<TAPS, 1>(to, s.stride, from, in_stride, count, s.taps, blocks);
    if (by_taps != nullptr) return by_taps(to, s.stride, from, in_stride, count, s.taps, &blocks);
    for (int64_t r = 0; r < count; ++r, to += s.stride, from += in_stride)
      across_pixels(to, from, s.x, s.inner, s.first / s.inner, s.end / s.inner);
  };
  const bool copies = s.taps == nullptr && s.x == nullptr;
  const int64_t n = s.high - s.low, bytes = n * static_cast<int64_t>(sizeof(S));
  const bool ahead = bytes <= AHEAD_BYTES;
  int64_t have = 0;  // source rows before this one are in the ring, as far as it reaches
  const auto ready = [&](int64_t o) __attribute__((always_inline)) {
    if (s.high_row[o] < have) return;
    // With the rows of as many outputs as the ring holds.
    int64_t last = o + 1;
    while (last < end && s.high_row[last] - s.low_row[o] < s.slots) ++last;
    const int64_t done = s.high_row[last - 1] + 1;
    // Rows between these and the next ones that are needed.
    const int64_t skipped = last < end && s.low_row[last] > done ? s.low_row[last] - done : 0;
    for (int64_t row = have > s.low_row[o] ? have : s.low_row[o]; row < done;) {
      const int64_t slot = row & (s.slots - 1), room = s.slots - slot,
                    run = done - row < room ? done - row : room;
      float* to = s.ring + slot * s.stride;
      const S* from = rows + row * s.in_row;
      // The rows after these come next. Where these are parts of rows nothing else would read ahead.
      for (int64_t r = run; r < 2 * run && ahead; ++r) {
        const char* next = reinterpret_cast<const char*>(from + (r + skipped) * s.in_row + s.low);
        for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(next + i);
      }
      if (copies) {
        for (int64_t r = 0; r < run; ++r) widen<S>(to + r * s.stride, from + r * s.in_row + s.low, n);
      } else if (s.staged != nullptr) {
        for (int64_t r = 0; r < run; ++r)
          widen<S>(s.staged + r * s.staged_row, from + r * s.in_row + s.low, n);
        across(to, s.staged - s.low, s.staged_row, run);
      } else {
        across(to, reinterpret_cast<const float*>(from), s.in_row, run);
      }
      row += run;
    }
    have = done;
  };
  down_rows<S>(out, out_stride, s.ring, s.stride, s.slots - 1, s.y, first, end, s.end - s.first, stream,
               ready);
}

// OUTS output rows between the same TAPS resampled rows, of which the last one may be resampled on the way.
template <class S, int TAPS, int OUTS>
struct Woven {
  enum : int { COUNT = OUTS };
  S* out;
  int64_t out_stride, out_ahead;  // elements to what is written so much later that it is asked for now
  const S* in;                    // the source of the last row
  int64_t in_ahead;
  float* row[TAPS];
  vf weight[OUTS][TAPS];
};

// The elements from `at` on of output `o`.
template <class S, int TAPS, int OUTS>
UPS_INLINE vf woven(const Woven<S, TAPS, OUTS>& w, int o, int64_t at, vf last) {
  vf sum = w.weight[o][0] * load(w.row[0] + at);
#pragma GCC unroll 2
  for (int k = 1; k < TAPS - 1; ++k) sum += w.weight[o][k] * load(w.row[k] + at);
  return sum + w.weight[o][TAPS - 1] * last;
}

// N blocks from b on, which begin at element `at` of the strip; source(b) is where block b reads, and
// across(b, v) resamples what it reads.
template <bool FRESH, int N, class S, int TAPS, int OUTS, class Source, class Across>
UPS_INLINE void weave_blocks(const Woven<S, TAPS, OUTS>& w, int64_t b, int64_t at, const Source& source,
                             const Across& across) {
  vf last[N];
#pragma GCC unroll 4
  for (int j = 0; j < N; ++j) {
    float* to = w.row[TAPS - 1] + at + j * LANES;
    if (FRESH) {
      const S* from = source(b + j);
      __builtin_prefetch(from + w.in_ahead);
      last[j] = across(b + j, Packed<S>::load(from));
      store(to, last[j]);
    } else {
      last[j] = load(to);
    }
  }
#pragma GCC unroll 2
  for (int o = 0; o < OUTS; ++o) {
    S* to = w.out + o * w.out_stride + at;
    __builtin_prefetch(to + w.out_ahead, 1);
    vf v[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) v[j] = woven(w, o, at + j * LANES, last[j]);
    if (N > 1)
      put_group(to, v);
    else
      Packed<S>::store(to, v[0]);
  }
}

template <bool FRESH, class S, int TAPS, int OUTS, class Source, class Across>
UPS_INLINE void weave_segment(const Woven<S, TAPS, OUTS>& w, int64_t from, int64_t to, int64_t first,
                              const Source& source, const Across& across) {
  enum : int { GROUP = Packed<S>::GROUP };
  int64_t b = from;
  if constexpr (GROUP > 1)
    for (; b + GROUP <= to; b += GROUP) weave_blocks<FRESH, GROUP>(w, b, (b - first) * LANES, source, across);
  for (; b < to; ++b) weave_blocks<FRESH, 1>(w, b, (b - first) * LANES, source, across);
}

// What the rows of a strip have in common.
template <class S>
struct Weave {
  const PreparedTaps* taps;
  Blocks blocks;
  int64_t out_stride, out_ahead, in_ahead, ny;
};

// OUTS rows of outputs from TAPS rows, of which the last one is resampled from `in` if FRESH; weight[k·ny +
// o] is that of row k in output o.
template <bool FRESH, class S, int TAPS, int OUTS>
UPS_INLINE void weave(S* out, const S* in, float* const* rows, const float* weight, const Weave<S>* strip) {
  const PreparedTaps taps = *strip->taps, *const t = &taps;
  const Blocks k = strip->blocks;
  Woven<S, TAPS, OUTS> w;
  w.out = out;
  w.out_stride = strip->out_stride;
  w.out_ahead = strip->out_ahead;
  w.in = in;
  w.in_ahead = strip->in_ahead;
#pragma GCC unroll 4
  for (int i = 0; i < TAPS; ++i) {
    w.row[i] = rows[i];
#pragma GCC unroll 2
    for (int o = 0; o < OUTS; ++o) w.weight[o][i] = splat(weight[i * strip->ny + o]);
  }
  const int32_t* base = t->base;
  const auto at_base = [&](int64_t b) __attribute__((always_inline)) { return w.in + base[b]; };
  const auto by_table = [=](int64_t b, vf v)
                            __attribute__((always_inline)) { return Pattern<TAPS>::at(t, b).sum(v); };
  if constexpr (!FRESH) {
    weave_segment<false>(w, k.first, k.whole, k.first, at_base, by_table);
  } else {
    weave_segment<true>(w, k.first, k.run, k.first, at_base, by_table);
    if (t->period == 1 && k.run < k.run_end) {
      const auto pattern = Pattern<TAPS>::at(t, t->run);
      const int64_t step = t->run_step;
      const S* from = w.in + base[k.run];
      weave_segment<true>(
          w, k.run, k.run_end, k.first,
          [&](int64_t b) __attribute__((always_inline)) { return from + (b - k.run) * step; },
          [&](int64_t, vf v) __attribute__((always_inline)) { return pattern.sum(v); });
    } else if (k.run < k.run_end) {
      int64_t pattern = pattern_of(t, k.run);
      weave_segment<true>(w, k.run, k.run_end, k.first, at_base,
                          [&](int64_t, vf v) __attribute__((always_inline)) {
                            const vf sum = by_table(pattern, v);
                            if (++pattern == t->run + t->period) pattern = t->run;
                            return sum;
                          });
    }
    weave_segment<true>(w, k.run_end, k.whole, k.first, at_base, by_table);
  }
  if (k.rest == 0) return;
  // The last vector reaches back.
  const int64_t at = (k.whole - k.first) * LANES;
  float* last = w.row[TAPS - 1] + at;
  if (FRESH) store(last, by_table(k.whole, Packed<S>::load(w.in + t->base[k.whole])));
  vi lane;
  for (int i = 0; i < LANES; ++i) lane[i] = i;
  lane += static_cast<int32_t>(k.rest);
  for (int o = 0; o < OUTS; ++o)
    Packed<S>::store(
        w.out + o * w.out_stride + at + k.rest - LANES,
        __builtin_shuffle(woven(w, o, at - LANES, load(last - LANES)), woven(w, o, at, load(last)), lane));
}

// By a function of its own, whose loops have the registers to themselves, or within that of the strip, where
// nothing is passed on: bicubic 2x of 3x512x512 takes 0.27 ms rather than 0.30, uint8 bilinear 2x of
// 1080x1920x3 1.70 rather than 1.87, but float bilinear 2x of 64 planes 32x32x32 1.27 rather than 1.20.
template <bool FRESH, class S, int TAPS, int OUTS>
__attribute__((noinline)) void weave_apart(S* out, const S* in, float* const* rows, const float* weight,
                                           const Weave<S>* strip) {
  weave<FRESH, S, TAPS, OUTS>(out, in, rows, weight, strip);
}
template <bool FRESH, class S, int TAPS, int OUTS>
UPS_INLINE void weave_rows(S* out, const S* in, float* const* rows, const float* weight,
                           const Weave<S>* strip) {
  if constexpr (TAPS > 2 || sizeof(S) < sizeof(float))
    weave_apart<FRESH, S, TAPS, OUTS>(out, in, rows, weight, strip);
  else
    weave<FRESH, S, TAPS, OUTS>(out, in, rows, weight, strip);
}

// A strip whose rows are resampled as they are blended, two outputs at a time: a load of what was stored
// just before waits for the stores to the output, which are many. Bilinear 2x of 64 planes 128x128 takes 0.39
// ms rather than 0.47. TAPS both ways, of one vector across; at least a vector of source elements.
template <class S, int TAPS>
void strip_woven(void* out, int64_t out_stride, const void* in, const ResampleStrip* strip, int64_t first,
                 int64_t end) {
  const ResampleStrip s = *strip;
  const PreparedTaps* t = s.taps;
  const Blocks k = blocks_of(t, s.first / LANES, (s.end + LANES - 1) / LANES);
  const int64_t ny = s.y->out_size;
  const int32_t* index = s.y->index;
  const float* weight = static_cast<const float*>(s.y->weight);
  const S* rows = static_cast<const S*>(in);
  const auto slot = [&](int64_t row)
                        __attribute__((always_inline)) { return s.ring + (row & (s.slots - 1)) * s.stride; };
  // What comes after these two rows; of whole rows, which adjoin, some way further on.
  const bool whole = s.end - s.first == out_stride;
  const Weave<S> weaving = {t,
                            k,
                            out_stride,
                            whole ? 4096 / static_cast<int64_t>(sizeof(S)) : 2 * out_stride,
                            whole ? 4096 / static_cast<int64_t>(sizeof(S)) : s.in_row,
                            ny};
  int64_t have = 0;  // source rows before this one are in the ring, as far as it reaches
  for (int64_t o = first; o < end;) {
    const int64_t last = s.high_row[o];
    bool fresh = last >= have && index[(TAPS - 1) * ny + o] == last;
    for (int i = 0; i < TAPS - 1; ++i) fresh = fresh && index[i * ny + o] != last;
    if (have < s.low_row[o]) have = s.low_row[o];
    const int64_t before = fresh ? last : last + 1;
    for (; have < before; ++have)
      for (int64_t b = k.first; b * LANES < s.end; ++b)
        store(
            slot(have) + (b - k.first) * LANES,
            Pattern<TAPS>::at(t, pattern_of(t, b)).sum(Packed<S>::load(rows + have * s.in_row + t->base[b])));
    int64_t until = o + 1;
    const auto same = [&](int64_t other) __attribute__((always_inline)) {
      bool alike = true;
      for (int i = 0; i < TAPS; ++i) alike = alike && index[i * ny + other] == index[i * ny + o];
      return alike;
    };
    while (until < end && same(until)) ++until;
    if (fresh) have = last + 1;
    float* row[TAPS];
    for (int i = 0; i < TAPS; ++i) row[i] = slot(index[i * ny + o]);
    const S* from = rows + last * s.in_row;
    S* to = static_cast<S*>(out) + (o - first) * out_stride;
    for (; o + 2 <= until; o += 2, to += 2 * out_stride, fresh = false)
      fresh ? weave_rows<true, S, TAPS, 2>(to, from, row, weight + o, &weaving)
            : weave_rows<false, S, TAPS, 2>(to, from, row, weight + o, &weaving);
    if (o < until) {
      fresh ? weave_rows<true, S, TAPS, 1>(to, from, row, weight + o, &weaving)
            : weave_rows<false, S, TAPS, 1>(to, from, row, weight + o, &weaving);
      ++o;
    }
  }
}

template <class S>
void strip_of(void* out, int64_t out_stride, const void* in, const ResampleStrip* s, int64_t first,
              int64_t end, RowStream* stream) {
  if (s->at_once)
    return strip_of_pixels(static_cast<float*>(out), out_stride, static_cast<const float*>(in), s, first, end,
                           stream);
  // Floats whose pattern takes several blocks are faster when it stays in registers for many rows: 2x of
  // 512x512x3 takes 0.31 ms rather than 0.36.
  const bool weaves = stream == nullptr && s->taps != nullptr && !s->taps->masked && s->taps->window == 1 &&
                      s->in_row >= LANES && s->end - s->first >= LANES && s->even &&
                      s->y->taps == s->taps->taps && (sizeof(S) < sizeof(float) || s->taps->period <= 1);
  if (weaves && s->taps->taps == 2) return strip_woven<S, 2>(out, out_stride, in, s, first, end);
  if (weaves && s->taps->taps == 4) return strip_woven<S, 4>(out, out_stride, in, s, first, end);
  // Enlargements, without a call for every row: bilinear 2x of 64 planes 128x128 takes 0.46 ms rather than
  // 0.51.
  auto leaf = strip_by<S, 0>;
  if (s->taps != nullptr && !s->taps->masked && s->taps->window == 1) {
    if (s->taps->taps == 2) leaf = strip_by<S, 2>;
    if (s->taps->taps == 4) leaf = strip_by<S, 4>;
  }
  leaf(out, out_stride, in, s, first, end, stream);
}

}  // namespace

void fill_resample_strip(ResampleKernels* kernels) {
  kernels->strip[F32] = strip_of<float>;
  kernels->strip[F16] = strip_of<Half>;
  kernels->strip[U8] = strip_of<uint8_t>;
  kernels->strip[I8] = strip_of<int8_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
