// Weaves the rows of bw channels into each row of the large image, or splits each pixel into a block of
// pixels.
#include "ops/pixel-shuffle.h"

#include <algorithm>

#include "ops/pixel-blocks.h"
#include "runtime/cache.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// A range is a number of groups: bh rows of one channel of the large image.
void planar(const BlockArgs& a, const Context& context) {
  const int64_t size = bytes_of(a.type), row = a.width * size, large_row = row * a.bw, count = a.bh * a.bw;
  const auto interleave = kernels().interleave.interleave_sets[size_class(size)];
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const int64_t groups = a.batch * a.channels * a.height;
  const auto* in_end = in + groups * count * row;
  const int64_t grain = kBlockBytes / std::max<int64_t>(large_row * a.bh, 1);
  // What the last level cannot keep goes past it: 4x4096x4096 take 31 ms rather than 36.
  const int64_t bytes = groups * count * row, group = large_row * a.bh;
  const bool stream = exceeds_caches(2 * bytes) && large_row >= 512 && group <= kBlockBytes &&
                      group % 4 == 0 && reinterpret_cast<uintptr_t>(a.out) % 4 == 0 &&
                      !is_untouched(a.out, bytes);
  parallel_for(context, groups, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    const void** rows = frame.take<const void*>(count);
    char* staged = frame.take<char>(stream ? group : 0);
    RowStream streamed;
    for (int64_t g = begin; g < end;) {
      const int64_t y = g % a.height, c = g / a.height % a.channels, n = g / a.height / a.channels;
      const int64_t here = std::min(a.height - y, end - g);
      for (int64_t block = 0; block < count; ++block) {
        const int64_t channel = a.dcr ? block * a.channels + c : c * count + block;
        rows[block] = in + ((n * a.channels * count + channel) * a.height + y) * row;
      }
      if (stream) {
        for (int64_t i = 0; i < here; ++i) {
          interleave(staged, rows, a.bw, a.width, a.bh, 1, staged + group, in_end);
          for (int64_t block = 0; block < count; ++block)
            rows[block] = static_cast<const char*>(rows[block]) + row;
          kernels().resample.stream_row(reinterpret_cast<float*>(out + (g + i) * group),
                                        reinterpret_cast<const float*>(staged), group / 4, &streamed);
        }
      } else {
        interleave(out + g * group, rows, a.bw, a.width, a.bh, here, out + end * group, in_end);
      }
      g += here;
    }
    if (stream) kernels().resample.flush(reinterpret_cast<float*>(out + end * group), &streamed);
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
  const PixelOrder order(a, true, &shared);
  parallel_for(context, a.batch * a.height, s.grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    char* permuted = frame.take<char>(order.permutes() ? s.step * s.small : 0);
    void** parts = frame.take<void*>(count);
    // The pixels of a row of the small image.
    const auto move = [&](const char* from, int64_t y, int64_t x, int64_t n) {
      char* to = out + y * a.bh * s.large_row + x * s.run;
      if (!order.permutes() && !order.same()) {
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t p = 0; p < count; ++p)
            parts[p] = to + p / a.bw * s.large_row + i * s.run + p % a.bw * s.pixel;
          k.deinterleave[size_class(size)](parts, from + i * s.small, count, a.channels);
        }
      } else if (is_element(s.run)) {
        for (int64_t i = 0; i < a.bh; ++i) parts[i] = to + i * s.large_row;
        k.deinterleave[size_class(s.run)](parts, from, a.bh, n);
      } else {
        k.copy_runs(to, from, s.run, n, a.bh, s.run, s.large_row, s.small, s.run);
      }
    };
    const int64_t stop = end * a.width;
    for (int64_t first = begin * a.width; first < stop; first += s.step) {
      const int64_t n = std::min(s.step, stop - first);
      const char* from = in + first * s.small;
      if (order.permutes()) {
        order.permute(permuted, from, n);
        from = permuted;
      }
      each_row(first, n, a.width, [&](int64_t y, int64_t x, int64_t here, int64_t done) {
        move(from + done * s.small, y, x, here);
      });
    }
  });
}

}  // namespace

Status pixel_shuffle(const BlockArgs& a, const Context& context) {
  if (a.nhwc)
    channels_last(a, context);
  else
    planar(a, context);
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
