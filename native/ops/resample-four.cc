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

// leaf(out, rows, down) for every output row.
template <class Leaf>
Status each_two_rows(const InterpolateArgs& a, const Context& context, const Leaf& leaf) {
  const AxisTable &y = a.axes[0], &x = a.axes[1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner * size,
                out_row = x.out_size * a.inner * size;
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  const auto* weight = static_cast<const char*>(y.weight);
  const auto weight_size = static_cast<size_t>(a.type == F64 ? sizeof(double) : sizeof(float));
  const bool asks = a.outer * y.in_size * in_row > kNearBytes;
  const auto row = [&](int64_t r, int64_t tap) {
    return in + (r / y.out_size * y.in_size + y.index[tap * y.out_size + r % y.out_size]) * in_row;
  };
  parallel_for(
      context, a.outer * y.out_size, std::max<int64_t>(1, kRangeElements / (4 * x.out_size * a.inner)),
      [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          const int64_t o = r % y.out_size, next = std::min(r + 1, end - 1);
          alignas(double) char down[2 * sizeof(double)];
          for (int64_t t = 0; t < 2; ++t)
            std::memcpy(down + t * weight_size, weight + (t * y.out_size + o) * weight_size, weight_size);
          const void* rows[4] = {row(r, 0), row(r, 1), asks ? row(next, 0) : nullptr,
                                 asks ? row(next, 1) : nullptr};
          leaf(out + r * out_row, rows, down);
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

Status sum_four_picked(const InterpolateArgs& a, const Context& context) {
  ScratchFrame tables;
  const PreparedTaps taps = prepared_taps(a.axes[1], a.inner, &tables);
  return each_two_rows(a, context, [&](char* out, const void* const* rows, const char* down) {
    kernels().resample.sum_four_picked(reinterpret_cast<float*>(out), rows,
                                       reinterpret_cast<const float*>(down), &taps);
  });
}

}  // namespace upsampling
