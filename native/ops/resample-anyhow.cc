// Resizes by rows that come in any order: float64, integers, and more than one axis before the last.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/table.h"
#include "ops/resample-across.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Integers of 16 bits and more, as ONNX resizes them.
template <class F>
void by_integer(int type, const F& f) {
  switch (type) {
    case U16:
      return f(uint16_t{});
    case I16:
      return f(int16_t{});
    case I32:
      return f(int32_t{});
    case U32:
      return f(uint32_t{});
    case I64:
      return f(int64_t{});
    default:
      return f(uint64_t{});
  }
}

void read_integers(int type, double* out, const void* in, int64_t at, int64_t n) {
  by_integer(type, [&](auto one) {
    const auto* from = static_cast<const decltype(one)*>(in) + at;
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<double>(from[i]);
  });
}

// Rounded half to even and clamped. Values are finite: weights and integers are.
void write_integers(int type, char* out, const double* in, int64_t n) {
  by_integer(type, [&](auto one) {
    using E = decltype(one);
    using Limits = std::numeric_limits<E>;
    auto* to = reinterpret_cast<E*>(out);
    // The largest 64-bit integers are no doubles: what reaches the next one is clamped.
    const auto low = static_cast<double>(Limits::min()),
               above = 2 * static_cast<double>(Limits::max() / 2 + 1);
    for (int64_t i = 0; i < n; ++i) {
      const double v = std::nearbyint(in[i]);
      to[i] = v < low ? Limits::min() : v >= above ? Limits::max() : static_cast<E>(v);
    }
  });
}

// Doubles along a row. Pixels that fill no vector are taken element by element, where all have as many taps;
// with vectors of two doubles the longer tables cost more than that saves (bicubic 480x640x3 to 700x900 5.6
// ms rather than 4.6).
class AlongDoubles {
 public:
  AlongDoubles(const AxisTable& x, int64_t inner, ScratchFrame* frame)
      : x_(x), inner_(inner), n_(x.out_size * inner) {
    if (inner * 2 >= k_.lanes || !is_even(x) || (k_.lanes == 4 && x.taps > 2 && inner > 1)) return;
    const auto* weights = static_cast<const double*>(x.weight);
    index_ = x.index;
    weight_ = weights;
    if (inner == 1) return;
    auto* index = frame->take<int32_t>(x.taps * n_);
    auto* weight = frame->take<double>(x.taps * n_);
    index_ = index;
    weight_ = weight;
    for (int64_t o = 0; o < x.taps * x.out_size; ++o)
      for (int64_t c = 0; c < inner; ++c) {
        *index++ = static_cast<int32_t>(x.index[o] * inner + c);
        *weight++ = weights[o];
      }
  }
  void operator()(double* out, const double* in) const {
    if (index_ != nullptr) return k_.resample_doubles(out, in, index_, weight_, x_.taps, n_);
    k_.resample_row_double(out, in, &x_, inner_);
  }

 private:
  const KernelTable& k_ = kernels();
  const AxisTable& x_;
  const int64_t inner_, n_;
  const int32_t* index_ = nullptr;
  const double* weight_ = nullptr;
};

// What rows are read, summed and written with.
template <class T>
struct Leaves;
template <>
struct Leaves<float> {
  const KernelTable& k = kernels();
  const Across across;
  const Strip whole;
  int type;
  Leaves(const InterpolateArgs& a, ScratchFrame* frame)
      : across(a.axes[a.axis_count - 1], a.inner, a.type, frame),
        whole(across.strip(0, INT64_MAX)),
        type(a.type) {}
  void source(float* out, const void* in, int64_t row, float* staged) const {
    across.rows(out, 0, in, row, 1, staged, whole);
  }
  void blend_out(char* out, const float* const* rows, const float* w, int64_t taps, int64_t n, float*) const {
    k.blend[type](out, rows, w, taps, n);
  }
  bool rounds() const { return false; }  // a blend does
};
template <>
struct Leaves<double> {
  const KernelTable& k = kernels();
  const AlongDoubles along;
  const int64_t in_row;
  const int type;
  Leaves(const InterpolateArgs& a, ScratchFrame* frame)
      : along(a.axes[a.axis_count - 1], a.inner, frame),
        in_row(a.axes[a.axis_count - 1].in_size * a.inner),
        type(a.type) {}
  bool rounds() const { return type != F64; }
  void source(double* out, const void* in, int64_t row, double* staged) const {
    const auto* values = static_cast<const double*>(in) + (rounds() ? 0 : row * in_row);
    if (rounds()) {
      read_integers(type, staged, in, row * in_row, in_row);
      values = staged;
    }
    along(out, values);
  }
  // `space` has room for n values where the result is rounded.
  void blend_out(char* out, const double* const* rows, const double* w, int64_t taps, int64_t n,
                 double* space) const {
    k.blend_double(rounds() ? space : reinterpret_cast<double*>(out), rows, w, taps, n);
    if (rounds()) write_integers(type, out, space, n);
  }
};

}  // namespace

Status down_then_across_double(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const KernelTable& k = kernels();
  ScratchFrame tables;
  const AlongDoubles along(x, a.inner, &tables);
  const auto* in = static_cast<const double*>(a.in);
  auto* out = static_cast<double*>(a.out);
  const int64_t work = std::max<int64_t>(1, in_row * rows.taps + out_row * x.taps);
  parallel_for(context, a.outer * rows.out, std::max<int64_t>(1, kRangeElements / work),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame frame;
                 RowTaps<double> taps{0, frame.take<int64_t>(rows.taps), frame.take<double>(rows.taps)};
                 const double** sources = frame.take<const double*>(rows.taps);
                 double* blended = frame.take<double>(in_row);
                 for (int64_t r = begin; r < end; ++r) {
                   rows.taps_of(r % rows.out, &taps);
                   for (int64_t t = 0; t < taps.count; ++t)
                     sources[t] = in + (r / rows.out * rows.in + taps.row[t]) * in_row;
                   k.blend_double(blended, sources, taps.weight, taps.count, in_row);
                   along(out + r * out_row, blended);
                 }
               });
  return context.cancelled() ? CANCELLED : OK;
}

template <class T>
Status across_then_down_anyhow(const InterpolateArgs& a, const Rows& rows, const Context& context) {
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  ScratchFrame tables;
  const Leaves<T> leaves(a, &tables);
  auto* out = static_cast<char*>(a.out);
  const int64_t slots = rows.taps + 1;
  const int64_t grain =
      std::min(rows.out, std::max<int64_t>(16, kRangeElements / (out_row * (rows.taps + 1))));
  const int64_t blocks = (rows.out + grain - 1) / grain;
  parallel_for(context, a.outer * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowTaps<T> taps{0, frame.take<int64_t>(rows.taps), frame.take<T>(rows.taps)};
    const T** sources = frame.take<const T*>(rows.taps);
    T** space = frame.take<T*>(slots);
    int64_t* held = frame.take<int64_t>(slots);  // the row that a slot holds
    for (int64_t s = 0; s < slots; ++s) {
      space[s] = frame.take<T>(out_row);
      held[s] = -1;
    }
    T* staged = frame.take<T>(in_row);
    T* rounded = frame.take<T>(leaves.rounds() ? out_row : 0);
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks, first = block % blocks * grain,
                    last = std::min(first + grain, rows.out);
      for (int64_t r = first; r < last; ++r) {
        rows.taps_of(r, &taps);
        for (int64_t k = 0; k < taps.count; ++k) {
          const int64_t wanted = plane * rows.in + taps.row[k];
          int64_t slot = 0;
          while (slot < slots && held[slot] != wanted) ++slot;
          if (slot == slots) {
            // The slot whose row is farthest behind and not among those just chosen; there is one to spare.
            slot = -1;
            for (int64_t s = 0; s < slots; ++s) {
              bool taken = false;
              for (int64_t j = 0; j < k; ++j) taken = taken || sources[j] == space[s];
              if (!taken && (slot < 0 || held[s] < held[slot])) slot = s;
            }
            leaves.source(space[slot], a.in, wanted, staged);
            held[slot] = wanted;
          }
          sources[k] = space[slot];
        }
        leaves.blend_out(out + (plane * rows.out + r) * out_row * size, sources, taps.weight, taps.count,
                         out_row, rounded);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

template Status across_then_down_anyhow<float>(const InterpolateArgs&, const Rows&, const Context&);
template Status across_then_down_anyhow<double>(const InterpolateArgs&, const Rows&, const Context&);

}  // namespace upsampling
