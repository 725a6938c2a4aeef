// Resizing along a row of one channel.
#include "kernels/resample-across.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <int TAPS, int WINDOW>
void across_taps(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
                 const PreparedTaps* t, const Blocks* k) {
  across_blocks<TAPS, WINDOW>(out, out_stride, in, in_stride, count, t, *k);
}
template <int TAPS>
UPS_INLINE AcrossTaps across_window(int window) {
  constexpr AcrossTaps leaves[] = {across_taps<TAPS, 0>, across_taps<TAPS, 1>, across_taps<TAPS, 2>,
                                   across_taps<TAPS, 3>, across_taps<TAPS, 4>};
  return leaves[window];
}

}  // namespace

AcrossTaps across_leaf(const PreparedTaps* t) {
  if (t->taps == 2 && !t->masked) return across_window<2>(t->window);
  if (t->taps == 4 && !t->masked) return across_window<4>(t->window);
  return across_window<0>(t->window);
}

namespace {

void across(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count,
            const PreparedTaps* t, int64_t first, int64_t end) {
  const Blocks k = blocks_of(t, first, end);
  across_leaf(t)(out, out_stride, in, in_stride, count, t, &k);
}

}  // namespace

void fill_resample_across(ResampleKernels* kernels) { kernels->across = across; }

}  // namespace UPS_ISA
}  // namespace upsampling
