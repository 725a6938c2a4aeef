// The taps of a row laid out for vectors.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/resample.h"
#include "runtime/isa.h"
#include "runtime/scratch.h"

namespace upsampling {

// The first block is at the border; from the second one on the pattern may go on to the other border.
inline void find_run(PreparedTaps* taps, int64_t period) {
  const int64_t words = taps->taps * kernels().lanes;
  if (taps->blocks < 2 * period + 2) return;
  const auto same = [&](int64_t a, int64_t b) {
    return std::memcmp(taps->lane + a * words, taps->lane + b * words, sizeof(int32_t) * words) == 0 &&
           std::memcmp(taps->weight + a * words, taps->weight + b * words, sizeof(float) * words) == 0;
  };
  const int64_t step = taps->base[1 + period] - taps->base[1];
  int64_t b = 1 + period;
  while (b < taps->blocks && taps->base[b] - taps->base[b - period] == step && same(b, b - period)) ++b;
  if (b < 2 * period + 1) return;
  taps->run = 1;
  taps->run_end = b;
  taps->period = period;
  taps->run_step = step;
}

// For fewer elements a pixel than a vector has. Rows shorter than window · lanes are read beyond their end.
inline PreparedTaps prepared_taps(const AxisTable& x, int64_t inner, ScratchFrame* frame) {
  const int64_t lanes = kernels().lanes, n = x.out_size * inner, blocks = (n + lanes - 1) / lanes,
                taps = x.taps;
  auto* base = frame->take<int32_t>(blocks);
  auto* lane = frame->take<int32_t>(blocks * taps * lanes);
  auto* weight = frame->take<float>(blocks * taps * lanes);
  const auto* weights = static_cast<const float*>(x.weight);
  constexpr int64_t kMostPeriod = 8;
  int64_t reach = 0, o = 0, c = 0;  // the element at hand is c of pixel o
  bool masked = false;
  for (int64_t b = 0; b < blocks; ++b) {
    int64_t low = INT64_MAX, high = 0;
    for (int64_t l = 0; l < lanes; ++l) {
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
  }
  // Permutes of vectors of 4 would be done element by element.
  const int window = lanes == 4 ? 0 : reach <= lanes ? 1 : reach <= 2 * lanes ? 2 : 0;
  const int64_t last = std::max<int64_t>(0, x.in_size * inner - window * lanes);
  for (int64_t b = 0; b < blocks; ++b) {
    base[b] = window == 0 ? 0 : static_cast<int32_t>(std::min<int64_t>(base[b], last));
    for (int64_t i = 0; i < taps * lanes; ++i) lane[b * taps * lanes + i] -= base[b];
  }
  PreparedTaps prepared = {n, taps, blocks, window, masked, base, lane, weight, 0, 0, 0, 0};
  for (int64_t period = 1; period <= kMostPeriod && prepared.run_end == 0; ++period)
    find_run(&prepared, period);
  return prepared;
}

}  // namespace upsampling
