// 1x1 convolutions to few channels.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

// Inputs and weights are read where they are: there is nothing to pack, and the products of a pixel are fewer
// than it takes to bring many of them into an order.
class Point {
 public:
  Point(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels);

  // Whether the weights are kept as they came: not of the extents of the inputs.
  bool worth_keeping() const { return kept_; }
  bool worth_running() const { return kept_ && pixels_ >= lanes_; }
  void run(const float* weight, const float* bias, const Context& context) const;

 private:
  const ConvArgs& a_;
  const PointKernels& kernels_;
  const int64_t lanes_, pixels_;  // neighbouring ones: of a plane, or of all images
  bool kept_;
};

}  // namespace upsampling
