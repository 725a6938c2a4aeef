// Convolutions of small groups, channels last: vectors of channels, whatever groups these are of.
#include "ops/convolution-groups.h"

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
  const Pass &pz = s_.z.pass[0], &py = s_.y.pass[0], &px = s_.x.pass[0];
  const Strides stride(a_, s_.kernel());
  const int64_t size = a_.in_channels;
  float* to = packed;
  for (int64_t v = 0; v < vectors(); ++v) {
    const int64_t first = std::min(v * lanes_, channels_ - lanes_);
    for (int64_t t = 0; t < taps(); ++t) {
      const int64_t tz = t / px.taps / py.taps, ty = t / px.taps % py.taps, tx = t % px.taps;
      const int64_t at = single_tap(s_, pz, tz, py, ty, px, tx);
      for (int64_t c = 0; c < size; ++c)
        for (int64_t o = first; o < first + lanes_; ++o) {
          const float* w = weight + o / size * stride.group + o % size * stride.out + c * stride.in;
          *to++ = at >= 0 ? w[at] : folded(s_, w, pz, tz, py, ty, px, tx);
        }
    }
  }
  if (bias != nullptr)
    std::copy_n(bias, channels_, to);
  else
    std::fill_n(to, channels_, 0.0F);
}

void SmallGroups::run(const float* packed, const Context& context) const {
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  const int64_t weight = a_.in_channels * lanes_, row = s_.x.in * channels_, plane = s_.y.in * row;
  ScratchFrame frame;
  Stretch* list[3];
  int64_t count[3];
  for (int d = 0; d < 3; ++d) {
    const Pass& p = axes[d]->pass[0];
    list[d] = frame.take<Stretch>(2 * p.taps + 2);
    count[d] = stretches(*axes[d], p, 0, axes[d]->out, list[d]);
  }
  const float* bias = packed + vectors() * each();
  const int64_t rows = a_.batch * s_.z.out * s_.y.out;
  const int64_t work = s_.x.out * channels_ * a_.in_channels * taps();
  parallel_for(
      context, rows, std::max<int64_t>(1, kTask / std::max<int64_t>(1, work)),
      [&](int64_t begin, int64_t end) {
        const Pass &pz = s_.z.pass[0], &py = s_.y.pass[0], &px = s_.x.pass[0];
        ScratchFrame inner;
        auto* offset = inner.take<int64_t>(taps() + 1);
        auto* order = inner.take<int64_t>(taps() + 1);
        for (int64_t r = begin; r < end; ++r) {
          const int64_t y = r % s_.y.out, z = r / s_.y.out % s_.z.out, n = r / s_.y.out / s_.z.out;
          const Stretch *sz = list[0], *sy = list[1];
          while (z >= sz->end) ++sz;
          while (y >= sy->end) ++sy;
          const float* in = static_cast<const float*>(a_.in) + n * s_.z.in * plane +
                            z * s_.z.in_step * plane + y * s_.y.in_step * row;
          float* out = static_cast<float*>(a_.out) + r * s_.x.out * channels_;
          for (int64_t i = 0; i < count[2]; ++i) {
            const Stretch& sx = list[2][i];
            int64_t k = 0;
            for (int64_t tz = sz->first; tz < sz->first + sz->taps; ++tz)
              for (int64_t ty = sy->first; ty < sy->first + sy->taps; ++ty)
                for (int64_t tx = sx.first; tx < sx.first + sx.taps; ++tx) {
                  offset[k] = pz.offset[tz] * plane + py.offset[ty] * row + px.offset[tx] * channels_;
                  order[k++] = ((tz * py.taps + ty) * px.taps + tx) * weight;
                }
            const ConvDeepLast d = {1, sx.end - sx.begin, channels_, 0,      s_.x.in_step * channels_,
                                    0, channels_,         k,         offset, order};
            leaf_(out + sx.begin * channels_, in + sx.begin * s_.x.in_step * channels_, &d, packed, each(),
                  bias);
          }
        }
      });
}

}  // namespace upsampling
