// Resizing by two rows and two pixels of each, of which only what is read is loaded: rows that shrink.
#include "kernels/gather.h"
#include "kernels/kernels.h"
#include "kernels/resample-across.h"
#include "kernels/resample-element.h"
#include "kernels/resample-pixels.h"
#include "kernels/some.h"
#include "kernels/turn.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// What two rows and two pixels of each make of an output, by weights of the rows and of the pixels; ACROSS:
// in the order of a resize across first. For vectors and for numbers.
template <bool ACROSS, class V>
UPS_INLINE V four(V above_left, V above_right, V below_left, V below_right, V top, V bottom, V left,
                  V right) {
  if (ACROSS)
    return top * (left * above_left + right * above_right) +
           bottom * (left * below_left + right * below_right);
  return left * (top * above_left + bottom * below_left) + right * (top * above_right + bottom * below_right);
}

// The two rows, and those of the next output, which are asked for where that is not near.
template <class S>
struct FourRows {
  const S *a, *b;
  bool asks;
  int64_t next_a, next_b;  // elements from a and b on
  explicit inline __attribute__((always_inline)) FourRows(const void* const* rows)
      : a(static_cast<const S*>(rows[0])), b(static_cast<const S*>(rows[1])), asks(rows[2] != nullptr) {
    next_a = asks ? static_cast<const S*>(rows[2]) - a : 0;
    next_b = asks ? static_cast<const S*>(rows[3]) - b : 0;
  }
  inline __attribute__((always_inline)) void ask(int64_t at) const {
    __builtin_prefetch(a + next_a + at);
    __builtin_prefetch(b + next_b + at);
  }
};

// Outputs from `first` on, element by element.
template <bool ACROSS, class S>
UPS_INLINE void four_singly(S* out, const S* a, const S* b, const float* down, const AxisTable* axis,
                            int64_t inner, int64_t first) {
  typedef Element<S> E;
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const float *along = static_cast<const float*>(axis->weight), *along2 = along + size;
  for (int64_t o = first; o < size; ++o)
    for (int64_t c = 0; c < inner; ++c) {
      const int64_t l = left[o] * inner + c, r = right[o] * inner + c;
      out[o * inner + c] = E::narrow(four<ACROSS>(E::widen(a[l]), E::widen(a[r]), E::widen(b[l]),
                                                  E::widen(b[r]), down[0], down[1], along[o], along2[o]));
    }
}

// Pixels of LANES / 4 are taken together, each in four lanes.
enum : int { TOGETHER = LANES / 4 };

UPS_INLINE vf pixels_at(const float* row, const int64_t* at) {
  return fours(0, [&](int i) __attribute__((always_inline)) { return row + at[i / 4]; });
}
template <class S>
UPS_INLINE vf pixels_at(const S* row, const int64_t* at) {
#if defined(__SSE2__)
  Ints4 four{};
#pragma GCC unroll 4
  for (int i = 0; i < TOGETHER; ++i) {
    int bits;
    __builtin_memcpy(&bits, row + at[i], 4);
    four[i] = bits;
  }
  return __builtin_convertvector(widen_bytes(reinterpret_cast<Bytes16>(four), static_cast<S>(-1) < 0), vf);
#else
  return Packed<S>::load(row + *at);
#endif
}

// The weights of those pixels.
UPS_INLINE vf weights_at(const float* weight) {
#if UPS_LANES == 16
  const vi lane = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  typedef VectorOf<float, 4>::memory Four;
  return __builtin_shuffle(__builtin_ia32_ps512_ps(*reinterpret_cast<const Four*>(weight)), lane);
#elif UPS_LANES == 8
  double two;
  __builtin_memcpy(&two, weight, sizeof two);
  return __builtin_shuffle(reinterpret_cast<vf>(splat(two)), vi{0, 0, 0, 0, 1, 1, 1, 1});
#else
  return splat(*weight);
#endif
}

#if defined(__AVX2__)
// Of bytes, LANES / 8 pixels with those right of them, which begin at `at`: eight elements each.
template <class S>
UPS_INLINE vf neighbours_of(const S* row, const int64_t* at) {
  // By way of registers: a vector in memory would wait for the stores of its halves.
  long long first, second = 0;
  __builtin_memcpy(&first, row + at[0], 8);
  if (LANES > 8) __builtin_memcpy(&second, row + at[1], 8);
  typedef long long Longs2 __attribute__((vector_size(16)));
  const auto bytes = reinterpret_cast<Bytes16>(Longs2{first, second});
  return __builtin_convertvector(widen_bytes(bytes, static_cast<S>(-1) < 0), vf);
}

// The outputs before this one are of neighbours; of `n`, of which the last ones may be a single input.
UPS_INLINE int64_t neighbours_until(const int32_t* left, const int32_t* right, int64_t n) {
  while (n > 0 && right[n - 1] - left[n - 1] != 1) --n;
  int32_t differ = 0;
  for (int64_t o = 0; o < n; ++o) differ |= (right[o] - left[o]) ^ 1;
  return differ == 0 ? n : 0;
}

// TOGETHER outputs of neighbours of bytes, each in four lanes: half as much to put together as pixel by pixel
// (480x640x4 to 224x224 takes 84 us rather than 95, 400x600x4 to 300x500 .21 ms rather than .25).
template <bool ACROSS, class S, int INNER>
UPS_INLINE vf four_of_neighbours(const S* a, const S* b, const int64_t* at, vf top, vf bottom, vf left,
                                 vf right) {
  vi first;
  for (int i = 0; i < LANES; ++i) first[i] = i / 4 * 8 + i % 4;
  const vi second = first + INNER;
  const int64_t* after = at + TOGETHER / 2;
  const vf a0 = neighbours_of(a, at), a1 = neighbours_of(a, after), b0 = neighbours_of(b, at),
           b1 = neighbours_of(b, after);
  if (ACROSS)
    return four<true>(__builtin_shuffle(a0, a1, first), __builtin_shuffle(a0, a1, second),
                      __builtin_shuffle(b0, b1, first), __builtin_shuffle(b0, b1, second), top, bottom, left,
                      right);
  const vf x = top * a0 + bottom * b0, y = top * a1 + bottom * b1;
  return left * __builtin_shuffle(x, y, first) + right * __builtin_shuffle(x, y, second);
}
#endif

// 375x500x3 to 224x224 takes 0.11 ms rather than 0.17 by way of columns, bytes of 1080x1920x3 0.11 ms rather
// than 0.63 by rows that are widened.
template <bool ACROSS, class S, int INNER>
void four_of_short(S* __restrict out, const FourRows<S>& rows, const float* down, const AxisTable* axis) {
  enum : int { PAIRS = LANES > 4 && sizeof(S) == 1 && INNER > 2 };
  const S *a = rows.a, *b = rows.b;
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const float *along = static_cast<const float*>(axis->weight), *along2 = along + size;
  const vf top = splat(down[0]), bottom = splat(down[1]);
  vi packed;
  for (int i = 0; i < LANES; ++i) packed[i] = (i / INNER * 4 + i % INNER) & (LANES - 1);
  const auto in_order = [&](vf sum) __attribute__((always_inline)) {
    return INNER == 4 ? sum : __builtin_shuffle(sum, packed);
  };
  const auto pixels_of = [](const int32_t* index, int64_t* at) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int i = 0; i < TOGETHER; ++i) at[i] = int64_t{index[i]} * INNER;
  };
  const auto vector = [&](int64_t o) __attribute__((always_inline)) {
    int64_t l[TOGETHER], r[TOGETHER];
    pixels_of(left + o, l);
    pixels_of(right + o, r);
    return in_order(four<ACROSS>(pixels_at(a, l), pixels_at(a, r), pixels_at(b, l), pixels_at(b, r), top,
                                 bottom, weights_at(along + o), weights_at(along2 + o)));
  };
  // Lines hold several pixels of bytes.
  const auto ask = [&](int64_t o) __attribute__((always_inline)) {
    if (rows.asks)
#pragma GCC unroll 4
      for (int i = 0; i < TOGETHER; i += sizeof(S) == 1 ? 2 : 1) rows.ask(int64_t{left[o + i]} * INNER);
  };
  const int64_t whole = whole_pixels(axis, INNER, 0, size, PAIRS ? 8 - INNER : 4, 0);
  int64_t o = 0;
  const int64_t room = size * INNER - LANES;
#if defined(__AVX2__)
  if constexpr (PAIRS) {
    const int64_t beside = neighbours_until(left, right, whole);
    for (; o + TOGETHER <= beside && o * INNER <= room; o += TOGETHER) {
      ask(o);
      int64_t l[TOGETHER];
      pixels_of(left + o, l);
      Packed<S>::store(out + o * INNER,
                       in_order(four_of_neighbours<ACROSS, S, INNER>(
                           a, b, l, top, bottom, weights_at(along + o), weights_at(along2 + o))));
    }
  }
#endif
  for (; o + TOGETHER <= whole && o * INNER <= room; o += TOGETHER) {
    ask(o);
    Packed<S>::store(out + o * INNER, vector(o));
  }
  // The last ones are not written as whole vectors, nor read alone.
  while (o < whole && whole >= TOGETHER) {
    if (o + TOGETHER > whole) o = whole - TOGETHER;
    S last[LANES];
    Packed<S>::store(last, vector(o));
    __builtin_memcpy(out + o * INNER, last, TOGETHER * INNER * sizeof(S));
    o += TOGETHER;
  }
  four_singly<ACROSS>(out, a, b, down, axis, INNER, o);
}

// Pixels of a vector take no loop: 480x640x16 to 224x224 0.28 ms rather than 0.32. Shorter ones are written
// as whole ones, whose ends the next pixel overwrites; the last ones element by element. 480x640x6 to 224x224
// takes 0.10 ms rather than 0.18 by way of columns, 64x64x16 to 48x80 10 us rather than 12.
template <bool ACROSS, class S>
UPS_INLINE void four_of_long(S* out, const S* a, const S* b, const float* down, const AxisTable* axis,
                             int64_t inner) {
  typedef Packed<S> P;
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const float *along = static_cast<const float*>(axis->weight), *along2 = along + size;
  const vf top = splat(down[0]), bottom = splat(down[1]);
  const auto vector = [&](S* to, int64_t l, int64_t r, vf u, vf v) __attribute__((always_inline)) {
    P::store(to,
             four<ACROSS>(P::load(a + l), P::load(a + r), P::load(b + l), P::load(b + r), top, bottom, u, v));
  };
  const auto ask = [&](S* to, int64_t r) __attribute__((always_inline)) {
    __builtin_prefetch(to + 2048, 1);
    __builtin_prefetch(b + r + 256);
  };
  int64_t o = 0;
  if (inner > LANES) {
    // Long pixels ask for the next ones: 14x14x512 to 7x7 5.1 us rather than 6.3.
    const bool asks_next = inner >= 8 * LANES;
    for (; o < size; ++o, out += inner) {
      const int64_t l = left[o] * inner, r = right[o] * inner, following = o + 1 < size ? o + 1 : o;
      const S *next = a + left[following] * inner, *after = a + right[following] * inner;
      const vf u = splat(along[o]), v = splat(along2[o]);
      for (int64_t c = 0; c < inner; c += LANES) {
        if (c + LANES > inner) c = inner - LANES;
        if (asks_next) {
          __builtin_prefetch(next + c);
          __builtin_prefetch(next + c + (b - a));
          __builtin_prefetch(after + c);
          __builtin_prefetch(after + c + (b - a));
        } else {
          ask(out + c, r + c);
        }
        vector(out + c, l + c, r + c, u, v);
      }
    }
    return;
  }
  const int64_t whole = whole_pixels(axis, inner, 0, size, LANES, LANES);
  for (; o < whole; ++o) {
    ask(out + o * inner, right[o] * inner);
    vector(out + o * inner, left[o] * inner, right[o] * inner, splat(along[o]), splat(along2[o]));
  }
  four_singly<ACROSS>(out, a, b, down, axis, inner, o);
}

template <class S, bool ACROSS>
void sum_four_pixels(void* out, const void* const* rows, const void* weights, const AxisTable* axis,
                     int64_t inner) {
  S* to = static_cast<S*>(out);
  const float* down = static_cast<const float*>(weights);
  const FourRows<S> from(rows);
  if (inner == 2 && LANES > 4) return four_of_short<ACROSS, S, 2>(to, from, down, axis);
  if (inner == 3) return four_of_short<ACROSS, S, 3>(to, from, down, axis);
  if (inner == 4) return four_of_short<ACROSS, S, 4>(to, from, down, axis);
  four_of_long<ACROSS>(to, from.a, from.b, down, axis, inner);
}

// Doubles, at least a vector of them a pixel.
template <bool ACROSS>
void sum_four_doubles(void* out, const void* const* rows, const void* weights, const AxisTable* axis,
                      int64_t inner) {
  enum : int { STEP = LANES / 2 };
  double* to = static_cast<double*>(out);
  const double *a = static_cast<const double*>(rows[0]), *b = static_cast<const double*>(rows[1]);
  const double* down = static_cast<const double*>(weights);
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const double *along = static_cast<const double*>(axis->weight), *along2 = along + size;
  const vd top = splat(down[0]), bottom = splat(down[1]);
  for (int64_t o = 0; o < size; ++o, to += inner) {
    const int64_t l = left[o] * inner, r = right[o] * inner;
    const vd u = splat(along[o]), v = splat(along2[o]);
    for (int64_t c = 0; c < inner; c += STEP) {
      if (c + STEP > inner) c = inner - STEP;
      // Asked for now, what follows holds up neither loads nor stores.
      __builtin_prefetch(to + c + 512, 1);
      __builtin_prefetch(b + r + c + 128);
      store(to + c, four<ACROSS>(load(a + l + c), load(a + r + c), load(b + l + c), load(b + r + c), top,
                                 bottom, u, v));
    }
  }
}

#if defined(__AVX2__)
// Both elements of LANES outputs: those `left` and `right` elements after `at`.
struct Neighbours {
  vf left, right;
};
// Pairs of single elements, gathered: 65x65 to 24x26 of 21 planes 13 us rather than 18 by way of columns,
// 2048x2048 to 1000x1000 .84 ms rather than 1.24.
UPS_INLINE Neighbours neighbours_at(const float* in, vi at, vi left, vi right) {
  vf pair[2];
  pairs_at(pair, in, at);
  // The only tap of an output is there twice.
  return {left > 0 ? pair[1] : pair[0], right > 0 ? pair[1] : pair[0]};
}
// Of bytes four at a time: 1080x1920 to 224x224 31 us rather than 187 by rows that are widened.
template <class S>
UPS_INLINE Neighbours neighbours_at(const S* in, vi at, vi left, vi right) {
#if defined(__AVX512F__)
  const vi bytes = __builtin_ia32_gathersiv16si(vi{}, in, at, -1, 1);
#else
  const vi bytes = __builtin_ia32_gathersiv8si(vi{}, reinterpret_cast<const int*>(in), at, vi{} - 1, 1);
#endif
  const auto byte = [&](vi i) __attribute__((always_inline)) {
    const vi shift = i * 8;
    return __builtin_convertvector(
        static_cast<S>(-1) < 0 ? bytes << (24 - shift) >> 24 : bytes >> shift & 255, vf);
  };
  return {byte(left), byte(right)};
}

template <class S, bool ACROSS>
void sum_four_elements(void* out, const void* const* rows, const void* weights, const AxisTable* axis,
                       int64_t) {
  S* to = static_cast<S*>(out);
  const float* down = static_cast<const float*>(weights);
  const FourRows<S> from(rows);
  const S *a = from.a, *b = from.b;
  const int64_t size = axis->out_size;
  const int32_t *left = axis->index, *right = left + size;
  const float *along = static_cast<const float*>(axis->weight), *along2 = along + size;
  // What is read of a row together does not reach beyond its end.
  const vi last = vi{} + static_cast<int32_t>(axis->in_size - (sizeof(S) == 1 ? 4 : 2));
  const vf top = splat(down[0]), bottom = splat(down[1]);
  const auto vector = [&](int64_t o) __attribute__((always_inline)) {
    const vi l = load(left + o), r = load(right + o), at = l < last ? l : last;
    const Neighbours x = neighbours_at(a, at, l - at, r - at), y = neighbours_at(b, at, l - at, r - at);
    Packed<S>::store(to + o, four<ACROSS>(x.left, x.right, y.left, y.right, top, bottom, load(along + o),
                                          load(along2 + o)));
  };
  int64_t o = 0;
  for (; o + LANES <= size; o += LANES) {
    if (from.asks)
#pragma GCC unroll 4
      for (int i = 0; i < LANES; i += 4) from.ask(left[o + i]);
    vector(o);
  }
  if (size - o > LANES / 4 && size >= LANES) return vector(size - LANES);
  four_singly<ACROSS>(to, a, b, down, axis, 1, o);
}

// Rows that fill few vectors, without a call and an end for each of them.
template <class S, bool ACROSS>
void sum_four_listed(void* out, const void* in, const FourTaps* taps, int64_t n, int64_t ahead) {
  S* to = static_cast<S*>(out);
  const S* from = static_cast<const S*>(in);
  const FourTaps t = *taps;
  const auto sum = [&](const auto& read) __attribute__((always_inline)) {
    const vi left = read(t.left), right = read(t.right);
    const Neighbours a = neighbours_at(from, read(t.above), left, right),
                     b = neighbours_at(from, read(t.below), left, right);
    return four<ACROSS>(a.left, a.right, b.left, b.right, read(t.top), read(t.bottom), read(t.along),
                        read(t.along2));
  };
  for (int64_t o = 0; o < n; o += LANES) {
    if (n < LANES) {
      const Some some = first_lanes(n);
      const auto part = [&](const auto* p) __attribute__((always_inline)) { return load_some(p, some); };
      S row[LANES];
      Packed<S>::store(row, sum(part));
      __builtin_memcpy(to, row, static_cast<size_t>(n) * sizeof(S));
      return;
    }
    if (o + LANES > n) o = n - LANES;
    if (ahead != 0)
#pragma GCC unroll 4
      for (int i = 0; i < LANES; i += 4) {
        __builtin_prefetch(from + t.above[o + i] + ahead);
        __builtin_prefetch(from + t.below[o + i] + ahead);
      }
    const auto whole = [&](const auto* p) __attribute__((always_inline)) { return load(p + o); };
    Packed<S>::store(to + o, sum(whole));
  }
}
#endif

#if UPS_LANES == 16
// Both rows are blended in the vectors that taps are picked from: 256x256x3 to 128x128 takes 28 us rather
// than 32.
template <int WINDOW>
void four_of_window(float* out, const FourRows<float>& rows, const float* down, const PreparedTaps* t) {
  const vf top = splat(down[0]), bottom = splat(down[1]);
  const auto block = [&](int64_t b) __attribute__((always_inline)) {
    const float *x = rows.a + t->base[b], *y = rows.b + t->base[b];
    Window<WINDOW> w;
#pragma GCC unroll 4
    for (int i = 0; i < WINDOW; ++i) {
      w.v[i] = top * load(x + i * LANES) + bottom * load(y + i * LANES);
      if (rows.asks) rows.ask(t->base[b] + i * LANES);
    }
    return Pattern<2>::at(t, pattern_of(t, b)).sum(x, w);
  };
  const int64_t whole = t->n / LANES;
  for (int64_t b = 0; b < whole; ++b) store(out + b * LANES, block(b));
  if (whole == t->blocks) return;
  const vf last = block(whole);
  for (int64_t i = whole * LANES; i < t->n; ++i) out[i] = last[i - whole * LANES];
}

void sum_four_picked(float* out, const void* const* rows, const float* down, const PreparedTaps* taps) {
  const FourRows<float> from(rows);
  constexpr decltype(&four_of_window<1>) leaves[] = {four_of_window<1>, four_of_window<2>, four_of_window<3>,
                                                     four_of_window<4>};
  leaves[taps->window - 1](out, from, down, taps);
}
#endif

template <class S>
void fill(ResampleKernels* kernels, int type) {
  kernels->sum_four_pixels[type][0] = sum_four_pixels<S, false>;
  kernels->sum_four_pixels[type][1] = sum_four_pixels<S, true>;
#if defined(__AVX2__)
  kernels->sum_four_elements[type][0] = sum_four_elements<S, false>;
  kernels->sum_four_elements[type][1] = sum_four_elements<S, true>;
  kernels->sum_four_listed[type][0] = sum_four_listed<S, false>;
  kernels->sum_four_listed[type][1] = sum_four_listed<S, true>;
#endif
}

}  // namespace

void fill_resample_four(ResampleKernels* kernels) {
#if UPS_LANES == 16
  kernels->sum_four_picked = sum_four_picked;
#endif
  kernels->sum_four_pixels[F64][0] = sum_four_doubles<false>;
  kernels->sum_four_pixels[F64][1] = sum_four_doubles<true>;
  fill<float>(kernels, F32);
  fill<uint8_t>(kernels, U8);
  fill<int8_t>(kernels, I8);
}

}  // namespace UPS_ISA
}  // namespace upsampling
