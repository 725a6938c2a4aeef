// Unravels each row of the large image into the rows of bw channels, or each pixel block into a pixel.
#include "ops/pixel-unshuffle.h"

#include <algorithm>

#include "ops/pixel-blocks.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// A range is a number of groups: bh rows of one channel of the large image.
void planar(const BlockArgs& a, const Context& context) {
  const int64_t size = bytes_of(a.type), row = a.width * size, large_row = row * a.bw, count = a.bh * a.bw;
  const auto deinterleave = kernels().interleave.deinterleave_sets[size_class(size)];
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const int64_t groups = a.batch * a.channels * a.height;
  const auto* in_end = in + groups * count * row;
  const int64_t grain = kBlockBytes / std::max<int64_t>(large_row * a.bh, 1);
  parallel_for(context, groups, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    void** rows = frame.take<void*>(count);
    for (int64_t g = begin; g < end;) {
      const int64_t y = g % a.height, c = g / a.height % a.channels, n = g / a.height / a.channels;
      const int64_t here = std::min(a.height - y, end - g);
      for (int64_t block = 0; block < count; ++block) {
        const int64_t channel = a.dcr ? block * a.channels + c : c * count + block;
        rows[block] = out + ((n * a.channels * count + channel) * a.height + y) * row;
      }
      deinterleave(rows, in + g * a.bh * large_row, a.bw, a.width, a.bh, here, in_end);
      g += here;
    }
  });
}

// A range is a number of rows of the small image.
void channels_last(const BlockArgs& a, const Context& context) {
  const PixelSizes s(a);
  const int64_t size = bytes_of(a.type), count = a.bh * a.bw;
  const InterleaveKernels& k = kernels().interleave;
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  ScratchFrame shared;
  const PixelOrder order(a, false, &shared);
  parallel_for(context, a.batch * a.height, s.grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    char* permuted = frame.take<char>(order.permutes() ? s.step * s.small : 0);
    const void** parts = frame.take<const void*>(count);
    // The pixels of a row of the small image.
    const auto move = [&](char* to, int64_t y, int64_t x, int64_t n) {
      const char* from = in + y * a.bh * s.large_row + x * s.run;
      if (!order.permutes() && !order.same()) {
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t p = 0; p < count; ++p)
            parts[p] = from + p / a.bw * s.large_row + i * s.run + p % a.bw * s.pixel;
          k.interleave[size_class(size)](to + i * s.small, parts, count, a.channels);
        }
      } else if (is_element(s.run)) {
        for (int64_t i = 0; i < a.bh; ++i) parts[i] = from + i * s.large_row;
        k.interleave[size_class(s.run)](to, parts, a.bh, n);
      } else {
        k.copy_runs(to, from, s.run, n, a.bh, s.small, s.run, s.run, s.large_row);
      }
    };
    const int64_t stop = end * a.width;
    for (int64_t first = begin * a.width; first < stop; first += s.step) {
      const int64_t n = std::min(s.step, stop - first);
      char* const to = out + first * s.small;
      char* const joined = order.permutes() ? permuted : to;
      each_row(first, n, a.width, [&](int64_t y, int64_t x, int64_t here, int64_t done) {
        move(joined + done * s.small, y, x, here);
      });
      if (order.permutes()) order.permute(to, permuted, n);
    }
  });
}

}  // namespace

Status pixel_unshuffle(const BlockArgs& a, const Context& context) {
  if (a.nhwc)
    channels_last(a, context);
  else
    planar(a, context);
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
