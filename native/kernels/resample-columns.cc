// Resizing along many rows at once: LANES rows turned, so that a vector holds the same element of each, and
// their taps are read wherever they lie.
#include "kernels/kernels.h"
#include "kernels/turn.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

void to_columns(float* columns, const float* rows, int64_t stride, int64_t n) {
  turn(columns, LANES, rows, stride, n);
}

void to_rows(float* rows, int64_t stride, const float* columns, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) turn(rows + i, stride, columns + i * LANES, LANES, LANES);
}

// STEP elements of a pixel.
template <int STEP>
UPS_INLINE void along_step(float* __restrict out, const float* __restrict columns, const float* weight,
                           const int32_t* index, int64_t size, int64_t count, int64_t pixel) {
  vf sum[STEP];
  const auto add = [&](int64_t k) __attribute__((always_inline)) {
    const vf w = splat(weight[k * size]);
    const float* from = columns + index[k * size] * pixel;
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) {
      const vf v = w * load(from + j * LANES);
      sum[j] = k == 0 ? v : sum[j] + v;
    }
  };
  add(0);
  for (int64_t k = 1; k < count; ++k) add(k);
#pragma GCC unroll 4
  for (int j = 0; j < STEP; ++j) store(out + j * LANES, sum[j]);
}

// Four elements of a pixel at a time, which share what is read of the table, and REST (uint8
// 1080x1920x3 to 224x224, antialiased, takes 0.39 ms rather than 0.43).
template <int REST>
void along_rest(float* __restrict out, const float* __restrict columns, const AxisTable* axis, int64_t first,
                int64_t end, int64_t inner, int64_t start) {
  const int64_t size = axis->out_size;
  for (int64_t o = first; o < end; ++o) {
    const float* weight = static_cast<const float*>(axis->weight) + o;
    const int32_t* index = axis->index + o;
    const float* from = columns - start * LANES;
    for (int64_t c = REST; c < inner; c += 4, out += 4 * LANES, from += 4 * LANES)
      along_step<4>(out, from, weight, index, size, axis->count[o], inner * LANES);
    if constexpr (REST > 0) {
      along_step<REST>(out, from, weight, index, size, axis->count[o], inner * LANES);
      out += REST * LANES;
    }
  }
}

void along_columns(float* out, const float* columns, const AxisTable* axis, int64_t first, int64_t end,
                   int64_t inner, int64_t start) {
  constexpr decltype(&along_rest<0>) by_rest[] = {along_rest<0>, along_rest<1>, along_rest<2>, along_rest<3>};
  by_rest[inner % 4](out, columns, axis, first, end, inner, start);
}

}  // namespace

void fill_resample_columns(ResampleKernels* kernels) {
  kernels->to_columns = to_columns;
  kernels->to_rows = to_rows;
  kernels->along_columns = along_columns;
}

}  // namespace UPS_ISA
}  // namespace upsampling
