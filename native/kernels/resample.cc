// Leaves of interpolation: rows across, then rows blended.
#include "kernels/half.h"
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// elements

struct Half {
  uint16_t bits;
};

// Rounds to an integer, ties to even: adding 1.5·2^23 leaves no room for a fraction. Right for |x| < 2^22.
UPS_INLINE float round_half_even(float x) { return (x + 12582912.0f) - 12582912.0f; }

// S as it is stored; computed with as a float.
template <class S>
struct Element;
template <>
struct Element<float> {
  UPS_MEMBER float widen(float v) { return v; }
  UPS_MEMBER float narrow(float v) { return v; }
};
template <>
struct Element<Half> {
  UPS_MEMBER float widen(Half v) { return from_half(v.bits); }
  UPS_MEMBER Half narrow(float v) { return Half{to_half(v)}; }
};
template <>
struct Element<uint8_t> {
  UPS_MEMBER float widen(uint8_t v) { return static_cast<float>(v); }
  UPS_MEMBER uint8_t narrow(float v) {
    v = v < 0.0f ? 0.0f : v;
    v = v > 255.0f ? 255.0f : v;
    return static_cast<uint8_t>(static_cast<int32_t>(round_half_even(v)));
  }
};
template <>
struct Element<int8_t> {
  UPS_MEMBER float widen(int8_t v) { return static_cast<float>(v); }
  UPS_MEMBER int8_t narrow(float v) {
    v = v < -128.0f ? -128.0f : v;
    v = v > 127.0f ? 127.0f : v;
    return static_cast<int8_t>(static_cast<int32_t>(round_half_even(v)));
  }
};
template <>
struct Element<double> {
  UPS_MEMBER double narrow(double v) { return v; }
};

template <class S>
void widen(float* __restrict out, const void* in, int64_t n) {
  const S* __restrict x = static_cast<const S*>(in);
  for (int64_t i = 0; i < n; ++i) out[i] = Element<S>::widen(x[i]);
}

// down the rows

// T computes, S is stored. The order of the sum is that of the taps, whatever the vector length.
template <class T, class S>
void blend(S* __restrict out, const T* const* rows, const T* weight, int64_t taps, int64_t n) {
  if (taps == 2) {
    const T* __restrict a = rows[0], * __restrict b = rows[1];
    const T u = weight[0], v = weight[1];
    for (int64_t i = 0; i < n; ++i) out[i] = Element<S>::narrow(u * a[i] + v * b[i]);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    T sum = weight[0] * rows[0][i];
    for (int64_t k = 1; k < taps; ++k) sum += weight[k] * rows[k][i];
    out[i] = Element<S>::narrow(sum);
  }
}

template <class S>
void blend_to(void* out, const float* const* rows, const float* weight, int64_t taps, int64_t n) {
  blend<float, S>(static_cast<S*>(out), rows, weight, taps, n);
}

void blend_double(double* out, const double* const* rows, const double* weight, int64_t taps, int64_t n) {
  blend<double, double>(out, rows, weight, taps, n);
}

// along a row

template <class T>
void resample_row(T* __restrict out, const T* __restrict in, const AxisTable* axis, int64_t inner) {
  const int64_t size = axis->out_size;
  const T* weight = static_cast<const T*>(axis->weight);
  for (int64_t o = 0; o < size; ++o) {
    const int64_t count = axis->count[o];
    for (int64_t c = 0; c < inner; ++c) {
      T sum = weight[o] * in[axis->index[o] * inner + c];
      for (int64_t k = 1; k < count; ++k)
        sum += weight[k * size + o] * in[axis->index[k * size + o] * inner + c];
      out[o * inner + c] = sum;
    }
  }
}

}  // namespace

void fill_resample(KernelTable* table) {
  table->widen[F32] = widen<float>;
  table->widen[F16] = widen<Half>;
  table->widen[U8] = widen<uint8_t>;
  table->widen[I8] = widen<int8_t>;
  table->blend[F32] = blend_to<float>;
  table->blend[F16] = blend_to<Half>;
  table->blend[U8] = blend_to<uint8_t>;
  table->blend[I8] = blend_to<int8_t>;
  table->blend_double = blend_double;
  table->resample_row = resample_row<float>;
  table->resample_row_double = resample_row<double>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
