// Convolutions of planes that are read where they are.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

// Channels first, with the weights of an engine and sums in its order, but without its copies and its plan:
// for planes whose copies would take as long as their products, and for small ones.
class Direct {
 public:
  Direct(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels);

  // Whether it is the faster one for these extents.
  bool worth_running() const;
  // Weights and bias as an engine packs them.
  void run(const float* packed, const Context& context) const;

 private:
  // About in cycles.
  double cost() const;
  double cost_of_others() const;

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const ConvLeaves<float>& leaves_;
  bool can_;
  int64_t block_;  // output channels at a time
};

}  // namespace upsampling
