// Compiled once per instruction set: the table of its leaf kernels.
#include "kernels/kernels.h"

#define UPS_JOIN_(a, b) a##b
#define UPS_JOIN(a, b) UPS_JOIN_(a, b)
#define UPS_TEXT_(x) #x
#define UPS_TEXT(x) UPS_TEXT_(x)

namespace upsampling {

KernelTable UPS_JOIN(make_table_, UPS_ISA)() {
  KernelTable table{};
  table.name = UPS_TEXT(UPS_ISA);
  table.lanes = UPS_ISA::LANES;
  UPS_ISA::fill_grid_sample(&table.grid_sample);
  UPS_ISA::fill_interleave(&table.interleave);
  UPS_ISA::fill_argmax(&table.argmax);
  UPS_ISA::fill_convolution_depth(&table);
  UPS_ISA::fill_convolution_direct(&table);
  UPS_ISA::fill_convolution_doubled(&table);
  UPS_ISA::fill_convolution_elements(&table);
  UPS_ISA::fill_convolution_few(&table);
  UPS_ISA::fill_convolution_groups(&table);
  UPS_ISA::fill_convolution_overlap(&table);
  UPS_ISA::fill_convolution_point(&table.point);
  UPS_ISA::fill_convolution_rows(&table);
  UPS_ISA::fill_convolution_stepped(&table);
  UPS_ISA::fill_convolution_tiles(&table);
  UPS_ISA::fill_convolution_weights(&table);
  UPS_ISA::fill_convolution_windows(&table.windows);
  UPS_ISA::fill_levels(&table.levels);
  UPS_ISA::fill_max_pool2d_halves(&table.max_pool);
  UPS_ISA::fill_max_pool2d_pixels(&table.max_pool);
  UPS_ISA::fill_max_pool2d_planes(&table.max_pool);
  UPS_ISA::fill_max_pool2d_whole(&table.max_pool);
  UPS_ISA::fill_max_pool2d_rows(&table.max_pool);
  UPS_ISA::fill_max_pool2d_unstrided(&table.max_pool);
  UPS_ISA::fill_avg_pool2d(&table.avg_pool);
  UPS_ISA::fill_max_unpool2d(&table.max_unpool);
  UPS_ISA::fill_move(&table.move);
  UPS_ISA::fill_resample_across(&table.resample);
  UPS_ISA::fill_resample_columns(&table.resample);
  UPS_ISA::fill_resample_down(&table);
  UPS_ISA::fill_resample_four(&table.resample);
  UPS_ISA::fill_resample_groups(&table.resample);
  UPS_ISA::fill_resample_halves(&table.resample);
  UPS_ISA::fill_resample_pixels(&table);
  UPS_ISA::fill_resample_strip(&table.resample);
  UPS_ISA::fill_winograd(&table.winograd);
  return table;
}

}  // namespace upsampling
