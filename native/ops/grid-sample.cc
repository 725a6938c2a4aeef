// Grid sampling by blocks of points: a block's taps are found once and serve all channels.
#include "ops/grid-sample.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/table.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// Channels of a pixel that are taken one after the other: 3 of 512x512 1.8 ms rather than 6.3.
constexpr int64_t kFew = 6;

// Working memory of a block: the taps so far, the taps of one more axis, and where both combine.
struct Taps {
  int32_t* index;
  double* weight;
};

// The pixels of `n` points: fills found, index[k·n + i] a pixel of the plane or -1. Returns the number of
// taps.
int64_t find(const GridSampleArgs& a, const void* grid, int64_t n, Taps* found, Taps* along, Taps* spare) {
  const GridSampleKernels& k = kernels().grid_sample;
  const int doubles = a.grid_type == F64 ? 1 : 0;
  const int64_t element = doubles ? 8 : 4, per_axis = a.filter == 3 ? 4 : a.filter == 2 ? 2 : 1;
  int64_t taps = 1, stride = 1;
  for (int i = 0; i < a.axis_count; ++i) stride *= a.axes[i].size;
  for (int i = 0; i < a.axis_count; ++i) {
    const GridAxis& axis = a.axes[i];
    stride /= axis.size;
    // The last axis of the image comes first in a grid point. Reflection of a single pixel has no period: it
    // is its border.
    const char* g = static_cast<const char*>(grid) + (a.axis_count - 1 - i) * element;
    const int padding = a.padding == 2 && axis.period == 0 ? 1 : a.padding;
    Taps* to = i == 0 ? found : along;
    k.taps[doubles][a.filter][padding](to->index, to->weight, g, a.axis_count, &axis, stride, n);
    if (i > 0) {
      for (int64_t p = 0; p < taps; ++p)
        for (int64_t q = 0; q < per_axis; ++q) {
          const int64_t at = (p * per_axis + q) * n;
          k.combine(spare->index + at, spare->weight + at, found->index + p * n, found->weight + p * n,
                    along->index + q * n, along->weight + q * n, n);
        }
      std::swap(*found, *spare);
    }
    taps *= per_axis;
  }
  return taps;
}

}  // namespace

Status grid_sample(const GridSampleArgs& a, const Context& context) {
  const KernelTable& table = kernels();
  const GridSampleKernels& k = table.grid_sample;
  const int64_t size = bytes_of(a.type), per_axis = a.filter == 3 ? 4 : a.filter == 2 ? 2 : 1;
  int64_t most = 1, pixels = 1;
  for (int i = 0; i < a.axis_count; ++i) {
    most *= per_axis;
    pixels *= a.axes[i].size;
  }
  const int64_t element = a.grid_type == F64 ? 8 : a.grid_type == F16 ? 2 : 4;
  const int64_t block = std::min<int64_t>(std::max<int64_t>(64 * 1024 / (most * a.channels), 16), 256);
  const int64_t blocks = (a.points + block - 1) / block;
  const int width = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  const bool moves = a.filter < 2;
  parallel_for(context, a.batch * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    Taps found{frame.take<int32_t>(most * block), frame.take<double>(most * block)};
    Taps spare{frame.take<int32_t>(most * block), frame.take<double>(most * block)};
    Taps along{frame.take<int32_t>(4 * block), frame.take<double>(4 * block)};
    float* wide = frame.take<float>(block * a.axis_count);
    const bool rounds = !moves && a.type != F64;
    float* rounded = frame.take<float>(rounds ? most * block : 0);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t image = b / blocks, first = b % blocks * block, n = std::min(block, a.points - first);
      const void* grid =
          static_cast<const char*>(a.grid) + (image * a.points + first) * a.axis_count * element;
      if (a.grid_type == F16) {
        table.widen[F16](wide, grid, n * a.axis_count);
        grid = wide;
      }
      const int64_t taps = find(a, grid, n, &found, &along, &spare);
      if (rounds) k.round_weights(rounded, found.weight, taps * n);
      const char* weight = rounds ? reinterpret_cast<char*>(rounded) : reinterpret_cast<char*>(found.weight);
      const char* in = static_cast<const char*>(a.in) + image * a.channels * pixels * size;
      char* out = static_cast<char*>(a.out) + image * a.channels * a.points * size;
      if (!a.channels_last) {
        for (int64_t c = 0; c < a.channels; ++c) {
          const char* from = in + c * pixels * size;
          char* to = out + (c * a.points + first) * size;
          if (moves)
            k.move[width](to, from, found.index, n);
          else
            k.plane[a.type](to, from, 1, found.index, weight, taps, n);
        }
        continue;
      }
      const int64_t pixel = a.channels * size;
      if (!moves && a.channels <= kFew) {
        for (int64_t c = 0; c < a.channels; ++c)
          k.plane[a.type](out + first * pixel + c * size, in + c * size, a.channels, found.index, weight,
                          taps, n);
        continue;
      }
      for (int64_t i = 0; i < n; ++i) {
        char* to = out + (first + i) * pixel;
        if (!moves)
          k.pixel[a.type](to, in, found.index + i, weight + i * (rounds ? 4 : 8), taps, n, a.channels);
        else if (found.index[i] < 0)
          std::memset(to, 0, static_cast<size_t>(pixel));
        else
          std::memcpy(to, in + found.index[i] * pixel, static_cast<size_t>(pixel));
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
