// The convolution family: every plan of Note [Passes] in src/plan/conv2d.ts as products of packed weights and
// panels of packed pixels.
//
// Note [Tiles]
// The outputs of a pass are a matrix of pixels × columns, where a column is an output channel in one phase.
// Channels first (nchw), a vector holds pixels: a panel [k][2 vectors] of inputs, gathered across row ends
// with zeros for the padding, is multiplied by weights [k][columns of a tile], and the phases of a row are
// interleaved as they leave for the output. Channels last (nhwc), a vector holds columns: weights [k][2
// vectors], inputs [pixel][k]. Every output element is one sum in the order of k, whatever the number of
// threads.
#include "ops/convolution.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

struct Pass {
  int64_t begin, end;
  int64_t taps, phases;
  const int32_t *offset, *phase, *first, *kernel;
  const double* coefficient;
};

struct Axis {
  int64_t in, out, kernel, in_step, out_step;
  int64_t count;
  Pass* pass;
};

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
  int64_t tiles, parts, sub;  // pixel tiles, parts of the columns, and panels per tile
  bool chunked;               // K does not fit a panel
  int64_t first_task;
};

const Pass kWhole = [] {
  static const int32_t zero[1] = {0}, first[2] = {0, 1};
  static const double one[1] = {1};
  return Pass{0, 1, 1, 1, zero, zero, first, zero, one};
}();

template <class I>
I divide_up(I a, I b) {
  return (a + b - 1) / b;
}

void read_axis(const ConvAxis& from, ScratchFrame* frame, Axis* to) {
  to->in = from.in_size;
  to->out = from.out_size;
  to->kernel = from.kernel;
  to->in_step = from.in_step;
  to->out_step = from.out_step;
  to->count = from.pass_count;
  to->pass = frame->take<Pass>(from.pass_count);
  const double* at = from.passes;
  const auto ints = [&](int64_t n) {
    const auto* p = reinterpret_cast<const int32_t*>(at);
    at += divide_up<int64_t>(n, 2);
    return p;
  };
  for (int64_t i = 0; i < to->count; ++i) {
    Pass& p = to->pass[i];
    p.begin = static_cast<int64_t>(at[0]);
    p.end = static_cast<int64_t>(at[1]);
    p.taps = static_cast<int64_t>(at[2]);
    p.phases = static_cast<int64_t>(at[3]);
    const auto entries = static_cast<int64_t>(at[4]);
    at += 5;
    p.offset = ints(p.taps);
    p.phase = ints(p.phases);
    p.first = ints(p.taps * p.phases + 1);
    p.kernel = ints(entries);
    p.coefficient = at;
    at += entries;
  }
}

struct Geometry {
  Axis z, y, x;
  explicit Geometry(const ConvArgs& a, ScratchFrame* frame) {
    Axis* axes[3] = {&z, &y, &x};
    const int lead = 3 - a.axis_count;
    for (int i = 0; i < lead; ++i) *axes[i] = Axis{1, 1, 1, 1, 1, 1, const_cast<Pass*>(&kWhole)};
    for (int i = lead; i < 3; ++i) read_axis(a.axes[i - lead], frame, axes[i]);
  }
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

// Weights as T: themselves, or float16 widened.
template <class T>
const T* widened(const KernelTable& k, int type, const void* data, int64_t n, ScratchFrame* frame) {
  if constexpr (std::is_same<T, float>::value) {
    if (type == F16) {
      float* wide = frame->take<float>(n);
      k.widen[F16](wide, data, n);
      return wide;
    }
  }
  return static_cast<const T*>(data);
}

template <class T>
bool all_finite(const T* x, int64_t n) {
  constexpr T most = std::is_same<T, float>::value ? T(0x1.fffffep127) : T(0x1.fffffffffffffp1023);
  bool finite = true;
  for (int64_t i = 0; i < n; ++i) finite &= x[i] <= most && x[i] >= -most;
  return finite;
}

// Where w[channel out][channel in][0] of group g is.
struct Strides {
  int64_t group, out, in;
  Strides(const ConvArgs& a, int64_t kernel)
      : group(a.in_channels * a.out_channels * kernel),
        out(a.transposed ? kernel : a.in_channels * kernel),
        in(a.transposed ? a.out_channels * kernel : kernel) {}
};

// The weight of a tap in a phase: Σ of its entries, products over the axes.
template <class T>
T folded(const Geometry& s, const T* w, const Pass& z, int64_t ez, const Pass& y, int64_t ey, const Pass& x,
         int64_t ex) {
  const auto single = [](const Pass& p, int64_t e) {
    return p.first[e + 1] - p.first[e] == 1 && p.coefficient[p.first[e]] == 1;
  };
  if (single(z, ez) && single(y, ey) && single(x, ex))
    return w[(z.kernel[z.first[ez]] * s.y.kernel + y.kernel[y.first[ey]]) * s.x.kernel +
             x.kernel[x.first[ex]]];
  double sum = 0;
  for (int64_t i = z.first[ez]; i < z.first[ez + 1]; ++i)
    for (int64_t j = y.first[ey]; j < y.first[ey + 1]; ++j)
      for (int64_t k = x.first[ex]; k < x.first[ex + 1]; ++k)
        sum += z.coefficient[i] * y.coefficient[j] * x.coefficient[k] *
               w[(z.kernel[i] * s.y.kernel + y.kernel[j]) * s.x.kernel + x.kernel[k]];
  return static_cast<T>(sum);
}

// --- one sum at a time
// -----------------------------------------------------------------------------------------------

// For problems too small to be worth packing, and for weights that are not finite: padding is skipped, not
// multiplied.
template <class T>
void one_by_one(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, const T* weight,
                const T* bias, int64_t begin, int64_t end) {
  const Strides stride(a, s.kernel());
  const int64_t channels = a.groups * a.in_channels, pixels = s.in(), out_pixels = s.out();
  const int64_t in_channel = a.nhwc ? 1 : pixels, in_pixel = a.nhwc ? channels : 1;
  const int64_t out_channels = a.groups * a.out_channels;
  const auto& leaves = leaves_of<T>(kernels);
  const auto load = [&](int64_t i) -> T {
    T v = 0;
    if constexpr (std::is_same<T, float>::value)
      if (a.type == F16) {
        kernels.widen[F16](&v, static_cast<const char*>(a.in) + 2 * i, 1);
        return v;
      }
    v = static_cast<const T*>(a.in)[i];
    return v;
  };
  for (int64_t item = begin; item < end; ++item) {
    const int64_t n = item / out_channels, o = item % out_channels, g = o / a.out_channels;
    const T* w = weight + g * stride.group + o % a.out_channels * stride.out;
    const int64_t from =
        a.nhwc ? n * pixels * channels + g * a.in_channels : (n * channels + g * a.in_channels) * pixels;
    const int64_t to = a.nhwc ? n * out_pixels * out_channels + o : (n * out_channels + o) * out_pixels;
    const int64_t step = a.nhwc ? out_channels : 1;
    for (int64_t iz = 0; iz < s.z.count; ++iz)
      for (int64_t iy = 0; iy < s.y.count; ++iy)
        for (int64_t ix = 0; ix < s.x.count; ++ix) {
          const Pass &pz = s.z.pass[iz], &py = s.y.pass[iy], &px = s.x.pass[ix];
          for (int64_t qz = pz.begin; qz < pz.end; ++qz)
            for (int64_t fz = 0; fz < pz.phases; ++fz) {
              const int64_t oz = qz * s.z.out_step + pz.phase[fz];
              if (oz >= s.z.out) continue;
              for (int64_t qy = py.begin; qy < py.end; ++qy)
                for (int64_t fy = 0; fy < py.phases; ++fy) {
                  const int64_t oy = qy * s.y.out_step + py.phase[fy];
                  if (oy >= s.y.out) continue;
                  for (int64_t qx = px.begin; qx < px.end; ++qx)
                    for (int64_t fx = 0; fx < px.phases; ++fx) {
                      const int64_t ox = qx * s.x.out_step + px.phase[fx];
                      if (ox >= s.x.out) continue;
                      T sum = bias != nullptr ? bias[o] : T(0);
                      for (int64_t tz = 0; tz < pz.taps; ++tz) {
                        const int64_t z = qz * s.z.in_step + pz.offset[tz];
                        if (z < 0 || z >= s.z.in) continue;
                        for (int64_t ty = 0; ty < py.taps; ++ty) {
                          const int64_t y = qy * s.y.in_step + py.offset[ty];
                          if (y < 0 || y >= s.y.in) continue;
                          for (int64_t tx = 0; tx < px.taps; ++tx) {
                            const int64_t x = qx * s.x.in_step + px.offset[tx];
                            if (x < 0 || x >= s.x.in) continue;
                            const int64_t source = from + ((z * s.y.in + y) * s.x.in + x) * in_pixel;
                            for (int64_t c = 0; c < a.in_channels; ++c)
                              sum += folded(s, w + c * stride.in, pz, fz * pz.taps + tz, py,
                                            fy * py.taps + ty, px, fx * px.taps + tx) *
                                     load(source + c * in_channel);
                          }
                        }
                      }
                      const int64_t at = to + ((oz * s.y.out + oy) * s.x.out + ox) * step;
                      if (std::is_same<T, float>::value && a.type == F16)
                        leaves.scatter[F16](static_cast<char*>(a.out) + 2 * at, 1, &sum, 1);
                      else
                        static_cast<T*>(a.out)[at] = sum;
                    }
                }
            }
        }
  }
}

// --- tiles
// -----------------------------------------------------------------------------------------------------------

// A run of neighbouring pixels of one input row inside a panel.
struct Segment {
  int64_t n, z, y, x;  // position (not yet times the step)
  int64_t at, count;   // where in the panel, and how many
};

template <class T>
class Engine {
 public:
  Engine(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, ScratchFrame* frame)
      : a_(a), s_(s), leaves_(leaves_of<T>(kernels)), width_(2 * leaves_.lanes), size_(bytes_of(a.type)) {
    make_bundles(frame);
    make_units(frame);
    plan_depth();
  }

  int64_t group_weights() const { return group_weights_; }
  int64_t group_bias() const { return group_bias_; }
  int64_t tasks() const { return tasks_; }
  // Tasks of run_depth are short.
  int64_t grain() const {
    return strips_ == 0
               ? 1
               : std::max<int64_t>(1, tasks_ / std::max<int64_t>(1, tasks_ * strip_ * pitch_ / 32768));
  }

  // Packs one part of the weights of group g.
  int64_t packing_tasks() const { return packing_; }
  void pack(const T* weight, const T* bias, int64_t g, int64_t task, T* packed, T* packed_bias) const {
    const Strides stride(a_, s_.kernel());
    const T* w = weight + g * stride.group;
    const T* b = bias == nullptr ? nullptr : bias + g * a_.out_channels;
    for (int64_t i = 0; i < unit_count_; ++i)
      for (int64_t j = 0; j < units_[i].x->count; ++j) {
        const int64_t parts = packing_parts(units_[i], j);
        if (task < parts) {
          if (a_.nhwc)
            pack_columns_last(units_[i], j, task, parts, stride, w, b, packed, packed_bias);
          else
            pack_columns(units_[i], j, task, parts, stride, w, b, packed, packed_bias);
          return;
        }
        task -= parts;
      }
  }

  void run(int64_t task, const T* packed, const T* packed_bias) const {
    if (strips_ > 0) {
      run_depth(task, packed, packed_bias);
      return;
    }
    const int64_t g = task % a_.groups;
    task /= a_.groups;
    int64_t i = 0;
    while (i + 1 < unit_count_ && units_[i + 1].first_task <= task) ++i;
    const Unit& u = units_[i];
    task -= u.first_task;
    const int64_t part = task % u.parts, tile = task / u.parts;
    const T* w = packed + g * group_weights_;
    const T* b = packed_bias + g * group_bias_;
    if (a_.nhwc)
      run_columns_last(u, g, tile, part, w, b);
    else
      run_columns(u, g, tile, part, w, b);
  }

 private:
  // --- what is to do ---

  void make_bundles(ScratchFrame* frame) {
    bundles_ = frame->take<Bundle>(s_.x.count);
    bool* taken = frame->take<bool>(s_.x.count);
    std::fill_n(taken, s_.x.count, false);
    bundle_count_ = 0;
    for (int64_t i = 0; i < s_.x.count; ++i) {
      if (taken[i]) continue;
      Bundle& b = bundles_[bundle_count_++];
      b.begin = s_.x.pass[i].begin;
      b.end = s_.x.pass[i].end;
      b.count = b.phases = 0;
      b.pass = frame->take<const Pass*>(s_.x.count - i);
      for (int64_t j = i; j < s_.x.count; ++j) {
        const Pass& p = s_.x.pass[j];
        if (taken[j] || p.begin != b.begin || p.end != b.end) continue;
        taken[j] = true;
        b.pass[b.count++] = &p;
        b.phases += p.phases;
      }
      b.phase = frame->take<int32_t>(b.phases);
      int64_t n = 0;
      for (int64_t j = 0; j < b.count; ++j)
        for (int64_t f = 0; f < b.pass[j]->phases; ++f) b.phase[n++] = b.pass[j]->phase[f];
      std::sort(b.phase, b.phase + b.phases);
      b.slot = frame->take<int32_t*>(b.count);
      for (int64_t j = 0; j < b.count; ++j) {
        b.slot[j] = frame->take<int32_t>(b.pass[j]->phases);
        for (int64_t f = 0; f < b.pass[j]->phases; ++f)
          b.slot[j][f] = static_cast<int32_t>(
              std::lower_bound(b.phase, b.phase + b.phases, b.pass[j]->phase[f]) - b.phase);
      }
    }
  }

  static int64_t most_taps(const Unit& u) {
    int64_t n = 1;
    for (int64_t j = 0; j < u.x->count; ++j) n = std::max(n, u.z->taps * u.y->taps * u.x->pass[j]->taps);
    return n;
  }
  int64_t k_of(const Unit& u, int64_t j) const {
    return u.z->taps * u.y->taps * u.x->pass[j]->taps * a_.in_channels;
  }

  void make_units(ScratchFrame* frame) {
    units_ = frame->take<Unit>(s_.z.count * s_.y.count * bundle_count_);
    unit_count_ = group_weights_ = group_bias_ = tasks_ = packing_ = 0;
    for (int64_t iz = 0; iz < s_.z.count; ++iz)
      for (int64_t iy = 0; iy < s_.y.count; ++iy)
        for (int64_t ix = 0; ix < bundle_count_; ++ix) {
          Unit& u = units_[unit_count_];
          u.z = &s_.z.pass[iz];
          u.y = &s_.y.pass[iy];
          u.x = &bundles_[ix];
          u.qz = u.z->end - u.z->begin;
          u.qy = u.y->end - u.y->begin;
          u.qx = u.x->end - u.x->begin;
          u.pixels = a_.batch * u.qz * u.qy * u.qx;
          ++unit_count_;
          u.rows = a_.out_channels * u.z->phases * u.y->phases;
          u.weights = frame->take<int64_t>(u.x->count);
          u.bias = frame->take<int64_t>(u.x->count);
          int64_t columns = 0, k = 0, work = 0;
          for (int64_t j = 0; j < u.x->count; ++j) columns = std::max(columns, u.x->pass[j]->phases);
          u.block = std::max<int64_t>(1, leaves_.most / columns);
          u.block = divide_up(u.rows, divide_up(u.rows, u.block));
          for (int64_t j = 0; j < u.x->count; ++j) {
            const int64_t all = u.rows * u.x->pass[j]->phases;
            const int64_t padded = a_.nhwc ? divide_up(all, width_) * width_ : all;
            u.weights[j] = group_weights_;
            u.bias[j] = group_bias_;
            group_weights_ += (k_of(u, j) * padded + 15) & ~int64_t{15};
            group_bias_ += (padded + 15) & ~int64_t{15};
            packing_ += packing_parts(u, j);
            k += k_of(u, j);
            work += k_of(u, j) * all;
          }
          divide(&u, k, work);
          u.first_task = tasks_;
          tasks_ += u.tiles * u.parts;
        }
    tasks_ *= a_.groups;
  }

  // Into tiles of pixels whose panels fit half of the second-level cache, and, if those are few, parts of the
  // columns.
  void divide(Unit* u, int64_t k, int64_t work) {
    const int64_t unit = a_.nhwc ? leaves_.most : width_;
    const int64_t panels = std::max<int64_t>(0, divide_up(u->pixels, unit));
    const int64_t bytes = std::max<int64_t>(k, 1) * unit * static_cast<int64_t>(sizeof(T));
    const int64_t per_task = std::max<int64_t>(1, (8 << 20) / std::max<int64_t>(work * unit, 1));
    u->chunked = !a_.nhwc && bytes * 2 > kPanel;
    u->sub = u->chunked ? std::min<int64_t>(4, std::max<int64_t>(panels, 1))
                        : std::max<int64_t>(1, std::min(kPanel / bytes, std::max(panels / 16, per_task)));
    u->tiles = divide_up(panels, u->sub);
    const int64_t blocks = a_.nhwc ? divide_up(u->rows * u->x->phases, width_) : divide_up(u->rows, u->block);
    u->parts = 1;
    const int64_t tasks = u->tiles * a_.groups * s_.z.count * s_.y.count * bundle_count_;
    if (tasks < 8 && work * unit * u->sub > (1 << 21))
      u->parts =
          std::min({blocks, divide_up<int64_t>(8, tasks), divide_up<int64_t>(work * unit * u->sub, 1 << 21)});
    // Where K is cut into chunks, the sums of a part wait in memory.
    if (u->chunked || bytes > kPanel) {
      const int64_t most = std::max<int64_t>(1, kSums / (unit * u->sub * static_cast<int64_t>(sizeof(T))));
      const int64_t all = u->rows * u->x->phases;
      u->parts = std::min(blocks, std::max(u->parts, divide_up(all, most)));
    }
  }

  // --- weights ---

  // Column (row r, phase f of x) of a pass, as an index into the phases of each axis.
  struct Column {
    int64_t o, fz, fy, fx;
  };
  Column column_of(const Unit& u, const Pass& x, int64_t c) const {
    Column k;
    if (a_.nhwc) {
      k.o = c % a_.out_channels;
      c /= a_.out_channels;
      k.fx = c % x.phases;
      c /= x.phases;
      k.fy = c % u.y->phases;
      k.fz = c / u.y->phases;
    } else {
      k.fx = c % x.phases;
      c /= x.phases;
      k.fy = c % u.y->phases;
      c /= u.y->phases;
      k.fz = c % u.z->phases;
      k.o = c / u.z->phases;
    }
    return k;
  }

  // to[i·step] = the weight of column c at k = i.
  void pack_column(const Unit& u, const Pass& x, const Column& c, const Strides& stride, const T* w, T* to,
                   int64_t step) const {
    const T* from = w + c.o * stride.out;
    for (int64_t tz = 0; tz < u.z->taps; ++tz)
      for (int64_t ty = 0; ty < u.y->taps; ++ty)
        for (int64_t tx = 0; tx < x.taps; ++tx)
          for (int64_t i = 0; i < a_.in_channels; ++i, to += step)
            *to = folded(s_, from + i * stride.in, *u.z, c.fz * u.z->taps + tz, *u.y, c.fy * u.y->taps + ty,
                         x, c.fx * x.taps + tx);
  }

  // to[k·n + i] = the weight of column i at k.
  void pack_tile(const Unit& u, const Pass& x, const Column* column, int64_t n, const Strides& stride,
                 const T* w, T* to) const {
    int64_t from[ConvLeaves<T>::kMost];
    for (int64_t tz = 0; tz < u.z->taps; ++tz)
      for (int64_t ty = 0; ty < u.y->taps; ++ty)
        for (int64_t tx = 0; tx < x.taps; ++tx) {
          bool plain = true;
          for (int64_t i = 0; i < n; ++i) {
            const int64_t at = single(*u.z, column[i].fz * u.z->taps + tz, *u.y,
                                      column[i].fy * u.y->taps + ty, x, column[i].fx * x.taps + tx);
            plain &= at >= 0;
            from[i] = column[i].o * stride.out + at;
          }
          if (plain) {
            const T* source = w;
            for (int64_t c = 0; c < a_.in_channels; ++c, source += stride.in, to += n)
              for (int64_t i = 0; i < n; ++i) to[i] = source[from[i]];
            continue;
          }
          for (int64_t c = 0; c < a_.in_channels; ++c, to += n)
            for (int64_t i = 0; i < n; ++i)
              to[i] = folded(s_, w + column[i].o * stride.out + c * stride.in, *u.z,
                             column[i].fz * u.z->taps + tz, *u.y, column[i].fy * u.y->taps + ty, x,
                             column[i].fx * x.taps + tx);
        }
  }

  // The kernel element that alone makes the weight of a tap in a phase, or -1.
  int64_t single(const Pass& z, int64_t ez, const Pass& y, int64_t ey, const Pass& x, int64_t ex) const {
    const auto one = [](const Pass& p, int64_t e) {
      return p.first[e + 1] - p.first[e] == 1 && p.coefficient[p.first[e]] == 1;
    };
    if (!one(z, ez) || !one(y, ey) || !one(x, ex)) return -1;
    return (z.kernel[z.first[ez]] * s_.y.kernel + y.kernel[y.first[ey]]) * s_.x.kernel +
           x.kernel[x.first[ex]];
  }

  int64_t packing_parts(const Unit& u, int64_t j) const {
    const int64_t columns = u.rows * u.x->pass[j]->phases;
    const int64_t blocks = a_.nhwc ? divide_up(columns, width_) : divide_up(u.rows, u.block);
    return std::max<int64_t>(1, std::min(blocks, columns * k_of(u, j) >> 16));
  }

  void pack_columns(const Unit& u, int64_t j, int64_t part, int64_t parts, const Strides& stride, const T* w,
                    const T* b, T* packed, T* packed_bias) const {
    const Pass& x = *u.x->pass[j];
    const int64_t k = k_of(u, j);
    const int64_t blocks = divide_up(u.rows, u.block);
    const int64_t row0 = part * blocks / parts * u.block,
                  row1 = std::min(u.rows, (part + 1) * blocks / parts * u.block);
    T* to = packed + u.weights[j] + row0 * x.phases * k;
    T* bias = packed_bias + u.bias[j] + row0 * x.phases;
    for (int64_t r = row0; r < row1; r += u.block) {
      const int64_t columns = std::min(u.block, u.rows - r) * x.phases;
      const int64_t tile = tile_of(columns);
      for (int64_t c = 0; c < columns; c += tile) {
        const int64_t n = std::min(tile, columns - c);
        Column column[ConvLeaves<T>::kMost];
        for (int64_t i = 0; i < n; ++i) {
          column[i] = column_of(u, x, r * x.phases + c + i);
          *bias++ = b == nullptr ? T(0) : b[column[i].o];
        }
        pack_tile(u, x, column, n, stride, w, to);
        to += k * n;
      }
    }
  }

  void pack_columns_last(const Unit& u, int64_t j, int64_t part, int64_t parts, const Strides& stride,
                         const T* w, const T* b, T* packed, T* packed_bias) const {
    const Pass& x = *u.x->pass[j];
    const int64_t k = k_of(u, j), columns = u.rows * x.phases;
    const int64_t blocks = divide_up(columns, width_);
    for (int64_t c = part * blocks / parts * width_; c < (part + 1) * blocks / parts * width_; ++c) {
      T* to = packed + u.weights[j] + c / width_ * width_ * k + c % width_;
      T* bias = packed_bias + u.bias[j] + c;
      if (c >= columns) {
        for (int64_t i = 0; i < k; ++i) to[i * width_] = 0;
        *bias = 0;
        continue;
      }
      const Column column = column_of(u, x, c);
      pack_column(u, x, column, stride, w, to, width_);
      *bias = b == nullptr ? T(0) : b[column.o];
    }
  }

  // Columns of a tile, so that the tiles of a block are about alike.
  int64_t tile_of(int64_t columns) const {
    return divide_up(columns, divide_up<int64_t>(columns, leaves_.most));
  }

  // --- pixels ---

  // The runs of row that pixels begin … end consist of.
  int64_t segments(const Unit& u, int64_t begin, int64_t end, Segment* list) const {
    int64_t count = 0, rest = begin;
    int64_t x = rest % u.qx;
    rest /= u.qx;
    int64_t y = rest % u.qy;
    rest /= u.qy;
    int64_t z = rest % u.qz, n = rest / u.qz;
    for (int64_t p = begin; p < end;) {
      const int64_t run = std::min(u.qx - x, end - p);
      list[count++] = {n, u.z->begin + z, u.y->begin + y, u.x->begin + x, p - begin, run};
      p += run;
      x = 0;
      if (++y == u.qy) {
        y = 0;
        if (++z == u.qz) {
          z = 0;
          ++n;
        }
      }
    }
    return count;
  }

  // How tap t sees a segment.
  ConvRun run_of(const Unit& u, const Pass& x, const Segment& s, int64_t tap) const {
    const int64_t tx = tap % x.taps, ty = tap / x.taps % u.y->taps, tz = tap / x.taps / u.y->taps;
    const int64_t z = s.z * s_.z.in_step + u.z->offset[tz], y = s.y * s_.y.in_step + u.y->offset[ty];
    if (z < 0 || z >= s_.z.in || y < 0 || y >= s_.y.in) return {0, 0, 0, 0};
    const int64_t step = s_.x.in_step, first = s.x * step + x.offset[tx];
    // Inside: first + i·step in 0 … in.
    const int64_t lead = first >= 0 ? 0 : std::min(s.count, divide_up(-first, step));
    const int64_t stop =
        first >= s_.x.in ? lead : std::max(lead, std::min(s.count, divide_up(s_.x.in - first, step)));
    return {0, (z * s_.y.in + y) * s_.x.in + first, lead, stop};
  }

  // Inputs k0 … k1 of the pixels of a panel: to[(k − k0)·width + pixel].
  void fill_panel(const Unit& u, const Pass& x, int64_t g, const Segment* list, int64_t count, int64_t k0,
                  int64_t k1, T* to, ConvRun* runs) const {
    const int64_t channels = a_.groups * a_.in_channels, plane = s_.in();
    const auto* in = static_cast<const char*>(a_.in);
    const int64_t last = list[count - 1].at + list[count - 1].count;
    if (last < width_)
      for (int64_t k = 0; k < k1 - k0; ++k) std::fill(to + k * width_ + last, to + (k + 1) * width_, T(0));
    for (int64_t k = k0; k < k1;) {
      // Whole taps together, a part of a tap alone.
      const int64_t tap = k / a_.in_channels, c = k % a_.in_channels;
      const int64_t taps = c == 0 ? std::max<int64_t>(1, (k1 - k) / a_.in_channels) : 1;
      const int64_t n = std::min(a_.in_channels - c, k1 - k);
      for (int64_t i = 0; i < count; ++i) {
        const Segment& s = list[i];
        for (int64_t t = 0; t < taps; ++t) {
          runs[t] = run_of(u, x, s, tap + t);
          runs[t].to = t * n * width_ + s.at;
        }
        const int64_t source = (s.n * channels + g * a_.in_channels + c) * plane;
        leaves_.gather[a_.type](to, width_, in + source * size_, n, plane, s_.x.in_step, runs, taps, s.count);
      }
      to += taps * n * width_;
      k += taps * n;
    }
  }

  void run_columns(const Unit& u, int64_t g, int64_t tile, int64_t part, const T* w, const T* bias) const {
    ScratchFrame frame;
    const Bundle& bundle = *u.x;
    const int64_t begin = tile * u.sub * width_, end = std::min(u.pixels, begin + u.sub * width_);
    const int64_t panels = divide_up(end - begin, width_);
    const int64_t blocks = divide_up(u.rows, u.block);
    const int64_t row0 = part * blocks / u.parts * u.block;
    const int64_t row1 = std::min(u.rows, (part + 1) * blocks / u.parts * u.block);
    int64_t k_all = 0, columns = 0;
    for (int64_t j = 0; j < bundle.count; ++j) {
      k_all += k_of(u, j);
      columns = std::max(columns, u.block * bundle.pass[j]->phases);
    }
    ConvRun* runs = frame.take<ConvRun>(most_taps(u));
    int32_t* place = frame.take<int32_t>(columns);
    Segment* lists = frame.take<Segment>(panels * width_);
    int64_t* counts = frame.take<int64_t>(panels);
    for (int64_t p = 0; p < panels; ++p)
      counts[p] =
          segments(u, begin + p * width_, std::min(end, begin + (p + 1) * width_), lists + p * width_);
    if (u.chunked) {
      const int64_t chunk = kPanel / (panels * width_ * static_cast<int64_t>(sizeof(T)));
      const int64_t stride = chunk * width_ + 16, row = bundle.phases * width_;
      T* space = frame.take<T>(panels * stride);
      T* c = frame.take<T>(panels * (row1 - row0) * row);
      for (int64_t j = 0; j < bundle.count; ++j) {
        const int64_t k = k_of(u, j);
        for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += chunk) {
          const int64_t k1 = std::min(k, k0 + chunk);
          for (int64_t p = 0; p < panels; ++p)
            fill_panel(u, *bundle.pass[j], g, lists + p * width_, counts[p], k0, k1, space + p * stride,
                       runs);
          for (int64_t r = row0; r < row1; r += u.block)
            for (int64_t p = 0; p < panels; ++p)
              multiply(u, j, r, w, bias, space + p * stride, k0, k1, c + (p * (row1 - row0) + r - row0) * row,
                       place);
        }
      }
      for (int64_t r = row0; r < row1; r += u.block)
        for (int64_t p = 0; p < panels; ++p)
          emit(u, g, lists + p * width_, counts[p], r, std::min(u.rows, r + u.block),
               c + (p * (row1 - row0) + r - row0) * row);
      return;
    }
    const int64_t stride = k_all * width_ + 16;  // not a power of two
    T* space = frame.take<T>(panels * stride);
    T* c = frame.take<T>(u.block * bundle.phases * width_);
    for (int64_t p = 0; p < panels; ++p) {
      counts[p] =
          segments(u, begin + p * width_, std::min(end, begin + (p + 1) * width_), lists + p * width_);
      T* panel = space + p * stride;
      for (int64_t j = 0; j < bundle.count; ++j) {
        fill_panel(u, *bundle.pass[j], g, lists + p * width_, counts[p], 0, k_of(u, j), panel, runs);
        panel += k_of(u, j) * width_;
      }
    }
    for (int64_t r = row0; r < row1; r += u.block)
      for (int64_t p = 0; p < panels; ++p) {
        const T* panel = space + p * stride;
        for (int64_t j = 0; j < bundle.count; ++j) {
          multiply(u, j, r, w, bias, panel, 0, k_of(u, j), c, place);
          panel += k_of(u, j) * width_;
        }
        emit(u, g, lists + p * width_, counts[p], r, std::min(u.rows, r + u.block), c);
      }
  }

  // Adds k0 … k1 of the products of the block of rows that starts at r to c.
  void multiply(const Unit& u, int64_t j, int64_t r, const T* w, const T* bias, const T* panel, int64_t k0,
                int64_t k1, T* c, int32_t* place) const {
    const Pass& x = *u.x->pass[j];
    const int64_t k = k_of(u, j), columns = std::min(u.block, u.rows - r) * x.phases, tile = tile_of(columns);
    const T* from = w + u.weights[j] + r * x.phases * k;
    const T* b = bias + u.bias[j] + r * x.phases;
    for (int64_t i = 0; i < columns; ++i)
      place[i] = static_cast<int32_t>((i / x.phases * u.x->phases + u.x->slot[j][i % x.phases]) * width_);
    for (int64_t i = 0; i < columns; i += tile) {
      const int64_t n = std::min(tile, columns - i);
      leaves_.tile[n](c, place + i, from + k0 * n, panel, k1 - k0, k0 == 0 ? b + i : nullptr);
      from += k * n;
    }
  }

  // Rows r0 … r1 of c, of the pixels of a panel, to the output.
  void emit(const Unit& u, int64_t g, const Segment* list, int64_t count, int64_t r0, int64_t r1,
            const T* c) const {
    for (int64_t r = r0; r < r1; ++r, c += u.x->phases * width_)
      for (int64_t i = 0; i < count; ++i) emit_line(u, g, list[i], r, c + list[i].at, width_);
  }

  // A segment of row r: c[slot·width + pixel].
  void emit_line(const Unit& u, int64_t g, const Segment& s, int64_t r, const T* c, int64_t width) const {
    const Bundle& bundle = *u.x;
    const int64_t step = s_.x.out_step, channels = a_.groups * a_.out_channels;
    const int64_t fy = r % u.y->phases, fz = r / u.y->phases % u.z->phases, o = r / u.y->phases / u.z->phases;
    const int64_t z = s.z * s_.z.out_step + u.z->phase[fz], y = s.y * s_.y.out_step + u.y->phase[fy];
    if (z >= s_.z.out || y >= s_.y.out) return;
    char* row =
        static_cast<char*>(a_.out) +
        (((s.n * channels + g * a_.out_channels + o) * s_.z.out + z) * s_.y.out + y) * s_.x.out * size_;
    if (bundle.phases == step) {
      const int64_t n = std::min(s.count * step, s_.x.out - s.x * step);
      leaves_.interleave[a_.type](row + s.x * step * size_, c, width, step, n);
      return;
    }
    for (int64_t f = 0; f < bundle.phases; ++f) {
      const int64_t x = s.x * step + bundle.phase[f], n = std::min(s.count, divide_up(s_.x.out - x, step));
      if (n > 0) leaves_.scatter[a_.type](row + x * size_, step, c + f * width, n);
    }
  }

  // --- one channel ---

  // Groups of one input channel: sums over few taps, straight from a padded copy of the rows. Chosen by
  // sizes.
  void plan_depth() {
    strips_ = 0;
    const Pass& z = s_.z.pass[0];
    if (a_.nhwc || a_.in_channels != 1 || s_.z.count != 1 || s_.z.in != 1 || s_.z.out != 1 || z.taps != 1 ||
        z.phases != 1 || z.offset[0] != 0)
      return;
    low_x_ = low_y_ = INT64_MAX;
    int64_t high_x = INT64_MIN, qx = 0, columns = 0;
    high_y_ = INT64_MIN;
    q_end_ = 0;
    const auto stretch = [](const Axis& axis, int64_t* low, int64_t* high) {
      for (int64_t i = 0; i < axis.count; ++i)
        for (int64_t t = 0; t < axis.pass[i].taps; ++t) {
          *low = std::min<int64_t>(*low, axis.pass[i].offset[t]);
          *high = std::max<int64_t>(*high, axis.pass[i].offset[t]);
        }
    };
    stretch(s_.x, &low_x_, &high_x);
    stretch(s_.y, &low_y_, &high_y_);
    if (low_x_ > high_x || low_y_ > high_y_) return;
    for (int64_t i = 0; i < s_.x.count; ++i) qx = std::max(qx, s_.x.pass[i].end);
    for (int64_t i = 0; i < s_.y.count; ++i) q_end_ = std::max(q_end_, s_.y.pass[i].end);
    for (int64_t i = 0; i < unit_count_; ++i)
      columns = std::max(columns, units_[i].block * units_[i].x->phases);
    sub_row_ = qx + (high_x - low_x_) / s_.x.in_step + 1;
    pitch_ = sub_row_ * s_.x.in_step;
    if (pitch_ * (high_y_ - low_y_ + 1) > 32768 || qx * columns > 65536) return;
    // The padded rows and the sums of a strip stay in the second-level cache.
    strip_ = std::max<int64_t>(1, 32768 / (pitch_ * std::max(s_.y.in_step, columns)));
    strips_ = divide_up(q_end_, strip_);
    tasks_ = a_.batch * a_.groups * strips_;
  }

  void run_depth(int64_t task, const T* packed, const T* packed_bias) const {
    const int64_t q0 = task % strips_ * strip_, q1 = std::min(q_end_, q0 + strip_);
    const int64_t image = task / strips_, g = image % a_.groups, n = image / a_.groups;
    const T* w = packed + g * group_weights_;
    const T* bias = packed_bias + g * group_bias_;
    const int64_t slack = 8 * leaves_.lanes, step = s_.x.in_step;
    const int64_t first = q0 * s_.y.in_step + low_y_, last = (q1 - 1) * s_.y.in_step + high_y_;
    ScratchFrame frame;
    T* rows = frame.take<T>((last - first + 1) * pitch_ + slack);
    ConvRun* runs = frame.take<ConvRun>(step);
    for (int64_t y = first; y <= last; ++y) {
      const bool inside = y >= 0 && y < s_.y.in;
      for (int64_t p = 0; p < step; ++p) {
        const int64_t x = low_x_ + p;
        const int64_t lead = !inside || x >= 0 ? 0 : std::min(sub_row_, divide_up(-x, step));
        const int64_t stop = !inside ? 0
                             : x >= s_.x.in
                                 ? lead
                                 : std::max(lead, std::min(sub_row_, divide_up(s_.x.in - x, step)));
        runs[p] = {p * sub_row_, x, lead, stop};
      }
      const int64_t source = ((n * a_.groups + g) * s_.y.in + (inside ? y : 0)) * s_.x.in;
      leaves_.gather[a_.type](rows + (y - first) * pitch_, 0,
                              static_cast<const char*>(a_.in) + source * size_, 1, 0, step, runs, step,
                              sub_row_);
    }
    for (int64_t i = 0; i < unit_count_; ++i) {
      const Unit& u = units_[i];
      const int64_t begin = std::max(q0, u.y->begin), end = std::min(q1, u.y->end);
      if (begin >= end) continue;
      ScratchFrame inner;
      const int64_t width = (end - begin) * pitch_ + slack, slots = u.x->phases;
      T* c = inner.take<T>(u.block * slots * width);
      const T** from = inner.take<const T*>(most_taps(u));
      T* weight = inner.take<T>(most_taps(u));
      for (int64_t r = 0; r < u.rows; r += u.block) {
        const int64_t r1 = std::min(u.rows, r + u.block);
        for (int64_t j = 0; j < u.x->count; ++j) {
          const Pass& x = *u.x->pass[j];
          const int64_t k = k_of(u, j), columns = (r1 - r) * x.phases, tile = tile_of(columns);
          const T* packed_tile = w + u.weights[j] + r * x.phases * k;
          for (int64_t at = 0; at < columns; at += tile) {
            const int64_t m = std::min(tile, columns - at);
            for (int64_t e = 0; e < m; ++e) {
              for (int64_t t = 0; t < k; ++t) weight[t] = packed_tile[t * m + e];
              const int64_t slot = (at + e) / x.phases * slots + u.x->slot[j][(at + e) % x.phases];
              sum_rows(u, x, rows, first, begin, end, from, weight, k,
                       bias[u.bias[j] + r * x.phases + at + e], c + slot * width);
            }
            packed_tile += k * m;
          }
        }
        for (int64_t q = begin; q < end; ++q) {
          const Segment line = {n, 0, q, u.x->begin, 0, u.qx};
          for (int64_t e = r; e < r1; ++e)
            emit_line(u, g, line, e, c + (e - r) * slots * width + (q - begin) * pitch_, width);
        }
      }
    }
  }

  // One column for steps begin … end of y: at once where their rows lie next to one another.
  void sum_rows(const Unit& u, const Pass& x, const T* rows, int64_t first, int64_t begin, int64_t end,
                const T** from, const T* weight, int64_t taps, T bias, T* c) const {
    const bool together = s_.y.in_step == 1;
    for (int64_t q = begin; q < (together ? begin + 1 : end); ++q) {
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t dx = x.offset[t % x.taps] - low_x_ + u.x->begin * s_.x.in_step;
        const int64_t y = q * s_.y.in_step + u.y->offset[t / x.taps] - first;
        from[t] = rows + y * pitch_ + dx % s_.x.in_step * sub_row_ + dx / s_.x.in_step;
      }
      const int64_t n = together ? (end - begin - 1) * pitch_ + u.qx : u.qx;
      leaves_.depth(c + (q - begin) * pitch_, from, weight, taps, bias, n);
    }
  }

  // --- channels last ---

  // Inputs k0 … k1 of the pixels of the segments: to[pixel·row + k − k0].
  void fill_rows(const Unit& u, const Pass& x, int64_t g, const Segment* list, int64_t count, int64_t k0,
                 int64_t k1, T* to, int64_t row) const {
    const int64_t channels = a_.groups * a_.in_channels;
    const auto* in = static_cast<const char*>(a_.in);
    for (int64_t i = 0; i < count; ++i) {
      const Segment& s = list[i];
      for (int64_t k = k0; k < k1;) {
        const int64_t tap = k / a_.in_channels, c = k % a_.in_channels,
                      n = std::min(a_.in_channels - c, k1 - k);
        const int64_t tx = tap % x.taps, ty = tap / x.taps % u.y->taps, tz = tap / x.taps / u.y->taps;
        const int64_t z = s.z * s_.z.in_step + u.z->offset[tz], y = s.y * s_.y.in_step + u.y->offset[ty];
        const bool inside = z >= 0 && z < s_.z.in && y >= 0 && y < s_.y.in;
        const int64_t line = ((s.n * s_.z.in + z) * s_.y.in + y) * s_.x.in;
        for (int64_t p = 0; p < s.count; ++p) {
          const int64_t sx = (s.x + p) * s_.x.in_step + x.offset[tx];
          const bool there = inside && sx >= 0 && sx < s_.x.in;
          const ConvRun run = {0, 0, 0, there ? n : 0};
          const int64_t source = there ? (line + sx) * channels + g * a_.in_channels + c : 0;
          leaves_.gather[a_.type](to + (s.at + p) * row + k - k0, 0, in + source * size_, 1, 0, 1, &run, 1,
                                  n);
        }
        k += n;
      }
    }
  }

  void run_columns_last(const Unit& u, int64_t g, int64_t tile, int64_t part, const T* w,
                        const T* bias) const {
    const int64_t begin = tile * u.sub * leaves_.most, end = std::min(u.pixels, begin + u.sub * leaves_.most);
    const int64_t pixels = end - begin, step = tile_of(pixels);
    ScratchFrame frame;
    Segment* list = frame.take<Segment>(pixels);
    const int64_t count = segments(u, begin, end, list);
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const int64_t k = k_of(u, j), columns = u.rows * x.phases, blocks = divide_up(columns, width_);
      const int64_t block0 = part * blocks / u.parts, block1 = (part + 1) * blocks / u.parts;
      const int64_t most = std::max<int64_t>(1, kPanel / (pixels * static_cast<int64_t>(sizeof(T))));
      const int64_t chunk = std::min(std::max<int64_t>(k, 1), most);
      ScratchFrame inner;
      T* rows = inner.take<T>(pixels * chunk);
      const bool chunked = chunk < k;
      T* sums = inner.take<T>((chunked ? (block1 - block0) * pixels : step) * width_);
      for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += chunk) {
        const int64_t k1 = std::min(k, k0 + chunk);
        fill_rows(u, x, g, list, count, k0, k1, rows, chunk);
        for (int64_t b = block0; b < block1; ++b) {
          const int64_t n = std::min(width_, columns - b * width_);
          const auto* kernel = leaves_.rows[n > leaves_.lanes ? 1 : 0];
          const T* from = w + u.weights[j] + (b * k + k0) * width_;
          for (int64_t p = 0; p < pixels; p += step) {
            const int64_t m = std::min(step, pixels - p);
            T* c = chunked ? sums + ((b - block0) * pixels + p) * width_ : sums;
            kernel[m](c, rows + p * chunk, chunk, from, k1 - k0,
                      k0 == 0 ? bias + u.bias[j] + b * width_ : nullptr);
            if (k1 == k) emit_last(u, x, g, begin + p, m, b * width_, n, c);
          }
        }
      }
    }
  }

  // Columns first … first + n of `pixels` pixels to the output.
  void emit_last(const Unit& u, const Pass& x, int64_t g, int64_t pixel, int64_t pixels, int64_t first,
                 int64_t n, const T* c) const {
    const int64_t channels = a_.groups * a_.out_channels;
    auto* out = static_cast<char*>(a_.out);
    for (int64_t p = pixel; p < pixel + pixels; ++p, c += width_) {
      const int64_t qx = u.x->begin + p % u.qx, qy = u.y->begin + p / u.qx % u.qy;
      const int64_t qz = u.z->begin + p / u.qx / u.qy % u.qz, batch = p / u.qx / u.qy / u.qz;
      for (int64_t i = 0; i < n;) {
        const Column column = column_of(u, x, first + i);
        const int64_t run = std::min(n - i, a_.out_channels - column.o);
        const int64_t oz = qz * s_.z.out_step + u.z->phase[column.fz],
                      oy = qy * s_.y.out_step + u.y->phase[column.fy],
                      ox = qx * s_.x.out_step + x.phase[column.fx];
        if (oz < s_.z.out && oy < s_.y.out && ox < s_.x.out) {
          const int64_t at = ((batch * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox;
          leaves_.interleave[a_.type](out + (at * channels + g * a_.out_channels + column.o) * size_, c + i,
                                      0, 1, run);
        }
        i += run;
      }
    }
  }

  static constexpr int64_t kPanel = 384 * 1024, kSums = 256 * 1024;  // bytes
  const ConvArgs& a_;
  const Geometry& s_;
  const ConvLeaves<T>& leaves_;
  const int64_t width_, size_;
  Bundle* bundles_;
  Unit* units_;
  int64_t bundle_count_, unit_count_;
  int64_t group_weights_, group_bias_, tasks_, packing_;
  // Of run_depth: strips of so many steps of y; padded rows of in_step sub-rows each, from low_x_ on.
  int64_t strips_, strip_, q_end_, low_x_, low_y_, high_y_, sub_row_, pitch_;
};

// What stands before packed weights.
struct Packed {
  const KernelTable* table;
  int64_t raw;  // the weights are as they came: they are few, or not all of them finite
};

constexpr int64_t kHead = 128, kFew = 256;

template <class P>
P* aligned(P* p) {
  return reinterpret_cast<P*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

template <class T>
int64_t packed_size(const ConvArgs& a) {
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const Engine<T> engine(a, s, kernels(), &frame);
  const int64_t raw = a.groups * a.out_channels * (a.in_channels * s.kernel() + 1);
  return kHead + static_cast<int64_t>(sizeof(T)) *
                     std::max(raw, a.groups * (engine.group_weights() + engine.group_bias()));
}

template <class T>
void pack_all(const ConvArgs& a, const Engine<T>& engine, const T* weight, const T* bias, T* packed,
              const Context& context) {
  T* packed_bias = packed + a.groups * engine.group_weights();
  parallel_for(context, a.groups * engine.packing_tasks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t g = i / engine.packing_tasks();
      engine.pack(weight, bias, g, i % engine.packing_tasks(), packed + g * engine.group_weights(),
                  packed_bias + g * engine.group_bias());
    }
  });
}

template <class T>
Status pack_ahead(const ConvArgs& a, const Context& context) {
  const KernelTable& table = kernels();
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const int64_t channels = a.groups * a.out_channels, weights = channels * a.in_channels * s.kernel();
  const T* weight = widened<T>(table, a.type, a.weight, weights, &frame);
  const T* bias = a.bias == nullptr ? nullptr : widened<T>(table, a.type, a.bias, channels, &frame);
  auto* head = static_cast<Packed*>(a.packing);
  T* to = reinterpret_cast<T*>(aligned(static_cast<char*>(a.packing) + sizeof(Packed)));
  head->table = &table;
  head->raw = weights <= kFew || !all_finite(weight, weights);
  if (head->raw) {
    std::copy_n(weight, weights, to);
    if (bias != nullptr)
      std::copy_n(bias, channels, to + weights);
    else
      std::fill_n(to + weights, channels, T(0));
    return OK;
  }
  pack_all(a, Engine<T>(a, s, table, &frame), weight, bias, to, context);
  return OK;
}

template <class T>
Status run_one_by_one(const ConvArgs& a, const Geometry& s, const KernelTable& table, const T* weight,
                      const T* bias, const Context& context) {
  const int64_t items = a.batch * a.groups * a.out_channels;
  const int64_t grain = std::max<int64_t>(1, 10000 / (s.out() * a.in_channels));
  parallel_for(context, items, grain,
               [&](int64_t begin, int64_t end) { one_by_one(a, s, table, weight, bias, begin, end); });
  return context.cancelled() ? CANCELLED : OK;
}

template <class T>
Status run_convolution(const ConvArgs& a, const Context& context) {
  if (a.batch == 0) return OK;
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const int64_t channels = a.groups * a.out_channels, weights = channels * a.in_channels * s.kernel();
  const bool few = a.batch * channels * s.out() * a.in_channels <= kFew;
  const KernelTable* table = &kernels();
  const T *packed = nullptr, *weight = nullptr, *bias = nullptr;
  if (a.packed != nullptr) {
    const auto* head = static_cast<const Packed*>(a.packed);
    packed = reinterpret_cast<const T*>(aligned(static_cast<const char*>(a.packed) + sizeof(Packed)));
    table = head->table;
    if (head->raw) {
      weight = packed;
      bias = packed + weights;
      packed = nullptr;
      if (few || !all_finite(weight, weights)) return run_one_by_one(a, s, *table, weight, bias, context);
    }
  } else {
    weight = widened<T>(*table, a.type, a.weight, weights, &frame);
    if (a.bias != nullptr) bias = widened<T>(*table, a.type, a.bias, channels, &frame);
    if (few || !all_finite(weight, weights)) return run_one_by_one(a, s, *table, weight, bias, context);
  }
  const Engine<T> engine(a, s, *table, &frame);
  if (packed == nullptr) {
    T* space = frame.take<T>(a.groups * (engine.group_weights() + engine.group_bias()));
    pack_all(a, engine, weight, bias, space, context);
    packed = space;
  }
  const T* packed_bias = packed + a.groups * engine.group_weights();
  parallel_for(context, engine.tasks(), engine.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) engine.run(task, packed, packed_bias);
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace

int64_t packed_bytes(const ConvArgs& a) {
  return a.type == F64 ? packed_size<double>(a) : packed_size<float>(a);
}

Status pack_weights(const ConvArgs& a, const Context& context) {
  return a.type == F64 ? pack_ahead<double>(a, context) : pack_ahead<float>(a, context);
}

Status convolution(const ConvArgs& a, const Context& context) {
  return a.type == F64 ? run_convolution<double>(a, context) : run_convolution<float>(a, context);
}

}  // namespace upsampling
