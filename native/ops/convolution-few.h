// Convolutions of few positions, with weights as they came.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

class Few {
 public:
  Few(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels);

  // Whether it is the faster one for these extents.
  bool worth_running() const { return faster_; }
  // False where an output is not finite: weights that are not may have met the padding.
  bool run(const float* weight, const float* bias, const Context& context) const;

 private:
  void copy(int64_t p, float* to) const;

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const ConvLeaves<float>& leaves_;
  const int64_t elements_, pixels_;  // of a row, and positions of all images
  bool in_place_, faster_;
};

}  // namespace upsampling
