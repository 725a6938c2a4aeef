// Resizes by two rows and two pixels of each, of which only what is read is loaded: what shrinks.
#include <algorithm>
#include <cstring>

#include "kernels/table.h"
#include "ops/prepared-taps.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Inputs that fit the second-level cache beside what else there is.
constexpr int64_t kNearBytes = 1024 * 1024;

// Whether both taps of an output are the same or neighbours.
bool of_neighbours(const AxisTable& x) {
  bool yes = true;
  for (int64_t o = 0; o < x.out_size; ++o) {
    const int32_t apart = x.index[x.out_size + o] - x.index[o];
    yes = yes && (apart == 0 || apart == 1);
  }
  return yes;
}

SumFour leaf_of(const InterpolateArgs& a, bool down_first) {
  const ResampleKernels& k = kernels().resample;
  return (a.inner == 1 ? k.sum_four_elements : k.sum_four_pixels)[a.type][!down_first];
}

}  // namespace

// Down first, of the same source pixels twice at most: ones of few elements waste lanes, which only pays
// where most of a row is left out. Across first, rows are kept for the next ones, if there are any that read
// them. Of 480x640 pixels of two bytes to 224x224 it takes 89 us rather than 81 by way of columns, of
// three planes of bytes 0.17 ms rather than 0.14 with vectors of 8. Four bytes fill 16 lanes well: 480x640x4
// to 300x333 takes 0.18 ms rather than 0.26, to 400x560 0.38 rather than 0.43; with vectors of 8 no less.
bool sums_four(const InterpolateArgs& a, bool down_first) {
  const AxisTable &y = a.axes[0], &x = a.axes[a.axis_count - 1];
  if (leaf_of(a, down_first) == nullptr || a.axis_count != 2 || x.taps != 2 || y.taps != 2 || !is_even(x) ||
      !is_even(y))
    return false;
  // Nothing is kept between two rows, which takes as long to read again as to read.
  if (a.type == F64) return a.inner * 2 >= kernels().lanes;
  const bool skips = 2 * x.out_size <= x.in_size;
  if (a.type != F32 && a.inner == 4 && kernels().lanes == 16 && x.out_size <= x.in_size &&
      y.out_size <= y.in_size)
    return true;
  if (!down_first && (!skips || 2 * y.out_size > y.in_size)) return false;
  if (down_first && a.type != F32 && (a.inner == 2 || (a.inner == 1 && kernels().lanes < 16))) return false;
  if (a.inner == 1) return x.in_size >= 4 && of_neighbours(x);
  return skips ||
         ((a.inner * 2 >= kernels().lanes || (kernels().lanes == 16 && a.type == F32 && a.inner >= 3)) &&
          x.out_size <= 2 * x.in_size);
}

// A channel of 128x128 to 32x32 takes 1.4 times as long by picking, to 77x77 .8 times; two channels of
// 256x256 to 128x128 .57 times, four of 100x100 to 33x33 1.5 times.
bool is_worth_picking(const InterpolateArgs& a) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  constexpr int64_t inputs[] = {0, 7, 10, 7, 0};  // of each channel count, for four outputs at most
  if (a.type != F32 || x.taps != 2 || a.axis_count == 1 || a.inner > 4) return true;
  // For few rows, single elements are not worth the patterns.
  const bool few = a.inner == 1 && a.outer * a.axes[0].out_size < 32;
  return !few && 4 * x.in_size <= inputs[a.inner] * x.out_size;
}

bool sums_four_picked(const InterpolateArgs& a) {
  const AxisTable &y = a.axes[0], &x = a.axes[a.axis_count - 1];
  const int64_t lanes = kernels().lanes;
  return kernels().resample.sum_four_picked != nullptr && a.type == F32 && a.axis_count == 2 &&
         a.inner <= 4 && x.taps == 2 && y.taps == 2 && is_even(x) && is_even(y) && is_worth_picking(a) &&
         reaches_window(x, a.inner) && x.in_size * a.inner >= kMostWindow * lanes;
}

namespace {

// leaf(out, rows, down) for every output row. Rows may be short: planes and rows are counted, to divide for
// them takes longer than the sums of six outputs.
template <class Leaf>
Status each_two_rows(const InterpolateArgs& a, const Context& context, const Leaf& leaf) {
  const AxisTable &y = a.axes[0], &x = a.axes[1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner * size,
                out_row = x.out_size * a.inner * size, in_plane = y.in_size * in_row;
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const bool asks = a.outer * in_plane > kNearBytes;
  // The weights of every row of a plane, side by side.
  const int64_t weight_size = a.type == F64 ? sizeof(double) : sizeof(float);
  ScratchFrame tables;
  auto* down = tables.take<char>(2 * y.out_size * weight_size);
  for (int64_t i = 0; i < 2 * y.out_size; ++i)
    std::memcpy(down + i * weight_size,
                static_cast<const char*>(y.weight) + (i % 2 * y.out_size + i / 2) * weight_size,
                static_cast<size_t>(weight_size));
  const int32_t *above = y.index, *below = above + y.out_size;
  parallel_for(
      context, a.outer * y.out_size, std::max<int64_t>(1, kRangeElements / (4 * x.out_size * a.inner)),
      [&](int64_t begin, int64_t end) {
        const char* plane = in + begin / y.out_size * in_plane;
        int64_t o = begin % y.out_size;
        for (int64_t r = begin; r < end; ++r) {
          const bool last = o + 1 == y.out_size;
          const char* following = last ? plane + in_plane : plane;
          const int64_t next = last ? 0 : o + 1;
          const void* rows[4] = {plane + above[o] * in_row, plane + below[o] * in_row, nullptr, nullptr};
          if (asks) {
            rows[2] = r + 1 == end ? rows[0] : following + above[next] * in_row;
            rows[3] = r + 1 == end ? rows[1] : following + below[next] * in_row;
          }
          leaf(out + r * out_row, rows, down + 2 * o * weight_size);
          plane = following;
          o = next;
        }
      });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

Status sum_four(const InterpolateArgs& a, bool down_first, const Context& context) {
  const SumFour leaf = leaf_of(a, down_first);
  return each_two_rows(a, context, [&](char* out, const void* const* rows, const char* down) {
    leaf(out, rows, down, &a.axes[1], a.inner);
  });
}

namespace {

// Outputs that are listed at most, and at least where planes are smaller.
constexpr int64_t kMostListed = 1024, kLeastListed = 64;
// Inputs of such planes at most: those of kLeastListed planes are numbered by 32 bits.
constexpr int64_t kMostInputs = 1 << 24;
// Planes, and outputs, for which a list is worth it: to make it takes as long as four planes do. 512 planes
// of 34x17 to 17x6 take 40 us rather than 116 side by side, 512 of 16x28 to 4x7 11 rather than 49 by rows, 7
// of 28x28 to 7x7 1.8 rather than 2.4, but one of 64x64 to 30x30 4.7 rather than 2.0.
constexpr int64_t kLeastPlanes = 4, kLeastOutputs = 128;

}  // namespace

bool sums_four_listed(const InterpolateArgs& a, bool down_first) {
  const int64_t row = a.axes[a.axis_count - 1].out_size, plane = a.axes[0].out_size * row;
  return a.inner == 1 && a.outer >= kLeastPlanes && row <= 2 * kernels().lanes && plane <= kMostListed &&
         a.outer * plane >= kLeastOutputs &&
         a.axes[0].in_size * a.axes[a.axis_count - 1].in_size <= kMostInputs && sums_four(a, down_first);
}

Status sum_four_listed(const InterpolateArgs& a, bool down_first, const Context& context) {
  const AxisTable &y = a.axes[0], &x = a.axes[1];
  const int64_t size = bytes_of(a.type), in_plane = y.in_size * x.in_size,
                out_plane = y.out_size * x.out_size;
  const int64_t planes = std::min(a.outer, (kLeastListed + out_plane - 1) / out_plane),
                groups = (a.outer + planes - 1) / planes, n = planes * out_plane;
  ScratchFrame tables;
  int32_t* where[4];
  float* weight[4];
  for (int i = 0; i < 4; ++i) {
    where[i] = tables.take<int32_t>(n);
    weight[i] = tables.take<float>(n);
  }
  const auto *down = static_cast<const float*>(y.weight), *along = static_cast<const float*>(x.weight);
  // What is read of a row together does not reach beyond its end.
  const auto last = static_cast<int32_t>(x.in_size - (a.type == F32 ? 2 : 4));
  for (int64_t p = 0, i = 0; p < planes; ++p)
    for (int64_t oy = 0; oy < y.out_size; ++oy) {
      const auto above = static_cast<int32_t>(p * in_plane + y.index[oy] * x.in_size),
                 below = static_cast<int32_t>(p * in_plane + y.index[y.out_size + oy] * x.in_size);
      for (int64_t ox = 0; ox < x.out_size; ++ox, ++i) {
        const int32_t left = x.index[ox], at = std::min(left, last);
        where[0][i] = above + at;
        where[1][i] = below + at;
        where[2][i] = left - at;
        where[3][i] = x.index[x.out_size + ox] - at;
        weight[0][i] = down[oy];
        weight[1][i] = down[y.out_size + oy];
        weight[2][i] = along[ox];
        weight[3][i] = along[x.out_size + ox];
      }
    }
  const FourTaps taps = {where[0], where[1], where[2], where[3], weight[0], weight[1], weight[2], weight[3]};
  const auto leaf = kernels().resample.sum_four_listed[a.type][!down_first];
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const bool asks = a.outer * in_plane * size > kNearBytes;
  parallel_for(context, groups, std::max<int64_t>(1, kRangeElements / (4 * n)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t g = begin; g < end; ++g)
                   leaf(out + g * n * size, in + g * planes * in_plane * size, &taps,
                        std::min(planes, a.outer - g * planes) * out_plane,
                        asks && g + 1 < end ? planes * in_plane : 0);
               });
  return context.cancelled() ? CANCELLED : OK;
}

Status sum_four_picked(const InterpolateArgs& a, const Context& context) {
  ScratchFrame tables;
  const PreparedTaps taps = prepared_taps(a.axes[1], a.inner, &tables);
  return each_two_rows(a, context, [&](char* out, const void* const* rows, const char* down) {
    kernels().resample.sum_four_picked(reinterpret_cast<float*>(out), rows,
                                       reinterpret_cast<const float*>(down), &taps);
  });
}

}  // namespace upsampling
