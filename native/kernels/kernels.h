// Each kernel file fills its part of the table of its instruction set.
#pragma once
#include "kernels/table.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

void fill_grid_sample(GridSampleKernels* kernels);
void fill_interleave(InterleaveKernels* kernels);
void fill_argmax(ArgmaxKernels* kernels);
void fill_convolution_depth(KernelTable* table);
void fill_convolution_direct(KernelTable* table);
void fill_convolution_doubled(KernelTable* table);
void fill_convolution_elements(KernelTable* table);
void fill_convolution_few(KernelTable* table);
void fill_convolution_groups(KernelTable* table);
void fill_convolution_overlap(KernelTable* table);
void fill_convolution_point(PointKernels* kernels);
void fill_convolution_rows(KernelTable* table);
void fill_convolution_stepped(KernelTable* table);
void fill_convolution_tiles(KernelTable* table);
void fill_convolution_weights(KernelTable* table);
void fill_convolution_windows(WindowKernels* kernels);
void fill_levels(LevelKernels* kernels);
void fill_max_pool2d_halves(MaxPoolKernels* kernels);
void fill_max_pool2d_pixels(MaxPoolKernels* kernels);
void fill_max_pool2d_planes(MaxPoolKernels* kernels);
void fill_max_pool2d_whole(MaxPoolKernels* kernels);
void fill_max_pool2d_rows(MaxPoolKernels* kernels);
void fill_max_pool2d_unstrided(MaxPoolKernels* kernels);
void fill_avg_pool2d(AvgPoolKernels* kernels);
void fill_max_unpool2d(MaxUnpoolKernels* kernels);
void fill_move(MoveKernels* kernels);
void fill_resample_across(ResampleKernels* kernels);
void fill_resample_columns(ResampleKernels* kernels);
void fill_resample_down(KernelTable* table);
void fill_resample_four(ResampleKernels* kernels);
void fill_resample_groups(ResampleKernels* kernels);
void fill_resample_halves(ResampleKernels* kernels);
void fill_resample_pixels(KernelTable* table);
void fill_resample_strip(ResampleKernels* kernels);
void fill_winograd(WinogradKernels* kernels);

}  // namespace UPS_ISA
}  // namespace upsampling
