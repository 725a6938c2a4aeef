// Which form a resize takes, and what lies outside of a region of interest. The forms: resample-rows.h.
#include "ops/interpolate.h"

#include <algorithm>
#include <cstring>

#include "kernels/table.h"
#include "ops/plane-means.h"
#include "ops/resample-groups.h"
#include "ops/resample-order.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Elements of planes that are resized side by side, and of those with fewer rows than kManyRows: bicubic 30x7
// to 60x14 of 64 planes takes 29 us rather than 51, bilinear 64x4 to 128x8 of 256 would take 117 rather
// than 92. All inputs are turned, so there are not many more of them than outputs: 16x28 to 4x7 of 512 takes
// 45 us, and would take 60.
constexpr int64_t kTinyPlane = 256, kSmallPlane = 1024;
// Elements of resampled rows for which to prepare anything takes longer than to compute them.
constexpr int64_t kFewElements = 384;
// Short rows for which a table of several at once is worth it.
constexpr int64_t kManyRows = 64;

// Whether the axis becomes one pixel, of all of its own.
bool sums_all(const AxisTable& x) {
  if (x.out_size != 1 || x.count[0] != x.in_size) return false;
  for (int64_t k = 0; k < x.in_size; ++k)
    if (x.index[k] != k) return false;
  return true;
}

Status weighted(const InterpolateArgs& a, const Context& context) {
  if (halves_bytes(a)) return halve_bytes(a, context);
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const bool down_first =
      blends_down_first(rows.in, rows.out, rows.taps, x.in_size * a.inner, x.out_size * a.inner, x.taps);
  if (a.type != F64 && computes_in_double(a.type)) return across_then_down_anyhow<double>(a, rows, context);
  if (a.type == F64 && sums_four(a, down_first)) return sum_four(a, down_first, context);
  if (a.type == F64)
    return down_first ? down_then_across_double(a, rows, context)
                      : across_then_down_anyhow<double>(a, rows, context);
  if (rows.count > 1)
    return down_first ? down_then_across(a, rows, context) : across_then_down_anyhow<float>(a, rows, context);
  static const int32_t zero = 0, single = 1;
  static const float whole = 1;
  static const AxisTable row_alone = {1, 1, 1, &zero, &whole, &single};
  const AxisTable& y = rows.count == 1 ? a.axes[0] : row_alone;
  const int64_t out_row = x.out_size * a.inner;
  if (a.type == F32 && down_first && a.inner == 1 && sums_all(x) && sums_all(y))
    return means_of_planes(
        static_cast<float*>(a.out), static_cast<const float*>(a.in), a.outer,
        {y.in_size, x.in_size, static_cast<const float*>(y.weight), static_cast<const float*>(x.weight), 0},
        context);
  if (sums_four_listed(a, down_first)) return sum_four_listed(a, down_first, context);
  const int64_t inputs = y.in_size * x.in_size * a.inner, outputs = y.out_size * out_row;
  const int64_t most = y.in_size < kManyRows && inputs <= 8 * outputs ? kSmallPlane : kTinyPlane;
  if (a.outer >= kernels().lanes && out_row < kernels().lanes && std::max(inputs, outputs) <= most)
    return side_by_side(a, y, down_first, context);
  if (down_first) return down_then_across(a, rows, context);
  if (sums_four(a, false)) return sum_four(a, false, context);
  if (a.outer * y.in_size * out_row <= kFewElements && y.out_size <= kFewElements)
    return few_across_then_down(a, y);
  ScratchFrame tables;
  const Spans spans(y, &tables);
  if (!spans.few) return across_then_down_anyhow<float>(a, rows, context);
  if (a.type == F32 && out_row < kernels().lanes && y.in_size >= kManyRows && !is_identity(x))
    return short_rows_across_then_down(a, y, spans, context);
  return across_then_down(a, y, spans, context);
}

template <class T>
void encode(double value, void* element) {
  const T v = static_cast<T>(value);
  std::memcpy(element, &v, sizeof v);
}

void encode(int type, double value, void* element) {
  const float f = static_cast<float>(value), one = 1;
  const float* row = &f;
  switch (type) {
    case F64:
      return encode<double>(value, element);
    case F16:
      return kernels().blend[F16](element, &row, &one, 1, 1);
    case F32:
      return encode<float>(value, element);
    case I8:
      return encode<int8_t>(value, element);
    case U16:
      return encode<uint16_t>(value, element);
    case I16:
      return encode<int16_t>(value, element);
    case I32:
      return encode<int32_t>(value, element);
    case U32:
      return encode<uint32_t>(value, element);
    case I64:
      return encode<int64_t>(value, element);
    case U64:
      return encode<uint64_t>(value, element);
    default:
      return encode<uint8_t>(value, element);
  }
}

// Writes the extrapolation value over the rows and columns that are outside.
Status fill_outside(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int32_t* columns = a.outside[a.axis_count - 1];
  const int64_t size = bytes_of(a.type);
  char element[8];
  encode(a.type, a.extrapolation, element);
  auto* out = static_cast<char*>(a.out);
  const int64_t grain = std::max<int64_t>(1, 64 * 1024 / std::max<int64_t>(x.out_size, 1));
  parallel_for(context, a.outer * rows.out, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      bool whole = false;
      int64_t row = r % rows.out;
      for (int i = rows.count - 1; i >= 0; --i) {
        whole = whole || a.outside[i][row % a.axes[i].out_size] != 0;
        row /= a.axes[i].out_size;
      }
      for (int64_t o = 0; o < x.out_size; ++o) {
        if (!whole && columns[o] == 0) continue;
        char* to = out + (r * x.out_size + o) * a.inner * size;
        for (int64_t c = 0; c < a.inner; ++c) std::memcpy(to + c * size, element, static_cast<size_t>(size));
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate(const InterpolateArgs& a, const Context& context) {
  const Status status = a.moves ? move_rows(a, context) : weighted(a, context);
  return status == OK && a.extrapolates ? fill_outside(a, context) : status;
}

}  // namespace upsampling
