// Leaves of pixels of several channels that strips are resized by, too.
#pragma once
#include "kernels/resample.h"

namespace upsampling {
namespace UPS_ISA {

// As in ResampleKernels.
void across_pixels(float* __restrict out, const float* __restrict in, const AxisTable* axis, int64_t inner,
                   int64_t first, int64_t end);
// Output rows from first to end of a strip, both ways at once; by way of the ring where they are streamed.
void strip_of_pixels(float* out, int64_t out_stride, const float* in, const ResampleStrip* s, int64_t first,
                     int64_t end, RowStream* stream);

}  // namespace UPS_ISA
}  // namespace upsampling
