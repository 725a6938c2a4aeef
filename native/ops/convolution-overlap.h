// Transposed convolutions to few channels.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

// Products of every input with all weights of its group, as one matrix of kernel elements and pixels; each
// output is the sum of those that meet there, which are added row by row of the kernel. Phase by phase, so
// few output channels are too few columns for a tile.
class Overlap {
 public:
  Overlap(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels, ScratchFrame* frame);

  // Whether the weights are kept in this form, too: not of the extents of the inputs.
  bool worth_packing() const { return columns_ > 0; }
  // Whether it is faster, for these extents, than an algorithm of cost `other`, about in cycles. Only where
  // packing is worth it.
  bool worth_running(double other) const;

  // Floats of the packed weights and bias.
  int64_t packed_size() const;
  void pack(const float* weight, const float* bias, float* packed) const;
  void run(const float* packed, const Context& context) const;
  // Inputs of one pixel, to few channels: there is no faster algorithm.
  bool has_pixels() const { return columns_ > 0 && few_ && s_.in() == 1; }
  void run_pixels(const float* packed, const Context& context) const;

 private:
  // Of a kernel element of an axis: input i meets output (i − shift)·step + slot.
  struct Tap {
    int64_t slot, shift;
  };
  // Positions, and the inputs that they read.
  struct Range {
    int64_t q0, q1, i0, i1;
  };
  void choose_box();
  double cost() const;
  bool read_axis(const conv::Axis& axis, Tap* taps, int64_t* low, int64_t* high) const;
  Range range(const conv::Axis& axis, int64_t low, int64_t high, int64_t box, int64_t index) const;
  int64_t bias_at() const { return a_.groups * columns_ * a_.in_channels; }
  int64_t tile() const { return conv::divide_up(columns_, conv::divide_up<int64_t>(columns_, leaves_.most)); }
  // Output channels are planes, as they are summed, and woven into pixels afterwards.
  bool weaves() const { return a_.nhwc && a_.out_channels > 1; }
  void multiply(const float* in, const float* end, const Range& y, const Range& x, const float* packed,
                float* sums, int64_t pitch) const;
  // out: the first row of the range in the first plane; planes are `plane` apart and rows `row`.
  void add(float* out, int64_t plane, int64_t row, const Range& y, const Range& x, const float* bias,
           const float* sums, int64_t pitch) const;
  int64_t outputs(const conv::Axis& axis, const Range& r) const {
    return std::min(axis.out, r.q1 * axis.out_step) - r.q0 * axis.out_step;
  }

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const ConvLeaves<float>& leaves_;
  const InterleaveKernels& weave_;
  bool few_, meets_;  // output channels too few for a vector; more elements of a kernel than phases
  int64_t columns_;   // of a group, or 0 where there is no such form
  Tap *y_, *x_;
  int64_t low_[2], high_[2];  // shifts
  int64_t y_box_, x_box_;     // positions of a task
};

}  // namespace upsampling
