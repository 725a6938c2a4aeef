// Leaves of a running argmax.
#include "kernels/exp.h"
#include "kernels/kernels.h"
#include "kernels/phases.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class T>
void argmax(const Winners<T>* w, const T* values, int32_t c, int64_t n) {
  const T* __restrict x = values;
  T* __restrict best = w->best;
  int32_t* __restrict index = w->index;
  if (w->sum == nullptr) {
    for (int64_t i = 0; i < n; ++i) {
      const T v = x[i];
      // Bitwise: no branches. The second half lets a first number of -infinity in.
      const bool wins = (v > best[i]) | ((index[i] < 0) & (v == v));
      best[i] = wins ? v : best[i];
      index[i] = wins ? c : index[i];
    }
    return;
  }
  T* __restrict second = w->second;
  T* __restrict sum = w->sum;
  for (int64_t i = 0; i < n; ++i) {
    const T v = x[i], b = best[i];
    const bool first = (index[i] < 0) & (v == v), wins = (v > b) | first;
    const T high = wins ? v : b, low = wins ? b : v;
    const T e = high == low ? T(1) : exp_below_zero(low - high);
    const T total = wins ? sum[i] * e + T(1) : sum[i] + e;
    second[i] = wins ? (first ? second[i] : b) : (v > second[i] ? v : second[i]);
    sum[i] = first ? T(1) : v == v ? total : sum[i];
    best[i] = high;
    index[i] = wins ? c : index[i];
  }
}

// --- two taps each way, finite values

void copy_row(float* to, const float* from, int64_t n, int32_t* magnitude) {
  const vi bits = vi{} + 0x7fffffff;
  vi largest = load(magnitude);
  int64_t i = 0;
  const auto step = [&](int64_t at) {
    const vf v = loaded(load(from + at));
    const vi m = (vi)v & bits;
    largest = m > largest ? m : largest;
    store(to + at, v);
  };
  for (; i + LANES <= n; i += LANES) step(i);
  if (i < n && n >= LANES) {
    step(n - LANES);
  } else {
    for (; i < n; ++i) {
      int32_t m;
      __builtin_memcpy(&m, from + i, 4);
      m &= 0x7fffffff;
      largest[0] = m > largest[0] ? m : largest[0];
      to[i] = from[i];
    }
  }
  store(magnitude, largest);
}

// V vectors of columns, whose tables stay in registers while the classes go by.
template <int V>
void two_tap_rows_of(float* __restrict out, const float* in, int64_t plane, int64_t classes,
                     const TwoTapColumns& t) {
  // A permute in registers, which four lanes do not have: with any_at_least below 150 classes of 32x32 to
  // 256x256 take .61 ms rather than 1.35.
  bool whole = UPS_LANES >= 8;
  for (int x = 0; x < V; ++x) whole = whole && t.base[x] >= 0;
#if UPS_LANES >= 8
  if (whole) {
    vi first[V], second[V];
    vf u[V], v[V];
#pragma GCC unroll 7
    for (int x = 0; x < V; ++x) {
      first[x] = load(t.first + x * LANES);
      second[x] = load(t.second + x * LANES);
      u[x] = load(t.u + x * LANES);
      v[x] = load(t.v + x * LANES);
    }
    for (int64_t c = 0; c < classes; ++c, in += plane, out += V * LANES) {
#pragma GCC unroll 7
      for (int x = 0; x < V; ++x) {
        const vf source = loaded(load(in + t.base[x]));
        store(out + x * LANES,
              u[x] * __builtin_shuffle(source, first[x]) + v[x] * __builtin_shuffle(source, second[x]));
      }
    }
  }
#endif
  if (!whole) {
    for (int64_t c = 0; c < classes; ++c, in += plane, out += V * LANES) {
      for (int x = 0; x < V; ++x) {
        const float* from = t.base[x] < 0 ? in : in + t.base[x];
        vf a = {}, b = {};
        for (int i = 0; i < LANES; ++i) {
          a[i] = from[t.first[x * LANES + i]];
          b[i] = from[t.second[x * LANES + i]];
        }
        store(out + x * LANES, load(t.u + x * LANES) * a + load(t.v + x * LANES) * b);
      }
    }
  }
}

void two_tap_rows(float* out, const float* in, int64_t plane, int64_t classes, const TwoTapColumns* t) {
  switch (t->vectors) {
    case 1:
      return two_tap_rows_of<1>(out, in, plane, classes, *t);
    case 2:
      return two_tap_rows_of<2>(out, in, plane, classes, *t);
    case 3:
      return two_tap_rows_of<3>(out, in, plane, classes, *t);
    case 4:
      return two_tap_rows_of<4>(out, in, plane, classes, *t);
    case 5:
      return two_tap_rows_of<5>(out, in, plane, classes, *t);
    case 6:
      return two_tap_rows_of<6>(out, in, plane, classes, *t);
    default:
      return two_tap_rows_of<7>(out, in, plane, classes, *t);
  }
}

// True when any lane of a is at least that of b.
UPS_INLINE bool any_at_least(vf a, vf b) {
#if defined(__AVX512F__)  // compares into a mask register; by way of a vector it takes twice as long
  return __builtin_ia32_cmpps512_mask(a, b, 13, 0xffff, 4) != 0;
#elif defined(__AVX__)
  return __builtin_ia32_movmskps256((vf)(a >= b)) != 0;
#else
  const vi c = a >= b;
  int64_t words[LANES / 2], any = 0;
  __builtin_memcpy(words, &c, sizeof(c));
  for (int i = 0; i < LANES / 2; ++i) any |= words[i];
  return any != 0;
#endif
}

// a · b + c, rounded once where the set can: no bit of a bound matters. 150 classes of 128x128 to 512x512
// take 3.97 ms rather than 4.15 with AVX-512.
UPS_INLINE vf fused(vf a, vf b, vf c) {
#if defined(__AVX512F__)
  return (vf)__builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4);
#elif defined(__FMA__)
  return (vf)__builtin_ia32_vfmaddps256(a, b, c);
#else
  return a * b + c;
#endif
}

// Of the first classes nobody knows yet what they have to exceed.
enum : int { FIRST_SHOWN = 16 };

// R rows of one vector of columns, whose winners stay in registers.
template <int R>
UPS_INLINE void best_of(const WinnersBetween& w, int64_t row, int64_t column, const float* a, const float* b,
                        int32_t id, int64_t classes, float slack) {
  float* best = w.best + row * w.columns + column;
  int32_t* index = w.index + row * w.columns + column;
  vf top[R], u[R], v[R];
  vi at[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    u[r] = splat(w.u[row + r]);
    v[r] = splat(w.v[row + r]);
    top[r] = load(best + r * w.columns);
    at[r] = load(index + r * w.columns);
  }
  const auto show = [&](int32_t c) {
    const vf ac = load(a + c * w.columns), bc = load(b + c * w.columns);
    const vi number = vi{} + (id + c);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const vf value = u[r] * ac + v[r] * bc;
      const vi wins = value > top[r];
      top[r] = wins ? value : top[r];
      at[r] = wins ? number : at[r];
    }
  };
  int32_t c = 0;
  if (R == 1) {
    for (; c < classes; ++c) show(c);
  } else {
    // What the others are measured by.
    if (id == 0)
      for (; c < classes && c < FIRST_SHOWN; ++c) show(c);
    // Of the rest those that may win somewhere: in between the value of a class is at most the larger one of
    // the outermost rows.
    vf least = top[0], low = v[0], high = v[0];
#pragma GCC unroll 4
    for (int r = 1; r < R; ++r) {
      least = top[r] < least ? top[r] : least;
      low = v[r] < low ? v[r] : low;
      high = v[r] > high ? v[r] : high;
    }
    least -= splat(slack);
    int32_t list[64], count = 0;
    for (; c < classes; ++c) {
      const vf ac = load(a + c * w.columns), difference = load(b + c * w.columns) - ac;
      const vf x = fused(low, difference, ac), y = fused(high, difference, ac);
      list[count] = c;
      count += any_at_least(x > y ? x : y, least);
    }
    for (int32_t k = 0; k < count; ++k) show(list[k]);
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    store(best + r * w.columns, top[r]);
    store(index + r * w.columns, at[r]);
  }
}

void best_between(const WinnersBetween* winners, const float* a, const float* b, int32_t id, int64_t classes,
                  float slack) {
  const WinnersBetween w = *winners;
  for (int64_t x = 0; x < w.columns; x += LANES, a += LANES, b += LANES) {
    int64_t r = 0;
    for (; r + 4 <= w.rows; r += 4) best_of<4>(w, r, x, a, b, id, classes, slack);
    for (; r + 2 <= w.rows; r += 2) best_of<2>(w, r, x, a, b, id, classes, slack);
    for (; r < w.rows; ++r) best_of<1>(w, r, x, a, b, id, classes, slack);
  }
}

template <class I>
void put_classes(void* out, const int32_t* __restrict index, int64_t n) {
  I* __restrict o = static_cast<I*>(out);
  for (int64_t i = 0; i < n; ++i) o[i] = static_cast<I>(index[i]);
}

}  // namespace

void fill_argmax(ArgmaxKernels* kernels) {
  ArgmaxKernels& k = *kernels;
  k.argmax = argmax<float>;
  k.argmax_double = argmax<double>;
  k.copy_row = copy_row;
  k.two_tap_rows = two_tap_rows;
  k.best_between = best_between;
  k.put_classes[0] = put_classes<int8_t>;
  k.put_classes[1] = put_classes<int16_t>;
  k.put_classes[2] = put_classes<int32_t>;
  k.put_classes[3] = put_classes<int64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
