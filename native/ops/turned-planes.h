// Pools of planes whose rows are too short for vectors: sixteen planes are turned into the channels of one,
// pooled as such, and turned back.
#pragma once
#include <algorithm>
#include <cstdint>

#include "ops/pool-rows.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

class TurnedPlanes {
 public:
  // Output rows [first, first + shape.out_rows()) of planes together, as a pool of one plane; its input rows
  // begin at `skipped` of the whole plane's. `index`, if any, is int32.
  struct Band {
    PoolShape shape;
    int64_t first, skipped;
    void* out;
    int32_t* index;
    const void* in;
  };

  TurnedPlanes(const PoolShape& shape, int64_t bytes)
      : shape_(shape), bytes_(bytes), together_(bytes == 8 ? 8 : 16), rows_(shape.out_rows()) {
    worth_ = shape.inner == 1 && shape.outer >= 4 && shape.last().out_size < 2 * kernels().lanes && rows_ > 0;
    while (worth_ && !fits()) {
      worth_ = shape.axis_count == 2 && rows_ > 1;
      rows_ = (rows_ + 1) / 2;
    }
  }

  bool worth() const { return worth_; }

  // pool(band, context) for every band; put_index(plane, band, index) takes the winners of one plane.
  template <class Pool, class PutIndex>
  void each(const Context& context, void* out, const void* in, bool indexed, const Pool& pool,
            const PutIndex& put_index) const {
    const int64_t out_rows = shape_.out_rows(), out_row = shape_.out_row(), in_row = shape_.in_row();
    const int64_t in_plane = shape_.in_rows() * in_row, out_plane = out_rows * out_row;
    const int64_t groups = (shape_.outer + together_ - 1) / together_, bands = (out_rows + rows_ - 1) / rows_;
    const int64_t slot = bytes_ == 1 ? 0 : bytes_ == 2 ? 1 : bytes_ == 4 ? 2 : 3;
    const InterleaveKernels& k = kernels().interleave;
    const int64_t work = (in_plane + out_plane) / bands * together_ * bytes_;
    const int64_t grain = std::max<int64_t>(1, kTarget / std::max<int64_t>(work, 1));
    parallel_for(context, groups * bands, grain, [&](int64_t begin, int64_t end) {
      Context alone = context;
      alone.threads = 1;
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t g = unit / bands, first = unit % bands * rows_;
        ScratchFrame frame;
        Band band = band_of(first, std::min(first + rows_, out_rows), &frame);
        const int64_t n_in = band.shape.in_rows() * in_row, n_out = band.shape.out_rows() * out_row;
        char* turned_in = frame.take<char>(n_in * together_ * bytes_);
        char* turned_out = frame.take<char>(n_out * together_ * bytes_);
        band.in = turned_in;
        band.out = turned_out;
        band.index = indexed ? frame.take<int32_t>(n_out * together_) : nullptr;
        int32_t* plane_indices = indexed ? frame.take<int32_t>(n_out * together_) : nullptr;
        const void* sources[16];
        void* results[16];
        void* indices[16];
        for (int64_t i = 0; i < together_; ++i) {
          // Where planes are missing, the last one is done again.
          const int64_t plane = std::min(g * together_ + i, shape_.outer - 1);
          sources[i] = static_cast<const char*>(in) + (plane * in_plane + band.skipped * in_row) * bytes_;
          results[i] = static_cast<char*>(out) + (plane * out_plane + first * out_row) * bytes_;
          indices[i] = plane_indices + i * n_out;
        }
        k.interleave[slot](turned_in, sources, together_, n_in);
        pool(band, alone);
        k.deinterleave[slot](results, turned_out, together_, n_out);
        if (!indexed) continue;
        k.deinterleave[2](indices, band.index, together_, n_out);
        for (int64_t i = 0; i < together_ && g * together_ + i < shape_.outer; ++i)
          put_index(g * together_ + i, band, plane_indices + i * n_out);
      }
    });
  }

 private:
  static constexpr int64_t kMostBytes = 256 * 1024, kTarget = 512 * 1024;

  // The input rows under output rows [first, last): the first one, and how many.
  void rows_under_band(int64_t first, int64_t last, int64_t* low, int64_t* count) const {
    const WindowTable& y = shape_.axes[0];
    int64_t high = 0;
    *low = y.in_size;
    for (int64_t o = first; o < last; ++o) {
      if (y.count[o] == 0) continue;
      *low = std::min<int64_t>(*low, y.first[o]);
      high = std::max<int64_t>(high, y.first[o] + (y.count[o] - 1) * y.dilation + 1);
    }
    *low = std::min(*low, high);
    *count = high - *low;
  }

  bool fits() const {
    const int64_t per_row = shape_.in_row() * together_ * bytes_;
    if (rows_ == shape_.out_rows()) return shape_.in_rows() * per_row <= kMostBytes;
    for (int64_t first = 0; first < shape_.out_rows(); first += rows_) {
      int64_t low, count;
      rows_under_band(first, std::min(first + rows_, shape_.out_rows()), &low, &count);
      if (count * per_row > kMostBytes) return false;
    }
    return true;
  }

  Band band_of(int64_t first, int64_t last, ScratchFrame* frame) const {
    Band band{};
    band.shape = shape_;
    band.shape.outer = 1;
    band.shape.inner = together_;
    band.first = first;
    if (rows_ == shape_.out_rows()) return band;
    WindowTable& y = band.shape.axes[0];
    rows_under_band(first, last, &band.skipped, &y.in_size);
    y.out_size = last - first;
    auto* begins = frame->take<int32_t>(y.out_size);
    for (int64_t o = first; o < last; ++o)
      begins[o - first] = y.first[o] - static_cast<int32_t>(band.skipped);
    y.first = begins;
    y.count += first;
    return band;
  }

  const PoolShape& shape_;
  int64_t bytes_, together_, rows_;
  bool worth_;
};

}  // namespace upsampling
