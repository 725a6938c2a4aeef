// Percentiles of the finite elements of an array, without a sorted copy of it.
#pragma once
#include <cstdint>

#include "runtime/context.h"

namespace upsampling {

struct Percentiles {
  double low, high;
};

// The values at fractions low / 100 and high / 100 of the way through the sorted finite elements, between two
// elements in proportion (numpy.percentile); {0, 0} where no element is finite.
Percentiles percentiles(const void* data, int type, int64_t n, double low, double high,
                        const Context& context);

}  // namespace upsampling
