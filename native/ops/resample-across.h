// A source row to a row of the output's length.
#pragma once
#include <algorithm>

#include "ops/prepared-taps.h"
#include "ops/resample-rows.h"
#include "runtime/isa.h"
#include "runtime/scratch.h"

namespace upsampling {

// Bytes of a row that are asked for before they are read.
inline constexpr int64_t kAheadBytes = 16 * 1024;

// A source row to a row of the output's length, in float32.
class Across {
 public:
  Across(const AxisTable& x, int64_t inner, int type, ScratchFrame* frame)
      : x_(x), inner_(inner), in_row_(x.in_size * inner), out_row_(x.out_size * inner), type_(type) {
    identity_ = is_identity(x);
    // Taps that lie farther apart than two vectors would be picked one by one.
    const bool apart = k_.lanes * x.in_size / x.out_size + x.taps * inner > 2 * k_.lanes;
    by_pixel_ = inner >= k_.lanes || (inner >= 4 && apart);
    if (!identity_ && !by_pixel_) taps_ = prepared_taps(x, inner, frame);
    beyond_ = std::max<int64_t>(0, taps_.window * k_.lanes - in_row_);
  }

  bool identity() const { return identity_; }
  // Parts begin at multiples of this.
  int64_t unit() const { return !identity_ && by_pixel_ ? inner_ : k_.lanes; }

  Strip strip(int64_t first, int64_t end) const {
    Strip s{first, std::min(end, out_row_), in_row_, 0};
    if (identity_) {
      s.low = s.first;
      s.high = s.end;
    } else if (by_pixel_ || taps_.window == 0) {
      for (int64_t o = s.first / inner_; o < (s.end + inner_ - 1) / inner_; ++o)
        for (int64_t t = 0; t < x_.count[o]; ++t) {
          const int64_t at = x_.index[t * x_.out_size + o] * inner_;
          s.low = std::min(s.low, at);
          s.high = std::max(s.high, at + inner_);
        }
    } else {
      for (int64_t b = s.first / k_.lanes; b * k_.lanes < s.end; ++b) {
        s.low = std::min<int64_t>(s.low, taps_.base[b]);
        s.high = std::max<int64_t>(s.high, taps_.base[b] + taps_.window * k_.lanes);
      }
      s.high = std::min(s.high, in_row_);
    }
    return s;
  }

  // A strip of rows [row, row + count) of `in`, to rows that are `stride` apart. `staged` has room for one
  // source row.
  void rows(float* out, int64_t stride, const void* in, int64_t row, int64_t count, float* staged,
            const Strip& s) const {
    // The rows after these come next. Where these are parts of rows nothing else would read ahead.
    const int64_t size = bytes_of(type_);
    for (int64_t r = row + count; r < row + 2 * count && (s.high - s.low) * size <= kAheadBytes; ++r) {
      const char* next = static_cast<const char*>(in) + r * in_row_ * size;
      for (int64_t i = s.low * size; i < s.high * size; i += 64) __builtin_prefetch(next + i);
    }
    if (!identity_ && reads_in_place(0))
      return floats(out, stride, static_cast<const float*>(in) + row * in_row_, in_row_, count, s);
    const int64_t n = s.high - s.low, length = identity_ ? stride : (n + 15) / 16 * 16 + 32;
    float* to = identity_ ? out : staged;
    for (int64_t r = 0; r < count; ++r)
      k_.widen[type_](to + r * length, static_cast<const char*>(in) + ((row + r) * in_row_ + s.low) * size,
                      n);
    if (!identity_) floats(out, stride, staged - s.low, length, count, s);
  }
  // What the leaf that does both ways needs of `s`: all but y and the ring.
  ResampleStrip leaf_strip(const Strip& s) const {
    ResampleStrip leaf{};
    if (!identity_ && !by_pixel_)
      leaf.taps = &taps_;
    else if (!identity_)
      leaf.x = &x_;
    leaf.inner = inner_;
    leaf.first = s.first;
    leaf.end = s.end;
    leaf.low = s.low;
    leaf.high = s.high;
    leaf.in_row = in_row_;
    leaf.staged_row = (s.high - s.low + 15) / 16 * 16 + 32;
    return leaf;
  }
  // Whether source rows are read where they are, when so many elements of the input are behind them: short
  // rows are read with what follows.
  bool reads_in_place(int64_t behind) const { return type_ == F32 && beyond_ <= behind; }
  // Floats that `rows` stages for `count` rows.
  int64_t staging(int64_t count) const { return count * ((in_row_ + 15) / 16 * 16 + 32); }
  // Whether the weights have a pattern, or else come from memory, the less often the more rows there are.
  bool patterned() const { return identity_ || by_pixel_ || taps_.run_end > taps_.run; }

 private:
  void floats(float* out, int64_t stride, const float* from, int64_t in_stride, int64_t count,
              const Strip& s) const {
    if (!by_pixel_)
      return k_.resample.across(out, stride, from, in_stride, count, &taps_, s.first / k_.lanes,
                                (s.end + k_.lanes - 1) / k_.lanes);
    for (int64_t r = 0; r < count; ++r)
      k_.resample.across_pixels(out + r * stride, from + r * in_stride, &x_, inner_, s.first / inner_,
                                s.end / inner_);
  }

  const KernelTable& k_ = kernels();
  const AxisTable& x_;
  const int64_t inner_, in_row_, out_row_;
  const int type_;
  bool identity_, by_pixel_;
  int64_t beyond_;  // elements that are read behind the end of a row
  PreparedTaps taps_{};
};

}  // namespace upsampling
