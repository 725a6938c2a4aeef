// The engine of the convolution family: what is to be computed, in which tasks. Its parts: the division into
// tasks (convolution-plan.cc), weights (convolution-weights.cc), and one file for each way to compute.
#pragma once
#include <algorithm>
#include <type_traits>

#include "kernels/table.h"
#include "ops/convolution.h"
#include "runtime/scratch.h"

namespace upsampling {
namespace conv {

template <class I>
I divide_up(I a, I b) {
  return (a + b - 1) / b;
}

// Products of a task, at least, that are worth another thread, which takes 2 us to come.
constexpr int64_t kForThread = 3 << 17;

struct Pass {
  int64_t begin, end;
  int64_t taps, phases;
  const int32_t *offset, *phase, *first, *kernel;
  const double* coefficient;
  int64_t all;           // taps that have weights,
  const int32_t* order;  // and which of them these are
};

struct Axis {
  int64_t in, out, kernel, in_step, out_step;
  int64_t count;
  Pass* pass;
};

// Whether every position is an output.
inline bool is_plain(const Axis& axis) {
  const Pass& p = axis.pass[0];
  return axis.count == 1 && axis.out_step == 1 && p.phases == 1 && p.phase[0] == 0 && p.begin == 0 &&
         p.end == axis.out;
}

// Whether every output is a product of the input at the same place.
inline bool goes_over(const Axis& axis) {
  const Pass& p = axis.pass[0];
  return is_plain(axis) && axis.in == axis.out && axis.kernel == 1 && axis.in_step == 1 && p.taps == 1 &&
         p.offset[0] == 0;
}

// Whether one input makes one output.
inline bool is_flat(const Axis& axis) {
  const Pass& p = axis.pass[0];
  return axis.count == 1 && axis.in == 1 && axis.out == 1 && p.taps == 1 && p.offset[0] == 0;
}

// Passes along x that cover the same positions, and so fill whole rows together.
struct Bundle {
  int64_t begin, end, phases;
  int64_t count;
  const Pass** pass;
  int32_t** slot;  // of each pass: where its phases stand among all, in rising order
  int32_t* phase;  // by slot
};

// A bundle and a pass for each of the other axes: what is computed by one kind of task.
struct Unit {
  const Pass *z, *y;
  const Bundle* x;
  int64_t qz, qy, qx;  // extents of the positions
  int64_t pixels;      // with the batch
  int64_t rows;        // channels first: (channel, phase of z, phase of y)
  int64_t block;       // rows that are computed together
  int64_t* weights;    // of each pass of x: where its weights start in the packed weights of a group
  int64_t* bias;
  bool panels;   // channels first: pixels are packed once more, without the gaps between rows
  bool trimmed;  // some taps that have weights are left out
};

struct Geometry {
  Axis z, y, x;
  // Axes that are only gone over, element by element, are one.
  Geometry(const ConvArgs& a, ScratchFrame* frame);
  // Leaves out the taps that only read padding; `packed`: they have weights nevertheless.
  void trim(bool packed, ScratchFrame* frame);
  int64_t kernel() const { return z.kernel * y.kernel * x.kernel; }
  int64_t in() const { return z.in * y.in * x.in; }
  int64_t out() const { return z.out * y.out * x.out; }
};

template <class T>
const ConvLeaves<T>& leaves_of(const KernelTable& k) {
  if constexpr (std::is_same<T, float>::value)
    return k.conv;
  else
    return k.conv_double;
}

// Pixels become rows, and rows pixels.
inline void turn_rows(ConvDeepLast* d) {
  std::swap(d->rows, d->pixels);
  std::swap(d->in_row, d->in_pixel);
  std::swap(d->out_row, d->out_pixel);
}

// Where w[channel out][channel in][0] of group g is.
struct Strides {
  int64_t group, out, in;
  Strides(const ConvArgs& a, int64_t kernel)
      : group(a.in_channels * a.out_channels * kernel),
        out(a.transposed ? kernel : a.in_channels * kernel),
        in(a.transposed ? a.out_channels * kernel : kernel) {}
};

// The kernel element that alone makes the weight of a tap in a phase, or -1.
inline int64_t single_tap(const Geometry& s, const Pass& z, int64_t ez, const Pass& y, int64_t ey,
                          const Pass& x, int64_t ex) {
  const auto one = [](const Pass& p, int64_t e) {
    return p.first[e + 1] - p.first[e] == 1 && p.coefficient[p.first[e]] == 1;
  };
  if (!one(z, ez) || !one(y, ey) || !one(x, ex)) return -1;
  return (z.kernel[z.first[ez]] * s.y.kernel + y.kernel[y.first[ey]]) * s.x.kernel + x.kernel[x.first[ex]];
}

// The weight of a tap in a phase: Σ of its entries, products over the axes.
template <class T>
double folded_sum(const Geometry& s, const T* w, const Pass& z, int64_t ez, const Pass& y, int64_t ey,
                  const Pass& x, int64_t ex) {
  double sum = 0;
  for (int64_t i = z.first[ez]; i < z.first[ez + 1]; ++i)
    for (int64_t j = y.first[ey]; j < y.first[ey + 1]; ++j)
      for (int64_t k = x.first[ex]; k < x.first[ex + 1]; ++k)
        sum += z.coefficient[i] * y.coefficient[j] * x.coefficient[k] *
               w[(z.kernel[i] * s.y.kernel + y.kernel[j]) * s.x.kernel + x.kernel[k]];
  return sum;
}

template <class T>
T folded(const Geometry& s, const T* w, const Pass& z, int64_t ez, const Pass& y, int64_t ey, const Pass& x,
         int64_t ex) {
  const int64_t at = single_tap(s, z, ez, y, ey, x, ex);
  return at >= 0 ? w[at] : static_cast<T>(folded_sum(s, w, z, ez, y, ey, x, ex));
}

// Positions after low at which residue r reads before the input or after it.
inline int64_t zeros_before(int64_t start, int64_t step, int64_t extent) {
  return std::min(extent, std::max<int64_t>(0, divide_up(-start, step)));
}
inline int64_t end_inside(int64_t start, int64_t step, int64_t extent, int64_t in) {
  return std::min(extent, start >= in ? int64_t{0} : divide_up(in - start, step));
}
// Of positions begin … end, those that find an input at this offset.
inline void keep_inside(const Axis& axis, int64_t offset, int64_t* begin, int64_t* end) {
  const int64_t start = *begin * axis.in_step + offset, extent = *end - *begin;
  *end = *begin + std::max<int64_t>(0, end_inside(start, axis.in_step, extent, axis.in));
  *begin += zeros_before(start, axis.in_step, extent);
}

// How many of `count` positions from `begin` on have an output in a phase.
inline int64_t outputs_of(const Axis& axis, int64_t begin, int64_t phase, int64_t count) {
  return end_inside(begin * axis.out_step + phase, axis.out_step, count, axis.out);
}

// Positions of an axis that find the same taps inside the input.
struct Stretch {
  int64_t begin, end, first, taps;
};

// Of count positions from `begin` on. Offsets rise, so the taps inside follow one another.
inline int64_t stretches(const Axis& axis, const Pass& p, int64_t begin, int64_t count, Stretch* list) {
  int64_t n = 0;
  for (int64_t at = begin, next; at < begin + count; at = next) {
    next = begin + count;
    Stretch s = {at, 0, p.taps, 0};
    for (int64_t t = 0; t < p.taps; ++t) {
      int64_t first = at, last = begin + count;
      keep_inside(axis, p.offset[t], &first, &last);
      if (first >= last) continue;
      next = std::min(next, first > at ? first : last);
      if (first > at) continue;
      s.first = std::min(s.first, t);
      ++s.taps;
    }
    s.end = next;
    list[n++] = s;
  }
  return n;
}

// The same, or all of them as one: in a copy every tap finds something.
inline int64_t stretches_of(bool edges, const Axis& axis, const Pass& p, int64_t begin, int64_t count,
                            Stretch* list) {
  if (edges) return stretches(axis, p, begin, count, list);
  list[0] = {begin, begin + count, 0, p.taps};
  return 1;
}

// Rows of n elements of `count` planes as rows of pixels: planes are `plane` elements apart, rows `row` there
// and out_row in `out`.
template <class T>
void weave_rows(const InterleaveKernels& kernels, T* out, int64_t out_row, const T* planes, int64_t plane,
                int64_t row, int64_t count, int64_t rows, int64_t n) {
  ScratchFrame frame;
  const void** from = frame.take<const void*>(count);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < count; ++c) from[c] = planes + c * plane + r * row;
    kernels.interleave[sizeof(T) == 4 ? 2 : 3](out + r * out_row, from, count, n);
  }
}

// A run of neighbouring pixels of one input row inside a panel.
struct Segment {
  int64_t n, z, y, x;  // position (not yet times the step)
  int64_t at, count;   // where in the panel, and how many
  int64_t from;        // channels first: where in the inputs
};

// A part of the positions, as extents along batch, z, y and x; where planes lie as they are read, positions
// p0 … p1 of those, row after row.
struct Box {
  int64_t begin[4], end[4], extent[4];
  int64_t p0, p1;
};

// A padded copy of the inputs of a box: [channel][residues of z, y, x][image][z][y][x]. Along an axis,
// position q and offset o are at q + (o - low) / step in the sub-grid of residue (o - low) % step. Where a
// row ends with as much padding as the next one begins with, both share it.
struct Slab {
  int64_t residues[3], extent[3];
  int64_t pitch[4];  // from an image, plane, row and pixel to the next
  int64_t residue, channel;
};

// Positions along batch, z, y and x, how far apart they are in the inputs and the outputs, and where the
// second vector of a position is stored; of a single one, how many columns are (0: all); and whether all
// columns of a position are of so few products that they are summed one after the other.
struct Lines {
  int64_t count[4], in[4], out[4], second, some;
  bool few;
};

// Neighbouring tiles of 1 << log vectors, or a narrow one of so many positions.
struct Run {
  int log;
  int64_t narrow;
  int64_t from, at, count, step;  // in the slab or the panels; in the sums; and from one to the next
};

// Column (row r, phase f of x) of a pass, as an index into the phases of each axis.
struct Column {
  int64_t o, fz, fy, fx;
};

template <class T>
class Engine {
 public:
  // `turned`: vectors hold columns although inputs and outputs are channels first (if can_turn).
  Engine(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, ScratchFrame* frame,
         bool turned = false);
  // Whether weights are packed for that, too. Not of the extents of the inputs.
  static bool can_turn(const ConvArgs& a, const KernelTable& kernels);
  // About in cycles.
  double cost() const;
  // The same, with what tiles of few columns take longer than those of many: they wait for their loads.
  double cost_of_narrow_tiles() const;
  // Whether vectors of columns might be faster.
  bool may_be_turned() const;

  int64_t group_weights() const { return group_weights_; }
  int64_t group_bias() const { return group_bias_; }
  int64_t tasks() const { return tasks_; }
  // Tasks that are less work one after the other than each by itself, for so many threads: panels that follow
  // one another, and parts of a box, which are computed from the same copy. Together they take at most 2 ms.
  int64_t joined(int64_t threads) const;
  // Products of a group, with those of padding.
  double work() const { return work_of_position() * static_cast<double>(positions()); }

  // Packs one part of the weights.
  int64_t packing_tasks() const { return packing_ * divide_up(a_.groups, groups_packed()); }
  void pack(const T* weight, const T* bias, int64_t part, T* packed, T* packed_bias) const;

  void run(int64_t begin, int64_t end, const T* packed, const T* packed_bias) const;

 private:
  friend struct Division;  // of native/tests/convolution_test.cc
  // --- what is to do ---

  void make_bundles(ScratchFrame* frame);

  static int64_t most_taps(const Unit& u) {
    int64_t n = 1;
    for (int64_t j = 0; j < u.x->count; ++j) n = std::max(n, u.z->taps * u.y->taps * u.x->pass[j]->taps);
    return n;
  }
  int64_t k_of(const Unit& u, int64_t j) const {
    return u.z->taps * u.y->taps * u.x->pass[j]->taps * a_.in_channels;
  }
  // With the taps that are left out.
  int64_t weights_of(const Unit& u, int64_t j) const {
    return u.z->all * u.y->all * u.x->pass[j]->all * a_.in_channels;
  }
  // Which of all taps that have weights.
  static int64_t order_of(const Unit& u, const Pass& x, int64_t tap) {
    return (u.z->order[tap / x.taps / u.y->taps] * u.y->all + u.y->order[tap / x.taps % u.y->taps]) * x.all +
           x.order[tap % x.taps];
  }

  void make_units(ScratchFrame* frame);

  // --- weights ---

  Column column_of(const Unit& u, const Pass& x, int64_t c) const;

  // to[k·n + i] = the weight of column i at k.
  void pack_tile(const Unit& u, const Pass& x, const Column* column, int64_t n, const Strides& stride,
                 const T* w, T* to) const;

  int64_t packing_parts(const Unit& u, int64_t j) const;

  // Groups that one part packs.
  int64_t groups_packed() const {
    return deep_ ? std::max<int64_t>(1, 4096 / std::max<int64_t>(group_weights_, 1)) : 1;
  }
  void pack_deep(const Unit& u, int64_t j, int64_t g, int64_t groups, const Strides& stride, const T* w,
                 const T* b, T* packed, T* packed_bias) const;
  void pack_columns(const Unit& u, int64_t j, int64_t part, int64_t parts, const Strides& stride, const T* w,
                    const T* b, T* packed, T* packed_bias) const;

  void pack_columns_last(const Unit& u, int64_t j, int64_t part, int64_t parts, const Strides& stride,
                         const T* w, const T* b, T* packed, T* packed_bias) const;

  // Channels last, of a pass: columns first … first + n whose weights lie together.
  struct Block {
    int64_t first, n;
  };
  // Columns that are neighbours in the output.
  int64_t neighbours_of(const Pass& x) const {
    const bool joined = a_.groups == 1 && x.phases == s_.x.out_step;
    return a_.out_channels * (joined ? x.phases : 1);
  }
  // Columns that are divided into blocks together.
  int64_t stretch_of(const Unit& u, const Pass& x) const;
  int64_t blocks_of(const Unit& u, const Pass& x) const {
    const int64_t stretch = stretch_of(u, x);
    return u.rows * x.phases / stretch * divide_up(stretch, width_);
  }
  Block block_of(const Unit& u, const Pass& x, int64_t b) const;
  // How far the second vector of a block reaches back.
  int64_t back_of(const Block& b) const { return reaches_ && b.n > leaves_.lanes ? width_ - b.n : 0; }

  // Columns of a tile, so that the tiles of a block are about alike.
  int64_t tile_of(int64_t columns) const {
    return divide_up(columns, divide_up<int64_t>(columns, leaves_.most));
  }

  // --- boxes of positions ---

  int64_t positions() const { return a_.batch * q_[0] * q_[1] * q_[2]; }
  int64_t bytes_of_outputs() const { return a_.batch * s_.out() * a_.groups * a_.out_channels * size_; }
  // Taps that are left out are so of whole images.
  bool leaves_out_of_images() const { return by_taps_ || whole_; }
  int64_t count_of_boxes() const { return boxes_[0] * boxes_[1] * boxes_[2] * boxes_[3]; }
  void plan_boxes();
  void choose_box();
  static int64_t tasks_for_threads(int64_t tasks, double products);
  void split_boxes(int64_t n);
  void choose_deep_box();
  bool fit_box(int64_t budget, int64_t most);
  double cost_of_box() const;
  double cost_of_planes() const;
  double cost_of_deep() const;
  void choose_reading(int64_t budget, int64_t most);
  void take_images(int64_t images);
  int64_t images_by_taps(int64_t budget, int64_t most, bool in_place) const;
  // Whether weights do not stay in the second-level cache.
  bool weights_are_far() const { return group_weights_ * size_ > 512 * 1024; }
  // Far weights are read once for an image of few pixels.
  bool reads_weights_once() const { return q_[0] * q_[1] * q_[2] <= 4 * leaves_.most && weights_are_far(); }
  double cost_of_taps(int64_t images) const;
  double cost_of_parts(bool edges, int64_t images) const;
  double work_of_position() const;
  // Whether parts of a box may be computed from one copy: channels last, leaves for more columns at once sum
  // in another order.
  bool shares_boxes() const {
    return !deep_ && (first_ || turned_) && a_.groups == 1 && !split_units_ && chunk_ >= a_.in_channels;
  }
  // The box of a task; `task` is what is left of it then.
  Box box_of(int64_t* task) const;
  Slab slab_of(const int64_t* extent) const;
  int64_t room(const int64_t* extent) const;
  static int64_t taps_of(const Unit& u);

  // --- channels first ---

  int64_t offset_along(const Slab& slab, int axis, int64_t offset) const;
  int64_t offset_of(const Slab& slab, const Unit& u, const Pass& x, int64_t tap) const;
  void offsets_of(const Slab& slab, const Unit& u, const Pass& x, int64_t* offset, int64_t* order) const;
  void fill_slab(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1, T* to) const;
  int64_t lines_of(const Unit& u, const Box& box, const Slab& slab, Segment* list) const;
  void run_first(int64_t task, int64_t count, const T* packed, const T* packed_bias) const;
  bool choose_stepped();
  void run_stepped(int64_t task, const T* packed, const T* packed_bias) const;
  int64_t run_flow(int64_t first, int64_t last, const T* packed, const T* packed_bias) const;
  void run_unit(const Unit& u, const Box& box, const Slab& slab, int64_t g, int64_t part, int64_t part_end,
                const T* w, const T* bias, T* space) const;

  bool whole_lines(const Unit& u, const Segment* list, int64_t count, ConvLine* lines) const;
  bool sums_are_outputs(const Unit& u) const;
  double products_of(int64_t lines, int64_t x, int64_t gap) const;
  bool row_by_row(const Unit& u, int64_t lines, int64_t x, int64_t gap) const;
  void emit_pixels(const Unit& u, const Segment& s, const T* c, int64_t width) const;
  // A segment of row r: c[slot·width + pixel].
  void emit_line(const Unit& u, int64_t g, const Segment& s, int64_t r, const T* c, int64_t width) const;
  // Phase by phase, the outputs of `count` positions from x on; the first position's are at `to`, and pixels
  // are `pixel` elements apart.
  void emit_phases(const Bundle& bundle, char* to, int64_t pixel, int64_t x, int64_t count, const T* c,
                   int64_t width) const;

  // --- one channel ---

  bool run_doubled(const Box& box, const Slab& slab, int64_t g, const T* w, const T* bias,
                   const T* space) const;
  bool clip(const Unit& u, const Box& box, int64_t* begin, int64_t* count) const;
  bool doubles(const Unit& u, const Unit& v) const;
  void run_deep(int64_t task, const T* packed, const T* packed_bias) const;
  void run_deep_last(int64_t task, const T* packed, const T* packed_bias) const;

  // --- channels last ---

  // Of Note [Edges]: positions along batch, z, y and x, and what is summed there.
  struct Part {
    int64_t begin[4], end[4];
    ConvSum sum;
  };
  int64_t sliding(const Pass& x, const Stretch& s) const;
  int64_t parts_of(const Unit& u, const Pass& x, const int64_t* begin, const Lines& lines, int64_t channels,
                   const Slab& slab, ScratchFrame* frame, Part** parts) const;
  void multiply_parts(Part* parts, int64_t count, const Lines& lines, T* to, const T* from, int vectors,
                      const T* weights, const T* bias, int64_t blocks, int64_t block) const;
  void fill_slab_last(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1, T* to) const;
  void repeat_channels(T* row, const T* from, int64_t lead, int64_t stop, int64_t extent, int64_t pixel,
                       int64_t c0, int64_t c1) const;
  void fill_slab_turned(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1, T* to) const;
  void run_last(int64_t task, int64_t count, const T* packed, const T* packed_bias) const;
  void run_unit_last(const Unit& u, const Box& box, const Slab& slab, int64_t g, int64_t part,
                     int64_t part_end, const T* w, const T* bias, T* space) const;
  void multiply_lines(Lines lines, T* to, const T* from, int vectors, const T* weights, ConvSum* sum,
                      const T* bias, int64_t blocks, int64_t block) const;
  void multiply_taps(const Unit& u, const Pass& x, const int64_t* begin, const Lines& lines, T* to,
                     const T* from, const Slab& slab, int vectors, const T* weights, const T* bias) const;
  void emit_turned(const Unit& u, const Pass& x, int64_t g, const int64_t* begin, const int64_t* extent,
                   int64_t first, int64_t n, const T* c) const;
  void emit_last(const Unit& u, const Pass& x, int64_t g, const int64_t* begin, const int64_t* extent,
                 const Block& block, const T* c) const;

  static constexpr int64_t kPanel = 384 * 1024, kSums = 256 * 1024;  // bytes
  static constexpr int64_t kStretch = 64;                            // outputs: a last vector is not much
  static constexpr int64_t kAsked = 32;                              // copies
  static constexpr double kCopy = 0.5;                               // cycles of an output
  static constexpr double kAcross = 1.05;                            // of an aligned vector
  static constexpr int64_t kWideWeights = 9 * 1024;                  // elements
  static constexpr int64_t kFewProducts = 64;                        // of an output
  static constexpr int64_t kFirstLevel = 32 * 1024;                  // bytes
  static constexpr double kMostWork = 1 << 28;                       // products of a task: 2 ms
  static constexpr int64_t kSharedPixels = 32;
  const ConvArgs& a_;
  const Geometry& s_;
  const ConvLeaves<T>& leaves_;
  const InterleaveKernels& weave_;
  const int64_t width_, size_;
  const int64_t strip_;  // groups of one channel, channels last: pixels that fill vectors
  // Vectors hold pixels, in either layout: of few channels they do even in channels last.
  const bool first_;
  // Channels last, of few groups of one channel: planes of a box, woven into pixels afterwards.
  const bool woven_;
  const bool deep_;     // groups of one channel
  const bool turned_;   // vectors hold columns, channels first
  const bool reaches_;  // channels last: blocks are stored where they belong, their last vectors reach back
  // Vectors hold columns: one tap after the other, each at only the positions that find it inside the input,
  // which is read without padding.
  bool by_taps_;
  bool edges_;  // vectors hold columns: taps that read beside the inputs are left out (Note [Edges])
  bool whole_;  // so they are, and whole images are turned
  Bundle* bundles_;
  Unit* units_;
  int64_t bundle_count_, unit_count_;
  int64_t group_weights_, group_bias_, tasks_, packing_;
  // Channels first: positions along z, y and x and offsets there; boxes; channels that are summed at once;
  // and positions of a task where planes lie as they are read.
  int64_t q_[3], low_[3], high_[3], box_[4], boxes_[4], chunk_, parts_, flat_;
  double cost_;   // of what was divided further, or 0
  int64_t flow_;  // if not 0, panels that are multiplied while as many are copied
  bool in_place_, split_units_;
  bool stepped_;  // every input makes outputs of its own
  bool doubled_;  // planes of few channels, all four phases of a position at once
  // Groups of one channel: planes of a task, and divisions of the groups.
  int64_t planes_, boxes_of_groups_;
};

}  // namespace conv
}  // namespace upsampling
