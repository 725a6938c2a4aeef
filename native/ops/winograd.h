// Winograd's algorithm for the convolutions that it is faster for.
#pragma once
#include "ops/convolution-engine.h"
#include "runtime/context.h"

namespace upsampling {

// The form of Note [Winograd] of a convolution in tiles of 4×4 or 2×2 outputs, if it has one.
class Winograd {
 public:
  Winograd(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels, int64_t tile);

  // Whether the weights are kept in this form, too: by kernel, steps and channels.
  bool worth_packing() const { return taps_ != 0; }
  // Whether it is the faster one for these extents.
  bool worth_running() const { return taps_ != 0 && faster_; }
  // The same of weights that are packed for one call.
  bool worth_running_once() const { return worth_running() && faster_once_; }

  bool faster_than(const Winograd& other) const { return !other.worth_running() || cost_ < other.cost_; }

  // Floats of the packed weights and bias.
  int64_t packed_size() const {
    return worth_packing()
               ? weights_before(parts()) + conv::divide_up<int64_t>(a_.groups * a_.out_channels, 16) * 16
               : 0;
  }
  void pack(const float* weight, const float* bias, float* packed, const Context& context) const;
  // False where an output is not finite: where NaN and infinity belong is for the direct algorithm to say.
  bool run_packed(const float* packed, const Context& context) const;
  bool run(const float* weight, const float* bias, const Context& context) const;

 private:
  // One phase of an axis: output q·phases + phase reads the input from q + offset on; its own taps are the
  // ones from `lead` on, and around them are zeros.
  struct Phase {
    const conv::Pass* pass;
    int64_t index, offset, lead;
    // Where tap t stands in the tables of the pass, or -1.
    int64_t tap(int64_t t) const {
      return t < lead || t >= lead + pass->taps ? -1 : index * pass->taps + t - lead;
    }
  };
  struct Span {
    int64_t begin, count;
  };
  // Neighbouring tiles of a row of tiles: lanes at … at + count of a panel.
  struct Run {
    int64_t n, y, x, at, count;
  };

  bool read_axis(const conv::Axis& axis, Phase* phase, int64_t* phases, int64_t* taps) const;
  // Transforms of a row of tiles: phases of x that read the same inputs share one.
  int64_t forms() const { return x_[0].offset == x_[phases_ - 1].offset ? 1 : phases_; }
  static Span part(int64_t all, int64_t parts, int64_t i, int64_t unit);
  bool run_by_parts(const float* weight, const float* bias, const Context& context) const;
  int64_t inputs_most() const { return conv::divide_up(a_.in_channels, in_parts_); }
  // Parts of the output channels, of all groups.
  int64_t parts() const { return a_.groups * out_parts_; }
  int64_t unit() const { return a_.nhwc ? width_ : 1; }
  Span outputs_of(int64_t p) const { return part(a_.out_channels, out_parts_, p % out_parts_, unit()); }
  int64_t columns_of(Span out) const { return conv::divide_up(out.count, unit()) * unit(); }
  int64_t weights_before(int64_t p) const;
  void pack_parts(int64_t begin, int64_t end, const float* weight, float* packed,
                  const Context& context) const;
  void pack_tile(const float* weight, int64_t g, int64_t fy, int64_t fx, Span out, int64_t column, int64_t n,
                 float* packed) const;
  bool run_parts(int64_t begin, int64_t end, const float* packed, const float* bias,
                 const Context& context) const;
  int64_t runs(int64_t first, int64_t count, Run* list) const;
  // What spread_rows and spread_patches share: the tiles of a panel and where their transforms go.
  struct Panel {
    const Run* list;
    int64_t runs, tiles;
    int64_t g, fy;
    float* v;
    int64_t step, low, across;
  };
  void spread_rows(const Panel& panel, Span in) const;
  void spread_patches(const Panel& panel, Span in) const;
  int64_t ask_first(const Panel& panel, Span out, int64_t calls, ScratchFrame* frame,
                    const char* const** ahead) const;
  void emit_first(const Panel& panel, Span out, const float* m, int64_t step, const float* bias,
                  float* flags) const;
  int64_t pieces_of(Span out, int64_t tasks, int64_t work, int64_t threads) const;
  bool run_first(int64_t g, int64_t fy, int64_t group, Span all, int64_t piece, int64_t pieces,
                 const float* packed, const float* bias) const;
  bool run_last(int64_t g, int64_t fy, int64_t fx, int64_t group, Span out, const float* packed,
                const float* bias) const;
  int64_t tile_of(int64_t columns) const {
    return conv::divide_up(columns, conv::divide_up<int64_t>(columns, leaves_.most));
  }

  const ConvArgs& a_;
  const conv::Geometry& s_;
  const ConvLeaves<float>& leaves_;
  const WinogradScheme* scheme_ = nullptr;
  void (*const* widen_)(float*, const void*, int64_t);
  const int64_t width_, size_;
  const int64_t tile_;             // outputs of a tile along each axis
  int64_t taps_ = 0, phases_ = 0;  // of each axis
  Phase y_[2], x_[2];
  int64_t tiles_y_, tiles_x_, tiles_;  // of a plane, and of the batch
  int64_t planes_;                     // (taps + tile − 1)²
  int64_t group_tiles_;                // tiles of a task at most
  int64_t panel_;                      // channels first: of a panel
  int64_t in_parts_, out_parts_;       // parts of the channels
  double cost_ = 0;
  bool faster_ = false, faster_once_ = false;
  bool asks_ = false;  // for inputs and outputs ahead
};

}  // namespace upsampling
