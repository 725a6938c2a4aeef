// Resizes across first, then down: a source row is resampled across once and kept while the output rows that
// need it are blended from it.
#include "ops/resample-across.h"

#include <algorithm>

#include "kernels/table.h"
#include "ops/resample-rows.h"
#include "runtime/cache.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Resampled rows that are kept: few, so that reading and writing alternate.
constexpr int64_t kRingBytes = 4 * 1024;
// The same where rows are longer.
constexpr int64_t kLongRingBytes = 16 * 1024;
// What fits the second-level cache.
constexpr int64_t kSecondLevel = 1024 * 1024;
// Two source rows that stay in the second-level cache while pixels are blended from them.
constexpr int64_t kAtOnceBytes = 512 * 1024;
// Results from which on pixels that are blended at once are streamed: the caches take more than they gain
// by streams of what is little larger than they. With 32 MB of them 2x of 32x32x32x64, 32 MB, took 0.96 ms at
// one thread and 0.53 at two rather than 1.2 and 0.95, but 4x of 128x128x150 5.9 rather than 4.6; with those
// of many cores 2x of 8x128x128x64 takes 9.7 ms rather than 11.6.
constexpr int64_t kStreamedPixels = int64_t{64} * 1024 * 1024;
// Rows that are only resampled across, at a time.
constexpr int64_t kStraightRows = 8;

int64_t power_of_two(int64_t least) {
  int64_t p = 1;
  while (p < least) p *= 2;
  return p;
}

}  // namespace

// A ring of resampled rows stays in the cache while the output rows between them are blended.
Status across_then_down(const InterpolateArgs& a, const AxisTable& y, const Spans& spans,
                        const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const KernelTable& k = kernels();
  ScratchFrame tables;
  const Across across(x, a.inner, a.type, &tables);
  auto* out = static_cast<char*>(a.out);
  const int64_t size = bytes_of(a.type);
  const bool copies_down = is_identity(y);
  // Rows can be read where they are.
  const bool in_place = across.identity() && a.type == F32;
  const bool straight = copies_down && a.type == F32;
  const bool even = is_even(y);
  // Short rows are not worth the ends of streams.
  const int64_t in_bytes = a.outer * y.in_size * in_row * size,
                out_bytes = a.outer * y.out_size * out_row * size;
  const bool cached = !exceeds_caches(in_bytes + out_bytes);
  // From memory, narrower vectors are faster with rows that are streamed (1.12 ms rather than 1.17 for 2x of
  // 32x32x32x64; what stays in the cache takes 0.38 ms rather than 0.51).
  const bool pairs = (k.lanes == 16 || (k.lanes == 8 && cached)) && a.type == F32 && a.inner >= k.lanes &&
                     x.taps == 2 && is_even(x) && y.taps == 2 && even && 2 * in_row * size <= kAtOnceBytes;
  bool stream = a.type == F32 && !straight && out_row >= 128 && !cached && !is_untouched(a.out, out_bytes);
  if (pairs) stream = stream && out_bytes >= kStreamedPixels;
  // Strips that are short enough for the rows between them and their output to stay in the cache. Rows that
  // are streamed wait for memory anyway, and have to adjoin.
  int64_t slots = copies_down ? 1 : power_of_two(spans.most + (across.patterned() ? 0 : 3));
  const int64_t unit = across.unit(), most = std::max<int64_t>(kLongRingBytes / 4 / slots, 512);
  const int64_t width =
      stream || pairs ? out_row : std::min(out_row, std::max<int64_t>(1, most / unit) * unit);
  const int64_t stride = (width + 15) / 16 * 16 + 16;
  while (slots < y.in_size && slots * 2 * stride * 4 <= kRingBytes) slots *= 2;
  const int64_t strips = (out_row + width - 1) / width;
  Strip* strip = tables.take<Strip>(strips);
  for (int64_t s = 0; s < strips; ++s) strip[s] = across.strip(s * width, (s + 1) * width);
  const int64_t all_rows = a.outer * y.out_size;
  const int64_t most_rows = std::max<int64_t>(
      {8, share(context, all_rows, 64), share(context, all_rows * out_row, kRangeElements) / out_row});
  const int64_t blocks = (y.out_size + most_rows - 1) / most_rows,
                height = (y.out_size + blocks - 1) / blocks;
  const int64_t grain = std::max<int64_t>(1, kRangeElements / (height * out_row));
  parallel_for(context, a.outer * blocks, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowStream streamed, *streaming = stream ? &streamed : nullptr;
    const int64_t staged_rows = straight ? kStraightRows : slots;
    float* staged = frame.take<float>(across.reads_in_place(0) ? 0 : across.staging(staged_rows));
    float* ring = frame.take<float>(in_place || straight || (pairs && !stream) ? 0 : slots * stride);
    const auto block_strip = [&](int64_t plane, int64_t first, int64_t last, const Strip& s) {
      char* to = out + ((plane * y.out_size + first) * out_row + s.first) * size;
      const int64_t n = s.end - s.first;
      for (int64_t r = first; straight && r < last; r += kStraightRows)
        across.rows(reinterpret_cast<float*>(to) + (r - first) * out_row, out_row, a.in,
                    plane * y.in_size + r, std::min(kStraightRows, last - r), staged, s);
      if (straight) return;
      const char* plane_in = static_cast<const char*>(a.in) + plane * y.in_size * in_row * size;
      if (in_place)
        return k.resample.down[F32](to, out_row, reinterpret_cast<const float*>(plane_in) + s.low, in_row, -1,
                                    &y, first, last, n, streaming);
      ResampleStrip both = across.leaf_strip(s);
      both.y = &y;
      both.low_row = spans.low;
      both.high_row = spans.high;
      both.ring = ring;
      both.slots = slots;
      both.stride = stride;
      both.at_once = pairs;
      both.two_rows = cached;
      both.near = in_bytes + out_bytes <= kSecondLevel;
      both.even = even;
      both.staged = across.reads_in_place((a.outer - 1 - plane) * y.in_size * in_row) ? nullptr : staged;
      k.resample.strip[a.type](to, out_row, plane_in, &both, first, last, streaming);
    };
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks, first = block % blocks * height;
      const int64_t last = std::min(first + height, y.out_size);
      for (int64_t s = 0; s < strips; ++s) block_strip(plane, first, last, strip[s]);
    }
    // Blocks adjoin too.
    const int64_t stop = std::min((end - 1) % blocks * height + height, y.out_size);
    if (stream)
      k.resample.flush(reinterpret_cast<float*>(out) + ((end - 1) / blocks * y.out_size + stop) * out_row,
                       streaming);
  });
  return context.cancelled() ? CANCELLED : OK;
}

// The same, of so little that strips and rings would take longer than the sums: a call on 4×4 to 8×8 takes
// 150 ns instead of 290, one on 8×8×3 810 instead of 970; on 16×16 it would take longer.
Status few_across_then_down(const InterpolateArgs& a, const AxisTable& y) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner, stride = (out_row + 31) & ~15;
  const int64_t size = bytes_of(a.type), in_plane = y.in_size * in_row;
  const KernelTable& k = kernels();
  ScratchFrame frame;
  float* rows = frame.take<float>(y.in_size * stride);
  float* widened = frame.take<float>(a.type == F32 ? 0 : in_plane);
  for (int64_t plane = 0; plane < a.outer; ++plane) {
    const char* from = static_cast<const char*>(a.in) + plane * in_plane * size;
    const auto* in = reinterpret_cast<const float*>(from);
    if (a.type != F32) {
      k.widen[a.type](widened, from, in_plane);
      in = widened;
    }
    for (int64_t r = 0; r < y.in_size; ++r) k.resample_row(rows + r * stride, in + r * in_row, &x, a.inner);
    char* to = static_cast<char*>(a.out) + plane * y.out_size * out_row * size;
    k.resample.down[a.type](to, out_row, rows, stride, -1, &y, 0, y.out_size, out_row, nullptr);
  }
  return OK;
}

}  // namespace upsampling
