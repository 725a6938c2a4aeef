// Taps along a row that are picked from vectors in registers (PreparedTaps): the outputs of one block, and of
// a run of blocks, whose pattern stays in registers.
#pragma once
#include "kernels/gather.h"
#include "kernels/resample.h"

namespace upsampling {
namespace UPS_ISA {

// The blocks from first to end: those up to `run`, those of the run, and those up to `whole`; then one that
// is not a whole vector, if `rest`.
struct Blocks {
  int64_t first, run, run_end, whole, rest;
};

// Rows across by taps of one kind.
typedef void (*AcrossTaps)(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                           const PreparedTaps* t, const Blocks* k);
AcrossTaps across_leaf(const PreparedTaps* t);

namespace {

// The lanes and weights of a block, in registers.
template <int TAPS>
struct Pattern {
  vi lane[TAPS];
  vf weight[TAPS];
  UPS_MEMBER Pattern at(const PreparedTaps* t, int64_t b) {
    Pattern p;
#pragma GCC unroll 4
    for (int k = 0; k < TAPS; ++k) {
      p.lane[k] = load(t->lane + (b * TAPS + k) * LANES);
      p.weight[k] = load(t->weight + (b * TAPS + k) * LANES);
    }
    return p;
  }
  // The outputs of the block, from the vectors that hold its taps.
  template <int WINDOW>
  inline __attribute__((always_inline)) vf sum(const float* in, const Window<WINDOW>& w) const {
    vf sum = weight[0] * pick<WINDOW>(in, w, lane[0]);
#pragma GCC unroll 4
    for (int k = 1; k < TAPS; ++k) sum += weight[k] * pick<WINDOW>(in, w, lane[k]);
    return sum;
  }
  inline __attribute__((always_inline)) vf sum(vf v) const { return sum<1>(nullptr, Window<1>{{v}}); }
};

// The block whose pattern block b has: in a run one of the first ones.
UPS_INLINE int64_t pattern_of(const PreparedTaps* t, int64_t b) {
  return b < t->run || b >= t->run_end ? b : t->run + (b - t->run) % t->period;
}

template <int TAPS, int WINDOW>
UPS_INLINE vf block_of(const float* in, const Pattern<TAPS>& pattern) {
  return pattern.template sum<WINDOW>(in, Window<WINDOW>::at(in));
}

template <int TAPS, int WINDOW>
UPS_INLINE vf block_at(const float* in, const PreparedTaps* t, int64_t b) {
  if constexpr (TAPS > 0) return block_of<TAPS, WINDOW>(in + t->base[b], Pattern<TAPS>::at(t, b));
  const float* from = in + t->base[b];
  const int32_t* lane = t->lane + b * t->taps * LANES;
  const float* weight = t->weight + b * t->taps * LANES;
  const auto vectors = Window<WINDOW>::at(from);
  vf sum = load(weight) * pick<WINDOW>(from, vectors, load(lane));
  for (int64_t k = 1; k < t->taps; ++k) {
    const vf w = load(weight + k * LANES);
    const vf more = sum + w * pick<WINDOW>(from, vectors, load(lane + k * LANES));
    sum = t->masked ? (w != splat(0.0f) ? more : sum) : more;
  }
  return sum;
}

UPS_INLINE Blocks blocks_of(const PreparedTaps* t, int64_t first, int64_t end) {
  Blocks k;
  k.first = first;
  k.rest = end * LANES > t->n ? t->n % LANES : 0;
  k.whole = end - (k.rest > 0);
  k.run = k.run_end = k.whole;
  if (t->run_end > t->run) {
    k.run = t->run < first ? first : t->run > k.whole ? k.whole : t->run;
    k.run_end = t->run_end < k.run ? k.run : t->run_end > k.whole ? k.whole : t->run_end;
  }
  return k;
}

// The blocks of a run that are `period` apart: what is alike stays in registers.
template <int TAPS, int WINDOW>
UPS_INLINE void across_run(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                           const PreparedTaps* t, int64_t b, int64_t end, int64_t period) {
  const auto pattern = Pattern<TAPS>::at(t, pattern_of(t, b));
  const int64_t step = t->run_step, apart = period * LANES, n = (end - b + period - 1) / period;
  in += t->base[b];
  out += b * LANES;
  for (int64_t r = 0; r < count; ++r, in += in_stride, out += out_stride) {
    if (n < 4) {
      for (int64_t i = 0; i < n; ++i) store(out + i * apart, block_of<TAPS, WINDOW>(in + i * step, pattern));
      continue;
    }
    // The last four reach back over blocks that are already there.
    for (int64_t i = 0; i < n; i += 4) {
      if (i + 4 > n) i = n - 4;
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        store(out + (i + j) * apart, block_of<TAPS, WINDOW>(in + (i + j) * step, pattern));
    }
  }
}

template <int TAPS, int WINDOW>
UPS_INLINE void across_blocks(float* out, int64_t out_stride, const float* in, int64_t in_stride,
                              int64_t count, const PreparedTaps* t, const Blocks& k) {
  out -= k.first * LANES;
  const auto singly = [&](int64_t from, int64_t to) __attribute__((always_inline)) {
    if (from + 1 == to && count == 1)  // the usual case, without loops
      return store(out + from * LANES, block_at<TAPS, WINDOW>(in, t, from));
    for (int64_t b = from; b < to; ++b) {
      float* to_row = out + b * LANES;
      if constexpr (TAPS > 0) {
        const auto pattern = Pattern<TAPS>::at(t, b);
        const float* row = in + t->base[b];
        for (int64_t r = 0; r < count; ++r, to_row += out_stride, row += in_stride)
          store(to_row, block_of<TAPS, WINDOW>(row, pattern));
      } else {
        for (int64_t r = 0; r < count; ++r)
          store(to_row + r * out_stride, block_at<TAPS, WINDOW>(in + r * in_stride, t, b));
      }
    }
  };
  singly(k.first, k.run);
  if constexpr (TAPS > 0 && WINDOW > 0) {
    if (t->period == 1) {
      if (k.run < k.run_end)
        across_run<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, k.run, k.run_end, 1);
    } else {
      for (int64_t p = 0; k.run + p < k.run_end && p < t->period; ++p)
        across_run<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, k.run + p, k.run_end, t->period);
    }
  } else {
    singly(k.run, k.run_end);
  }
  singly(k.run_end, k.whole);
  for (int64_t r = 0; r < count && k.rest > 0; ++r) {
    const vf v = block_at<TAPS, WINDOW>(in + r * in_stride, t, k.whole);
    for (int64_t i = 0; i < k.rest; ++i) out[r * out_stride + k.whole * LANES + i] = v[i];
  }
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
