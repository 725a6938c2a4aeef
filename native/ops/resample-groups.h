// Shrinking by whole factors: every output is the sum of its own group of elements.
#pragma once
#include "kernels/table.h"
#include "ops/interpolate.h"
#include "runtime/context.h"

namespace upsampling {

// An axis whose outputs are weighted sums of the next `size` inputs each, with weights that are all alike.
struct Groups {
  static constexpr int64_t kMost = 8;
  int64_t size = 0;
  int leaf = -1;  // of kGroups, where there is one of that size
  float weight[kMost];

  bool of(const AxisTable& x);
};

// Whether groups of rows and of columns are summed at once, and so.
bool sums_groups(const InterpolateArgs& a, Groups* down, Groups* along);
Status sum_groups(const InterpolateArgs& a, const Groups& down, const Groups& along, const Context& context);

// Whether bytes become means of four, and so.
bool halves_bytes(const InterpolateArgs& a);
Status halve_bytes(const InterpolateArgs& a, const Context& context);

}  // namespace upsampling
