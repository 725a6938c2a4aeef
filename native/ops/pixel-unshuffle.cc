// Unravels each row of the large image into the rows of bw channels, or each pixel block into a pixel.
#include "ops/pixel-unshuffle.h"

#include <algorithm>
#include <cstring>

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
  const int64_t size = bytes_of(a.type), pixel = a.channels * size, count = a.bh * a.bw;
  const int64_t large_row = a.width * a.bw * pixel, small_row = a.width * count * pixel;
  const auto interleave = kernels().interleave.interleave[size_class(size)];
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  parallel_for(context, a.batch * a.height, kBlockBytes / std::max<int64_t>(small_row, 1),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 const void** pixels = frame.take<const void*>(count);
                 for (int64_t r = begin; r < end; ++r)
                   for (int64_t x = 0; x < a.width; ++x) {
                     char* small = out + r * small_row + x * count * pixel;
                     const char* large = in + r * a.bh * large_row + x * a.bw * pixel;
                     if (a.dcr) {
                       for (int64_t i = 0; i < a.bh; ++i)
                         std::memcpy(small + i * a.bw * pixel, large + i * large_row,
                                     static_cast<size_t>(a.bw * pixel));
                     } else {
                       for (int64_t k = 0; k < count; ++k)
                         pixels[k] = large + k / a.bw * large_row + k % a.bw * pixel;
                       interleave(small, pixels, count, a.channels);
                     }
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
