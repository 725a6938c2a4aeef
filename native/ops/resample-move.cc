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
// Bytes of a row that is made before it is streamed: a part of the first-level cache.
constexpr int64_t kStreamedRow = 16 * 1024;

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
  const bool copies_row = is_identity(x);
  const auto repeat = !word           ? nullptr
                      : repeats(x, 2) ? k.repeat[size][0]
                      : repeats(x, 4) ? k.repeat[size][1]
                                      : nullptr;
  // A source row that is shorter and as fast to spread again is read instead of its first copy.
  const bool rewrites = in_row < out_row && (pixel >= 64 || (repeat != nullptr && pixel >= 4));
  // What a large input and output leave of the last level is little. Short rows are not worth the ends, long
  // ones would be written to the second level first.
  const int64_t in_bytes = a.outer * rows.in * in_row, out_bytes = a.outer * rows.out * out_row;
  const bool cached = in_bytes + out_bytes <= last_level_cache() / 4 * 3;
  // Streams are of words of four bytes.
  const bool words = out_row % 4 == 0 && reinterpret_cast<uintptr_t>(a.out) % 4 == 0;
  const bool stream =
      out_row >= 512 && out_row <= kStreamedRow && words && !cached && !is_untouched(a.out, out_bytes);
  // The source row of every output row of a plane.
  ScratchFrame tables;
  int64_t* plane_rows = tables.take<int64_t>(rows.out);
  float weight;
  for (int64_t r = 0; r < rows.out; ++r) {
    RowTaps<float> taps{0, plane_rows + r, &weight};
    rows.taps_of(r, &taps);
  }
  const int64_t grain = std::max<int64_t>(1, kRangeBytes / std::max<int64_t>(out_row, 1));
  const int64_t at_once = rewrites ? 1 : std::max<int64_t>(1, kCopyBytes / std::max<int64_t>(out_row, 1));
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
    char* staged = frame.take<char>(stream ? out_row : 0);
    int64_t plane = begin / rows.out, row = begin % rows.out;
    char* to = out + begin * out_row;
    for (int64_t left = end - begin; left > 0;) {
      // Output rows that are alike: one after the other, which caches take faster than side by side.
      const int64_t source = plane_rows[row], most = std::min(left, rows.out - row);
      int64_t copies = 1;
      while (copies < most && plane_rows[row + copies] == source) ++copies;
      const char* from = in + (plane * rows.in + source) * in_row;
      const auto write = [&](char* row) {
        if (repeat != nullptr)
          repeat(row, from, x.in_size, 1, 1);
        else if (copies_row)
          std::memcpy(row, from, static_cast<size_t>(out_row));
        else if (word)
          k.gather[size](row, from, x.index, x.out_size);
        else
          k.spread(row, from, x.index, x.out_size, pixel, cached);
      };
      write(stream ? staged : to);
      for (int64_t c = 0; stream && c < copies; ++c)
        kernels().resample.stream_row(reinterpret_cast<float*>(to + c * out_row),
                                      reinterpret_cast<const float*>(staged), out_row / 4, &streamed);
      for (int64_t c = 1, n = 1; !stream && c < copies; c += n) {
        if (at_once > 1) n = std::min(c, std::min(copies - c, at_once));
        if (rewrites)
          write(to + c * out_row);
        else
          std::memcpy(to + c * out_row, to, static_cast<size_t>(n * out_row));
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
