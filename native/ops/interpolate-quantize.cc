// Resize and map a range of values to levels. A range that the output decides is found by a first pass that
// stores nothing.
#include "ops/interpolate-quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/levels.h"
#include "ops/percentile.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

struct Interval {
  double low, high;
};

// Bands of rows of planes; body(image, plane, row, values) for each row.
template <class T>
struct Bands {
  const InterpolateQuantizeArgs& a;
  int64_t rows, length, deep, bands;
  explicit Bands(const InterpolateQuantizeArgs& args)
      : a(args),
        rows(a.in.out_rows()),
        length(a.in.columns().out_size * a.in.inner),
        deep(std::max<int64_t>(1, 64 * 1024 / length)),
        bands((rows + deep - 1) / deep) {}
  int64_t count() const { return a.in.batch * a.in.channels * bands; }
  template <class Body>
  void each_row(int64_t block, const Body& body) const {
    const int64_t plane = block / bands, r0 = block % bands * deep;
    ScratchFrame frame;
    ResizedRows<T> resized(a.in, &frame, 0, a.in.columns().out_size);
    T* values = frame.take<T>(length);
    for (int64_t r = r0; r < std::min(r0 + deep, rows); ++r) {
      resized.row(plane, r, values);
      body(plane, r, values);
    }
  }
};

template <class T>
std::vector<Interval> ranges(const InterpolateQuantizeArgs& a, const Bands<T>& bands,
                             const Context& context) {
  std::vector<Interval> out(static_cast<size_t>(a.in.batch), Interval{a.low, a.high});
  if (a.range == InterpolateQuantizeArgs::MIN_MAX) {
    const double infinity = std::numeric_limits<double>::infinity();
    std::vector<Interval> each(static_cast<size_t>(bands.count()), Interval{infinity, -infinity});
    parallel_for(context, bands.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        double range[2] = {infinity, -infinity};
        bands.each_row(block, [&](int64_t, int64_t, const T* values) {
          levels<T>().min_max(range, values, bands.length);
        });
        each[static_cast<size_t>(block)] = {range[0], range[1]};
      }
    });
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t per_image = each.size() / out.size();
      out[i] = {infinity, -infinity};
      for (size_t b = i * per_image; b < (i + 1) * per_image; ++b)
        out[i] = {std::min(out[i].low, each[b].low), std::max(out[i].high, each[b].high)};
    }
  }
  if (a.range == InterpolateQuantizeArgs::PERCENTILE) {
    const int64_t n = a.in.channels * a.in.in_rows() * a.in.columns().in_size * a.in.inner;
    for (int64_t image = 0; image < a.in.batch; ++image) {
      const void* from = static_cast<const char*>(a.in.in) + image * n * bytes_of(a.in.type);
      const Percentiles p = percentiles(from, a.in.type, n, a.low, a.high, context);
      out[static_cast<size_t>(image)] = {p.low, p.high};
    }
  }
  return out;
}

template <class T>
Status quantize(const InterpolateQuantizeArgs& a, const Context& context) {
  const Bands<T> bands(a);
  const std::vector<Interval> range = ranges<T>(a, bands, context);
  const double top = a.bytes == 1 ? 255 : 65535;
  parallel_for(context, bands.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block)
      bands.each_row(block, [&](int64_t plane, int64_t r, const T* values) {
        const Interval i = range[static_cast<size_t>(plane / a.in.channels)];
        // Nothing to spread: all is level 0.
        const double scale = i.high > i.low ? top / (i.high - i.low) : 0, low = i.high > i.low ? i.low : 0;
        const int64_t at = (plane * bands.rows + r) * bands.length;
        if (a.bytes == 1)
          levels<T>().to_uint8(static_cast<uint8_t*>(a.out) + at, values, low, scale, bands.length);
        else
          levels<T>().to_uint16(static_cast<uint16_t*>(a.out) + at, values, low, scale, bands.length);
      });
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status interpolate_quantize(const InterpolateQuantizeArgs& a, const Context& context) {
  return a.in.type == F64 ? quantize<double>(a, context) : quantize<float>(a, context);
}

}  // namespace upsampling
