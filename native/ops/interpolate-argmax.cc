// Resize and argmax: for a tile of output pixels the classes stream by, and only the winners are kept.
#include "ops/interpolate-argmax.h"

#include <algorithm>
#include <limits>

#include "ops/winners.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

// From winners to the outputs, n pixels from `at` on.
template <class T>
void put(const InterpolateArgmaxArgs& a, const Winners<T>& w, int64_t at, int64_t n) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto background = static_cast<int32_t>(a.background);
  const bool softmax = a.score_kind == InterpolateArgmaxArgs::SOFTMAX;
  auto* scores = static_cast<T*>(a.scores);
  auto* margins = static_cast<T*>(a.margins);
  for (int64_t i = 0; i < n; ++i) {
    const bool none = w.index[i] < 0;
    if (margins != nullptr)
      margins[at + i] = none ? nan : w.second[i] == w.best[i] ? T(0) : w.best[i] - w.second[i];
    if (scores == nullptr && !a.has_threshold) {
      if (none) w.index[i] = background;
      continue;
    }
    const T score = none ? nan : softmax ? T(1) / w.sum[i] : w.best[i];
    if (scores != nullptr) scores[at + i] = score;
    if (none || (a.has_threshold && !(static_cast<double>(score) >= a.threshold))) w.index[i] = background;
  }
  const int kind = a.class_bytes == 1 ? 0 : a.class_bytes == 2 ? 1 : a.class_bytes == 4 ? 2 : 3;
  kernels().argmax.put_classes[kind](static_cast<char*>(a.classes) + at * a.class_bytes, w.index, n);
}

// Rows [r0, r1) and columns [x0, x1) of an image, whatever the mode and the values.
template <class T>
void reduce_block(const InterpolateArgmaxArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t r0,
                  int64_t r1) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows(), n = x1 - x0;
  const bool statistics = a.margins != nullptr || a.score_kind == InterpolateArgmaxArgs::SOFTMAX;
  const ArgmaxLeaves<T> leaves;
  ScratchFrame frame;
  ResizedRows<T> resized(a.in, &frame, x0, x1);
  T* values = frame.take<T>(resized.length());
  const PixelClasses<T> side_by_side(&frame, a.in.inner);
  const Winners<T> all = take_winners<T>(&frame, n * (r1 - r0), statistics);
  const auto at_row = [&](int64_t r) {
    const int64_t at = (r - r0) * n;
    return Winners<T>{all.best + at, all.index + at, statistics ? all.second + at : nullptr,
                      statistics ? all.sum + at : nullptr};
  };
  start(all, n * (r1 - r0));
  for (int64_t c = 0; c < a.in.channels; ++c)
    for (int64_t r = r0; r < r1; ++r) {
      resized.row(image * a.in.channels + c, r, values);
      if (a.in.inner > 1)
        side_by_side.show(at_row(r), values, n);
      else
        leaves.show(at_row(r), values, c, n);
    }
  for (int64_t r = r0; r < r1; ++r) put(a, at_row(r), (image * rows + r) * width + x0, n);
}

template <class T>
Status by_rows(const InterpolateArgmaxArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.out_rows();
  // A tile's winners stay in the first-level cache; with the classes innermost a row of it is one block of
  // values.
  const int64_t tile =
      std::max<int64_t>(1, std::min<int64_t>(width, (a.in.inner > 1 ? 16 * 1024 : 1024) / a.in.inner));
  const int64_t deep = a.in.inner > 1 ? 32 : std::max<int64_t>(1, std::min<int64_t>(32, 4096 / tile));
  const int64_t columns = (width + tile - 1) / tile, bands = (rows + deep - 1) / deep;
  parallel_for(context, a.in.batch * bands * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t x0 = block % columns * tile, r0 = block / columns % bands * deep;
      reduce_block<T>(a, block / (bands * columns), x0, std::min(x0 + tile, width), r0,
                      std::min(r0 + deep, rows));
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// --- linear enlargement of float planes

// Every output of the axis blends at most two pixels with weights that are not negative.
bool two_taps(const AxisTable& axis) {
  if (axis.taps != 2) return false;
  const auto* weight = static_cast<const float*>(axis.weight);
  for (int64_t o = 0; o < axis.out_size; ++o)
    if (!(weight[o] >= 0) || (axis.count[o] == 2 && !(weight[axis.out_size + o] >= 0))) return false;
  return true;
}

// The second pixel of output o and its weight. An output that is one pixel, as in the middle of every odd
// factor, takes it a second time with weight 0: for finite values that has the same bits, zeros of both signs
// included.
int32_t second_index(const AxisTable& axis, int64_t o) {
  return axis.index[axis.count[o] == 2 ? axis.out_size + o : o];
}
float second_weight(const AxisTable& axis, int64_t o) {
  return axis.count[o] == 2 ? static_cast<const float*>(axis.weight)[axis.out_size + o] : 0.0F;
}

// The columns [x0, x1) in whole vectors, their source pixels counted from `origin`, of `in_size`.
TwoTapColumns two_tap_columns(const AxisTable& axis, int64_t x0, int64_t x1, int64_t origin, int64_t in_size,
                              ScratchFrame* frame) {
  const int64_t lanes = kernels().lanes;
  TwoTapColumns t;
  t.vectors = (x1 - x0 + lanes - 1) / lanes;
  auto* first = frame->take<int32_t>(t.vectors * lanes);
  auto* second = frame->take<int32_t>(t.vectors * lanes);
  auto* u = frame->take<float>(t.vectors * lanes);
  auto* v = frame->take<float>(t.vectors * lanes);
  const auto* weight = static_cast<const float*>(axis.weight);
  for (int64_t x = 0; x < t.vectors; ++x) {
    int32_t low = INT32_MAX, high = 0;
    for (int64_t i = x * lanes; i < (x + 1) * lanes; ++i) {
      const int64_t o = std::min(x0 + i, x1 - 1);
      first[i] = axis.index[o] - static_cast<int32_t>(origin);
      second[i] = second_index(axis, o) - static_cast<int32_t>(origin);
      u[i] = weight[o];
      v[i] = second_weight(axis, o);
      low = std::min({low, first[i], second[i]});
      high = std::max({high, first[i], second[i]});
    }
    // Backed off so that the vector ends within the row.
    low = static_cast<int32_t>(std::min<int64_t>(low, in_size - lanes));
    t.base[x] = low >= 0 && high - low < lanes ? low : -1;
    if (t.base[x] < 0) continue;
    for (int64_t i = x * lanes; i < (x + 1) * lanes; ++i) {
      first[i] -= low;
      second[i] -= low;
    }
  }
  t.first = first;
  t.second = second;
  t.u = u;
  t.v = v;
  return t;
}

// Source rows as planes of classes: pixels with their classes side by side are turned, as far as a tile of
// columns needs them.
class ClassRows {
 public:
  ClassRows(const ResizedArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t most, ScratchFrame* frame)
      : row_(a.columns().in_size * a.inner), inner_(a.inner) {
    const int64_t rows = a.in_rows();
    in_ = static_cast<const float*>(a.in) + image * a.channels * rows * row_;
    width_ = a.columns().in_size;
    plane_ = rows * row_;
    if (inner_ == 1) return;
    const AxisTable& x = a.columns();
    int64_t end = 0;
    begin_ = x.in_size;
    for (int64_t o = x0; o < x1; ++o) {
      begin_ = std::min<int64_t>({begin_, x.index[o], second_index(x, o)});
      end = std::max<int64_t>({end, x.index[o] + 1, second_index(x, o) + 1});
    }
    count_ = end - begin_;
    // Whole vectors are read.
    width_ = plane_ = std::max<int64_t>(count_, kernels().lanes);
    turned_ = frame->take<float>(most * plane_);
    std::fill(turned_, turned_ + most * plane_, 0.0F);
  }

  // The first pixel of what at() gives, and how many there are.
  int64_t origin() const { return begin_; }
  int64_t width() const { return width_; }
  // From one class to the next.
  int64_t plane() const { return plane_; }

  // Row `row` of the classes [c, c + n).
  const float* at(int64_t row, int64_t c, int64_t n) const {
    if (inner_ == 1) return in_ + c * plane_ + row * row_;
    kernels().conv.transpose(turned_, plane_, in_ + row * row_ + begin_ * inner_ + c, inner_, count_, n);
    return turned_;
  }

 private:
  const float* in_;
  int64_t row_, inner_, width_, plane_, begin_ = 0, count_ = 0;
  float* turned_ = nullptr;
};

// The output rows between the same two source rows.
struct Pair {
  int32_t first, second;  // source rows
  int64_t begin, end;     // output rows, within the block
  int32_t magnitude;      // bits of the largest one seen
};

// Rows [r0, r1) and columns [x0, x1): classes by the chunk, so that a chunk's resampled rows and the block's
// winners stay in the first-level cache while the source rows go by.
void reduce_pairs(const InterpolateArgmaxArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t r0,
                  int64_t r1) {
  const AxisTable &x = a.in.columns(), &y = a.in.axes[0];
  const int64_t classes = a.in.channels * a.in.inner, deep = r1 - r0;
  const ArgmaxKernels& k = kernels().argmax;
  const auto* weight = static_cast<const float*>(y.weight);
  // About 40 classes at a time, evenly.
  const int64_t chunk = (classes + (classes + 39) / 40 - 1) / ((classes + 39) / 40);
  ScratchFrame frame;
  const ClassRows source(a.in, image, x0, x1, chunk, &frame);
  const TwoTapColumns table = two_tap_columns(x, x0, x1, source.origin(), source.width(), &frame);
  const int64_t columns = table.vectors * kernels().lanes;
  auto* pairs = frame.take<Pair>(deep);
  auto* v = frame.take<float>(deep);
  int64_t count = 0;
  for (int64_t r = r0; r < r1; ++r) {
    const int32_t first = y.index[r], second = second_index(y, r);
    v[r - r0] = second_weight(y, r);
    if (count == 0 || pairs[count - 1].first != first || pairs[count - 1].second != second)
      pairs[count++] = {first, second, r - r0, r - r0, 0};
    pairs[count - 1].end = r - r0 + 1;
  }
  float* space[2] = {frame.take<float>(chunk * columns), frame.take<float>(chunk * columns)};
  auto* best = frame.take<float>(deep * columns);
  auto* index = frame.take<int32_t>(deep * columns);
  auto* floor = frame.take<float>(count * columns);
  const float infinity = std::numeric_limits<float>::infinity();
  std::fill(best, best + deep * columns, -infinity);
  std::fill(index, index + deep * columns, 0);
  std::fill(floor, floor + count * columns, -infinity);
  for (int64_t c = 0; c < classes; c += chunk) {
    const int64_t n = std::min(chunk, classes - c);
    int64_t held[2] = {-1, -1};
    int32_t bits[2] = {0, 0};
    const auto fetch = [&](int64_t row, int slot) {
      if (held[slot] == row) return;
      bits[slot] = k.two_tap_rows(space[slot], source.at(row, c, n), source.plane(), n, &table);
      held[slot] = row;
    };
    for (int64_t p = 0; p < count; ++p) {
      Pair& pair = pairs[p];
      // What was the second row is often the first one now.
      const int first = held[1] == pair.first ? 1 : 0, second = pair.first == pair.second ? first : 1 - first;
      fetch(pair.first, first);
      fetch(pair.second, second);
      pair.magnitude = std::max({pair.magnitude, bits[first], bits[second]});
      if (pair.magnitude >= 0x7f000000) continue;  // NaN, infinity, or so large that a sum could overflow
      float magnitude;
      std::memcpy(&magnitude, &pair.magnitude, 4);
      const int64_t at = pair.begin * columns;
      const WinnersBetween w = {best + at,
                                index + at,
                                floor + p * columns,
                                weight + r0 + pair.begin,
                                v + pair.begin,
                                pair.end - pair.begin,
                                columns};
      k.best_between(&w, space[first], space[second], static_cast<int32_t>(c), n, magnitude * 0x1p-19f);
    }
  }
  for (int64_t p = 0; p < count; ++p) {
    const Pair& pair = pairs[p];
    if (pair.magnitude >= 0x7f000000) {
      reduce_block<float>(a, image, x0, x1, r0 + pair.begin, r0 + pair.end);
      continue;
    }
    for (int64_t r = pair.begin; r < pair.end; ++r)
      put<float>(a, {best + r * columns, index + r * columns, nullptr, nullptr},
                 (image * y.out_size + r0 + r) * x.out_size + x0, x1 - x0);
  }
}

Status by_pairs(const InterpolateArgmaxArgs& a, const Context& context) {
  const int64_t width = a.in.columns().out_size, rows = a.in.axes[0].out_size;
  const int64_t tile = TwoTapColumns::MOST_VECTORS * kernels().lanes, deep = 32;
  const int64_t columns = (width + tile - 1) / tile, bands = (rows + deep - 1) / deep;
  // A range is about 100 microseconds.
  const int64_t grain = std::max<int64_t>(1, 1024 * 1024 / (tile * deep * a.in.channels * a.in.inner));
  parallel_for(context, a.in.batch * bands * columns, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t x0 = block % columns * tile, r0 = block / columns % bands * deep;
      reduce_pairs(a, block / (bands * columns), x0, std::min(x0 + tile, width), r0,
                   std::min(r0 + deep, rows));
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

bool suits_pairs(const InterpolateArgmaxArgs& a) {
  return a.in.type == F32 && (a.in.inner == 1 || a.in.channels == 1) && a.in.axis_count == 2 &&
         a.margins == nullptr && a.score_kind != InterpolateArgmaxArgs::SOFTMAX && !a.in.down_first() &&
         two_taps(a.in.axes[0]) && two_taps(a.in.axes[1]);
}

}  // namespace

Status interpolate_argmax(const InterpolateArgmaxArgs& a, const Context& context) {
  if (suits_pairs(a)) return by_pairs(a, context);
  return a.in.type == F64 ? by_rows<double>(a, context) : by_rows<float>(a, context);
}

}  // namespace upsampling
