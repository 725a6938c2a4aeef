// Weights as tiles read them, and whether they are finite: padding is left out, not multiplied, so that
// infinite ones need another way.
#include "kernels/contract.h"
#include "kernels/convolution-leaves.h"
#include "kernels/kernels.h"
#include "kernels/turn.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

// Columns and their elements change places, as many channels at a time as stay in the first-level cache.
UPS_INLINE void turn_columns(float* to, const float* w, const ConvPacking* p) {
  enum : int { ROOM = 256 };
  float turned[ROOM * LANES];
  const int64_t most = ROOM / p->in;
  for (int64_t first = 0; first < p->columns; first += LANES) {
    const int64_t rest = p->columns - first, n = rest < LANES ? rest : int64_t{LANES};
    const float* at[LANES];
    for (int64_t i = 0; i < LANES; ++i) at[i] = w + (first + (i < n ? i : n - 1)) * p->column;
    for (int64_t c0 = 0; c0 < p->channels;) {
      // Within a block.
      const int64_t b = c0 / p->block * p->block,
                    last = b + p->block < p->channels ? b + p->block : p->channels;
      const int64_t c1 = c0 + most < last ? c0 + most : last;
      const int64_t elements = (c1 - c0) * p->in;
      const int64_t fours = elements & -4;
      turn_rows(turned, LANES, fours,
                [&](int r) __attribute__((always_inline)) { return at[r] + c0 * p->in; });
      int64_t e = fours;
      for (; e < elements; ++e)
        for (int j = 0; j < LANES; ++j) turned[e * LANES + j] = at[j][c0 * p->in + e];
      for (int64_t t = 0; t < p->taps; ++t) {
        float* o = to + (b * p->taps + t * (last - b) + c0 - b) * p->row + first;
        const float* x = turned + p->from[t * p->columns] * LANES;
        for (int64_t c = c0; c < c1; ++c, o += p->row, x += p->in * LANES) copy_run(o, x, n);
      }
      c0 = c1;
    }
  }
}

template <class T>
void weights(T* to, const T* w, const ConvPacking* p) {
  if constexpr (__is_same(T, float)) {
    if (p->column != 0 && p->in <= 256) return turn_columns(to, w, p);
  }
  const int64_t n = p->columns;
  for (int64_t c = 0; c < p->channels; ++c) {
    const int64_t b = c / p->block * p->block, some = p->channels - b < p->block ? p->channels - b : p->block;
    const T* x = w + c * p->in;
    for (int64_t t = 0; t < p->taps; ++t) {
      T* o = to + (b * p->taps + t * some + c - b) * p->row;
      const int64_t* from = p->from + t * n;
      for (int64_t i = 0; i < n; ++i) o[i] = x[from[i]];
    }
  }
}

// In whole words, which every compiler turns into vectors.
template <class T, class Word>
bool finite(const T* x, int64_t n) {
  const Word exponent = sizeof(T) == 4 ? Word{0x7f800000} : static_cast<Word>(0x7ff0000000000000);
  Word bad = 0;
  for (int64_t i = 0; i < n; ++i) {
    Word bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    bad |= (bits & exponent) == exponent ? ~Word{0} : Word{0};
  }
  return bad == 0;
}

}  // namespace

void fill_convolution_weights(KernelTable* table) {
  table->conv.weights = weights<float>;
  table->conv_double.weights = weights<double>;
  table->conv.finite = finite<float, uint32_t>;
  table->conv_double.finite = finite<double, uint64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
