// Leaves of a running argmax.
#pragma once
#include <stdint.h>

namespace upsampling {

// What is known of n pixels after some classes. best starts at -infinity, index at -1, second at -infinity,
// sum at 0.
template <class T>
struct Winners {
  T* best;
  int32_t* index;  // -1: no number yet
  T* second;       // the runner-up; null together with sum when only the winner is wanted
  T* sum;          // Σ exp(value - best)
};

struct ArgmaxKernels {
  // Shows class c of n pixels to the winners. NaNs are passed over; the first of equals stays.
  void (*argmax)(const Winners<float>* w, const float* values, int32_t c, int64_t n);
  void (*argmax_double)(const Winners<double>* w, const double* values, int32_t c, int64_t n);
  // The same for all classes of n pixels at once: values[i·classes + c]. Winners need no start.
  void (*argmax_inner)(const Winners<float>* w, const float* values, int32_t classes, int64_t n);
  void (*argmax_inner_double)(const Winners<double>* w, const double* values, int32_t classes, int64_t n);
  // out[i] = index[i], as integers of 1, 2, 4 and 8 bytes.
  void (*put_classes[4])(void* out, const int32_t* index, int64_t n);
};

}  // namespace upsampling
