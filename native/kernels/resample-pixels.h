// Leaves of pixels of several channels that strips are resized by, too.
#pragma once
#include "kernels/resample.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

// As in ResampleKernels.
void across_pixels(float* __restrict out, const float* __restrict in, const AxisTable* axis, int64_t inner,
                   int64_t first, int64_t end);
// Output rows from first to end of a strip, both ways at once; by way of the ring where they are streamed.
void strip_of_pixels(float* out, int64_t out_stride, const float* in, const ResampleStrip* s, int64_t first,
                     int64_t end, RowStream* stream);

namespace {

// Where outputs from `first` on that are fewer elements than a vector, each written as a whole one whose end
// the next one overwrites, would read `reads` elements beyond the end of their row, or write `writes` of them
// there. A mirrored axis reads its last inputs first: then from the beginning on.
UPS_INLINE int64_t whole_pixels(const AxisTable* axis, int64_t inner, int64_t first, int64_t end,
                                int64_t reads, int64_t writes) {
  const int64_t size = axis->out_size, last = axis->in_size * inner - reads;
  const auto reaches_out = [&](int64_t o) __attribute__((always_inline)) {
    bool beyond = (end - o) * inner < writes;
    for (int64_t k = 0; k < axis->count[o]; ++k) beyond = beyond || axis->index[k * size + o] * inner > last;
    return beyond;
  };
  int64_t whole = end;
  if (first < end && reaches_out(first)) return first;
  while (whole > first && reaches_out(whole - 1)) --whole;
  return whole;
}

}  // namespace

}  // namespace UPS_ISA
}  // namespace upsampling
