// Resize and compare, only the wanted masks and only inside their boxes.
#include "ops/interpolate-threshold.h"

#include <algorithm>
#include <cstring>

#include "ops/levels.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

template <class T>
Status masks(const InterpolateThresholdArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows();
  const int64_t row_bytes = a.bits ? (width + 7) / 8 : width;
  const int64_t deep = std::max<int64_t>(1, 64 * 1024 / width), bands = (rows + deep - 1) / deep;
  parallel_for(context, a.planes * bands, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / bands, r0 = block % bands * deep, r1 = std::min(r0 + deep, rows);
      const int32_t* box = a.boxes + 4 * plane;
      uint8_t* out = a.out + plane * rows * row_bytes;
      const int64_t first = std::max<int64_t>(r0, box[0]), last = std::min<int64_t>(r1, box[2]);
      const bool whole = box[1] == 0 && box[3] == width && first == r0 && last == r1;
      if (!whole) std::memset(out + r0 * row_bytes, 0, static_cast<size_t>((r1 - r0) * row_bytes));
      if (first >= last || box[1] >= box[3]) continue;
      ScratchFrame frame;
      // Bits are made by whole bytes: the columns before the box are computed and cleared again.
      const int64_t x0 = a.bits ? box[1] / 8 * 8 : box[1];
      ResizedRows<T> resized(a.in, &frame, x0, box[3], true);
      T* values = frame.take<T>(resized.length());
      for (int64_t r = first; r < last; ++r) {
        resized.row(a.source[plane], r, values);
        uint8_t* to = out + r * row_bytes;
        if (!a.bits) {
          levels<T>().above(to + x0, values, a.threshold, box[3] - x0);
          continue;
        }
        levels<T>().above_bits(to + x0 / 8, values, a.threshold, box[3] - x0);
        to[x0 / 8] = static_cast<uint8_t>(to[x0 / 8] & (0xff >> (box[1] - x0)));
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate_threshold(const InterpolateThresholdArgs& a, const Context& context) {
  return a.in.type == F64 ? masks<double>(a, context) : masks<float>(a, context);
}

}  // namespace upsampling
