// Max pooling of rows of pixels of several channels, rows and taps at once.
#include "kernels/max-pool2d-pixels.h"

#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class O, bool INDEXED, bool NUMBERS>
void pixel_rows(typename O::Element* out, int32_t* index, const PixelRows& under, const RowWindows* w,
                const RowPositions* positions) {
  typedef typename O::Element T;
  const int64_t n = w->axis.out_size, kernel = w->axis.kernel;
  PixelRun<T> run;
  run.windows = w;
  run.position = positions->position;
  run.step = positions->step;
  run.ahead = under.ahead;
  for (int64_t i = 0; i < under.count; ++i) {
    run.out = out + i * n * w->inner;
    run.index = INDEXED ? index + i * n * w->inner : nullptr;
    run.rows = reinterpret_cast<const T* const*>(under.in) + i * under.most;
    run.bases = under.bases + i * under.most;
    run.count = under.counts[i];
    // Windows of 2x2 and 3x3 that hang over the upper or lower border have their last row twice.
    const T* rows[3];
    int64_t bases[3];
    if (under.square && run.count > 0 && run.count < kernel && kernel <= 3) {
      for (int64_t r = 0; r < kernel; ++r) {
        rows[r] = run.rows[r < run.count ? r : run.count - 1];
        bases[r] = run.bases[r < run.count ? r : run.count - 1];
      }
      run.rows = rows;
      run.bases = bases;
      run.count = kernel;
    }
    pixels_wide<O, INDEXED, NUMBERS, true>(run, 0, n);
  }
}

template <class O>
void pixels(void* out, int32_t* index, const PixelRows* under, const RowWindows* w,
            const RowPositions* positions) {
  typedef typename O::Element T;
  numbers_first<T>([&](auto numbers) {
    if (index == nullptr)
      pixel_rows<O, false, decltype(numbers)::IS>(static_cast<T*>(out), nullptr, *under, w, positions);
    else
      pixel_rows<O, true, decltype(numbers)::IS>(static_cast<T*>(out), index, *under, w, positions);
  });
}

}  // namespace

void fill_max_pool2d_pixels(MaxPoolKernels* kernels) {
#define UPS_FILL(type, order) kernels->pixels[type] = pixels<order>;
  UPS_EACH_ORDER(UPS_FILL)
#undef UPS_FILL
}

}  // namespace UPS_ISA
}  // namespace upsampling
