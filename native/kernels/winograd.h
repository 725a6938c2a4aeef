// Leaves of Winograd's convolution (ops/winograd.cc): the transforms of Note [Schemes] in winograd.cc.
#pragma once
#include <stdint.h>

namespace upsampling {

// A tile is M×M outputs and N×N inputs, N = taps + M − 1; element (i, j) of a transform is the plane i·N + j,
// and planes are `step` floats apart.
struct WinogradScheme {
  // s[i·pitch + x] = row i of the transform of column x, for x < n: rows[k][x] is input k of the N.
  void (*down)(float* s, int64_t pitch, const float* const* rows, int64_t n);
  // The transform of every row of s, at t for the tile that starts at M·t; tiles are rounded up to vectors.
  // Reads one vector more.
  void (*across)(float* v, int64_t step, const float* s, int64_t pitch, int64_t tiles);
  // The outputs of a vector of neighbouring tiles: rows[r][phases·(M·t + c) + phase] for the products at
  // m[phase·apart + t], by phases − 1. flags[t] stays finite if all of them are.
  void (*up[2])(float* const* rows, float* flags, const float* m, int64_t step, int64_t apart, float bias);

  // The same with a vector of channels: v[c] from pixel[i·N + j][c], for c < n, n at least a vector;
  void (*spread)(float* v, int64_t step, const float* const* pixel, int64_t n);
  // and pixel[r·M + c][0 …] from the products m[0 …], a vector of them.
  void (*gather)(float* const* pixel, float* flags, const float* m, int64_t step, const float* bias);

  // The transform of a vector of kernels: u[l] from w[(i·taps + j)·lanes + l]; rounded once.
  void (*weights)(float* u, int64_t step, const double* w);
};

struct WinogradKernels {
  WinogradScheme large[2];  // four outputs of two and of three taps
  WinogradScheme small;     // two outputs of two taps
};

}  // namespace upsampling
