// Max pooling by output rows: input rows are reduced across once and kept while windows need them, then
// reduced down.
#include "ops/max-pool2d.h"

#include <algorithm>

#include "ops/turned-planes.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

// Rows of one plane, reduced across, by row number.
struct RowCache {
  int64_t slots;
  int64_t* held;  // row number, or -1
  int64_t* used;  // output row that last asked for it
  char** values;
  int32_t** indices;

  void forget() { std::fill(held, held + slots, int64_t{-1}); }
  // The slot of `row`; true when the row is there already. A slot asked for during output row `now` stays.
  int64_t find(int64_t row, int64_t now, bool* there) const {
    int64_t oldest = 0;
    for (int64_t s = 0; s < slots; ++s) {
      if (held[s] == row) {
        used[s] = now;
        *there = true;
        return s;
      }
      if (used[s] < used[oldest]) oldest = s;
    }
    held[oldest] = row;
    used[oldest] = now;
    *there = false;
    return oldest;
  }
};

// Rows kept at most; windows of more rows are reduced so many at a time.
constexpr int64_t kMostRows = 32;
constexpr int64_t kMostBytes = 192 * 1024;
// Input of more bytes is asked for ahead of time: up to 6 MB that gained nothing.
constexpr int64_t kFar = 8 * 1024 * 1024;

// Windows of 2 or 3 at stride 2.
bool halves(const WindowTable& axis) {
  return (axis.kernel == 2 || axis.kernel == 3) && axis.stride == 2 && axis.dilation == 1;
}

// The same both ways, of planes of one channel.
bool halves(const PoolShape& shape) {
  return shape.inner == 1 && shape.axis_count == 2 && halves(shape.axes[0]) && halves(shape.axes[1]) &&
         shape.axes[0].kernel == shape.axes[1].kernel;
}

// n positions within a plane, the first of them at element `at`, as those of the whole tensor.
void widen(const MaxPool2dArgs& a, const int32_t* index, int64_t plane, int64_t at, int64_t n) {
  auto* wide = static_cast<int64_t*>(a.index) + at;
  for (int64_t i = 0; i < n; ++i) wide[i] = index[i] + plane * a.plane_stride;
}

// Whether windows of several channels are read tap by tap, rather than rows reduced across, kept, and reduced
// down. Without a stride small square windows cost a vector for each tap of LANES elements, other ones one
// for each tap of a pixel, be it ever so narrow; whole rows cost 1.4 times as much a vector where nothing
// else is kept (5x5: 64 channels of 112x112 .26 ms against .21), and 2.8 times with their indices (.18
// against .28 for 3x3). With a stride it is counted in passes over an output row: splitting a row by its
// stride is worth four; rows that do not stay near the core take twice as long. float16 waits for its
// comparisons, however it gets there.
bool pixels_pay(const PoolShape& shape, int type, bool indexed) {
  if (shape.inner < 2) return false;
  const WindowTable& x = shape.last();
  const int64_t rows = shape.window_rows(), taps = rows * x.kernel, size = bytes_of(type);
  const int64_t fresh = shape.axis_count == 2 ? std::min(rows, shape.axes[0].stride) : rows;
  const int64_t across = (x.kernel + (x.stride > 1 ? 5 : 1)) * fresh + rows;
  if (type == F16) return taps <= across;
  if (x.stride > 1) {
    const bool far = rows * shape.out_row() * size > kMostBytes / 3 * 2;
    return taps <= across * (far ? 2 : 1);
  }
  const int64_t lanes = indexed ? kernels().lanes : kernels().lanes * 4 / size;
  const bool line = rows == x.kernel && rows <= 3 && (type == F32 || size == 1);
  // Rows that stay in the first cache are reloaded for less than pixels that begin in the middle of a vector:
  // 3 channels of 333x517 .08 ms against .10, but 5 of 64x4096 .50 against .25.
  if (line && !indexed && shape.inner % lanes != 0 && rows * shape.out_row() * size < 32 * 1024) return false;
  const int64_t width = line ? shape.inner : (shape.inner + lanes - 1) / lanes * lanes;
  return 10 * taps * width <= (across + 1) * (indexed ? 28 : 14) * shape.inner;
}

// Positions of the first taps of full windows, in the scratch memory of `frame`.
const int32_t* row_positions(const PoolShape& shape, int64_t step, ScratchFrame* frame) {
  const WindowTable& x = shape.last();
  auto* position = frame->take<int32_t>(shape.out_row());
  for (int64_t o = 0; o < x.out_size; ++o)
    std::fill_n(position + o * shape.inner, shape.inner, static_cast<int32_t>((o * x.stride - x.pad) * step));
  return position;
}

void pool_turned(const MaxPool2dArgs& a, const TurnedPlanes& planes, const Context& context) {
  const int64_t out_row = a.shape.out_row(), out_plane = a.shape.out_rows() * out_row;
  planes.each(
      context, a.out, a.in, a.index != nullptr,
      [&](const TurnedPlanes::Band& band, const Context& alone) {
        MaxPool2dArgs here = a;
        here.shape = band.shape;
        here.out = band.out;
        here.index = band.index;
        here.wide_index = false;
        here.in = band.in;
        max_pool2d(here, alone);
      },
      [&](int64_t plane, const TurnedPlanes::Band& band, const int32_t* index) {
        const int64_t n = band.shape.out_rows() * out_row, at = plane * out_plane + band.first * out_row;
        const int64_t skipped = band.skipped * a.strides[0];
        if (a.wide_index) {
          auto* wide = static_cast<int64_t*>(a.index) + at;
          for (int64_t i = 0; i < n; ++i) wide[i] = index[i] + skipped + plane * a.plane_stride;
        } else {
          auto* to = static_cast<int32_t*>(a.index) + at;
          for (int64_t i = 0; i < n; ++i) to[i] = index[i] + static_cast<int32_t>(skipped);
        }
      });
}

bool any_empty(const WindowTable& axis) {
  return std::find(axis.count, axis.count + axis.out_size, 0) != axis.count + axis.out_size;
}

// Whether windows are as far apart everywhere, and as large where they do not hang over a border; adaptive
// ones are not.
bool evenly_spaced(const WindowTable& axis) {
  for (int64_t o = 0; o < axis.out_size; ++o) {
    const int64_t begin = o * axis.stride - axis.pad, end = begin + axis.kernel;
    if (axis.first[o] != std::max<int64_t>(begin, 0) ||
        axis.first[o] + axis.count[o] != std::min(end, axis.in_size))
      return false;
  }
  return true;
}

// Whether rows of pixels are reduced across once and kept, by a leaf that knows these windows. Values alone
// of 3x3 windows take a third longer with it on AVX-512 unless pixels are long (64 channels of 7x7 22 us
// against 27, but 2048 of 4x4 5.4 against 3.5), on AVX2 a tenth where planes come from far (.128 ms against
// .140).
bool unstrided_suits(const PoolShape& shape, int type, bool indexed) {
  if (shape.axis_count != 2 || shape.inner < 2 || kernels().max_pool.unstrided[type] == nullptr) return false;
  const WindowTable &x = shape.last(), &y = shape.axes[0];
  const int64_t lanes = kernels().lanes;
  if (x.kernel != y.kernel || (x.kernel != 3 && x.kernel != 5)) return false;
  for (const WindowTable* axis : {&x, &y})
    if (axis->stride != 1 || axis->dilation != 1 || axis->pad > axis->kernel / 2) return false;
  if (lanes < 16 && shape.inner % lanes != 0) return false;
  if (x.kernel == 3 && !indexed &&
      (lanes == 16 ? shape.inner < 1024 : shape.in_rows() * shape.in_row() * bytes_of(type) > 512 * 1024))
    return false;
  return !any_empty(x) && !any_empty(y) && evenly_spaced(x) && evenly_spaced(y);
}

// Whether the leaf that takes whole planes of pixels knows these windows.
bool windows_suit(const PoolShape& shape, int type) {
  return shape.axis_count == 2 && kernels().max_pool.windows[type] != nullptr &&
         shape.inner >= kernels().lanes && shape.last().stride > 1 && !any_empty(shape.last()) &&
         !any_empty(shape.axes[0]);
}

// Output rows of pixels of several channels, many at a time, be they of one plane or of several.
// `unstrided`: by the leaf for that.
Status pool_pixels(const MaxPool2dArgs& a, bool unstrided, const Context& context) {
  const PoolShape& shape = a.shape;
  const WindowTable& x = shape.last();
  const int64_t size = bytes_of(a.type), in_row = shape.in_row(), out_row = shape.out_row();
  const int64_t in_rows = shape.in_rows(), out_rows = shape.out_rows(), most = shape.window_rows();
  const bool indexed = a.index != nullptr, widens = indexed && a.wide_index;
  const MaxPoolKernels& k = kernels().max_pool;
  // Each block reduces rows across that the ones beside it need too.
  const int64_t part = (out_rows + context.threads - 1) / std::max(context.threads, 1);
  const PoolBlocks blocks(shape, size, context, unstrided ? std::clamp<int64_t>(part, 1, 4 * x.kernel) : 1);
  const bool ahead = shape.outer * in_rows * in_row * size > kFar;
  // Output rows done … stop - 1 of all planes.
  const auto tap_by_tap = [&](int64_t done, int64_t stop) {
    // Wide indices are widened from one row.
    constexpr int64_t kTogether = 64;
    const int64_t together = widens ? 1 : kTogether;
    ScratchFrame frame;
    const RowWindows windows = row_windows(shape, &frame);
    RowPositions positions{nullptr, a.strides[shape.axis_count - 1]};
    if (indexed && x.stride == 1) positions.position = row_positions(shape, positions.step, &frame);
    auto* rows = frame.take<int64_t>(most);
    auto* index_row = frame.take<int32_t>(widens ? out_row : 0);
    const void** sources = frame.take<const void*>(together * most);
    auto* bases = frame.take<int64_t>(together * most);
    auto* counts = frame.take<int64_t>(together);
    int64_t plane = done / out_rows, r = done % out_rows;
    while (done < stop) {
      const int64_t n = std::min(together, stop - done), at = done * out_row;
      for (int64_t i = 0; i < n; ++i) {
        const auto* in = static_cast<const char*>(a.in) + plane * in_rows * in_row * size;
        counts[i] = rows_under(shape, r, a.strides, rows, bases + i * most);
        for (int64_t j = 0; j < counts[i]; ++j) sources[i * most + j] = in + rows[j] * in_row * size;
        if (++r == out_rows) r = 0, ++plane;
      }
      const PixelRows under{sources, bases, counts, n, most, most == x.kernel, ahead};
      int32_t* index = !indexed ? nullptr : widens ? index_row : static_cast<int32_t*>(a.index) + at;
      k.pixels[a.type](static_cast<char*>(a.out) + at * size, index, &under, &windows, &positions);
      done += n;
      if (widens) widen(a, index_row, (done - 1) / out_rows, at, out_row);
    }
  };
  const auto leaf = unstrided                     ? k.unstrided[a.type]
                    : windows_suit(shape, a.type) ? k.windows[a.type]
                                                  : nullptr;
  if (leaf == nullptr) {
    parallel_for(context, shape.outer * blocks.per_plane, blocks.grain, [&](int64_t begin, int64_t end) {
      const auto row_of = [&](int64_t block) {
        return block / blocks.per_plane * out_rows + block % blocks.per_plane * blocks.rows;
      };
      tap_by_tap(row_of(begin), row_of(end));
    });
  } else {
    ScratchFrame shared;
    const int32_t* positions = indexed && unstrided ? row_positions(shape, a.strides[1], &shared) : nullptr;
    const PixelPlanes planes{shape.axes[0], x, shape.inner, a.strides[0], a.strides[1], positions, ahead};
    parallel_for(context, shape.outer * blocks.per_plane, blocks.grain, [&](int64_t begin, int64_t end) {
      ScratchFrame frame;
      auto* narrow = frame.take<int32_t>(widens ? blocks.rows * out_row : 0);
      // Whole planes together; parts of planes and wide indices one by one.
      const int64_t together = blocks.per_plane == 1 && !widens ? end - begin : 1;
      for (int64_t block = begin; block < end; block += together) {
        const int64_t plane = block / blocks.per_plane, first = block % blocks.per_plane * blocks.rows;
        const int64_t last = std::min(first + blocks.rows, out_rows), row = plane * out_rows + first;
        int32_t* index = widens ? narrow : indexed ? static_cast<int32_t*>(a.index) + row * out_row : nullptr;
        if (!leaf(static_cast<char*>(a.out) + row * out_row * size, index,
                  static_cast<const char*>(a.in) + plane * in_rows * in_row * size, together, first, last,
                  &planes))
          tap_by_tap(row, (plane + together - 1) * out_rows + last);
        else if (widens)
          widen(a, narrow, plane, row * out_row, (last - first) * out_row);
      }
    });
  }
  return context.cancelled() ? CANCELLED : OK;
}

// Whether every window is a plane of one channel, all of it, and large beside the vectors whose lanes are
// compared in the end: several small ones are rather pooled side by side. 512 planes of 7x7 take 6.3 us
// rather than 8.5, with vectors of 8 12 against 4.4; of 10x10 12 against 7.8, of 14x14 29 against 8.5, with
// indices 50 against 71; 64 of 28x28 with indices 47 against 10.
bool takes_whole_planes(const PoolShape& shape, int type, bool indexed) {
  const int64_t n = shape.in_rows() * shape.in_row();
  return n * bytes_of(type) >= (indexed ? 64 : 16) * kernels().lanes && shape.inner == 1 &&
         std::all_of(shape.axes, shape.axes + shape.axis_count, [](const WindowTable& axis) {
           return axis.out_size == 1 && axis.first[0] == 0 && axis.count[0] == axis.in_size &&
                  axis.dilation == 1 && axis.in_size > 0;
         });
}

// 64 planes of 112x112 take 0.16 ms rather than 1.05.
Status whole_planes(const MaxPool2dArgs& a, const Context& context) {
  const PoolShape& shape = a.shape;
  const int64_t n = shape.in_rows() * shape.in_row(), size = bytes_of(a.type);
  constexpr int64_t kPlanes = 64;
  const int64_t grain = std::max<int64_t>(1, 128 * 1024 / n);
  parallel_for(context, shape.outer, grain, [&](int64_t begin, int64_t end) {
    int32_t place[kPlanes];
    for (int64_t first = begin; first < end; first += kPlanes) {
      const int64_t count = std::min(kPlanes, end - first);
      kernels().max_pool.whole_planes[a.type](static_cast<char*>(a.out) + first * size,
                                              a.index != nullptr ? place : nullptr,
                                              static_cast<const char*>(a.in) + first * n * size, count, n);
      for (int64_t p = first; a.index != nullptr && p < first + count; ++p) {
        int64_t index = 0, rest = place[p - first];
        for (int i = shape.axis_count - 1; i >= 0; --i) {
          index += rest % shape.axes[i].in_size * a.strides[i];
          rest /= shape.axes[i].in_size;
        }
        if (a.wide_index)
          static_cast<int64_t*>(a.index)[p] = index + p * a.plane_stride;
        else
          static_cast<int32_t*>(a.index)[p] = static_cast<int32_t>(index);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// Where tap k of output o stands in its row, for the leaves that permute; the last tap for those outside.
int64_t tap_of(const WindowTable& axis, int64_t o, int64_t k) {
  return axis.first[o] + std::min<int64_t>(k, axis.count[o] - 1) * axis.dilation;
}

// Whole planes of one channel. False where they do not suit: several channels, empty windows, rows apart
// under a window (later windows may then begin earlier, over a border).
class WholePlanes {
 public:
  explicit WholePlanes(const MaxPool2dArgs& a)
      : a_(a),
        k_(kernels().max_pool),
        lanes_(kernels().lanes),
        size_(bytes_of(a.type)),
        indexed_(a.index != nullptr) {}

  // `turned`: planes with short rows may be turned instead.
  bool run(bool turned, const Context& context) const {
    const PoolShape& shape = a_.shape;
    if (shape.inner != 1 || shape.axis_count != 2 || shape.out_rows() == 0 || shape.out_row() == 0)
      return false;
    const WindowTable &x = shape.last(), &y = shape.axes[0];
    if (y.dilation > 1 || any_empty(x) || any_empty(y)) return false;
    if (k_.short_planes[a_.type] != nullptr && x.out_size <= lanes_ && x.in_size <= 2 * lanes_ &&
        (y.in_size + y.kernel + y.pad) * x.out_size * size_ <= kMostBytes / 4 && evenly_spaced(y)) {
      if (!a_.wide_index && y.out_size == 1 && y.count[0] == y.kernel && y.first[0] == 0 &&
          planes_as_rows(context))
        return true;
      return short_rows(context), true;
    }
    // In pairs of rows, or turned, below: two vectors of a row take less than what a row takes by itself.
    if (halves(shape) || turned) return false;
    const int64_t slots = slots_for(y), pitch = pitch_for(x);
    if (x.full_end - x.full_begin < lanes_ || slots * pitch * (size_ + (indexed_ ? 4 : 0)) > kMostBytes)
      return false;
    long_rows(context);
    return true;
  }

 private:
  static int64_t slots_for(const WindowTable& y) {
    int64_t slots = 1;
    while (slots < y.kernel) slots *= 2;
    return slots;
  }
  static int64_t pitch_for(const WindowTable& x) { return (x.out_size + 15) / 16 * 16; }

  void long_rows(const Context& context) const {
    const PoolShape& shape = a_.shape;
    const WindowTable &x = shape.last(), &y = shape.axes[0];
    const int64_t out_row = x.out_size, in_plane = y.in_size * x.in_size, step = a_.strides[1];
    ScratchFrame shared;
    const RowWindows across = row_windows(shape, &shared);
    PlaneWindows windows{};
    windows.down = y;
    windows.across = &across;
    windows.row_step = a_.strides[0];
    windows.slots = slots_for(y);
    windows.pitch = pitch_for(x);
    if (indexed_) {
      auto* position = shared.take<int32_t>(out_row);
      for (int64_t o = 0; o < out_row; ++o) position[o] = static_cast<int32_t>((o * x.stride - x.pad) * step);
      windows.positions = {position, step};
    }
    for (int side = 0; side < 2; ++side) {
      const int64_t begin = side == 0 ? 0 : x.full_end, end = side == 0 ? x.full_begin : out_row;
      const int64_t start = side == 0 ? 0 : x.in_size - lanes_, out = side == 0 ? 0 : out_row - lanes_;
      if (begin == end || begin < out || end > out + lanes_) continue;
      auto* lane = shared.take<int32_t>(x.kernel * lanes_);
      auto* spot = shared.take<int32_t>(x.kernel * lanes_);
      bool within = true;
      for (int64_t k = 0; k < x.kernel; ++k)
        for (int64_t i = 0; i < lanes_; ++i) {
          const bool asked = out + i >= begin && out + i < end;
          const int64_t at = asked ? tap_of(x, out + i, k) : start;
          within = within && at >= start && at < start + lanes_;
          lane[k * lanes_ + i] = static_cast<int32_t>(at - start);
          spot[k * lanes_ + i] = static_cast<int32_t>(at * step);
        }
      if (!within) continue;
      windows.lanes[side] = lane;
      windows.spots[side] = spot;
    }
    const PoolBlocks blocks(shape, size_, context);
    parallel_for(context, shape.outer * blocks.per_plane, blocks.grain, [&](int64_t begin, int64_t end) {
      ScratchFrame frame;
      PlaneWindows mine = windows;
      mine.ring = frame.take<char>(windows.slots * windows.pitch * size_);
      mine.ring_index = indexed_ ? frame.take<int32_t>(windows.slots * windows.pitch) : nullptr;
      mine.rows = frame.take<const void*>(y.kernel);
      mine.indices = frame.take<const int32_t*>(y.kernel);
      mine.phases = frame.take<char>(phase_space(across) * size_);
      const bool widens = indexed_ && a_.wide_index;
      auto* narrow = frame.take<int32_t>(widens ? blocks.rows * out_row : 0);
      // Whole planes together; parts of planes and wide indices one by one.
      const int64_t together = blocks.per_plane == 1 && !widens ? end - begin : 1;
      for (int64_t block = begin; block < end; block += together) {
        const int64_t plane = block / blocks.per_plane, first = block % blocks.per_plane * blocks.rows;
        const int64_t last = std::min(first + blocks.rows, y.out_size);
        const int64_t at = (plane * y.out_size + first) * out_row;
        int32_t* index = widens ? narrow : indexed_ ? static_cast<int32_t*>(a_.index) + at : nullptr;
        k_.planes[a_.type](static_cast<char*>(a_.out) + at * size_, index,
                           static_cast<const char*>(a_.in) + plane * in_plane * size_, together, first, last,
                           &mine);
        if (widens) widen(a_, narrow, plane, at, (last - first) * out_row);
      }
    });
  }

  // Planes of one output row without padding, as the output rows of taller planes: several of them fill a
  // vector. 3x3 windows of 2048x4x4 take 4.3 us rather than 8.9, with indices 6.9 rather than 16.
  bool planes_as_rows(const Context& context) const {
    int64_t together = kPlanesAsRows;
    while (a_.shape.outer % together != 0) together /= 2;
    if (together == 1) return false;
    MaxPool2dArgs tall = a_;
    WindowTable& y = tall.shape.axes[0];
    ScratchFrame frame;
    auto* first = frame.take<int32_t>(together);
    auto* count = frame.take<int32_t>(together);
    for (int64_t o = 0; o < together; ++o) {
      first[o] = static_cast<int32_t>(o * y.in_size);
      count[o] = static_cast<int32_t>(y.kernel);
    }
    const int64_t n = together * a_.shape.out_row();
    auto* before = frame.take<int32_t>(indexed_ ? n : 0);
    for (int64_t i = 0; indexed_ && i < n; ++i)
      before[i] = static_cast<int32_t>(i / a_.shape.out_row() * y.in_size * a_.strides[0]);
    tall.shape.outer /= together;
    y.stride = y.in_size;
    y.in_size *= together;
    y.out_size = y.full_end = together;
    y.first = first;
    y.count = count;
    WholePlanes(tall).short_rows(context);
    if (!indexed_) return true;
    auto* index = static_cast<int32_t*>(a_.index);
    parallel_for(context, tall.shape.outer, kGrainBytes / n, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane)
        for (int64_t i = 0; i < n; ++i) index[plane * n + i] -= before[i];
    });
    return true;
  }

  void short_rows(const Context& context) const {
    const PoolShape& shape = a_.shape;
    const WindowTable &x = shape.last(), &y = shape.axes[0];
    const int64_t step = a_.strides[1];
    ScratchFrame shared;
    ShortPlanes w{};
    w.in_row = x.in_size;
    w.in_rows = y.in_size;
    w.out_row = x.out_size;
    w.out_rows = y.out_size;
    w.kernel_x = x.kernel;
    w.kernel_y = y.kernel;
    w.stride_y = y.stride;
    w.row_step = a_.strides[0];
    w.across = std::min({lanes_ / x.out_size, 2 * lanes_ / x.in_size, y.in_size});
    auto* lane = shared.take<int32_t>(x.kernel * lanes_);
    auto* spot = shared.take<int32_t>(x.kernel * lanes_);
    // Row and column are counted: to divide for them took a tenth of a call for six planes of 15x15.
    for (int64_t k = 0; k < x.kernel; ++k)
      for (int64_t i = 0, row = 0, o = 0; i < lanes_; ++i) {
        const int64_t at = tap_of(x, o, k);
        lane[k * lanes_ + i] = static_cast<int32_t>(row * x.in_size + at);
        spot[k * lanes_ + i] = static_cast<int32_t>(row * w.row_step + at * step);
        if (++o == x.out_size) o = 0, row = row + 1 < w.across ? row + 1 : 0;
      }
    w.lanes = lane;
    w.spots = spot;
    w.down = std::min(lanes_ / x.out_size, y.out_size);
    const int64_t down_step = y.stride * x.out_size;
    while ((w.down - 1) * down_step + x.out_size > 2 * lanes_) --w.down;
    auto* picked = shared.take<int32_t>(lanes_);
    for (int64_t i = 0, row = 0, o = 0; i < lanes_; ++i) {
      picked[i] = static_cast<int32_t>(row * down_step + o);
      if (++o == x.out_size) o = 0, row = row + 1 < w.down ? row + 1 : 0;
    }
    w.picked = picked;
    w.picked_vectors = w.down == 1 || y.stride == 1                      ? 0
                       : (w.down - 1) * down_step + x.out_size <= lanes_ ? 1
                                                                         : 2;
    w.top = y.pad;
    w.bottom = std::max<int64_t>(0, (y.out_size - 1) * y.stride + y.kernel - y.pad - y.in_size);
    const int64_t pads = indexed_ ? (w.top + w.bottom) * x.out_size + lanes_ : 0;
    auto* pad_index = shared.take<int32_t>(pads);
    for (int64_t i = 0, o = 0; i < pads; ++i, o = o + 1 < x.out_size ? o + 1 : 0)
      pad_index[i] = static_cast<int32_t>(x.first[o] * step);
    w.pad_index = pad_index;
    const int64_t in_plane = y.in_size * x.in_size, out_plane = y.out_size * x.out_size;
    const int64_t plane = (w.top + y.in_size + w.bottom) * x.out_size;
    w.together = std::min(shape.outer, std::max<int64_t>(1, kTogetherBytes / (plane * size_)));
    w.in_end = static_cast<const char*>(a_.in) + shape.outer * in_plane * size_;
    const int64_t grain = std::max<int64_t>(1, kGrainBytes / ((in_plane + out_plane) * size_));
    parallel_for(context, shape.outer, grain, [&](int64_t begin, int64_t end) {
      ScratchFrame frame;
      ShortPlanes mine = w;
      // The last output rows also read what follows theirs.
      const int64_t space = w.together * plane + (w.down * y.stride + y.kernel) * x.out_size + 2 * lanes_;
      mine.space = frame.take<char>(space * size_);
      mine.index_space = indexed_ ? frame.take<int32_t>(space) : nullptr;
      const bool widens = indexed_ && a_.wide_index;
      auto* narrow = frame.take<int32_t>(widens ? out_plane : 0);
      const int64_t together = widens ? 1 : end - begin;
      for (int64_t p = begin; p < end; p += together) {
        const int64_t at = p * out_plane;
        int32_t* index = widens ? narrow : indexed_ ? static_cast<int32_t*>(a_.index) + at : nullptr;
        k_.short_planes[a_.type](static_cast<char*>(a_.out) + at * size_, index,
                                 static_cast<const char*>(a_.in) + p * in_plane * size_, together, &mine);
        if (widens) widen(a_, narrow, p, at, out_plane);
      }
    });
  }

  static constexpr int64_t kTogetherBytes = 8 * 1024, kGrainBytes = 512 * 1024, kPlanesAsRows = 16;

  const MaxPool2dArgs& a_;
  const MaxPoolKernels& k_;
  const int64_t lanes_, size_;
  const bool indexed_;
};

}  // namespace

Status max_pool2d(const MaxPool2dArgs& a, const Context& context) {
  const PoolShape& shape = a.shape;
  const WindowTable& x = shape.last();
  const bool indexed = a.index != nullptr;
  if (takes_whole_planes(shape, a.type, indexed)) return whole_planes(a, context);
  const bool unstrided = unstrided_suits(shape, a.type, indexed);
  if (unstrided || pixels_pay(shape, a.type, indexed)) return pool_pixels(a, unstrided, context);
  const int64_t size = bytes_of(a.type);
  const bool by_two = halves(shape) && x.full_end - x.full_begin >= kernels().lanes;
  // 2x2 windows of rows that fill a vector take half the time that turning does: 64 planes of 63x63 21 us
  // rather than 36.
  const TurnedPlanes planes(shape, size);
  const bool turned = planes.worth() && !(by_two && x.kernel == 2);
  if (WholePlanes(a).run(turned, context)) return context.cancelled() ? CANCELLED : OK;
  if (turned) {
    pool_turned(a, planes, context);
    return context.cancelled() ? CANCELLED : OK;
  }
  const MaxPoolKernels& k = kernels().max_pool;
  const int64_t in_row = shape.in_row(), out_row = shape.out_row();
  const int64_t in_rows = shape.in_rows(), out_rows = shape.out_rows(), most = shape.window_rows();
  const int64_t step = a.strides[shape.axis_count - 1];
  ScratchFrame shared;
  const RowWindows windows = row_windows(shape, &shared);
  RowPositions positions{nullptr, step};
  if (indexed) positions.position = row_positions(shape, step, &shared);
  // A window table without taps: for output rows whose windows are empty.
  RowWindows none = windows;
  {
    auto* count = shared.take<int32_t>(x.out_size);
    std::fill_n(count, x.out_size, 0);
    none.axis.count = count;
    none.axis.full_begin = none.axis.full_end = x.out_size;
  }
  const PoolBlocks blocks(shape, size, context);
  parallel_for(context, shape.outer * blocks.per_plane, blocks.grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    auto* rows = frame.take<int64_t>(most);
    auto* bases = frame.take<int64_t>(most);
    const void** sources = frame.take<const void*>(most + 1);
    const int32_t** source_indices = frame.take<const int32_t*>(most + 1);
    char* space = frame.take<char>(phase_space(windows) * size);
    auto* index_row = frame.take<int32_t>(indexed && a.wide_index ? out_row : 0);
    char* pair_space = frame.take<char>(by_two ? 2 * out_row * size : 0);
    auto* pair_index = frame.take<int32_t>(by_two && indexed ? 2 * out_row : 0);
    RowCache cache{};
    const int64_t per_row = out_row * (size + (indexed ? 4 : 0));
    cache.slots = most > 1 ? std::max<int64_t>(
                                 2, std::min({most, kMostRows, kMostBytes / std::max<int64_t>(per_row, 1)}))
                           : 0;
    const bool keeps = cache.slots >= most;
    cache.held = frame.take<int64_t>(cache.slots);
    cache.used = frame.take<int64_t>(cache.slots);
    cache.values = frame.take<char*>(cache.slots);
    cache.indices = frame.take<int32_t*>(cache.slots);
    // As far from a cache line as the output, so that vectors are aligned in both.
    const int64_t off = static_cast<int64_t>(reinterpret_cast<uintptr_t>(a.out) & 63);
    for (int64_t s = 0; s < cache.slots; ++s) {
      cache.values[s] = frame.take<char>(off + out_row * size) + off;
      cache.indices[s] = indexed ? frame.take<int32_t>(off / 4 + out_row) + off / 4 : nullptr;
    }
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks.per_plane, first = block % blocks.per_plane * blocks.rows;
      const int64_t last = std::min(first + blocks.rows, out_rows);
      const auto* in = static_cast<const char*>(a.in) + plane * in_rows * in_row * size;
      cache.forget();
      std::fill_n(cache.used, cache.slots, int64_t{-1});
      for (int64_t r = first; r < last; ++r) {
        const int64_t at = (plane * out_rows + r) * out_row;
        char* out = static_cast<char*>(a.out) + at * size;
        int32_t* index = !indexed ? nullptr : a.wide_index ? index_row : static_cast<int32_t*>(a.index) + at;
        const int64_t count = rows_under(shape, r, a.strides, rows, bases);
        const WindowTable& y = shape.axes[0];
        if (by_two && r >= y.full_begin && r < y.full_end) {
          // Rows of wide indices one by one: they are widened from one row.
          const int64_t together = indexed && a.wide_index ? 1 : std::min(last, y.full_end) - r;
          k.stride_two[a.type][x.kernel - 2](out, index, in + rows[0] * in_row * size, together, &windows,
                                             &positions, bases[0], a.strides[0], pair_space, pair_index);
          r += together - 1;
        } else if (count == 0) {
          k.row[a.type](out, index, in, &none, &positions, bases[0], space);
        } else if (count == 1) {
          k.row[a.type](out, index, in + rows[0] * in_row * size, &windows, &positions, bases[0], space);
        } else {
          // As many rows at a time as there are slots, one of them for what they were reduced to so far.
          for (int64_t done = 0; done < count;) {
            int64_t n = 0;
            if (done > 0) {
              sources[n] = out;
              source_indices[n++] = index;
            }
            const int64_t stop = keeps ? count : std::min(count, done + cache.slots - n);
            for (; done < stop; ++done, ++n) {
              bool there = false;
              const int64_t slot = keeps ? cache.find(rows[done], r, &there) : n % cache.slots;
              if (!there)
                k.row[a.type](cache.values[slot], cache.indices[slot], in + rows[done] * in_row * size,
                              &windows, &positions, bases[done], space);
              sources[n] = cache.values[slot];
              source_indices[n] = cache.indices[slot];
            }
            k.rows[a.type](out, index, sources, source_indices, n, out_row);
          }
        }
        // `at` is the row's: wide rows come one by one.
        if (indexed && a.wide_index) widen(a, index_row, plane, at, out_row);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
