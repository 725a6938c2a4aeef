// Which element wins a maximum: the greater one, and NaN over all, later over earlier NaN. Works on scalars
// (bool) and on vectors (masks) alike.
#pragma once
#include "kernels/types.h"
#include "kernels/vec.h"

namespace upsampling {
namespace UPS_ISA {

template <class T>
struct Ordered {
  typedef T Element;
  template <class V>
  UPS_MEMBER auto wins(V v, V best) -> decltype(v > best) {
    return v > best;
  }
  UPS_MEMBER T lowest() { return T(-1) > T(0) ? T(0) : T(T(1) << (sizeof(T) * 8 - 1)); }
};

template <class T>
struct OrderedFloat {
  typedef T Element;
  UPS_MEMBER bool wins(T v, T best) { return v > best || v != v; }
  template <class V>
  UPS_MEMBER auto wins(V v, V best) -> decltype(v > best) {
    return (v > best) | (v != v);
  }
  UPS_MEMBER T lowest() { return -__builtin_inff(); }
};

// float16 as its bits: compared as sign and magnitude, both zeros alike.
struct OrderedHalf {
  typedef uint16_t Element;
  UPS_MEMBER bool wins(uint16_t v, uint16_t best) { return key(v) > key(best) || (v & 0x7fff) > 0x7c00; }
  UPS_MEMBER int key(uint16_t h) {
    const int magnitude = h & 0x7fff;
    return magnitude > 0x7c00 ? 0x7fff : h & 0x8000 ? -magnitude : magnitude;
  }
  template <class V>
  UPS_MEMBER auto wins(V v, V best) -> decltype(v > best) {
    typedef decltype(v > best) I;  // int16_t lanes
    const I a = (I)v & 0x7fff, b = (I)best & 0x7fff;
    const I nan_a = a > 0x7c00, nan_b = b > 0x7c00;
    const I key_a = (I)v < 0 ? -a : a, key_b = (I)best < 0 ? -b : b;
    return nan_a | ((key_a > key_b) & ~nan_b);
  }
  // Vectors of numbers by order, all NaNs last.
  template <class I, class V>
  UPS_MEMBER I rank(V v) {
    const I magnitude = (I)v & 0x7fff, sign = (I)v >> 15;
    return magnitude > 0x7c00 ? I{} + 0x7fff : (magnitude ^ sign) - sign;
  }
  UPS_MEMBER uint16_t lowest() { return 0xfc00; }
};

// Calls F<order of the type>::fill(type) for every element type.
#define UPS_EACH_ORDER(X)      \
  X(F32, OrderedFloat<float>)  \
  X(F64, OrderedFloat<double>) \
  X(F16, OrderedHalf)          \
  X(U8, Ordered<uint8_t>)      \
  X(I8, Ordered<int8_t>)       \
  X(U16, Ordered<uint16_t>)    \
  X(I16, Ordered<int16_t>)     \
  X(I32, Ordered<int32_t>)     \
  X(U32, Ordered<uint32_t>)    \
  X(I64, Ordered<int64_t>)     \
  X(U64, Ordered<uint64_t>)    \
  X(BOOL, Ordered<uint8_t>)

}  // namespace UPS_ISA
}  // namespace upsampling
