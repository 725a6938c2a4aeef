// Resizes by rows: a source row is resampled across once and kept while the output rows that need it are
// blended from it.
#include "ops/interpolate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/prepared-taps.h"
#include "ops/resample-order.h"
#include "runtime/cache.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Output elements, or weighted inputs, of one range of parallel_for: some 50 µs.
constexpr int64_t kRangeElements = 256 * 1024;
// Bytes to move in one range.
constexpr int64_t kRangeBytes = 512 * 1024;
// Bytes that are copied again and again at a time.
constexpr int64_t kCopyBytes = 1024;
// Bytes of a row that is made before it is streamed: a part of the first-level cache.
constexpr int64_t kStreamedRow = 16 * 1024;
// Resampled rows that are kept: few, so that reading and writing alternate.
constexpr int64_t kRingBytes = 4 * 1024;
// The same where rows are longer.
constexpr int64_t kLongRingBytes = 16 * 1024;
// Bytes of a row that are asked for before they are read.
constexpr int64_t kAheadBytes = 16 * 1024;
// What fits the second-level cache.
constexpr int64_t kSecondLevel = 1024 * 1024;
// Two source rows that stay in the second-level cache while pixels are blended from them.
constexpr int64_t kAtOnceBytes = 512 * 1024;
// Rows that are only resampled across, at a time.
constexpr int64_t kStraightRows = 8;
// Elements of planes that are resized side by side.
constexpr int64_t kTinyPlane = 256;
// Elements of resampled rows for which to prepare anything takes longer than to compute them.
constexpr int64_t kFewElements = 384;
// Columns of a strip of source rows, which is long because caches read ahead along a row: with one row per
// lane it takes a part of the second-level cache.
constexpr int64_t kStripColumns = 6144;
// Output rows that are summed together, for the source rows that they share: with 16 of them a resize from
// memory is slower.
constexpr int64_t kTogether = 8;
// Columns that are turned at a time: a part of the first-level cache.
constexpr int64_t kTurnedColumns = 256;

// Whether an axis is copied.
bool is_identity(const AxisTable& x) {
  if (x.taps != 1 || x.in_size != x.out_size) return false;
  for (int64_t o = 0; o < x.out_size; ++o)
    if (x.index[o] != o) return false;
  return true;
}

bool is_even(const AxisTable& x) {
  bool even = true;
  for (int64_t o = 0; o < x.out_size && even; ++o) even = x.count[o] == x.taps;
  return even;
}

// The source rows that an output row is blended from.
template <class T>
struct RowTaps {
  int64_t count;
  int64_t* row;  // number of the row within a plane
  T* weight;
};

// How the axes before the last one combine into rows.
struct Rows {
  const AxisTable* axes;
  int count;        // axes before the last one
  int64_t in, out;  // rows in a plane
  int64_t taps;     // at most, of an output row
  explicit Rows(const InterpolateArgs& a) : axes(a.axes), count(a.axis_count - 1), in(1), out(1), taps(1) {
    for (int i = 0; i < count; ++i) {
      in *= axes[i].in_size;
      out *= axes[i].out_size;
      taps *= axes[i].taps;
    }
  }

  template <class T>
  void taps_of(int64_t row, RowTaps<T>* taps) const {
    if (count == 1) {
      const AxisTable& axis = axes[0];
      const T* weight = static_cast<const T*>(axis.weight);
      taps->count = axis.count[row];
      for (int64_t k = 0; k < taps->count; ++k) {
        taps->row[k] = axis.index[k * axis.out_size + row];
        taps->weight[k] = weight[k * axis.out_size + row];
      }
      return;
    }
    taps->count = 1;
    taps->row[0] = 0;
    taps->weight[0] = T(1);
    int64_t below = out;
    for (int i = 0; i < count; ++i) {
      const AxisTable& axis = axes[i];
      below /= axis.out_size;
      const int64_t o = row / below % axis.out_size, n = axis.count[o];
      const T* weight = static_cast<const T*>(axis.weight);
      // Backwards, so that the products can stand where their factors stood.
      for (int64_t j = taps->count - 1; j >= 0; --j)
        for (int64_t k = n - 1; k >= 0; --k) {
          taps->row[j * n + k] = taps->row[j] * axis.in_size + axis.index[k * axis.out_size + o];
          taps->weight[j * n + k] = taps->weight[j] * weight[k * axis.out_size + o];
        }
      taps->count *= n;
    }
  }
};

// moves

// Whether an axis repeats each input `factor` times.
bool repeats(const AxisTable& x, int64_t factor) {
  if (x.out_size != factor * x.in_size) return false;
  for (int64_t o = 0; o < x.out_size; ++o)
    if (x.index[o] != o / factor) return false;
  return true;
}

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
  const bool stream = out_row >= 512 && out_row <= kStreamedRow && out_row % 4 == 0 && !cached &&
                      !is_untouched(a.out, out_bytes);
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

// along a row

// A part of a row: elements of the output, and the elements of a source row that they read.
struct Strip {
  int64_t first, end, low, high;
};

// A source row to a row of the output's length, in float32.
class Across {
 public:
  Across(const AxisTable& x, int64_t inner, int type, ScratchFrame* frame)
      : x_(x), inner_(inner), in_row_(x.in_size * inner), out_row_(x.out_size * inner), type_(type) {
    identity_ = is_identity(x);
    // Taps that lie farther apart than two vectors would be picked one by one.
    const bool apart = k_.lanes * x.in_size / x.out_size + x.taps * inner > 2 * k_.lanes;
    by_pixel_ = inner >= k_.lanes || (inner >= 4 && apart);
    if (!identity_ && !by_pixel_) taps_ = prepared_taps(x, inner, frame);
    short_rows_ = in_row_ < taps_.window * k_.lanes;
  }

  bool identity() const { return identity_; }
  // Parts begin at multiples of this.
  int64_t unit() const { return !identity_ && by_pixel_ ? inner_ : k_.lanes; }

  Strip strip(int64_t first, int64_t end) const {
    Strip s{first, std::min(end, out_row_), in_row_, 0};
    if (identity_) {
      s.low = s.first;
      s.high = s.end;
    } else if (by_pixel_ || taps_.window == 0) {
      for (int64_t o = s.first / inner_; o < (s.end + inner_ - 1) / inner_; ++o)
        for (int64_t t = 0; t < x_.count[o]; ++t) {
          const int64_t at = x_.index[t * x_.out_size + o] * inner_;
          s.low = std::min(s.low, at);
          s.high = std::max(s.high, at + inner_);
        }
    } else {
      for (int64_t b = s.first / k_.lanes; b * k_.lanes < s.end; ++b) {
        s.low = std::min<int64_t>(s.low, taps_.base[b]);
        s.high = std::max<int64_t>(s.high, taps_.base[b] + taps_.window * k_.lanes);
      }
      s.high = std::min(s.high, in_row_);
    }
    return s;
  }

  // A strip of rows [row, row + count) of `in`, to rows that are `stride` apart. `staged` has room for one
  // source row.
  void rows(float* out, int64_t stride, const void* in, int64_t row, int64_t count, float* staged,
            const Strip& s) const {
    // The rows after these come next. Where these are parts of rows nothing else would read ahead.
    const int64_t size = bytes_of(type_);
    for (int64_t r = row + count; r < row + 2 * count && (s.high - s.low) * size <= kAheadBytes; ++r) {
      const char* next = static_cast<const char*>(in) + r * in_row_ * size;
      for (int64_t i = s.low * size; i < s.high * size; i += 64) __builtin_prefetch(next + i);
    }
    if (type_ == F32 && !identity_ && !short_rows_)
      return floats(out, stride, static_cast<const float*>(in) + row * in_row_, in_row_, count, s);
    const int64_t n = s.high - s.low, length = identity_ ? stride : (n + 15) / 16 * 16 + 32;
    float* to = identity_ ? out : staged;
    for (int64_t r = 0; r < count; ++r)
      k_.widen[type_](to + r * length, static_cast<const char*>(in) + ((row + r) * in_row_ + s.low) * size,
                      n);
    if (!identity_) floats(out, stride, staged - s.low, length, count, s);
  }
  // What the leaf that does both ways needs of `s`: all but y and the ring.
  ResampleStrip leaf_strip(const Strip& s) const {
    ResampleStrip leaf{};
    if (!identity_ && !by_pixel_)
      leaf.taps = &taps_;
    else if (!identity_)
      leaf.x = &x_;
    leaf.inner = inner_;
    leaf.first = s.first;
    leaf.end = s.end;
    leaf.low = s.low;
    leaf.high = s.high;
    leaf.in_row = in_row_;
    leaf.staged_row = (s.high - s.low + 15) / 16 * 16 + 32;
    return leaf;
  }
  // Whether that leaf reads source rows where they are.
  bool reads_in_place() const { return type_ == F32 && !short_rows_; }
  // Floats that `rows` stages for `count` rows.
  int64_t staging(int64_t count) const { return count * ((in_row_ + 15) / 16 * 16 + 32); }
  // Whether the weights have a pattern, or else come from memory, the less often the more rows there are.
  bool patterned() const { return identity_ || by_pixel_ || taps_.run_end > taps_.run; }

 private:
  void floats(float* out, int64_t stride, const float* from, int64_t in_stride, int64_t count,
              const Strip& s) const {
    if (!by_pixel_)
      return k_.resample.across(out, stride, from, in_stride, count, &taps_, s.first / k_.lanes,
                                (s.end + k_.lanes - 1) / k_.lanes);
    for (int64_t r = 0; r < count; ++r)
      k_.resample.across_pixels(out + r * stride, from + r * in_stride, &x_, inner_, s.first / inner_,
                                s.end / inner_);
  }

  const KernelTable& k_ = kernels();
  const AxisTable& x_;
  const int64_t inner_, in_row_, out_row_;
  const int type_;
  bool identity_, by_pixel_, short_rows_;
  PreparedTaps taps_{};
};

// across first, then down

// The source rows between the first and the last tap of every output row, when both only ever move on.
struct Spans {
  int32_t *low, *high;
  int64_t most = 1;
  bool rising = true;
  Spans(const AxisTable& y, ScratchFrame* frame)
      : low(frame->take<int32_t>(y.out_size)), high(frame->take<int32_t>(y.out_size)) {
    for (int64_t o = 0; o < y.out_size; ++o) {
      low[o] = high[o] = y.index[o];
      for (int64_t k = 1; k < y.count[o]; ++k) {
        low[o] = std::min(low[o], y.index[k * y.out_size + o]);
        high[o] = std::max(high[o], y.index[k * y.out_size + o]);
      }
      most = std::max<int64_t>(most, high[o] - low[o] + 1);
      if (o > 0) rising = rising && low[o] >= low[o - 1] && high[o] >= high[o - 1];
    }
  }
};

int64_t power_of_two(int64_t least) {
  int64_t p = 1;
  while (p < least) p *= 2;
  return p;
}

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
  // What a large input and output leave of the last level is little. Short rows are not worth the ends.
  const int64_t in_bytes = a.outer * y.in_size * in_row * size,
                out_bytes = a.outer * y.out_size * out_row * size;
  const bool cached = out_bytes + in_bytes <= last_level_cache() / 4 * 3;
  // From memory, narrower vectors are faster with rows that are streamed (1.12 ms rather than 1.17 for 2x of
  // 32x32x32x64; what stays in the cache takes 0.38 ms rather than 0.51).
  const bool pairs = (k.lanes == 16 || (k.lanes == 8 && cached)) && a.type == F32 && a.inner >= k.lanes &&
                     x.taps == 2 && is_even(x) && y.taps == 2 && even && 2 * in_row * size <= kAtOnceBytes;
  bool stream = a.type == F32 && !straight && out_row >= 128 && !cached && !is_untouched(a.out, out_bytes);
  // Without rows that are kept the caches take more than they gain by streams, but for results that are far
  // larger than they and than the source: 2x of 32x32x32x64 takes 0.96 ms at one thread and 0.53 at two
  // rather than 1.2 and 0.95, but 4x of 128x128x150 takes 5.9 rather than 4.6.
  if (pairs) stream = stream && out_bytes > 4 * last_level_cache() && out_bytes > 8 * in_bytes;
  const bool at_once = pairs && !stream;
  // Strips that are short enough for the rows between them and their output to stay in the cache. Rows that
  // are streamed wait for memory anyway, and have to adjoin.
  int64_t slots = copies_down ? 1 : power_of_two(spans.most + (across.patterned() ? 0 : 3));
  const int64_t unit = across.unit(), most = std::max<int64_t>(kLongRingBytes / 4 / slots, 512);
  const int64_t width =
      stream || at_once ? out_row : std::min(out_row, std::max<int64_t>(1, most / unit) * unit);
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
    float* staged = frame.take<float>(across.reads_in_place() ? 0 : across.staging(staged_rows));
    float* ring = frame.take<float>(in_place || straight || at_once ? 0 : slots * stride);
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
      both.at_once = at_once;
      both.two_rows = cached;
      both.near = in_bytes + out_bytes <= kSecondLevel;
      both.even = even;
      both.staged = across.reads_in_place() ? nullptr : staged;
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

// down first, then across

// An axis whose outputs are weighted sums of the next `size` inputs each, with weights that are all alike.
struct Groups {
  static constexpr int64_t kMost = 8;
  int64_t size = 0;
  int leaf = -1;  // of kGroups, where there is one of that size
  float weight[kMost];

  bool of(const AxisTable& x) {
    if (x.taps > kMost || x.in_size != x.taps * x.out_size) return false;
    const auto* weights = static_cast<const float*>(x.weight);
    for (int64_t k = 0; k < x.taps; ++k) {
      weight[k] = weights[k * x.out_size];
      for (int64_t o = 0; o < x.out_size; ++o)
        if (x.count[o] != x.taps || x.index[k * x.out_size + o] != o * x.taps + k ||
            weights[k * x.out_size + o] != weight[k])
          return false;
    }
    size = x.taps;
    for (int i = 0; i < 4; ++i)
      if (kGroups[i] == size) leaf = i;
    return true;
  }
};

// Rows blended down, as they are summed along: side by side in the lanes of vectors, so turned to columns and
// back, where nothing simpler does.
class Along {
 public:
  Along(const InterpolateArgs& a, ScratchFrame* frame)
      : a_(a), x_(a.axes[a.axis_count - 1]), in_row_(x_.in_size * a.inner), out_row_(x_.out_size * a.inner) {
    if (a.inner == 1) sums_.of(x_);
    strips_ = std::min(x_.out_size, (in_row_ + kStripColumns - 1) / kStripColumns);
    width_ = (x_.out_size + strips_ - 1) / strips_;
    strips_ = (x_.out_size + width_ - 1) / width_;
    if (in_place()) return;
    const int64_t parts = std::min(width_, (in_row_ / strips_ + kTurnedColumns - 1) / kTurnedColumns);
    turned_ = (width_ + parts - 1) / parts;
    part_ = frame->take<Strip>(strips_ * parts);
    for (int64_t s = 0; s < strips_; ++s)
      for (int64_t first = s * width_; first < std::min(s * width_ + width_, x_.out_size); first += turned_) {
        const Strip part = reach(first, std::min({first + turned_, s * width_ + width_, x_.out_size}));
        widest_ = std::max(widest_, part.high - part.low);
        part_[parts_++] = part;
      }
  }

  int64_t strips() const { return strips_; }
  Strip strip(int64_t s) const { return reach(s * width_, std::min(s * width_ + width_, x_.out_size)); }

  // Outputs from first to end, and the elements of a row that they read.
  Strip reach(int64_t first, int64_t end) const {
    Strip r{first, end, in_row_, 0};
    for (int64_t o = r.first; o < r.end; ++o)
      for (int64_t t = 0; t < x_.count[o]; ++t) {
        const int64_t at = x_.index[t * x_.out_size + o] * a_.inner;
        r.low = std::min(r.low, at);
        r.high = std::max(r.high, at + a_.inner);
      }
    r.high = std::max(r.low, r.high);
    return r;
  }

  struct Space {
    float *turned, *summed, *result;
  };
  Space take(ScratchFrame* frame) const {
    if (in_place()) return {nullptr, nullptr, frame->take<float>(width_ * a_.inner)};
    return {frame->take<float>((widest_ + 16) * k_.lanes), frame->take<float>(out_stride() * k_.lanes),
            frame->take<float>(out_stride() * k_.lanes)};
  }

  // The strip of output rows [row, row + count), which are numbered through all planes, from `blended`: one
  // row for every lane, `stride` apart, that begin at column strip.low.
  void write(int64_t row, int64_t count, const float* blended, int64_t stride, const Strip& s,
             const Space& space) const {
    const int64_t size = bytes_of(a_.type), row_bytes = out_row_ * size;
    char* to = static_cast<char*>(a_.out) + row * row_bytes;
    const float one = 1;
    if (in_place()) {
      const int64_t n = (s.end - s.first) * a_.inner;
      to += s.first * a_.inner * size;
      for (int64_t r = 0; r < count; ++r, to += row_bytes) {
        float* sums = a_.type == F32 ? reinterpret_cast<float*>(to) : space.result;
        const float* from = blended + r * stride - s.low;
        if (sums_.leaf >= 0)
          k_.resample.across_groups[sums_.leaf](sums, from + s.first * sums_.size, sums_.weight, n);
        else
          k_.resample.across_pixels(sums, from, &x_, a_.inner, s.first, s.end);
        const float* result = space.result;
        if (a_.type != F32) k_.blend[a_.type](to, &result, &one, 1, n);
      }
      return;
    }
    // Strips have as many parts each, but for the last one.
    const int64_t parts = (width_ + turned_ - 1) / turned_;
    for (int64_t p = s.first / width_ * parts; p < parts_ && part_[p].first < s.end; ++p) {
      const Strip& part = part_[p];
      const int64_t n = (part.end - part.first) * a_.inner;
      k_.resample.to_columns(space.turned, blended + part.low - s.low, stride, part.high - part.low);
      k_.resample.along_columns(space.summed, space.turned, &x_, part.first, part.end, a_.inner, part.low);
      k_.resample.to_rows(space.result, out_stride(), space.summed, n);
      for (int64_t r = 0; r < count; ++r) {
        const float* result = space.result + r * out_stride();
        k_.blend[a_.type](to + r * row_bytes + part.first * a_.inner * size, &result, &one, 1, n);
      }
    }
  }

 private:
  bool in_place() const { return sums_.leaf >= 0 || a_.inner >= k_.lanes; }
  int64_t out_stride() const { return (turned_ * a_.inner + 15) / 16 * 16 + 16; }

  const KernelTable& k_ = kernels();
  const InterpolateArgs& a_;
  const AxisTable& x_;
  const int64_t in_row_, out_row_;
  int64_t strips_, width_;
  int64_t turned_ = 0, widest_ = 0;  // outputs that are turned at a time, the columns they need at most
  Strip* part_ = nullptr;            // those, in order
  int64_t parts_ = 0;
  Groups sums_;
};

// Whether the taps are rows one after the other.
bool consecutive(const RowTaps<float>& taps) {
  for (int64_t k = 1; k < taps.count; ++k)
    if (taps.row[k] != taps.row[0] + k) return false;
  return true;
}

// Groups of rows and columns that are summed at once.
bool sums_groups(const InterpolateArgs& a, Groups* down, Groups* along) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  return a.axis_count == 2 && a.inner == 1 && x.out_size >= kernels().lanes && along->of(x) &&
         along->leaf >= 0 && down->of(a.axes[0]);
}

Status sum_groups(const InterpolateArgs& a, const Groups& down, const Groups& along, const Context& context) {
  const int64_t n = a.axes[1].out_size, size = bytes_of(a.type), work = n * down.size * along.size;
  const SumGroups leaf = kernels().resample.sum_groups[a.type][along.leaf];
  parallel_for(context, a.outer * a.axes[0].out_size, std::max<int64_t>(1, kRangeElements / work),
               [&](int64_t begin, int64_t end) {
                 leaf(static_cast<char*>(a.out) + begin * n * size,
                      static_cast<const char*>(a.in) + begin * work * size, end - begin, n, down.weight,
                      down.size, along.weight);
               });
  return context.cancelled() ? CANCELLED : OK;
}

// Whether pixels are summed both ways at once: with few taps that overlap that costs less than rows between.
bool sums_pixels(const InterpolateArgs& a) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  if (a.type != F32 || a.inner < kernels().lanes) return false;
  int64_t taps = 0;
  for (int64_t o = 0; o < x.out_size; ++o) taps += x.count[o];
  return taps <= x.in_size + x.in_size / 4;
}

// Pixels that are sums of two each way, and of the same source pixels twice at most. Pixels of few elements
// waste lanes, which only pays where most of a row is left out.
bool sums_four_pixels(const InterpolateArgs& a) {
  const AxisTable &y = a.axes[0], &x = a.axes[a.axis_count - 1];
  if (a.type != F32 || a.axis_count != 2 || x.taps != 2 || y.taps != 2 || !is_even(x) || !is_even(y))
    return false;
  return a.inner * 2 >= kernels().lanes ? x.out_size <= 2 * x.in_size
                                        : a.inner >= 4 && 2 * x.out_size <= x.in_size;
}

// `four`: pixels of two rows and two columns.
Status sum_pixels(const InterpolateArgs& a, const Rows& rows, bool four, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const auto* in = static_cast<const float*>(a.in);
  auto* out = static_cast<float*>(a.out);
  const ResampleKernels& leaf = kernels().resample;
  parallel_for(context, a.outer * rows.out, std::max<int64_t>(1, kRangeElements / (in_row * rows.taps)),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 RowTaps<float> taps{0, frame.take<int64_t>(rows.taps), frame.take<float>(rows.taps)};
                 const float** sources = frame.take<const float*>(rows.taps);
                 for (int64_t r = begin; r < end; ++r) {
                   rows.taps_of(r % rows.out, &taps);
                   for (int64_t t = 0; t < taps.count; ++t)
                     sources[t] = in + (r / rows.out * rows.in + taps.row[t]) * in_row;
                   if (four)
                     leaf.sum_four_pixels(out + r * out_row, sources, taps.weight, &x, a.inner);
                   else
                     leaf.sum_pixels(out + r * out_row, sources, taps.weight, taps.count, &x, a.inner);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

Status down_then_across(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  Groups down_groups, along_groups;
  if (sums_groups(a, &down_groups, &along_groups)) return sum_groups(a, down_groups, along_groups, context);
  const bool four = sums_four_pixels(a);
  if (four || sums_pixels(a)) return sum_pixels(a, rows, four, context);
  ScratchFrame tables;
  const Along along(a, &tables);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const ResampleKernels& leaf = kernels().resample;
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner;
  const int64_t lanes = kernels().lanes, all = a.outer * rows.out, groups = (all + lanes - 1) / lanes;
  Strip* strip = tables.take<Strip>(along.strips());
  int64_t widest = 0;
  for (int64_t s = 0; s < along.strips(); ++s) {
    strip[s] = along.strip(s);
    widest = std::max(widest, strip[s].high - strip[s].low);
  }
  const auto* in = static_cast<const char*>(a.in);
  const int64_t stride = (widest + 15) / 16 * 16 + 16;
  const int64_t work = lanes * std::max<int64_t>(1, widest * (rows.taps + 1));
  const auto body = [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowTaps<float>* taps = frame.take<RowTaps<float>>(lanes);
    for (int64_t r = 0; r < lanes; ++r)
      taps[r] = {0, frame.take<int64_t>(rows.taps), frame.take<float>(rows.taps)};
    RowSum* sums = frame.take<RowSum>(lanes);
    const void** sources = frame.take<const void*>(rows.taps);
    float* blended = frame.take<float>(stride * lanes);
    const Along::Space space = along.take(&frame);
    for (int64_t unit = begin; unit < end; ++unit) {
      const Strip& s = strip[unit % along.strips()];
      const int64_t first = unit / along.strips() * lanes, count = std::min(lanes, all - first);
      const int64_t n = s.high - s.low;
      for (int64_t r = 0; r < count; ++r) {
        rows.taps_of((first + r) % rows.out, &taps[r]);
        sums[r] = {taps[r].row[0], taps[r].row[0] + taps[r].count, taps[r].weight};
      }
      for (int64_t r = 0; r < count;) {
        const char* plane = in + ((first + r) / rows.out * rows.in * in_row + s.low) * size;
        float* to = blended + r * stride;
        // With the next rows, where they read some of the same.
        int64_t next = r + 1;
        if (n >= lanes && consecutive(taps[r]))
          while (next < count && next < r + kTogether && (first + next) % rows.out > 0 &&
                 consecutive(taps[next]) && sums[next].first > sums[next - 1].first &&
                 sums[next].first < sums[next - 1].last && sums[next].last >= sums[next - 1].last &&
                 (next < r + 2 || sums[next].first >= sums[next - 2].last))
            ++next;
        if (next > r + 1) {
          leaf.blend_overlapping[a.type](to, stride, plane, in_row, sums + r, next - r, n);
        } else {
          for (int64_t t = 0; t < taps[r].count; ++t) sources[t] = plane + taps[r].row[t] * in_row * size;
          leaf.blend_from[a.type](to, sources, taps[r].weight, taps[r].count, n);
        }
        r = next;
      }
      along.write(first, count, blended, stride, s, space);
    }
  };
  parallel_for(context, groups * along.strips(), std::max<int64_t>(1, kRangeElements / work), body);
  return context.cancelled() ? CANCELLED : OK;
}

// planes of a few elements

// Planes side by side in the lanes of vectors, whose rows would not fill one.
Status side_by_side(const InterpolateArgs& a, const AxisTable& y, bool down_first, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const KernelTable& k = kernels();
  const ResampleKernels& leaf = k.resample;
  const int64_t size = bytes_of(a.type), lanes = k.lanes, groups = (a.outer + lanes - 1) / lanes;
  const int64_t in_row = x.in_size * a.inner, in_plane = y.in_size * in_row;
  const int64_t out_row = x.out_size * a.inner, out_plane = y.out_size * out_row;
  const int64_t mid_row = down_first ? in_row : out_row, mid_rows = down_first ? y.out_size : y.in_size;
  // What fits a vector is turned back to where it belongs; of longer planes the last vector reaches too far.
  const int64_t stride = out_plane <= lanes ? out_plane : out_plane + lanes;
  const int64_t work = lanes * (in_plane + out_plane * (x.taps + y.taps));
  parallel_for(context, groups, std::max<int64_t>(1, kRangeElements / work), [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    float* planes = frame.take<float>(lanes * in_plane);
    float* columns = frame.take<float>(lanes * (in_plane + lanes));
    float* middle = frame.take<float>(lanes * mid_row * mid_rows);
    float* results = frame.take<float>(lanes * (out_plane + lanes));
    float* turned = frame.take<float>(lanes * stride);
    const float one = 1;
    for (int64_t g = begin; g < end; ++g) {
      const int64_t count = std::min(lanes, a.outer - g * lanes);
      const char* from = static_cast<const char*>(a.in) + g * lanes * in_plane * size;
      char* to = static_cast<char*>(a.out) + g * lanes * out_plane * size;
      k.widen[a.type](planes, from, count * in_plane);
      leaf.to_columns(columns, planes, in_plane, in_plane);
      const auto across = [&](float* out, const float* in, int64_t rows) {
        for (int64_t r = 0; r < rows; ++r)
          leaf.along_columns(out + r * out_row * lanes, in + r * in_row * lanes, &x, 0, x.out_size, a.inner,
                             0);
      };
      const auto down = [&](float* out, const float* in, int64_t row) {
        leaf.down[F32](out, row * lanes, in, row * lanes, -1, &y, 0, y.out_size, row * lanes, nullptr);
      };
      if (down_first) {
        down(middle, columns, in_row);
        across(results, middle, y.out_size);
      } else {
        across(middle, columns, y.in_size);
        down(results, middle, out_row);
      }
      leaf.to_rows(turned, stride, results, out_plane);
      if (stride == out_plane) {
        const float* row = turned;
        k.blend[a.type](to, &row, &one, 1, count * out_plane);
        continue;
      }
      for (int64_t p = 0; p < count; ++p) {
        const float* row = turned + p * stride;
        k.blend[a.type](to + p * out_plane * size, &row, &one, 1, out_plane);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// any axes

// Integers of 16 bits and more, as ONNX resizes them.
template <class F>
void by_integer(int type, const F& f) {
  switch (type) {
    case U16:
      return f(uint16_t{});
    case I16:
      return f(int16_t{});
    case I32:
      return f(int32_t{});
    case U32:
      return f(uint32_t{});
    case I64:
      return f(int64_t{});
    default:
      return f(uint64_t{});
  }
}

void read_integers(int type, double* out, const void* in, int64_t at, int64_t n) {
  by_integer(type, [&](auto one) {
    const auto* from = static_cast<const decltype(one)*>(in) + at;
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<double>(from[i]);
  });
}

// Rounded half to even and clamped. Values are finite: weights and integers are.
void write_integers(int type, char* out, const double* in, int64_t n) {
  by_integer(type, [&](auto one) {
    using E = decltype(one);
    using Limits = std::numeric_limits<E>;
    auto* to = reinterpret_cast<E*>(out);
    // The largest 64-bit integers are no doubles: what reaches the next one is clamped.
    const auto low = static_cast<double>(Limits::min()),
               above = 2 * static_cast<double>(Limits::max() / 2 + 1);
    for (int64_t i = 0; i < n; ++i) {
      const double v = std::nearbyint(in[i]);
      to[i] = v < low ? Limits::min() : v >= above ? Limits::max() : static_cast<E>(v);
    }
  });
}

// The same by rows that come in any order: float64, integers, and more than one axis before the last.
template <class T>
struct Leaves;
template <>
struct Leaves<float> {
  const KernelTable& k = kernels();
  const Across across;
  const Strip whole;
  int type;
  Leaves(const InterpolateArgs& a, ScratchFrame* frame)
      : across(a.axes[a.axis_count - 1], a.inner, a.type, frame),
        whole(across.strip(0, INT64_MAX)),
        type(a.type) {}
  void source(float* out, const void* in, int64_t row, float* staged) const {
    across.rows(out, 0, in, row, 1, staged, whole);
  }
  void blend_out(char* out, const float* const* rows, const float* w, int64_t taps, int64_t n, float*) const {
    k.blend[type](out, rows, w, taps, n);
  }
  bool rounds() const { return false; }  // a blend does
};
template <>
struct Leaves<double> {
  const KernelTable& k = kernels();
  const AxisTable& x;
  const int64_t inner;
  const int type;
  Leaves(const InterpolateArgs& a, ScratchFrame*)
      : x(a.axes[a.axis_count - 1]), inner(a.inner), type(a.type) {}
  bool rounds() const { return type != F64; }
  void source(double* out, const void* in, int64_t row, double* staged) const {
    const int64_t n = x.in_size * inner;
    const auto* values = static_cast<const double*>(in) + (rounds() ? 0 : row * n);
    if (rounds()) {
      read_integers(type, staged, in, row * n, n);
      values = staged;
    }
    k.resample_row_double(out, values, &x, inner);
  }
  // `space` has room for n values where the result is rounded.
  void blend_out(char* out, const double* const* rows, const double* w, int64_t taps, int64_t n,
                 double* space) const {
    k.blend_double(rounds() ? space : reinterpret_cast<double*>(out), rows, w, taps, n);
    if (rounds()) write_integers(type, out, space, n);
  }
};

Status down_then_across_double(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const KernelTable& k = kernels();
  const auto* in = static_cast<const double*>(a.in);
  auto* out = static_cast<double*>(a.out);
  const int64_t work = std::max<int64_t>(1, in_row * rows.taps + out_row * x.taps);
  parallel_for(context, a.outer * rows.out, std::max<int64_t>(1, kRangeElements / work),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 RowTaps<double> taps{0, frame.take<int64_t>(rows.taps), frame.take<double>(rows.taps)};
                 const double** sources = frame.take<const double*>(rows.taps);
                 double* blended = frame.take<double>(in_row);
                 for (int64_t r = begin; r < end; ++r) {
                   rows.taps_of(r % rows.out, &taps);
                   for (int64_t t = 0; t < taps.count; ++t)
                     sources[t] = in + (r / rows.out * rows.in + taps.row[t]) * in_row;
                   k.blend_double(blended, sources, taps.weight, taps.count, in_row);
                   k.resample_row_double(out + r * out_row, blended, &x, a.inner);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

template <class T>
Status across_then_down_anyhow(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  ScratchFrame tables;
  const Leaves<T> leaves(a, &tables);
  auto* out = static_cast<char*>(a.out);
  const int64_t slots = rows.taps + 1;
  const int64_t grain =
      std::min(rows.out, std::max<int64_t>(16, kRangeElements / (out_row * (rows.taps + 1))));
  const int64_t blocks = (rows.out + grain - 1) / grain;
  parallel_for(context, a.outer * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowTaps<T> taps{0, frame.take<int64_t>(rows.taps), frame.take<T>(rows.taps)};
    const T** sources = frame.take<const T*>(rows.taps);
    T** space = frame.take<T*>(slots);
    int64_t* held = frame.take<int64_t>(slots);  // the row that a slot holds
    for (int64_t s = 0; s < slots; ++s) {
      space[s] = frame.take<T>(out_row);
      held[s] = -1;
    }
    T* staged = frame.take<T>(in_row);
    T* rounded = frame.take<T>(leaves.rounds() ? out_row : 0);
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks, first = block % blocks * grain,
                    last = std::min(first + grain, rows.out);
      for (int64_t r = first; r < last; ++r) {
        rows.taps_of(r, &taps);
        for (int64_t k = 0; k < taps.count; ++k) {
          const int64_t wanted = plane * rows.in + taps.row[k];
          int64_t slot = 0;
          while (slot < slots && held[slot] != wanted) ++slot;
          if (slot == slots) {
            // The slot whose row is farthest behind and not among those just chosen; there is one to spare.
            slot = -1;
            for (int64_t s = 0; s < slots; ++s) {
              bool taken = false;
              for (int64_t j = 0; j < k; ++j) taken = taken || sources[j] == space[s];
              if (!taken && (slot < 0 || held[s] < held[slot])) slot = s;
            }
            leaves.source(space[slot], a.in, wanted, staged);
            held[slot] = wanted;
          }
          sources[k] = space[slot];
        }
        leaves.blend_out(out + (plane * rows.out + r) * out_row * size, sources, taps.weight, taps.count,
                         out_row, rounded);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

Status weighted(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const bool down_first =
      blends_down_first(rows.in, rows.out, rows.taps, x.in_size * a.inner, x.out_size * a.inner, x.taps);
  if (a.type != F64 && computes_in_double(a.type)) return across_then_down_anyhow<double>(a, rows, context);
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
  if (a.outer >= kernels().lanes && out_row < kernels().lanes && rows.out * out_row <= kTinyPlane &&
      rows.in * x.in_size * a.inner <= kTinyPlane)
    return side_by_side(a, y, down_first, context);
  if (down_first) return down_then_across(a, rows, context);
  if (a.outer * y.in_size * out_row <= kFewElements && y.out_size <= kFewElements)
    return few_across_then_down(a, y);
  ScratchFrame tables;
  const Spans spans(y, &tables);
  if (!spans.rising) return across_then_down_anyhow<float>(a, rows, context);
  return across_then_down(a, y, spans, context);
}

// outside

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

Status resize(const InterpolateArgs& a, const Context& context) {
  if (a.moves) return move_rows(a, context);
  return weighted(a, context);
}

}  // namespace

Status interpolate(const InterpolateArgs& a, const Context& context) {
  const Status status = resize(a, context);
  return status == OK && a.extrapolates ? fill_outside(a, context) : status;
}

}  // namespace upsampling
