// The taps of a row laid out for vectors.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/resample.h"
#include "runtime/isa.h"
#include "runtime/scratch.h"

namespace upsampling {

// How far pixels of an axis from `first` on have the taps of those `period` before them, `step` further on.
inline int64_t repeats_until(const AxisTable& x, int64_t first, int64_t period, int64_t step) {
  const auto* weight = static_cast<const float*>(x.weight);
  constexpr int64_t kChunk = 64;
  int64_t o = first + period;
  while (o < x.out_size) {
    const int64_t end = std::min(o + kChunk, x.out_size);
    int32_t differ = 0;
    for (int64_t i = o; i < end; ++i) differ |= x.count[i] ^ x.count[i - period];
    for (int64_t k = 0; k < x.taps; ++k) {
      const int32_t* index = x.index + k * x.out_size;
      for (int64_t i = o; i < end; ++i) differ |= index[i] - index[i - period] - static_cast<int32_t>(step);
      differ |= std::memcmp(weight + k * x.out_size + o, weight + k * x.out_size + o - period,
                            static_cast<size_t>(end - o) * sizeof(float));
    }
    if (differ != 0) return o;
    o = end;
  }
  return o;
}

// From block `first` on, blocks up to `end` repeat those `period` before them, `step` elements further on.
struct RepeatedBlocks {
  int64_t first, end, period, step;
};
// The first block is at the border; from the second one on the pattern may go on to the other border.
inline RepeatedBlocks find_repeated_blocks(const AxisTable& x, int64_t inner, int64_t lanes) {
  constexpr int64_t kMostPeriod = 8, kMostFirst = 3;
  for (int64_t first = 1; first <= kMostFirst; ++first) {
    const int64_t pixel = first * lanes / inner;
    for (int64_t period = 1; period <= kMostPeriod; ++period) {
      if (period * lanes % inner != 0) continue;
      const int64_t pixels = period * lanes / inner;
      if (pixel + 2 * pixels >= x.out_size) break;
      const int64_t step = x.index[pixel + pixels] - x.index[pixel];
      const int64_t end = repeats_until(x, pixel, pixels, step) * inner / lanes;
      if (end >= first + 2 * period) return {first, end, period, step * inner};
    }
  }
  return {0, 0, 0, 0};
}

// Vectors that taps are picked from at most.
inline constexpr int64_t kMostWindow = 4;

// Whether taps lie near enough to each other for that, wherever a block begins.
inline bool reaches_window(const AxisTable& x, int64_t inner) {
  const int64_t lanes = kernels().lanes, blocks = (x.out_size * inner + lanes - 1) / lanes;
  bool near = true;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = b * lanes / inner,
                  last = std::min((b + 1) * lanes - 1, x.out_size * inner - 1) / inner;
    int32_t low = x.index[first], high = low;
    for (int64_t o = first; o <= last; ++o)
      for (int64_t k = 0; k < x.taps; ++k) {
        low = std::min(low, x.index[k * x.out_size + o]);
        high = std::max(high, x.index[k * x.out_size + o]);
      }
    near = near && (high - low + 1) * inner <= kMostWindow * lanes;
  }
  return near;
}

// For fewer elements a pixel than a vector has. Rows shorter than window · lanes are read beyond their end.
inline PreparedTaps prepared_taps(const AxisTable& x, int64_t inner, ScratchFrame* frame) {
  const int64_t lanes = kernels().lanes, n = x.out_size * inner, blocks = (n + lanes - 1) / lanes,
                taps = x.taps;
  auto* base = frame->take<int32_t>(blocks);
  auto* lane = frame->take<int32_t>(blocks * taps * lanes);
  auto* weight = frame->take<float>(blocks * taps * lanes);
  const auto* weights = static_cast<const float*>(x.weight);
  int64_t reach = 0;
  bool masked = false;
  const auto prepare = [&](int64_t b) {
    int64_t low = INT64_MAX, high = 0, o = b * lanes / inner, c = b * lanes % inner;
    for (int64_t l = 0; l < lanes; ++l) {  // element c of pixel o
      for (int64_t k = 0; k < taps; ++k) {
        const bool there = k < x.count[o];
        masked = masked || !there;
        const int64_t at = x.index[(there ? k : 0) * x.out_size + o] * inner + c;
        lane[(b * taps + k) * lanes + l] = static_cast<int32_t>(at);
        weight[(b * taps + k) * lanes + l] = there ? weights[k * x.out_size + o] : 0.0f;
        low = std::min(low, at);
        high = std::max(high, at);
      }
      if (b * lanes + l + 1 < n && ++c == inner) {
        c = 0;
        ++o;
      }
    }
    base[b] = static_cast<int32_t>(low);
    reach = std::max(reach, high - low + 1);
  };
  // Permutes of vectors of 4 would be done element by element.
  RepeatedBlocks same{};
  if (lanes > 4 && (taps == 2 || taps == 4)) same = find_repeated_blocks(x, inner, lanes);
  for (int64_t b = 0; b < same.first + same.period; ++b) prepare(b);
  for (int64_t b = std::max(same.first + same.period, same.end); b < blocks; ++b) prepare(b);
  const int window =
      lanes == 4 || reach > kMostWindow * lanes ? 0 : static_cast<int>((reach + lanes - 1) / lanes);
  const int64_t last = std::max<int64_t>(0, x.in_size * inner - window * lanes);
  const auto relate = [&](int64_t b) {
    base[b] = window == 0 ? 0 : static_cast<int32_t>(std::min<int64_t>(base[b], last));
    for (int64_t i = 0; i < taps * lanes; ++i) lane[b * taps * lanes + i] -= base[b];
  };
  // Of blocks that repeat others only the base is needed, and all would be for few of them.
  int64_t run_end = same.first + same.period;
  if (window > 0 && !masked)
    for (; run_end < same.end && base[run_end - same.period] + same.step <= last; ++run_end)
      base[run_end] = static_cast<int32_t>(base[run_end - same.period] + same.step);
  for (int64_t b = run_end; b < same.end; ++b) prepare(b);
  for (int64_t b = 0; b < same.first + same.period; ++b) relate(b);
  for (int64_t b = run_end; b < blocks; ++b) relate(b);
  PreparedTaps prepared = {n, taps, blocks, window, masked, base, lane, weight, 0, 0, 0, 0};
  if (run_end > same.first + same.period) {
    prepared.run = same.first;
    prepared.run_end = run_end;
    prepared.period = same.period;
    prepared.run_step = same.step;
  }
  return prepared;
}

}  // namespace upsampling
