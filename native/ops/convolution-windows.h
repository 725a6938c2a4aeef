// Convolutions of pixels to few channels.
#pragma once
#include "ops/convolution-pixels.h"
#include "runtime/context.h"

namespace upsampling {

// Rows of windows are read where they are: the engine would fill a small part of every vector of columns, or
// turn pixels to planes, which of windows far apart takes longer than their products.
class Windows {
 public:
  Windows(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels);

  // Whether the weights are kept in this form: not of the extents of the inputs.
  bool worth_packing() const { return leaf_ != nullptr; }
  bool worth_running() const;
  // Floats of the packed weights and bias.
  int64_t packed_size() const;
  void pack(const float* weight, const float* bias, float* packed) const;
  void run(const float* packed, const Context& context) const;

 private:
  // Rows of outputs begin … end, read where the inputs are, or from a copy with the padding.
  void run_in_place(const conv::WindowRows& rows, int64_t begin, int64_t end, const float* packed) const;
  void run_copied(int64_t begin, int64_t end, const float* packed) const;
  // Copies rows of inputs from `first` on, with the padding.
  void copy_rows(const float* image, int64_t first, int64_t rows, float* to) const;

  // Pixels of a row that are not computed in blocks, since they do not find all taps.
  int64_t edges() const;
  bool copies() const;
  // About in cycles: of a block for each of its pixels, and of a pixel by itself.
  double cost_of_pixel() const;
  double cost_of_edge() const;
  // Of a row of outputs.
  double cost_of_copy() const;
  // Taps along x that are one run, and the elements of that.
  int64_t run_taps() const { return joined_ ? s_.x.pass[0].taps : 1; }
  int64_t elements() const { return run_taps() * a_.in_channels; }
  int64_t runs() const { return s_.z.pass[0].taps * s_.y.pass[0].taps * (joined_ ? 1 : s_.x.pass[0].taps); }
  // Vectors of the products of a window.
  int64_t vectors() const { return runs() * conv::divide_up(elements(), lanes_); }
  const float* bias_of(const float* packed) const {
    return packed + runs() * a_.out_channels * weight() + lanes_;
  }
  // Extents of the inputs that a row of outputs reads, with the padding.
  int64_t low(const conv::Pass& p) const { return p.taps == 0 ? 0 : p.offset[0]; }
  int64_t span(const conv::Axis& axis, int64_t outs) const {
    const conv::Pass& p = axis.pass[0];
    return (outs - 1) * axis.in_step + (p.taps == 0 ? 1 : p.offset[p.taps - 1] - p.offset[0] + 1);
  }
  int64_t pitch() const { return span(s_.x, s_.x.out) * a_.in_channels; }
  // From the weights of a column to those of the next one.
  int64_t weight() const { return conv::divide_up(elements(), lanes_) * lanes_; }

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const int64_t lanes_;
  bool joined_ = true;
  ConvWindowsLeaf leaf_ = nullptr;
};

}  // namespace upsampling
