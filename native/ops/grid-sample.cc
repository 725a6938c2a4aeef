// Grid sampling by blocks of points: a block's taps are found once and serve all channels.
#include "ops/grid-sample.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/table.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Channels of a pixel that are taken one after the other and then woven: bilinear 3 of 256x256 take .21 ms
// rather than .43 with stores of single elements.
constexpr int64_t kFew = 8;
// Taps that are read in one range of parallel_for: some 20 us.
constexpr int64_t kRangeTaps = 32 * 1024;

int64_t taps_per_axis(const GridSampleArgs& a) { return a.filter == 3 ? 4 : a.filter == 2 ? 2 : 1; }

// The taps of the points of a block, and what it takes to find them. The nearest pixel has no weight.
class Taps {
 public:
  // Pixels of so many elements. `single`: weights are rounded to float.
  Taps(const GridSampleArgs& a, int64_t pixel, int64_t block, bool single, ScratchFrame* frame)
      : a_(a),
        pixel_(pixel),
        doubles_(a.grid_type == F64),
        single_(single),
        per_axis_(taps_per_axis(a)),
        wide_(frame->take<float>(a.grid_type == F16 ? block * a.axis_count : 0)) {
    int64_t most = 1;
    for (int i = 0; i < a.axis_count; ++i) {
      most *= per_axis_;
      const GridAxis& axis = a.axes[i];
      short_axes_ = short_axes_ && axis.size < (1 << 24) && (a.padding != 2 || axis.period > 0);
      values_[i] = frame->take<char>(block * (doubles_ ? 8 : 4));
    }
    found_ = take(frame, most * block);
    spare_ = take(frame, most * block);
    along_ = take(frame, per_axis_ * block);
    rounded_ = frame->take<float>(single ? most * block : 0);
  }

  // Of `n` points from `first` on, numbered through all images; returns how many each has.
  int64_t find(int64_t first, int64_t n) {
    const KernelTable& table = kernels();
    const GridSampleKernels& k = table.grid_sample;
    const int64_t axes = a_.axis_count;
    const void* grid = static_cast<const char*>(a_.grid) + first * axes * bytes_of(a_.grid_type);
    if (a_.grid_type == F16) {
      table.widen[F16](wide_, grid, n * axes);
      grid = wide_;
    }
    const auto points = k.points[a_.filter][a_.padding];
    if (points != nullptr && axes == 2 && !doubles_ && (single_ || per_axis_ == 1) && n >= table.lanes &&
        short_axes_) {
      points(found_.index, rounded_, static_cast<const float*>(grid), a_.axes, pixel_, n);
      return per_axis_ * per_axis_;
    }
    table.interleave.deinterleave[doubles_ ? 3 : 2](values_, grid, axes, n);
    int64_t taps = 1, stride = pixel_;
    for (int i = 0; i < axes; ++i) stride *= a_.axes[i].size;
    for (int i = 0; i < axes; ++i) {
      const GridAxis& axis = a_.axes[i];
      stride /= axis.size;
      // Reflection of a single pixel has no period: it is its border.
      const int padding = a_.padding == 2 && axis.period == 0 ? 1 : a_.padding;
      const Found& to = i == 0 ? found_ : along_;
      // The last axis of the image comes first in a grid point.
      k.taps[doubles_][a_.filter][padding](to.index, to.weight, values_[axes - 1 - i], &axis, stride, n);
      const bool rounds = single_ && i == axes - 1;
      if (i == 0) {
        if (rounds) k.round_weights(rounded_, to.weight, per_axis_ * n);
      } else {
        for (int64_t p = 0; p < taps; ++p)
          for (int64_t q = 0; q < per_axis_; ++q) {
            const int64_t at = (p * per_axis_ + q) * n;
            k.combine(spare_.index + at, found_.index + p * n, along_.index + q * n, n);
            if (per_axis_ == 1) continue;
            void* product = rounds ? static_cast<void*>(rounded_ + at) : spare_.weight + at;
            k.product[!rounds](product, found_.weight + p * n, along_.weight + q * n, n);
          }
        std::swap(found_, spare_);
      }
      taps *= per_axis_;
    }
    return taps;
  }

  // index[k·n + i] is where a pixel of the plane begins, or -1; weights of the type of the computation.
  const int32_t* index() const { return found_.index; }
  const char* weight() const {
    return single_ ? reinterpret_cast<char*>(rounded_) : reinterpret_cast<char*>(found_.weight);
  }

 private:
  struct Found {
    int32_t* index;
    double* weight;
  };
  static Found take(ScratchFrame* frame, int64_t n) {
    return {frame->take<int32_t>(n), frame->take<double>(n)};
  }

  const GridSampleArgs& a_;
  const int64_t pixel_;
  const bool doubles_, single_;
  const int64_t per_axis_;
  bool short_axes_ = true;  // short enough for points
  float* wide_;
  void* values_[GridSampleArgs::kMaxAxes];  // of the points, each coordinate by itself
  Found found_, spare_, along_;  // the taps of the axes so far, of one more, and where both combine
  float* rounded_;
};

}  // namespace

Status grid_sample(const GridSampleArgs& a, const Context& context) {
  const KernelTable& table = kernels();
  const GridSampleKernels& k = table.grid_sample;
  const int64_t size = bytes_of(a.type), per_axis = taps_per_axis(a);
  int64_t most = 1, pixels = 1;
  for (int i = 0; i < a.axis_count; ++i) {
    most *= per_axis;
    pixels *= a.axes[i].size;
  }
  const int64_t block = std::min<int64_t>(std::max<int64_t>(64 * 1024 / (most * a.channels), 16), 256);
  const int64_t blocks = (a.points + block - 1) / block;
  const int width = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  const bool moves = a.filter < 2, single = !moves && a.type != F64;
  const int64_t grain = std::max<int64_t>(1, kRangeTaps / (most * a.channels * block)),
                pixel = a.channels * size;
  const bool planes = !a.channels_last || a.channels == 1;
  // Channels by themselves, of pixels that are read by the number of an element.
  const bool apart = !planes && a.channels <= kFew && pixels * a.channels <= INT32_MAX;
  parallel_for(context, a.batch * blocks, grain, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    Taps found(a, apart ? a.channels : 1, block, single, &frame);
    char* rows = frame.take<char>(apart ? block * pixel : 0);
    const void* row[kFew];
    for (int64_t c = 0; c < kFew; ++c) row[c] = rows + c * block * size;
    for (int64_t b = begin; b < end; ++b) {
      const int64_t image = b / blocks, first = b % blocks * block, n = std::min(block, a.points - first);
      const int64_t taps = found.find(image * a.points + first, n);
      const int32_t* index = found.index();
      const char* weight = found.weight();
      const char* in = static_cast<const char*>(a.in) + image * pixels * pixel;
      char* out = static_cast<char*>(a.out) + image * a.points * pixel;
      for (int64_t c = 0; (planes || apart) && c < a.channels; ++c) {
        const char* from = in + c * (planes ? pixels : 1) * size;
        char* to = planes ? out + (c * a.points + first) * size : rows + c * block * size;
        if (moves)
          k.move[width](to, from, index, n);
        else
          // Pixels of several channels are no neighbours: the taps of three at a border lie as far apart as
          // four elements.
          k.plane[a.type](to, from, index, weight, taps, apart ? 1 : per_axis, n);
      }
      if (planes) continue;
      out += first * pixel;
      if (apart) {
        table.interleave.interleave[width](out, row, a.channels, n);
      } else if (!moves) {
        k.pixels[a.type](out, in, index, weight, taps, a.channels, n);
      } else {
        for (int64_t i = 0; i < n; ++i)
          if (index[i] < 0)
            std::memset(out + i * pixel, 0, static_cast<size_t>(pixel));
          else
            std::memcpy(out + i * pixel, in + index[i] * pixel, static_cast<size_t>(pixel));
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
