// What convolutions share that read pixels where they are, along axes without phases.
#pragma once
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

// A tap of the windows, numbered through all axes.
class WindowTap {
 public:
  WindowTap(const Geometry& s, int64_t tap)
      : s_(s),
        x_(tap % s.x.pass[0].taps),
        y_(tap / s.x.pass[0].taps % s.y.pass[0].taps),
        z_(tap / s.x.pass[0].taps / s.y.pass[0].taps),
        at_(single_tap(s, s.z.pass[0], z_, s.y.pass[0], y_, s.x.pass[0], x_)) {}
  // Of the kernel at w.
  float weight(const float* w) const {
    return at_ >= 0 ? w[at_] : folded(s_, w, s_.z.pass[0], z_, s_.y.pass[0], y_, s_.x.pass[0], x_);
  }

 private:
  const Geometry& s_;
  const int64_t x_, y_, z_, at_;
};

// Rows of outputs, numbered through all images.
class WindowRows {
 public:
  WindowRows(const ConvArgs& a, const Geometry& s, ScratchFrame* frame)
      : a_(a),
        s_(s),
        pixel_(a.groups * a.in_channels),
        out_pixel_(a.groups * a.out_channels),
        row_(s.x.in * pixel_),
        plane_(s.y.in * row_) {
    const Axis* axes[3] = {&s.z, &s.y, &s.x};
    for (int d = 0; d < 3; ++d) {
      const Pass& p = axes[d]->pass[0];
      list_[d] = frame->take<Stretch>(2 * p.taps + 2);
      count_[d] = stretches(*axes[d], p, 0, axes[d]->out, list_[d]);
    }
  }

  int64_t count() const { return a_.batch * s_.z.out * s_.y.out; }
  // f(out, in, z, y, x) of every stretch of the rows from begin to end, whose outputs find the same taps.
  template <class F>
  void each(int64_t begin, int64_t end, const F& f) const {
    each_block(begin, end, 1,
               [&](float* out, const float* in, const Stretch& z, const Stretch& y, const Stretch& x,
                   int64_t) { f(out, in, z, y, x); });
  }
  // f(out, in, z, y, x, n) of every stretch of up to `most` rows at a time, n of which find the same taps.
  template <class F>
  void each_block(int64_t begin, int64_t end, int64_t most, const F& f) const {
    for (int64_t r = begin, n; r < end; r += n) {
      const int64_t y = r % s_.y.out, z = r / s_.y.out % s_.z.out, image = r / s_.y.out / s_.z.out;
      const Stretch *sz = list_[0], *sy = list_[1];
      while (z >= sz->end) ++sz;
      while (y >= sy->end) ++sy;
      n = std::min({most, end - r, sy->end - y});
      const float* in = static_cast<const float*>(a_.in) + image * s_.z.in * plane_ +
                        z * s_.z.in_step * plane_ + y * s_.y.in_step * row_;
      float* out = static_cast<float*>(a_.out) + r * s_.x.out * out_pixel_;
      for (const Stretch* sx = list_[2]; sx < list_[2] + count_[2]; ++sx)
        f(out + sx->begin * out_pixel_, in + sx->begin * s_.x.in_step * pixel_, *sz, *sy, *sx, n);
    }
  }
  // From an output row to the next one, and what it reads.
  int64_t out_row() const { return s_.x.out * out_pixel_; }
  int64_t in_row() const { return s_.y.in_step * row_; }
  // Where a tap is, from the input of an output on.
  int64_t offset(int64_t tz, int64_t ty, int64_t tx) const {
    return s_.z.pass[0].offset[tz] * plane_ + s_.y.pass[0].offset[ty] * row_ +
           s_.x.pass[0].offset[tx] * pixel_;
  }

 private:
  const ConvArgs& a_;
  const Geometry& s_;
  const int64_t pixel_, out_pixel_, row_, plane_;  // elements
  Stretch* list_[3];
  int64_t count_[3];
};

}  // namespace conv
}  // namespace upsampling
