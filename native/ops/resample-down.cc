// Resizes down first, then across: what a row takes from many source rows is summed before it is resampled.
#include <algorithm>

#include "kernels/table.h"
#include "ops/prepared-taps.h"
#include "ops/resample-groups.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Columns of a strip of source rows, which is long because caches read ahead along a row: with one row per
// lane it takes a part of the second-level cache.
constexpr int64_t kStripColumns = 6144;
// Output rows that are summed together, for the source rows that they share: with 16 of them a resize from
// memory is slower.
constexpr int64_t kTogether = 8;
// Columns that are turned at a time: a part of the first-level cache.
constexpr int64_t kTurnedColumns = 256;

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

// Whether pixels are summed both ways at once: with few taps that overlap that costs less than rows between.
bool sums_pixels(const InterpolateArgs& a) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  if (a.type != F32 || a.inner < kernels().lanes) return false;
  int64_t taps = 0;
  for (int64_t o = 0; o < x.out_size; ++o) taps += x.count[o];
  return taps <= x.in_size + x.in_size / 4;
}

Status sum_pixels(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const auto* in = static_cast<const float*>(a.in);
  auto* out = static_cast<float*>(a.out);
  parallel_for(context, a.outer * rows.out, std::max<int64_t>(1, kRangeElements / (in_row * rows.taps)),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 RowTaps<float> taps{0, frame.take<int64_t>(rows.taps), frame.take<float>(rows.taps)};
                 const float** sources = frame.take<const float*>(rows.taps);
                 for (int64_t r = begin; r < end; ++r) {
                   rows.taps_of(r % rows.out, &taps);
                   for (int64_t t = 0; t < taps.count; ++t)
                     sources[t] = in + (r / rows.out * rows.in + taps.row[t]) * in_row;
                   kernels().resample.sum_pixels(out + r * out_row, sources, taps.weight, taps.count, &x,
                                                 a.inner);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

// Whether two or four taps are picked from a few vectors of a row that was blended down, which takes neither
// turns to columns nor the pixels one by one: bicubic 480x640x3 to 240x320 takes 0.28 ms rather than 0.31,
// bilinear uint8 400x600x3 to 250x350 0.10 rather than 0.16. Windows of eight lanes hold too few pixels:
// 480x640x3 would take 0.34 ms on AVX2 rather than 0.28, but a channel of 300x300 to 200x200 takes .032
// rather than .040.
bool picks(const InterpolateArgs& a) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  return kernels().lanes >= (a.inner == 1 ? 8 : 16) && a.inner < kernels().lanes &&
         (x.taps == 2 || x.taps == 4) && is_even(x) && is_worth_picking(a) && reaches_window(x, a.inner);
}

Status blend_and_pick(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const KernelTable& k = kernels();
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  ScratchFrame tables;
  const PreparedTaps picked = prepared_taps(x, a.inner, &tables);
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const bool in_place = a.type == F32 && in_row >= picked.window * k.lanes;
  const int64_t work = in_row * rows.taps + out_row * x.taps;
  parallel_for(context, a.outer * rows.out, std::max<int64_t>(1, kRangeElements / work),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 RowTaps<float> taps{0, frame.take<int64_t>(rows.taps), frame.take<float>(rows.taps)};
                 const void** sources = frame.take<const void*>(rows.taps);
                 // Short rows are read beyond their end.
                 float* blended = frame.take<float>(std::max<int64_t>(in_row, picked.window * k.lanes));
                 float* sums = frame.take<float>(a.type == F32 ? 0 : out_row);
                 const float one = 1;
                 for (int64_t r = begin; r < end; ++r) {
                   rows.taps_of(r % rows.out, &taps);
                   const char* plane = in + r / rows.out * rows.in * in_row * size;
                   for (int64_t t = 0; t < taps.count; ++t) sources[t] = plane + taps.row[t] * in_row * size;
                   // A single row is read where it lies.
                   const bool copied = in_place && taps.count == 1 && taps.weight[0] == 1;
                   if (!copied)
                     k.resample.blend_from[a.type](blended, sources, taps.weight, taps.count, in_row);
                   const float* from = copied ? static_cast<const float*>(sources[0]) : blended;
                   char* to = out + r * out_row * size;
                   k.resample.across(a.type == F32 ? reinterpret_cast<float*>(to) : sums, 0, from, 0, 1,
                                     &picked, 0, picked.blocks);
                   const float* result = sums;
                   if (a.type != F32) k.blend[a.type](to, &result, &one, 1, out_row);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status down_then_across(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  Groups down, sums_along;
  if (sums_groups(a, &down, &sums_along)) return sum_groups(a, down, sums_along, context);
  if (sums_four_picked(a)) return sum_four_picked(a, context);
  if (sums_four(a, true)) return sum_four(a, true, context);
  if (picks(a)) return blend_and_pick(a, rows, context);
  if (sums_pixels(a)) return sum_pixels(a, rows, context);
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

}  // namespace upsampling
