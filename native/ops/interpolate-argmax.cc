// Resize and argmax: for a tile of output pixels the classes stream by, and only the winners are kept.
#include "ops/interpolate-argmax.h"

#include <algorithm>
#include <limits>

#include "ops/winners.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

// Of the second-level cache, for what is staged of the source and the winners of a strip.
constexpr int64_t kStripBytes = 384 * 1024;

// From winners to the outputs, n pixels from `at` on.
template <class T>
void put(const InterpolateArgmaxArgs& a, const Winners<T>& w, int64_t at, int64_t n) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto background = static_cast<int32_t>(a.background);
  const bool softmax = a.score_kind == InterpolateArgmaxArgs::SOFTMAX;
  auto* scores = static_cast<T*>(a.scores);
  auto* margins = static_cast<T*>(a.margins);
  if (margins == nullptr && scores == nullptr && !a.has_threshold) {
    // By vectors, as there is no branch.
    for (int64_t i = 0; i < n; ++i) w.index[i] = w.index[i] < 0 ? background : w.index[i];
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const bool none = w.index[i] < 0;
      if (margins != nullptr)
        margins[at + i] = none ? nan : w.second[i] == w.best[i] ? T(0) : w.best[i] - w.second[i];
      const T score = none ? nan : softmax ? T(1) / w.sum[i] : w.best[i];
      if (scores != nullptr) scores[at + i] = score;
      if (none || (a.has_threshold && !(static_cast<double>(score) >= a.threshold))) w.index[i] = background;
    }
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

// The output rows between the same two source rows.
struct Pair {
  int32_t first, second;  // source rows, counted in StagedRows
  int64_t begin, end;     // output rows, within the band
  int32_t magnitude;      // bits of the largest one seen
};

// What a band of output rows reads of a strip of columns, some classes at a time, side by side: class planes
// lie far apart, and a tile of columns after the other would fetch the same lines again.
class StagedRows {
 public:
  StagedRows(const ResizedArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t most_rows,
             ScratchFrame* frame)
      : row_(a.columns().in_size * a.inner),
        plane_(a.in_rows() * row_),
        inner_(a.inner),
        in_(static_cast<const float*>(a.in) + image * a.channels * plane_) {
    const AxisTable& x = a.columns();
    int64_t end = 0;
    begin_ = x.in_size;
    for (int64_t o = x0; o < x1; ++o) {
      begin_ = std::min<int64_t>({begin_, x.index[o], second_index(x, o)});
      end = std::max<int64_t>({end, x.index[o] + 1, second_index(x, o) + 1});
    }
    count_ = end - begin_;
    width_ = std::max<int64_t>(count_, kernels().lanes);  // whole vectors are read
    // An odd number of lines, so that the classes of a column do not meet in a few sets of the cache.
    stride_ = ((width_ + 15) / 16 | 1) * 16;
    rows_ = frame->take<int64_t>(most_rows);
  }

  // The place of a source row, which is one of the last two that were added or a new one.
  int32_t add(int64_t row) {
    for (int32_t i = size_; i > 0 && i > size_ - 2; --i)
      if (rows_[i - 1] == row) return i - 1;
    rows_[size_] = row;
    return size_++;
  }

  // Makes room for so many classes of the rows that were added.
  void reserve(int64_t classes, ScratchFrame* frame) {
    magnitude_ = frame->take<int32_t>(size_ * kernels().lanes);
    classes_ = classes;
    const int64_t all = size_ * classes * stride_;
    staged_ = frame->take<float>(all);
    if (width_ > count_) std::fill(staged_, staged_ + all, 0.0F);
  }

  // Fetches the classes [c, c + n).
  void fetch(int64_t c, int64_t n) {
    const KernelTable& k = kernels();
    std::fill(magnitude_, magnitude_ + size_ * k.lanes, 0);
    // Pixels with their classes side by side are turned first.
    for (int32_t r = 0; inner_ > 1 && r < size_; ++r)
      k.conv.transpose(at(r), stride_, in_ + rows_[r] * row_ + begin_ * inner_ + c, inner_, count_, n);
    for (int64_t i = 0; i < n; ++i)
      for (int32_t r = 0; r < size_; ++r) {
        float* to = at(r) + i * stride_;
        const float* from = inner_ > 1 ? to : in_ + (c + i) * plane_ + rows_[r] * row_ + begin_;
        // Class planes lie far apart, which no hardware foresees.
        if (inner_ == 1 && i + 2 < n)
          for (int64_t b = 0; b < count_; b += 16) __builtin_prefetch(from + 2 * plane_ + b, 0, 3);
        k.argmax.copy_row(to, from, count_, magnitude_ + r * k.lanes);
      }
  }

  float* at(int32_t row) const { return staged_ + row * classes_ * stride_; }
  int32_t magnitude(int32_t row) const {
    const int32_t* of = magnitude_ + row * kernels().lanes;
    return *std::max_element(of, of + kernels().lanes);
  }
  // The first pixel of a row, and how many there are.
  int64_t origin() const { return begin_; }
  int64_t width() const { return width_; }
  // From one class to the next.
  int64_t stride() const { return stride_; }

 private:
  int64_t row_, plane_, inner_;
  const float* in_;
  int64_t begin_ = 0, count_ = 0, width_ = 0, stride_ = 0, classes_ = 0;
  int32_t size_ = 0;
  int64_t* rows_;
  int32_t* magnitude_ = nullptr;  // the largest bits, a vector per row
  float* staged_ = nullptr;       // [row][class][pixel]
};

// A tile of columns and the winners in it, [row][column].
struct Tile {
  TwoTapColumns table;
  int64_t x0, x1, columns;
  float* best;
  int32_t* index;
};

// About 40 classes at a time, evenly, so that their resampled rows stay in the first-level cache.
int64_t chunk_of(int64_t classes) {
  const int64_t chunks = (classes + 39) / 40;
  return (classes + chunks - 1) / chunks;
}

// Rows [r0, r1) and columns [x0, x1), which are tiles of `wide`.
void reduce_pairs(const InterpolateArgmaxArgs& a, int64_t image, int64_t x0, int64_t x1, int64_t wide,
                  int64_t r0, int64_t r1) {
  const AxisTable &x = a.in.columns(), &y = a.in.axes[0];
  const int64_t classes = a.in.channels * a.in.inner, deep = r1 - r0, chunk = chunk_of(classes);
  const ArgmaxKernels& k = kernels().argmax;
  const auto* weight = static_cast<const float*>(y.weight);
  ScratchFrame frame;
  StagedRows source(a.in, image, x0, x1, 2 * deep, &frame);
  auto* pairs = frame.take<Pair>(deep);
  auto* v = frame.take<float>(deep);
  int64_t count = 0;
  for (int64_t r = r0; r < r1; ++r) {
    const int32_t first = source.add(y.index[r]), second = source.add(second_index(y, r));
    v[r - r0] = second_weight(y, r);
    if (count == 0 || pairs[count - 1].first != first || pairs[count - 1].second != second)
      pairs[count++] = {first, second, r - r0, r - r0, 0};
    pairs[count - 1].end = r - r0 + 1;
  }
  source.reserve(chunk, &frame);
  const int64_t tile_count = (x1 - x0 + wide - 1) / wide;
  auto* tiles = frame.take<Tile>(tile_count);
  for (int64_t i = 0; i < tile_count; ++i) {
    Tile& t = tiles[i];
    t.x0 = x0 + i * wide;
    t.x1 = std::min(t.x0 + wide, x1);
    t.table = two_tap_columns(x, t.x0, t.x1, source.origin(), source.width(), &frame);
    t.columns = t.table.vectors * kernels().lanes;
    t.best = frame.take<float>(deep * t.columns);
    t.index = frame.take<int32_t>(deep * t.columns);
    std::fill(t.best, t.best + deep * t.columns, -std::numeric_limits<float>::infinity());
    std::fill(t.index, t.index + deep * t.columns, 0);
  }
  const int64_t most_columns = tiles[0].columns;
  float* space[2] = {frame.take<float>(chunk * most_columns), frame.take<float>(chunk * most_columns)};
  for (int64_t c = 0; c < classes; c += chunk) {
    const int64_t n = std::min(chunk, classes - c);
    source.fetch(c, n);
    for (int64_t p = 0; p < count; ++p)
      pairs[p].magnitude =
          std::max({pairs[p].magnitude, source.magnitude(pairs[p].first), source.magnitude(pairs[p].second)});
    for (int64_t i = 0; i < tile_count; ++i) {
      const Tile& t = tiles[i];
      int32_t held[2] = {-1, -1};
      const auto resample = [&](int32_t row, int slot) {
        if (held[slot] == row) return;
        k.two_tap_rows(space[slot], source.at(row), source.stride(), n, &t.table);
        held[slot] = row;
      };
      for (int64_t p = 0; p < count; ++p) {
        const Pair& pair = pairs[p];
        if (pair.magnitude >= 0x7f000000) continue;  // NaN, infinity, or so large that a sum could overflow
        // What was the second row is often the first one now.
        const int first = held[1] == pair.first ? 1 : 0,
                  second = pair.first == pair.second ? first : 1 - first;
        resample(pair.first, first);
        resample(pair.second, second);
        float magnitude;
        std::memcpy(&magnitude, &pair.magnitude, 4);
        const int64_t at = pair.begin * t.columns;
        const WinnersBetween w = {t.best + at,    t.index + at,          weight + r0 + pair.begin,
                                  v + pair.begin, pair.end - pair.begin, t.columns};
        k.best_between(&w, space[first], space[second], static_cast<int32_t>(c), n, magnitude * 0x1p-19f);
      }
    }
  }
  for (int64_t p = 0; p < count; ++p) {
    const Pair& pair = pairs[p];
    if (pair.magnitude >= 0x7f000000) {
      reduce_block<float>(a, image, x0, x1, r0 + pair.begin, r0 + pair.end);
      continue;
    }
    for (int64_t r = pair.begin; r < pair.end; ++r)
      for (const Tile* t = tiles; t < tiles + tile_count; ++t)
        put<float>(a, {t->best + r * t->columns, t->index + r * t->columns, nullptr, nullptr},
                   (image * y.out_size + r0 + r) * x.out_size + t->x0, t->x1 - t->x0);
  }
}

Status by_pairs(const InterpolateArgmaxArgs& a, const Context& context) {
  const AxisTable &x = a.in.columns(), &y = a.in.axes[0];
  const int64_t width = x.out_size, rows = y.out_size, classes = a.in.channels * a.in.inner;
  const int64_t tile = TwoTapColumns::MOST_VECTORS * kernels().lanes, deep = std::min<int64_t>(32, rows);
  // A strip is as many tiles as leave what is staged for them and their winners in the second-level cache.
  const int64_t staged_rows = std::min(2 * deep, y.in_size * deep / rows + 2);
  const int64_t tile_bytes =
      4 * (chunk_of(classes) * staged_rows * (x.in_size * tile / width + 2) + 2 * deep * tile);
  const int64_t strip = tile * std::max<int64_t>(1, kStripBytes / tile_bytes);
  const int64_t strips = (width + strip - 1) / strip, bands = (rows + deep - 1) / deep;
  // A range is about 100 microseconds.
  const int64_t grain = std::max<int64_t>(1, 1024 * 1024 / (std::min(strip, width) * deep * classes));
  parallel_for(context, a.in.batch * bands * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t x0 = block % strips * strip, r0 = block / strips % bands * deep;
      reduce_pairs(a, block / (bands * strips), x0, std::min(x0 + strip, width), tile, r0,
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
