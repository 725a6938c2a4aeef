// Convolutions of small groups, channels last.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

// Groups of few channels, smaller than a vector, or of one channel that becomes some: the engine would fill
// only a part of every vector, or turn pixels to planes for each group alone.
class SmallGroups {
 public:
  SmallGroups(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels);

  // Whether the weights are kept in this form, and it is run: not of the extents of the inputs.
  bool worth_running() const { return leaf_ != nullptr; }
  // Floats of the packed weights and bias.
  int64_t packed_size() const;
  void pack(const float* weight, const float* bias, float* packed) const;
  void run(const float* packed, const Context& context) const;

 private:
  int64_t taps() const { return s_.z.pass[0].taps * s_.y.pass[0].taps * s_.x.pass[0].taps; }
  // Floats of the weights of a vector of outputs, and how many vectors there are.
  int64_t each() const { return taps() * a_.in_channels * lanes_; }
  int64_t vectors() const;
  ConvGroups::Vector vector(int64_t v) const;

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const int64_t lanes_;
  int64_t whole_ = 0;  // groups of a vector; 0: vectors of outputs follow one another, whatever their groups
  ConvGroupsLast leaf_ = nullptr;
};

}  // namespace upsampling
