// Leaves that turn resized values into levels: masks, 8- and 16-bit maps, probabilities.
#pragma once
#include <stdint.h>

namespace upsampling {

template <class T>
struct LevelsOf {
  // out[i] = values[i] > threshold, as bytes, or as bits with the first element in the highest bit; n need
  // not be a multiple of 8, bits beyond it are 0.
  void (*above)(uint8_t* out, const T* values, double threshold, int64_t n);
  void (*above_bits)(uint8_t* out, const T* values, double threshold, int64_t n);
  // Widens [range[0], range[1]] to the finite values.
  void (*min_max)(double* range, const T* values, int64_t n);
  // out[i] = (values[i] - low) · scale, clamped to 0 … top and rounded half to even; NaN gives 0.
  void (*to_uint8)(uint8_t* out, const T* values, double low, double scale, int64_t n);
  void (*to_uint16)(uint16_t* out, const T* values, double low, double scale, int64_t n);
  // values[i] = exp(values[i] - best[i]) / sum[i]; 1 / sum[i] where value and best are equal.
  void (*softmax)(T* values, const T* best, const T* sum, int64_t n);
  // The same where all `classes` values of pixel i lie together.
  void (*softmax_inner)(T* values, const T* best, const T* sum, int64_t classes, int64_t n);
};

struct LevelKernels {
  LevelsOf<float> single;
  LevelsOf<double> twofold;
};

}  // namespace upsampling
