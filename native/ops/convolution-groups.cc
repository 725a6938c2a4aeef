// Convolutions of small groups, channels last: vectors of channels, whatever groups these are of.
#include "ops/convolution-groups.h"

#include "ops/convolution-pixels.h"
#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

// Products of a task.
constexpr int64_t kTask = 1 << 20;

}  // namespace

SmallGroups::SmallGroups(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a), s_(s), lanes_(kernels.lanes), channels_(a.groups * a.in_channels) {
  const int64_t size = a.in_channels;
  if (a.type != F32 || !a.nhwc || size != a.out_channels || channels_ < lanes_ || !is_plain(s.z) ||
      !is_plain(s.y) || !is_plain(s.x))
    return;
  for (int i = 0; i < ConvLeaves<float>::kSmallGroups; ++i)
    if (size == int64_t{2} << i) leaf_ = kernels.conv.groups_last[i];
}

int64_t SmallGroups::packed_size() const {
  return worth_running() ? vectors() * each() + divide_up<int64_t>(channels_, 16) * 16 : 0;
}

// [vector][tap][channel of the group][lane]; the last vector ends with the channels.
void SmallGroups::pack(const float* weight, const float* bias, float* packed) const {
  const Strides stride(a_, s_.kernel());
  const int64_t size = a_.in_channels;
  float* to = packed;
  for (int64_t v = 0; v < vectors(); ++v) {
    const int64_t first = std::min(v * lanes_, channels_ - lanes_);
    for (int64_t t = 0; t < taps(); ++t) {
      const WindowTap tap(s_, t);
      for (int64_t c = 0; c < size; ++c)
        for (int64_t o = first; o < first + lanes_; ++o)
          *to++ = tap.weight(weight + o / size * stride.group + o % size * stride.out + c * stride.in);
    }
  }
  if (bias != nullptr)
    std::copy_n(bias, channels_, to);
  else
    std::fill_n(to, channels_, 0.0F);
}

void SmallGroups::run(const float* packed, const Context& context) const {
  const Pass &py = s_.y.pass[0], &px = s_.x.pass[0];
  const int64_t weight = a_.in_channels * lanes_;
  ScratchFrame frame;
  const WindowRows rows(a_, s_, &frame);
  const float* bias = packed + vectors() * each();
  const int64_t work = s_.x.out * channels_ * a_.in_channels * taps();
  parallel_for(
      context, rows.count(), std::max<int64_t>(1, kTask / std::max<int64_t>(1, work)),
      [&](int64_t begin, int64_t end) {
        ScratchFrame inner;
        auto* offset = inner.take<int64_t>(taps() + 1);
        auto* order = inner.take<int64_t>(taps() + 1);
        rows.each(begin, end,
                  [&](float* out, const float* in, const Stretch& z, const Stretch& y, const Stretch& x) {
                    int64_t k = 0;
                    for (int64_t tz = z.first; tz < z.first + z.taps; ++tz)
                      for (int64_t ty = y.first; ty < y.first + y.taps; ++ty)
                        for (int64_t tx = x.first; tx < x.first + x.taps; ++tx) {
                          offset[k] = rows.offset(tz, ty, tx);
                          order[k++] = ((tz * py.taps + ty) * px.taps + tx) * weight;
                        }
                    const ConvDeepLast d = {1, x.end - x.begin, channels_, 0,      s_.x.in_step * channels_,
                                            0, channels_,       k,         offset, order};
                    leaf_(out, in, &d, packed, each(), bias);
                  });
      });
}

}  // namespace upsampling
