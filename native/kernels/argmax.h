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

// A tile of output columns of two taps each, in whole vectors; the last vector repeats its last column.
struct TwoTapColumns {
  // Seven, not eight: rows of a power of two share the low bits of their addresses with the source, which
  // makes loads wait for stores; resampling took 0.77 ms instead of 0.50 (150 x 128x128, x4).
  static constexpr int MOST_VECTORS = 7;
  int64_t vectors;
  // Per vector: where the whole vector of source elements starts that holds every tap, or -1 if there is
  // none.
  int32_t base[MOST_VECTORS];
  // Per column: its two source elements, counted from base (from the start of the row where base is -1).
  const int32_t *first, *second;
  const float *u, *v;
};

// The winners so far of the output rows between two source rows, [row][column]. best starts at -infinity,
// index at 0.
struct WinnersBetween {
  float* best;
  int32_t* index;
  const float *u, *v;  // the weights of the two source rows, per output row: not negative, their sum 1
  int64_t rows, columns;
};

struct ArgmaxKernels {
  // Shows class c of n pixels to the winners. NaNs are passed over; the first of equals stays.
  void (*argmax)(const Winners<float>* w, const float* values, int32_t c, int64_t n);
  void (*argmax_double)(const Winners<double>* w, const double* values, int32_t c, int64_t n);
  // Copies n elements and raises a vector of bits of magnitudes to theirs: from 0x7f800000 on there are
  // infinities or NaNs. `to` may be `from`.
  void (*copy_row)(float* to, const float* from, int64_t n, int32_t* magnitude);
  // out[c, o] = u[o] · in[c·plane + first[o]] + v[o] · in[c·plane + second[o]] for some classes and the
  // columns of a tile.
  void (*two_tap_rows)(float* out, const float* in, int64_t plane, int64_t classes,
                       const TwoTapColumns* columns);
  // Shows the classes id … id + classes (at most 64) to the winners: their values are u[r] · a[c, o] + v[r] ·
  // b[c, o]. All of them are finite, and twice `slack` bounds the rounding of any value so far.
  void (*best_between)(const WinnersBetween* w, const float* a, const float* b, int32_t id, int64_t classes,
                       float slack);
  // out[i] = index[i], as integers of 1, 2, 4 and 8 bytes.
  void (*put_classes[4])(void* out, const int32_t* index, int64_t n);
};

}  // namespace upsampling
