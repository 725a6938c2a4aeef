// Types that cross the border between ops/ and kernels/.
#pragma once
#include <stdint.h>

namespace upsampling {

// The order of src/tensor.ts.
enum Type : int { F32, F64, F16, U8, I8, U16, I16, I32, U32, I64, U64, BOOL, TYPE_COUNT };

static inline int64_t bytes_of(int type) {
  constexpr int8_t bytes[TYPE_COUNT] = {4, 8, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1};
  return bytes[type];
}

// Types whose resizes are computed in double: integers that a float does not hold are read as such.
static inline bool computes_in_double(int type) { return type == F64 || (type >= U16 && type <= U64); }

// One axis of a resize, as src/plan/axis.ts builds it: tap-major tables, every index a real pixel.
struct AxisTable {
  int64_t in_size, out_size, taps;
  const int32_t* index;
  const void* weight;  // float, or double where the operator computes in double
  const int32_t* count;
};

}  // namespace upsampling
