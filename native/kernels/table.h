// The leaf kernels of one instruction set. ops/ calls kernels only through this table.
//
// A leaf is noexcept, allocates nothing, knows no option, and has no mode branch, clamp or border case inside
// a loop over pixels. Argument order: outputs, inputs, tables, extents. Extents count elements.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/argmax.h"
#include "kernels/convolution-point.h"
#include "kernels/convolution-windows.h"
#include "kernels/convolution.h"
#include "kernels/grid-sample.h"
#include "kernels/interleave.h"
#include "kernels/levels.h"
#include "kernels/move.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "kernels/types.h"
#include "kernels/winograd.h"

namespace upsampling {

struct KernelTable {
  const char* name;
  // Floats in a vector: buffers that a kernel reads in whole vectors are padded to it.
  int lanes;

  GridSampleKernels grid_sample;
  InterleaveKernels interleave;
  MaxPoolKernels max_pool;
  AvgPoolKernels avg_pool;
  MaxUnpoolKernels max_unpool;

  ConvLeaves<float> conv;
  ConvLeaves<double> conv_double;
  PointKernels point;
  WindowKernels windows;
  WinogradKernels winograd;

  MoveKernels move;

  // resample-down.cc, resample-pixels.cc
  // out[i] = in[i] as float; by element type, null where the type is not computed with.
  void (*widen[TYPE_COUNT])(float* out, const void* in, int64_t n);
  // out[i] = Σ_k weight[k] · rows[k][i], rounded once to the element type; in the order of k.
  void (*blend[TYPE_COUNT])(void* out, const float* const* rows, const float* weight, int64_t taps,
                            int64_t n);
  void (*blend_double)(double* out, const double* const* rows, const double* weight, int64_t taps, int64_t n);
  // out[o·inner + c] = Σ_k weight[k, o] · in[index[k, o]·inner + c]; in the order of k.
  void (*resample_row)(float* out, const float* in, const AxisTable* axis, int64_t inner);
  void (*resample_row_double)(double* out, const double* in, const AxisTable* axis, int64_t inner);
  // out[i] = Σ_k weight[k·n + i] · in[index[k·n + i]], k < taps, for i < n; in the order of k.
  void (*resample_doubles)(double* out, const double* in, const int32_t* index, const double* weight,
                           int64_t taps, int64_t n);
  ResampleKernels resample;

  ArgmaxKernels argmax;  // argmax.cc
  LevelKernels levels;   // levels.cc
};

KernelTable make_table_baseline();
#if defined(__x86_64__)
KernelTable make_table_avx2();
KernelTable make_table_avx512();
#endif

}  // namespace upsampling
