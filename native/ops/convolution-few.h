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

// Transposed: products of each input with the weights of all outputs that it reaches, added up there. No
// product is with padding, and weights are read in whole rows as they came.
class Reaching {
 public:
  // `work`: products of the other algorithm, with those of padding.
  Reaching(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels, double work,
           ScratchFrame* frame);
  bool worth_running() const { return faster_; }
  void run(const float* weight, const float* bias, const Context& context) const;

 private:
  // Of each kernel element of an axis: which output input i reaches, i·step + to, if it is one of these.
  struct Reach {
    int64_t to, begin, end;
  };
  bool read_axis(const conv::Axis& axis, Reach* reach) const;
  void add(int64_t p, int64_t first, int64_t channels, const float* y) const;

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const ConvLeaves<float>& leaves_;
  Reach* reach_[3];
  int64_t pixels_;
  bool faster_;
};

}  // namespace upsampling
