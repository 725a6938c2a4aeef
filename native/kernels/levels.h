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
  // best[i] = the larger one of it and values[i]; NaNs are passed over.
  void (*highest)(T* best, const T* values, int64_t n);
  // values[i] = exp(values[i] - best[i]), 1 where both are equal, and added to sum[i]; NaNs are not added.
  void (*exponentials)(T* values, T* sum, const T* best, int64_t n);
  // out[i] = values[i] / sum[i].
  void (*quotients)(T* out, const T* values, const T* sum, int64_t n);
};

struct LevelKernels {
  LevelsOf<float> single;
  LevelsOf<double> twofold;
};

}  // namespace upsampling
