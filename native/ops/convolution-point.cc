// 1x1 convolutions to few channels: sums of planes, or over the channels of pixels.
#include "ops/convolution-point.h"

#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

// Products of a task: whole planes are read faster, but are too long for a part of few.
constexpr int64_t kTask = 1 << 17, kShared = 1 << 15;

}  // namespace

Point::Point(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a),
      kernels_(kernels.point),
      lanes_(kernels.lanes),
      pixels_(a.nhwc ? a.batch * s.in() : s.in()),
      kept_(false) {
  if (a.type != F32 || !goes_over(s.z) || !goes_over(s.y) || !goes_over(s.x) ||
      single_tap(s, s.z.pass[0], 0, s.y.pass[0], 0, s.x.pass[0], 0) < 0)
    return;
  // Adding up lanes takes as long as the products of three vectors, turning inputs as those of eight, and
  // those of many columns fill vectors.
  kept_ = a.nhwc ? a.in_channels >= lanes_ && a.in_channels >= 8 * a.out_channels &&
                       2 * a.out_channels < lanes_ && (!a.transposed || a.out_channels == 1)
                 : a.out_channels == 1;
}

void Point::run(const float* weight, const float* bias, const Context& context) const {
  const int64_t channels = a_.in_channels, outs = a_.out_channels, groups = a_.groups;
  const int64_t planes = a_.nhwc ? groups : a_.batch * groups;
  const int64_t work = pixels_ * channels * outs, most = context.threads > 1 ? kShared : kTask;
  const int64_t blocks = std::max<int64_t>(1, std::min(work / most, pixels_ / (4 * lanes_)));
  const float none[ConvPoint::kMost] = {};
  parallel_for(
      context, planes * blocks, std::max<int64_t>(1, most / std::max<int64_t>(1, work)),
      [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t plane = task / blocks, g = plane % groups;
          const int64_t first = task % blocks * pixels_ / blocks,
                        last = (task % blocks + 1) * pixels_ / blocks;
          const float *w = weight + g * outs * channels, *b = bias == nullptr ? none : bias + g * outs;
          const auto* in = static_cast<const float*>(a_.in);
          auto* out = static_cast<float*>(a_.out);
          if (a_.nhwc) {
            const ConvPoint d = {last - first, channels, outs, groups * channels, groups * outs};
            kernels_.pixels(out + first * d.out_pixel + g * outs, in + first * d.step + g * channels, &d, w,
                            b);
          } else {
            const ConvPoint d = {last - first, channels, outs, pixels_, 1};
            kernels_.planes(out + plane * pixels_ + first, in + plane * channels * pixels_ + first, &d, w, b);
          }
        }
      });
}

}  // namespace upsampling
