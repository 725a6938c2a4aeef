// Resized values row by row, as `interpolate` would write them, for operators that reduce them at once.
#pragma once
#include <cstring>

#include "kernels/table.h"
#include "kernels/types.h"
#include "ops/prepared-taps.h"
#include "ops/resample-order.h"
#include "runtime/isa.h"
#include "runtime/scratch.h"

namespace upsampling {

// in: [batch, channels, in_size of each axis, inner].
struct ResizedArgs {
  static constexpr int kMaxAxes = 4;
  const void* in;
  int type;
  int64_t batch, channels, inner;
  int axis_count;
  AxisTable axes[kMaxAxes];       // the last one runs along a row
  int64_t whole_sizes[kMaxAxes];  // output extents that the order of the sums is chosen by

  const AxisTable& columns() const { return axes[axis_count - 1]; }
  int64_t in_rows() const {
    return product([](const AxisTable& a) { return a.in_size; });
  }
  int64_t out_rows() const {
    return product([](const AxisTable& a) { return a.out_size; });
  }
  int64_t row_taps() const {
    return product([](const AxisTable& a) { return a.taps; });
  }
  bool down_first() const {
    int64_t whole_rows = 1;
    for (int i = 0; i < axis_count - 1; ++i) whole_rows *= whole_sizes[i];
    return blends_down_first(in_rows(), whole_rows, row_taps(), columns().in_size * inner,
                             whole_sizes[axis_count - 1] * inner, columns().taps);
  }

 private:
  template <class F>
  int64_t product(const F& f) const {
    int64_t n = 1;
    for (int i = 0; i < axis_count - 1; ++i) n *= f(axes[i]);
    return n;
  }
};

// The leaves for one compute type.
template <class T>
struct ResizeLeaves;
template <>
struct ResizeLeaves<float> {
  const KernelTable& k = kernels();
  int type;
  explicit ResizeLeaves(int t) : type(t) {}
  const float* read(const void* in, int64_t at, int64_t n, float* space) const {
    if (type == F32) return static_cast<const float*>(in) + at;
    k.widen[type](space, static_cast<const char*>(in) + at * bytes_of(type), n);
    return space;
  }
  void blend(float* out, const float* const* rows, const float* w, int64_t taps, int64_t n) const {
    k.blend[F32](out, rows, w, taps, n);
  }
  // Blends and rounds to the element type; `stored` has room for n elements.
  void blend_rounded(float* out, const float* const* rows, const float* w, int64_t taps, int64_t n,
                     void* stored) const {
    if (type == F32) return blend(out, rows, w, taps, n);
    k.blend[type](stored, rows, w, taps, n);
    k.widen[type](out, stored, n);
  }
  void prepare(const AxisTable& axis, int64_t inner, ScratchFrame* frame) {
    if (inner < k.lanes) taps = prepared_taps(axis, inner, frame);
  }
  // `staged` has room for a source row.
  void resample(float* out, const float* in, const AxisTable& axis, int64_t inner, float* staged) const {
    if (inner >= k.lanes) return k.resample.across_pixels(out, in, &axis, inner, 0, axis.out_size);
    const int64_t n = axis.in_size * inner;
    if (n < taps.window * k.lanes && in != staged) {
      std::memcpy(staged, in, static_cast<size_t>(n) * sizeof(float));
      in = staged;
    }
    k.resample.across(out, 0, in, 0, 1, &taps, 0, taps.blocks);
  }

 private:
  PreparedTaps taps{};
};
template <>
struct ResizeLeaves<double> {
  const KernelTable& k = kernels();
  explicit ResizeLeaves(int) {}
  const double* read(const void* in, int64_t at, int64_t, double*) const {
    return static_cast<const double*>(in) + at;
  }
  void blend(double* out, const double* const* rows, const double* w, int64_t taps, int64_t n) const {
    k.blend_double(out, rows, w, taps, n);
  }
  void blend_rounded(double* out, const double* const* rows, const double* w, int64_t taps, int64_t n,
                     void*) const {
    blend(out, rows, w, taps, n);
  }
  void prepare(const AxisTable&, int64_t, ScratchFrame*) {}
  void resample(double* out, const double* in, const AxisTable& axis, int64_t inner, double*) const {
    k.resample_row_double(out, in, &axis, inner);
  }
};

// Makes rows of the columns [first, end) of the output, one at a time. Rows are asked for in rising order
// within a plane for the resampled rows to be reused. Everything lives in the caller's frame. With
// `one_by_one` each of the `inner` elements of a pixel is a plane of its own, picked out as its rows are
// read.
template <class T>
class ResizedRows {
 public:
  ResizedRows(const ResizedArgs& a, ScratchFrame* frame, int64_t first, int64_t end, bool one_by_one = false)
      : a_(a),
        leaves_(a.type),
        down_first_(a.down_first()),
        in_rows_(a.in_rows()),
        out_rows_(a.out_rows()),
        inner_(one_by_one ? 1 : a.inner),
        stride_(a.inner / inner_) {
    const AxisTable& x = a.columns();
    const int64_t n = end - first;
    // The part of the table, and of a source row, that these columns need.
    int64_t low = x.in_size, high = 0;
    for (int64_t k = 0; k < x.taps; ++k)
      for (int64_t o = first; o < end; ++o) {
        low = std::min<int64_t>(low, x.index[k * x.out_size + o]);
        high = std::max<int64_t>(high, x.index[k * x.out_size + o] + 1);
      }
    auto* index = frame->take<int32_t>(x.taps * n);
    auto* weight = frame->take<T>(x.taps * n);
    for (int64_t k = 0; k < x.taps; ++k)
      for (int64_t o = 0; o < n; ++o) {
        index[k * n + o] = x.index[k * x.out_size + first + o] - static_cast<int32_t>(low);
        weight[k * n + o] = static_cast<const T*>(x.weight)[k * x.out_size + first + o];
      }
    columns_ = {high - low, n, x.taps, index, weight, x.count + first};
    leaves_.prepare(columns_, inner_, frame);
    in_start_ = low * inner_;
    in_length_ = (high - low) * inner_;
    out_length_ = n * inner_;
    taps_ = a.row_taps();
    row_ = frame->take<int64_t>(taps_);
    weight_ = frame->take<T>(taps_);
    sources_ = frame->take<const T*>(taps_);
    slots_ = down_first_ ? taps_ : taps_ + 1;
    space_ = frame->take<T*>(slots_);
    held_ = frame->take<int64_t>(slots_);
    for (int64_t s = 0; s < slots_; ++s) {
      space_[s] = frame->take<T>(down_first_ ? in_length_ : out_length_);
      held_[s] = -1;
    }
    staged_ = frame->take<T>(in_length_);
    across_ = frame->take<T>(down_first_ ? out_length_ : 0);
    stored_ = frame->take<char>(out_length_ * bytes_of(a.type));
    picked_ = frame->take<char>(stride_ > 1 ? in_length_ * bytes_of(a.type) : 0);
  }

  int64_t length() const { return out_length_; }

  // out[i] = the resized values of row r of a plane (image · channels + channel, or one by one image · inner
  // + element), rounded to the element type.
  void row(int64_t plane, int64_t r, T* out) {
    const int64_t count = taps_of(r);
    const int64_t in_row = a_.columns().in_size * inner_;
    const auto source = [&](int64_t row, T* space) -> const T* {
      if (stride_ > 1) {
        const bool computed = bytes_of(a_.type) == sizeof(T);  // what is computed with needs no widening
        pick(computed ? static_cast<void*>(space) : picked_, plane / stride_ * in_rows_ + row,
             plane % stride_);
        return computed ? space : leaves_.read(picked_, 0, in_length_, space);
      }
      return leaves_.read(a_.in, (plane * in_rows_ + row) * in_row + in_start_, in_length_, space);
    };
    if (down_first_) {
      for (int64_t k = 0; k < count; ++k) sources_[k] = source(row_[k], space_[k]);
      leaves_.blend(staged_, sources_, weight_, count, in_length_);
      leaves_.resample(across_, staged_, columns_, inner_, staged_);
      const T one = 1;
      const T* only = across_;
      leaves_.blend_rounded(out, &only, &one, 1, out_length_, stored_);
      return;
    }
    for (int64_t k = 0; k < count; ++k) {
      const int64_t wanted = plane * in_rows_ + row_[k];
      int64_t slot = 0;
      while (slot < slots_ && held_[slot] != wanted) ++slot;
      if (slot == slots_) {
        slot = free_slot(k);
        leaves_.resample(space_[slot], source(row_[k], staged_), columns_, inner_, staged_);
        held_[slot] = wanted;
      }
      sources_[k] = space_[slot];
    }
    leaves_.blend_rounded(out, sources_, weight_, count, out_length_, stored_);
  }

 private:
  // to[i] = element `element` of pixel i of a row.
  void pick(void* to, int64_t row, int64_t element) const {
    const int64_t at = (row * a_.columns().in_size + in_start_) * stride_ + element;
    switch (bytes_of(a_.type)) {
      case 1:
        return pick_of(static_cast<uint8_t*>(to), at);
      case 2:
        return pick_of(static_cast<uint16_t*>(to), at);
      case 4:
        return pick_of(static_cast<uint32_t*>(to), at);
      default:
        return pick_of(static_cast<uint64_t*>(to), at);
    }
  }
  template <class E>
  void pick_of(E* to, int64_t at) const {
    const E* from = static_cast<const E*>(a_.in) + at;
    for (int64_t i = 0; i < in_length_; ++i) to[i] = from[i * stride_];
  }

  // The source rows of output row r and their weights, in row_ and weight_; returns how many.
  int64_t taps_of(int64_t r) {
    int64_t count = 1, below = out_rows_;
    row_[0] = 0;
    weight_[0] = T(1);
    for (int i = 0; i < a_.axis_count - 1; ++i) {
      const AxisTable& axis = a_.axes[i];
      below /= axis.out_size;
      const int64_t o = r / below % axis.out_size, n = axis.count[o];
      const T* weight = static_cast<const T*>(axis.weight);
      // Backwards, so that the products can stand where their factors stood.
      for (int64_t j = count - 1; j >= 0; --j)
        for (int64_t k = n - 1; k >= 0; --k) {
          row_[j * n + k] = row_[j] * axis.in_size + axis.index[k * axis.out_size + o];
          weight_[j * n + k] = weight_[j] * weight[k * axis.out_size + o];
        }
      count *= n;
    }
    return count;
  }

  // The slot whose row is farthest behind and not among the first k sources; there is one slot to spare.
  int64_t free_slot(int64_t k) const {
    int64_t best = -1;
    for (int64_t s = 0; s < slots_; ++s) {
      bool taken = false;
      for (int64_t j = 0; j < k; ++j) taken = taken || sources_[j] == space_[s];
      if (!taken && (best < 0 || held_[s] < held_[best])) best = s;
    }
    return best;
  }

  const ResizedArgs& a_;
  ResizeLeaves<T> leaves_;
  const bool down_first_;
  const int64_t in_rows_, out_rows_, inner_, stride_;
  AxisTable columns_;
  int64_t in_start_, in_length_, out_length_, taps_, slots_;
  int64_t *row_, *held_;
  T* weight_;
  const T** sources_;
  T** space_;
  T *staged_, *across_;
  char *stored_, *picked_;
};

}  // namespace upsampling
