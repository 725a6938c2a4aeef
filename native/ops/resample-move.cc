// Resizes in which every output is one input: rows are spread once and copied while they are hot.
#include <algorithm>
#include <cstring>

#include "kernels/table.h"
#include "ops/resample-rows.h"
#include "runtime/cache.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Bytes to move in one range.
constexpr int64_t kRangeBytes = 512 * 1024;
// Bytes that are copied again and again at a time.
constexpr int64_t kCopyBytes = 1024;
// Bytes of a row that are made before they are streamed: a part of the first-level cache.
constexpr int64_t kStreamedBytes = 4 * 1024;
// A source row that is longer leaves the first-level cache before it is read again: then all copies of a part
// of it are written before the next part. Nearest 2x of 128x128x64 takes 0.28 ms rather than 0.30.
constexpr int64_t kNearBytes = 16 * 1024;
constexpr int64_t kPartBytes = 8 * 1024;

// Whether an axis repeats each input `factor` times.
bool repeats(const AxisTable& x, int64_t factor) {
  if (x.out_size != factor * x.in_size) return false;
  for (int64_t o = 0; o < x.out_size; ++o)
    if (x.index[o] != o / factor) return false;
  return true;
}

}  // namespace

Status move_rows(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t pixel = a.inner * bytes_of(a.type);
  const int64_t in_row = x.in_size * pixel, out_row = x.out_size * pixel;
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const MoveKernels& k = kernels().move;
  const bool word = pixel == 1 || pixel == 2 || pixel == 4 || pixel == 8;
  const int size = pixel == 1 ? 0 : pixel == 2 ? 1 : pixel == 4 ? 2 : 3;
  if (std::all_of(a.axes, a.axes + a.axis_count, is_identity)) {
    const int64_t bytes = a.outer * rows.in * in_row;
    parallel_for(context, bytes, kRangeBytes, [&](int64_t begin, int64_t end) {
      std::memcpy(out + begin, in + begin, static_cast<size_t>(end - begin));
    });
    return context.cancelled() ? CANCELLED : OK;
  }
  const bool copies_row = is_identity(x), rising = std::is_sorted(x.index, x.index + x.out_size);
  const int64_t factor = repeats(x, 2) ? 2 : 4;
  const auto repeat = word && repeats(x, factor) ? k.repeat[size][factor / 4] : nullptr;
  // A source row that is shorter and as fast to spread again is read instead of its first copy.
  const bool rewrites = in_row < out_row && (pixel >= 64 || (repeat != nullptr && pixel >= 4));
  // What a large input and output leave of the last level is little: the rest of the output is streamed.
  // Short rows are not worth the ends, long pixels would not fit their place. 2x of 100x152x128 takes 0.69
  // ms, with all of it streamed 0.80, by way of the caches 0.80.
  const int64_t in_bytes = a.outer * rows.in * in_row, out_bytes = a.outer * rows.out * out_row;
  const int64_t kept = last_level_cache() / 4;
  // Streams are of words of four bytes.
  const bool words = out_row % 4 == 0 && reinterpret_cast<uintptr_t>(a.out) % 4 == 0;
  const bool stream = out_row >= 512 && pixel <= kStreamedBytes && words &&
                      exceeds_caches(in_bytes + out_bytes) && !is_untouched(a.out, out_bytes);
  // Pixels of a part, as many as repeat alike and fill words.
  const int64_t alike_pixels = !word && pixel % 4 == 0 ? 1 : 4;
  const auto pixels_of = [&](int64_t bytes) {
    return std::max<int64_t>(1, bytes / pixel / alike_pixels) * alike_pixels;
  };
  const int64_t streamed_part = pixels_of(kStreamedBytes);
  const int64_t part = repeat != nullptr || in_row <= kNearBytes ? x.out_size : pixels_of(kPartBytes);
  // The source row of every output row of a plane.
  ScratchFrame tables;
  int64_t* plane_rows = tables.take<int64_t>(rows.out);
  float weight;
  for (int64_t r = 0; r < rows.out; ++r) {
    RowTaps<float> taps{0, plane_rows + r, &weight};
    rows.taps_of(r, &taps);
  }
  const int64_t grain = std::max<int64_t>(1, kRangeBytes / std::max<int64_t>(out_row, 1));
  const int64_t at_once = std::max<int64_t>(1, kCopyBytes / std::max<int64_t>(out_row, 1));
  // As many copies of every row: planes are nothing but their rows.
  const int64_t times = rows.out / rows.in;
  bool alike = repeat != nullptr && rewrites && !stream && times * rows.in == rows.out;
  for (int64_t source = 0; source < rows.in && alike; ++source)
    for (int64_t c = 0; c < times; ++c) alike = alike && plane_rows[source * times + c] == source;
  if (alike) {
    parallel_for(context, a.outer * rows.in, std::max<int64_t>(1, grain / times),
                 [&](int64_t begin, int64_t end) {
                   repeat(out + begin * times * out_row, in + begin * in_row, x.in_size, end - begin, times);
                 });
    return context.cancelled() ? CANCELLED : OK;
  }
  parallel_for(context, a.outer * rows.out, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowStream streamed;
    char* staged = frame.take<char>(stream ? std::min(out_row, 2 * streamed_part * pixel) : 0);
    int64_t plane = begin / rows.out, row = begin % rows.out;
    char* to = out + begin * out_row;
    for (int64_t left = end - begin; left > 0;) {
      // Output rows that are alike: one after the other, which caches take faster than side by side.
      const int64_t source = plane_rows[row], most = std::min(left, rows.out - row);
      int64_t copies = 1;
      while (copies < most && plane_rows[row + copies] == source) ++copies;
      const char* from = in + (plane * rows.in + source) * in_row;
      // Pixels from `first` to `last` of a row.
      const auto write = [&](char* row, int64_t first, int64_t last) {
        if (repeat != nullptr)
          repeat(row, from + first / factor * pixel, (last - first) / factor, 1, 1);
        else if (copies_row)
          std::memcpy(row, from + first * pixel, static_cast<size_t>((last - first) * pixel));
        else if (word)
          k.gather[size](row, from, x.index + first, last - first, rising ? x.in_size : 0);
        else
          k.spread(row, from, x.index + first, last - first, pixel);
      };
      if (stream && to - out >= kept) {
        for (int64_t c = 0; c < copies; ++c)
          for (int64_t first = 0, last; first < x.out_size; first = last) {
            // The last part is not a short one.
            last = first + 2 * streamed_part > x.out_size ? x.out_size : first + streamed_part;
            const bool whole = last - first == x.out_size;
            if (c == 0 || !whole) write(staged, first, last);
            kernels().resample.stream_row(reinterpret_cast<float*>(to + c * out_row + first * pixel),
                                          reinterpret_cast<const float*>(staged), (last - first) * pixel / 4,
                                          &streamed);
          }
      } else if (rewrites) {
        for (int64_t first = 0; first < x.out_size; first += part)
          for (int64_t c = 0; c < copies; ++c)
            write(to + c * out_row + first * pixel, first, std::min(first + part, x.out_size));
      } else {
        write(to, 0, x.out_size);
        for (int64_t c = 1, n = 1; c < copies; c += n) {
          n = std::min(c, std::min(copies - c, at_once));
          std::memcpy(to + c * out_row, to, static_cast<size_t>(n * out_row));
        }
      }
      to += copies * out_row;
      left -= copies;
      row += copies;
      if (row == rows.out) {
        row = 0;
        ++plane;
      }
    }
    if (stream) kernels().resample.flush(reinterpret_cast<float*>(to), &streamed);
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
