#pragma once
#include "kernels/types.h"
#include "runtime/context.h"

namespace upsampling {

// large[n, c, y·bh + i, x·bw + j] = small[n, channel(c, i, j), y, x]; memory order and channel numbers as
// src/plan/pixel-shuffle.ts says.
struct BlockArgs {
  void* out;
  const void* in;
  int type;
  bool nhwc, dcr;
  int64_t batch, channels, height, width;  // channels of the large image, extents of the small one
  int64_t bh, bw;
};

Status pixel_shuffle(const BlockArgs& args, const Context& context);

// Bytes to move in one range of parallel_for.
constexpr int64_t kBlockBytes = 128 * 1024;

// Which of the kernels of an element size.
inline int size_class(int64_t bytes) { return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3; }

}  // namespace upsampling
