// Resizing pixels of several channels, whose elements lie side by side: along a row, and both ways at once,
// where nothing is kept between the two.
#include "kernels/resample-pixels.h"

#include "kernels/kernels.h"
#include "kernels/resample-down.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Output `o`, element by element.
template <class T>
UPS_INLINE void resample_pixel(T* __restrict out, const T* __restrict in, const AxisTable* axis,
                               int64_t inner, int64_t o) {
  const int64_t size = axis->out_size, count = axis->count[o];
  const T* weight = static_cast<const T*>(axis->weight);
  for (int64_t c = 0; c < inner; ++c) {
    T sum = weight[o] * in[axis->index[o] * inner + c];
    for (int64_t k = 1; k < count; ++k)
      sum += weight[k * size + o] * in[axis->index[k * size + o] * inner + c];
    out[c] = sum;
  }
}

template <class T>
void resample_row(T* __restrict out, const T* __restrict in, const AxisTable* axis, int64_t inner) {
  // Without a loop over the elements of a pixel: rows of four to eight outputs take half the time.
  if (inner == 1) {
    for (int64_t o = 0; o < axis->out_size; ++o) resample_pixel(out + o, in, axis, 1, o);
    return;
  }
  for (int64_t o = 0; o < axis->out_size; ++o, out += inner) resample_pixel(out, in, axis, inner, o);
}

// Doubles, in vectors where a pixel has as many.
void resample_row_double(double* __restrict out, const double* __restrict in, const AxisTable* axis,
                         int64_t inner) {
  enum : int { STEP = LANES / 2 };
  if (inner < STEP) return resample_row(out, in, axis, inner);
  const int64_t size = axis->out_size;
  for (int64_t o = 0; o < size; ++o, out += inner) {
    const int64_t count = axis->count[o];
    const int32_t* index = axis->index + o;
    const double* weight = static_cast<const double*>(axis->weight) + o;
    for (int64_t c = 0; c < inner; c += STEP) {
      if (c + STEP > inner) c = inner - STEP;
      vd sum = weight[0] * load(in + index[0] * inner + c);
      for (int64_t k = 1; k < count; ++k) sum += weight[k * size] * load(in + index[k * size] * inner + c);
      store(out + c, sum);
    }
  }
}

// Doubles at any index.
UPS_INLINE vd doubles_at(const double* in, const int32_t* index) {
#if defined(__AVX2__)  // bilinear 2x of 480x640 takes 0.87 ms rather than 1.50 one by one
  typedef VectorOf<int32_t, LANES / 2>::memory At;
  const VectorOf<int32_t, LANES / 2>::type at = *reinterpret_cast<const At*>(index);
#if defined(__AVX512F__)
  return __builtin_ia32_gathersiv8df(vd{}, in, at, -1, 8);
#else
  return __builtin_ia32_gathersiv4df(vd{}, in, at, reinterpret_cast<vd>(vi{} - 1), 8);
#endif
#else
  return vd{in[index[0]], in[index[1]]};
#endif
}

template <int TAPS>
UPS_INLINE void sum_doubles(double* __restrict out, const double* __restrict in, const int32_t* index,
                            const double* weight, int64_t taps, int64_t n) {
  const int64_t count = TAPS > 0 ? TAPS : taps;
  fill_doubles(
      out, n,
      [&](int64_t i) __attribute__((always_inline)) {
        vd sum = load(weight + i) * doubles_at(in, index + i);
#pragma GCC unroll 4
        for (int64_t k = 1; k < count; ++k)
          sum += load(weight + k * n + i) * doubles_at(in, index + k * n + i);
        return sum;
      },
      [&](int64_t i) __attribute__((always_inline)) {
        double sum = weight[i] * in[index[i]];
        for (int64_t k = 1; k < count; ++k) sum += weight[k * n + i] * in[index[k * n + i]];
        return sum;
      });
}

void resample_doubles(double* out, const double* in, const int32_t* index, const double* weight, int64_t taps,
                      int64_t n) {
  if (taps == 2) return sum_doubles<2>(out, in, index, weight, taps, n);
  if (taps == 4) return sum_doubles<4>(out, in, index, weight, taps, n);
  sum_doubles<0>(out, in, index, weight, taps, n);
}

// Bicubic 2x of 64x64x8: 33 us rather than 85 with taps picked one by one.
void across_short_pixels(float* out, const float* in, const AxisTable* axis, int64_t inner, int64_t first,
                         int64_t end) {
  const int64_t size = axis->out_size, whole = whole_pixels(axis, inner, first, end, LANES, LANES);
  const float* weight = static_cast<const float*>(axis->weight);
  int64_t o = first;
  for (; o < whole; ++o, out += inner) {
    const int64_t count = axis->count[o];
    vf sum = weight[o] * load(in + axis->index[o] * inner);
    for (int64_t k = 1; k < count; ++k)
      sum += weight[k * size + o] * load(in + axis->index[k * size + o] * inner);
    store(out, sum);
  }
  for (; o < end; ++o, out += inner) resample_pixel(out, in, axis, inner, o);
}

// AHEAD: asks for what will be stored to.
template <bool AHEAD>
UPS_INLINE void across_by_pixels(float* __restrict out, const float* __restrict in, const AxisTable* axis,
                                 int64_t inner, int64_t first, int64_t end) {
  if (inner < LANES) return across_short_pixels(out, in, axis, inner, first, end);
  const auto put = [](float* to, vf v) __attribute__((always_inline)) {
    if (AHEAD) ask_ahead<LANES * 4>(to);
    store(to, v);
  };
  const int64_t size = axis->out_size;
  const float* weight = static_cast<const float*>(axis->weight);
  for (int64_t o = first; o < end; ++o, out += inner) {
    const int64_t count = axis->count[o];
    const float* a = in + axis->index[o] * inner;
    const vf u = splat(weight[o]);
    if (count == 2) {
      const float* b = in + axis->index[size + o] * inner;
      const vf v = splat(weight[size + o]);
      // The next pixel too, where it is between the same two.
      if (o + 1 < end && axis->count[o + 1] == 2 && axis->index[o + 1] == axis->index[o] &&
          axis->index[size + o + 1] == axis->index[size + o]) {
        const vf u2 = splat(weight[o + 1]), v2 = splat(weight[size + o + 1]);
        for (int64_t c = 0; c < inner; c += LANES) {
          if (c + LANES > inner) c = inner - LANES;
          const vf x = load(a + c), y = load(b + c);
          put(out + c, u * x + v * y);
          put(out + inner + c, u2 * x + v2 * y);
        }
        ++o;
        out += inner;
        continue;
      }
      for (int64_t c = 0; c < inner; c += LANES) {
        if (c + LANES > inner) c = inner - LANES;
        put(out + c, u * load(a + c) + v * load(b + c));
      }
      continue;
    }
    for (int64_t c = 0; c < inner; c += LANES) {
      if (c + LANES > inner) c = inner - LANES;
      vf sum = u * load(a + c);
      for (int64_t k = 1; k < count; ++k)
        sum += weight[k * size + o] * load(in + axis->index[k * size + o] * inner + c);
      put(out + c, sum);
    }
  }
}

// Bilinear 28x28 to 28x56 of 256 channels last takes .057 ms rather than .11.
void across_pixels_ahead(float* out, const float* in, const AxisTable* axis, int64_t inner, int64_t first,
                         int64_t end) {
  across_by_pixels<true>(out, in, axis, inner, first, end);
}

}  // namespace

void across_pixels(float* out, const float* in, const AxisTable* axis, int64_t inner, int64_t first,
                   int64_t end) {
  across_by_pixels<false>(out, in, axis, inner, first, end);
}

namespace {

// Elements from the first vector of a pixel to the second one, so that long pixels are written line by line
// but for their ends: typed arrays begin beside a line, and a vector of two lines is slow to store. Bilinear
// 14x14x512 to 21x21 takes 32 us rather than 38, 8x7x7x512 to 10x10 0.11 ms rather than 0.13.
UPS_INLINE int64_t lead_of(const float* out, int64_t inner) {
  if (inner < 8 * LANES) return LANES;
  return LANES - static_cast<int64_t>(reinterpret_cast<uintptr_t>(out) / sizeof(float) % LANES);
}

// PIXELS pixels, between l and r, of ROWS output rows between source rows a and b; their weights are left,
// right, top and bottom.
template <int ROWS, int PIXELS, bool NEAR>
UPS_INLINE void block_of_pixels(float* out, int64_t out_stride, const float* a, const float* b, int64_t l,
                                int64_t r, const float* left, const float* right, const vf* top,
                                const vf* bottom, int64_t inner) {
  // One row at a time is what comes from memory: 2x of 100x152x128 takes 0.82 ms rather than 0.97 with 1024.
  // What fits the second level is held up by asking: 2x of 14x14x256 takes 12.5 us rather than 13.6 without.
  enum : int64_t {
    IN_AHEAD = (ROWS == 1 ? 4096 : 1024) / sizeof(float),
    OUT_AHEAD = NEAR ? 0 : 4096 / sizeof(float)
  };
  vf u[PIXELS], v[PIXELS];
#pragma GCC unroll 2
  for (int j = 0; j < PIXELS; ++j) {
    u[j] = splat(left[j]);
    v[j] = splat(right[j]);
  }
  for (int64_t c = 0, step = lead_of(out, inner); c < inner; c += step, step = LANES) {
    if (c + LANES > inner) c = inner - LANES;
    const vf al = load(a + l + c), ar = load(a + r + c), bl = load(b + l + c), br = load(b + r + c);
    // Asked for now, the next lines hold up neither loads nor stores.
    __builtin_prefetch(b + r + c + IN_AHEAD);
    vf x[PIXELS], y[PIXELS];
#pragma GCC unroll 2
    for (int j = 0; j < PIXELS; ++j) {
      x[j] = u[j] * al + v[j] * ar;
      y[j] = u[j] * bl + v[j] * br;
    }
#pragma GCC unroll 2
    for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < PIXELS; ++j) {
        float* to = out + i * out_stride + j * inner + c;
        __builtin_prefetch(to + OUT_AHEAD, 1);
        store(to, top[i] * x[j] + bottom[i] * y[j]);
      }
    }
  }
}

// Pixels from x0 to x1 of ROWS output rows.
template <int ROWS, bool NEAR>
UPS_INLINE void row_of_pixels(float* out, int64_t out_stride, const float* a, const float* b, const vf* top,
                              const vf* bottom, const ResampleStrip* s, int64_t x0, int64_t x1) {
  const int64_t inner = s->inner, nx = s->x->out_size;
  const int32_t *left = s->x->index, *right = left + nx;
  const float *u = static_cast<const float*>(s->x->weight), *v = u + nx;
  for (int64_t x = x0; x < x1;) {
    const int64_t l = left[x] * inner, r = right[x] * inner;
    // The next pixel too, where it is between the same two.
    const bool both = x + 1 < x1 && left[x + 1] == left[x] && right[x + 1] == right[x];
    if (both)
      block_of_pixels<ROWS, 2, NEAR>(out, out_stride, a, b, l, r, u + x, v + x, top, bottom, inner);
    else
      block_of_pixels<ROWS, 1, NEAR>(out, out_stride, a, b, l, r, u + x, v + x, top, bottom, inner);
    out += both ? 2 * inner : inner;
    x += both ? 2 : 1;
  }
}

}  // namespace

// Both ways at once: more arithmetic than with rows that are kept, and fewer loads and stores, which bound
// it. Bilinear 2x of 128x128x64 takes 0.36 ms rather than 0.47.
void strip_of_pixels(float* out, int64_t out_stride, const float* in, const ResampleStrip* s, int64_t first,
                     int64_t end, RowStream* stream) {
  // Bytes of a row that are made before they are streamed: a part of the first-level cache.
  enum : int64_t { STREAMED = 4096 / sizeof(float) };
  const int64_t ny = s->y->out_size, x0 = s->first / s->inner, x1 = s->end / s->inner;
  const int64_t part = s->inner < STREAMED ? STREAMED / s->inner : 1;
  const int32_t *above = s->y->index, *below = above + ny;
  const float *w = static_cast<const float*>(s->y->weight), *z = w + ny;
  for (int64_t o = first; o < end;) {
    const float *a = in + above[o] * s->in_row, *b = in + below[o] * s->in_row;
    const bool both = s->two_rows && stream == nullptr && o + 1 < end && above[o + 1] == above[o] &&
                      below[o + 1] == below[o];
    const vf top[2] = {splat(w[o]), splat(w[both ? o + 1 : o])};
    const vf bottom[2] = {splat(z[o]), splat(z[both ? o + 1 : o])};
    float* to = out + (o - first) * out_stride;
    if (stream != nullptr)
      for (int64_t x = x0, stop; x < x1; x = stop) {
        // The last part is not a short one.
        stop = x + 2 * part > x1 ? x1 : x + part;
        row_of_pixels<1, true>(s->ring, 0, a, b, top, bottom, s, x, stop);
        stream_row(to + (x - x0) * s->inner, (stop - x) * s->inner, stream,
                   [&](int64_t i) __attribute__((always_inline)) { return load(s->ring + i); });
      }
    else if (both && s->near)
      row_of_pixels<2, true>(to, out_stride, a, b, top, bottom, s, x0, x1);
    else if (both)
      row_of_pixels<2, false>(to, out_stride, a, b, top, bottom, s, x0, x1);
    else
      row_of_pixels<1, false>(to, out_stride, a, b, top, bottom, s, x0, x1);
    o += both ? 2 : 1;
  }
}

namespace {

// Floats of each row that are asked for ahead, and those of a cache line.
enum : int64_t { PIXELS_AHEAD = 256 };
constexpr int LINE = 16;

// Both ways at once, down first (area 4x down of 256x256x64: 0.2 ms rather than 0.35). Taps across that
// overlap sum the same rows again.
template <int STEP>
UPS_INLINE void pixel_of_sums(float* out, const float* const* rows, const float* down, int64_t taps,
                              const int32_t* index, const float* along, int64_t size, int64_t count,
                              int64_t inner, int64_t c) {
  const auto read = [&](int64_t row, int64_t at, int j) __attribute__((always_inline)) {
    // Of several rows at a time caches do not read ahead fast enough: 0.2 ms rather than 0.27. Asking twice
    // for a line takes vectors of 8 0.24 ms rather than 0.21.
    if (j * LANES % LINE == 0) __builtin_prefetch(rows[row] + at + j * LANES + PIXELS_AHEAD);
    return load(rows[row] + at + j * LANES);
  };
  const auto summed = [&](vf* v, int64_t k) __attribute__((always_inline)) {
    const int64_t at = index[k * size] * inner + c;
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) v[j] = splat(down[0]) * read(0, at, j);
    for (int64_t t = 1; t < taps; ++t) {
#pragma GCC unroll 4
      for (int j = 0; j < STEP; ++j) v[j] += splat(down[t]) * read(t, at, j);
    }
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) v[j] *= splat(along[k * size]);
  };
  vf sum[STEP], v[STEP];
  summed(sum, 0);
  for (int64_t k = 1; k < count; ++k) {
    summed(v, k);
#pragma GCC unroll 4
    for (int j = 0; j < STEP; ++j) sum[j] += v[j];
  }
#pragma GCC unroll 4
  for (int j = 0; j < STEP; ++j) store(out + c + j * LANES, sum[j]);
}

void sum_pixels(float* __restrict out, const float* const* rows, const float* down, int64_t taps,
                const AxisTable* axis, int64_t inner) {
  const int64_t size = axis->out_size;
  for (int64_t o = 0; o < size; ++o, out += inner) {
    const int32_t* index = axis->index + o;
    const float* along = static_cast<const float*>(axis->weight) + o;
    int64_t c = 0;
    for (; c + 4 * LANES <= inner; c += 4 * LANES)
      pixel_of_sums<4>(out, rows, down, taps, index, along, size, axis->count[o], inner, c);
    for (; c < inner; c += LANES) {
      if (c + LANES > inner) c = inner - LANES;
      pixel_of_sums<1>(out, rows, down, taps, index, along, size, axis->count[o], inner, c);
    }
  }
}

}  // namespace

void fill_resample_pixels(KernelTable* table) {
  table->resample_row = resample_row<float>;
  table->resample_row_double = resample_row_double;
  table->resample_doubles = resample_doubles;
  table->resample.across_pixels = across_pixels_ahead;
  table->resample.sum_pixels = sum_pixels;
}

}  // namespace UPS_ISA
}  // namespace upsampling
