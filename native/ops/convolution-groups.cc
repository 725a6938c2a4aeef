// Convolutions of small groups, channels last: vectors of channels, whatever groups these are of.
#include "ops/convolution-groups.h"

#include "ops/convolution-pixels.h"
#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

// Products of a task.
constexpr int64_t kTask = 1 << 20;
// Taps of the windows of groups of one channel, by steps.
constexpr int64_t kMany = 16;
// Rows of outputs that are computed together at their edges.
constexpr int64_t kRows = 8;

}  // namespace

SmallGroups::SmallGroups(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a), s_(s), lanes_(kernels.lanes) {
  const int64_t size = a.in_channels, outs = a.out_channels;
  if (a.type != F32 || !a.nhwc || a.groups == 1 || size == 0 || outs == 0 || !is_plain(s.z) ||
      !is_plain(s.y) || !is_plain(s.x))
    return;
  // Groups that a vector of outputs is of at most, wherever it begins.
  const int64_t most = lanes_ % outs == 0 ? lanes_ / outs : outs % lanes_ == 0 ? 1 : (lanes_ - 2) / outs + 2;
  const bool follow = a.groups * outs >= lanes_ && most * size <= lanes_;
  if (!follow) whole_ = std::min(lanes_ / outs, lanes_ / size);
  if (!follow && whole_ == 0) return;
  for (int i = 0; i < ConvLeaves<float>::kSmallGroups && follow && size == outs; ++i)
    if (size == int64_t{2} << i) leaf_ = kernels.conv.groups_last[i];
  // Of many taps that overlap, inputs are rather repeated once (for_engine in convolution-forms.h): 24
  // channels of 28x40 that become 8 each take .18 ms of 5x5 rather than .25. Outputs of a group that fill
  // short vectors are left to the engine there, which has more sums at a time: 24->16 each .54 ms rather than
  // .73 on AVX2, but .33 rather than .24 on AVX-512.
  const int64_t steps = s.z.in_step * s.y.in_step * s.x.in_step;
  const bool many = s.kernel() >= kMany * steps && (2 * outs <= lanes_ || (outs >= lanes_ && lanes_ < 16));
  // So are those of fewer outputs than two vectors at step 1, whose copies fill vectors with pixels: 2->6 3x3
  // of 71x197 takes .063 ms rather than .110.
  const bool strips = steps == 1 && s.kernel() > 1 && 2 * outs <= lanes_ && a.groups * outs < 2 * lanes_;
  if (leaf_ == nullptr &&
      (size == 1 ? outs > 1 && !many && !strips : 2 * outs < lanes_ || (2 * outs == lanes_ && follow)))
    leaf_ = kernels.conv.groups_any;
}

int64_t SmallGroups::packed_size() const {
  return worth_running() ? vectors() * (each() + divide_up<int64_t>(lanes_, 16) * 16) : 0;
}

int64_t SmallGroups::vectors() const {
  return whole_ > 0 ? divide_up(a_.groups, whole_) : divide_up(a_.groups * a_.out_channels, lanes_);
}

ConvGroups::Vector SmallGroups::vector(int64_t v) const {
  const int64_t size = a_.in_channels, outs = a_.out_channels, all = a_.groups * size;
  ConvGroups::Vector to = {};
  if (whole_ > 0) {
    const int64_t first = v * whole_, n = std::min(whole_, a_.groups - first);
    to.out = first * outs;
    to.in = first * size;
    to.outputs = n * outs;
    to.inputs = n * size;
  } else {
    // The last vector ends with the outputs, and inputs with theirs.
    to.out = std::min(v * lanes_, a_.groups * outs - lanes_);
    to.in = std::min(to.out / outs * size, std::max<int64_t>(0, all - lanes_));
    to.outputs = lanes_;
    to.inputs = std::min(lanes_, all - to.in);
  }
  for (int64_t l = 0; l < to.outputs; ++l)
    to.at[l] = static_cast<int32_t>((to.out + l) / outs * size - to.in);
  to.alike = to.at[0] == to.at[to.outputs - 1];
  if (to.alike) to.in += to.at[0];
  return to;
}

// [vector][tap][channel of the group][lane], then [vector][lane] of the bias.
void SmallGroups::pack(const float* weight, const float* bias, float* packed) const {
  const Strides stride(a_, s_.kernel());
  const int64_t size = a_.in_channels, outs = a_.out_channels;
  float *to = packed, *start = packed + vectors() * each();
  for (int64_t v = 0; v < vectors(); ++v, start += lanes_) {
    const ConvGroups::Vector some = vector(v);
    for (int64_t t = 0; t < taps(); ++t) {
      const WindowTap tap(s_, t);
      for (int64_t c = 0; c < size; ++c, to += lanes_)
        for (int64_t l = 0; l < lanes_; ++l) {
          const int64_t o = some.out + l;
          to[l] = l < some.outputs
                      ? tap.weight(weight + o / outs * stride.group + o % outs * stride.out + c * stride.in)
                      : 0;
        }
    }
    for (int64_t l = 0; l < lanes_; ++l)
      start[l] = bias != nullptr && l < some.outputs ? bias[some.out + l] : 0;
  }
}

void SmallGroups::run(const float* packed, const Context& context) const {
  const Pass &py = s_.y.pass[0], &px = s_.x.pass[0];
  const int64_t weight = a_.in_channels * lanes_;
  ScratchFrame frame;
  const WindowRows rows(a_, s_, &frame);
  const float* bias = packed + vectors() * each();
  const int64_t work = s_.x.out * vectors() * each(), channels = a_.groups * a_.out_channels,
                in_pixel = a_.groups * a_.in_channels;
  auto* list = frame.take<ConvGroups::Vector>(vectors());
  for (int64_t v = 0; v < vectors(); ++v) list[v] = vector(v);
  const ConvGroups groups = {a_.in_channels, vectors(), each(), list};
  parallel_for(context, rows.count(), std::max<int64_t>(1, kTask / std::max<int64_t>(1, work)),
               [&](int64_t begin, int64_t end) {
                 ScratchFrame inner;
                 auto* offset = inner.take<int64_t>(taps() + 1);
                 auto* order = inner.take<int64_t>(taps() + 1);
                 rows.each_block(begin, end, kRows,
                                 [&](float* out, const float* in, const Stretch& z, const Stretch& y,
                                     const Stretch& x, int64_t n) {
                                   int64_t k = 0;
                                   for (int64_t tz = z.first; tz < z.first + z.taps; ++tz)
                                     for (int64_t ty = y.first; ty < y.first + y.taps; ++ty)
                                       for (int64_t tx = x.first; tx < x.first + x.taps; ++tx) {
                                         offset[k] = rows.offset(tz, ty, tx);
                                         order[k++] = ((tz * py.taps + ty) * px.taps + tx) * weight;
                                       }
                                   ConvDeepLast d = {n,
                                                     x.end - x.begin,
                                                     channels,
                                                     rows.in_row(),
                                                     s_.x.in_step * in_pixel,
                                                     rows.out_row(),
                                                     channels,
                                                     k,
                                                     offset,
                                                     order};
                                   // The longest innermost where rows are short: sums of few pixels wait for
                                   // one another.
                                   if (d.pixels < 4 && d.pixels < n) turn_rows(&d);
                                   leaf_(out, in, &d, &groups, packed, bias);
                                 });
               });
}

}  // namespace upsampling
