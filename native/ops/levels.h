// The level kernels for one compute type.
#pragma once
#include "runtime/isa.h"

namespace upsampling {

template <class T>
const LevelsOf<T>& levels();
template <>
inline const LevelsOf<float>& levels<float>() {
  return kernels().levels.single;
}
template <>
inline const LevelsOf<double>& levels<double>() {
  return kernels().levels.twofold;
}

}  // namespace upsampling
