// Resize and map a range of values to levels. A range that the output decides is found by a first pass that
// stores nothing.
#include "ops/interpolate-quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/levels.h"
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

double element(const void* in, int type, int64_t i) {
  if (type == F64) return static_cast<const double*>(in)[i];
  float v;
  if (type == F32) return static_cast<const float*>(in)[i];
  kernels().widen[type](&v, static_cast<const char*>(in) + i * bytes_of(type), 1);
  return v;
}

// The value at a fraction of the way through the sorted list, between two elements in proportion
// (numpy.percentile).
double percentile(std::vector<double>* list, double percent) {
  const double at = percent / 100 * static_cast<double>(list->size() - 1);
  const auto below = static_cast<int64_t>(std::floor(at));
  std::nth_element(list->begin(), list->begin() + below, list->end());
  const double low = (*list)[static_cast<size_t>(below)], t = at - static_cast<double>(below);
  if (t == 0) return low;
  const double high = *std::min_element(list->begin() + below + 1, list->end());
  return low + (high - low) * t;
}

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
    parallel_for(context, a.in.batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        std::vector<double> list;
        list.reserve(static_cast<size_t>(n));
        for (int64_t i = 0; i < n; ++i) {
          const double v = element(a.in.in, a.in.type, image * n + i);
          if (std::isfinite(v)) list.push_back(v);
        }
        out[static_cast<size_t>(image)] =
            list.empty() ? Interval{0, 0} : Interval{percentile(&list, a.low), percentile(&list, a.high)};
      }
    });
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
