#include "ops/resample-groups.h"

#include <algorithm>

#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Output rows that are blended down before they are summed along: a part of the first-level cache.
constexpr int64_t kShortElements = 2048;

// Rows that fill no vector: blended down one by one, then summed along together, as groups go on across their
// ends.
Status sum_short_groups(const InterpolateArgs& a, const Groups& down, const Groups& along,
                        const Context& context) {
  const KernelTable& k = kernels();
  const int64_t n = a.axes[1].out_size, in_row = n * along.size, size = bytes_of(a.type);
  const int64_t most = std::max<int64_t>(1, kShortElements / in_row);
  parallel_for(context, a.outer * a.axes[0].out_size,
               std::max<int64_t>(1, kRangeElements / (in_row * down.size)), [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 const int64_t together = std::min(most, end - begin);
                 auto* blended = frame.take<float>(together * in_row);
                 auto* summed = a.type == F32 ? nullptr : frame.take<float>(together * n);
                 const float one = 1;
                 for (int64_t first = begin; first < end; first += together) {
                   const int64_t rows = std::min(together, end - first);
                   const char* in = static_cast<const char*>(a.in) + first * down.size * in_row * size;
                   for (int64_t r = 0; r < rows; ++r) {
                     const void* sources[Groups::kMost];
                     for (int64_t t = 0; t < down.size; ++t, in += in_row * size) sources[t] = in;
                     k.resample.blend_from[a.type](blended + r * in_row, sources, down.weight, down.size,
                                                   in_row);
                   }
                   char* out = static_cast<char*>(a.out) + first * n * size;
                   float* sums = a.type == F32 ? reinterpret_cast<float*>(out) : summed;
                   k.resample.across_groups[along.leaf](sums, blended, along.weight, rows * n);
                   const float* result = summed;
                   if (a.type != F32) k.blend[a.type](out, &result, &one, 1, rows * n);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

bool Groups::of(const AxisTable& x) {
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

bool sums_groups(const InterpolateArgs& a, Groups* down, Groups* along) {
  return a.axis_count == 2 && a.inner == 1 && along->of(a.axes[1]) && along->leaf >= 0 && down->of(a.axes[0]);
}

Status sum_groups(const InterpolateArgs& a, const Groups& down, const Groups& along, const Context& context) {
  const int64_t n = a.axes[1].out_size, size = bytes_of(a.type), work = n * down.size * along.size;
  if (n < kernels().lanes) return sum_short_groups(a, down, along, context);
  const SumGroups leaf = kernels().resample.sum_groups[a.type][along.leaf];
  parallel_for(context, a.outer * a.axes[0].out_size, std::max<int64_t>(1, kRangeElements / work),
               [&](int64_t begin, int64_t end) {
                 leaf(static_cast<char*>(a.out) + begin * n * size,
                      static_cast<const char*>(a.in) + begin * work * size, end - begin, n, down.weight,
                      down.size, along.weight);
               });
  return context.cancelled() ? CANCELLED : OK;
}

bool halves_bytes(const InterpolateArgs& a) {
  if ((a.type != U8 && a.type != I8) || a.axis_count != 2) return false;
  for (int i = 0; i < 2; ++i) {
    Groups groups;
    if (!groups.of(a.axes[i]) || groups.size != 2 || groups.weight[0] != 0.5F || groups.weight[1] != 0.5F)
      return false;
  }
  return true;
}

Status halve_bytes(const InterpolateArgs& a, const Context& context) {
  const int64_t n = a.axes[1].out_size, row = n * a.inner;
  const auto leaf = kernels().resample.halve_bytes[a.type];
  parallel_for(context, a.outer * a.axes[0].out_size, std::max<int64_t>(1, kRangeElements / row),
               [&](int64_t begin, int64_t end) {
                 leaf(static_cast<char*>(a.out) + begin * row,
                      static_cast<const char*>(a.in) + begin * 4 * row, end - begin, n, a.inner);
               });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
