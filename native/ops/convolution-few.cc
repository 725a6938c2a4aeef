// Few positions: weights are read where they are.
//
// A convolution is the product of rows of weights and rows of inputs, where the weights of an output channel
// follow one another: so are the inputs of a position copied. Packing the weights would take longer than the
// products of few positions.
#include "ops/convolution-few.h"

#include <atomic>

#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

constexpr int64_t kElements = 1024;  // at a time, so that rows stay in the first-level cache
constexpr int64_t kTask = 1 << 16;   // weights of a task

// Whether weights are in the order of the taps, each alone.
bool plain(const Axis& axis) {
  const Pass& p = axis.pass[0];
  if (axis.count != 1 || axis.out_step != 1 || p.phases != 1 || p.begin != 0 || p.end != axis.out ||
      p.taps != axis.kernel || p.first[p.taps] != p.taps)
    return false;
  for (int64_t t = 0; t < p.taps; ++t)
    if (p.first[t] != t || p.kernel[t] != t || p.coefficient[t] != 1) return false;
  return true;
}

// Taps begin … end of the window at a position that are inside the input.
void inside(const Axis& axis, int64_t position, int64_t* begin, int64_t* end) {
  const Pass& p = axis.pass[0];
  *begin = 0;
  *end = p.taps;
  while (*begin < *end && position * axis.in_step + p.offset[*begin] < 0) ++*begin;
  while (*end > *begin && position * axis.in_step + p.offset[*end - 1] >= axis.in) --*end;
}

}  // namespace

Few::Few(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a), s_(s), leaves_(kernels.conv), elements_(a.in_channels * s.kernel()), pixels_(a.batch * s.out()) {
  faster_ = false;
  if (a.type != F32 || a.transposed || elements_ < leaves_.lanes) return;
  for (const Axis* axis : {&s.z, &s.y, &s.x})
    if (!plain(*axis)) return;
  in_place_ = s.kernel() == 1 && (a.nhwc || s.in() == 1);
  for (const Axis* axis : {&s.z, &s.y, &s.x})
    in_place_ = in_place_ && axis->in_step == 1 && axis->in == axis->out && axis->pass[0].offset[0] == 0;
  // In cycles, beyond those of the products: adding up the lanes, copying an input, what the products take
  // longer than those of tiles; and packing a weight.
  const auto columns = static_cast<double>(a.out_channels), k = static_cast<double>(elements_);
  faster_ = static_cast<double>(pixels_) * (4 * columns + (in_place_ ? 0 : 1.5 * k) + 0.01 * columns * k) <
            0.9 * columns * k;
}

void Few::copy(int64_t p, float* to) const {
  const int64_t channels = a_.groups * a_.in_channels, taps = s_.kernel(), plane = s_.in();
  const int64_t n = p / s_.out(), z = p / (s_.y.out * s_.x.out) % s_.z.out, y = p / s_.x.out % s_.y.out,
                x = p % s_.x.out;
  int64_t begin[3], end[3];
  inside(s_.z, z, begin, end);
  inside(s_.y, y, begin + 1, end + 1);
  inside(s_.x, x, begin + 2, end + 2);
  bool whole = true;
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  for (int i = 0; i < 3; ++i) whole = whole && begin[i] == 0 && end[i] == axes[i]->kernel;
  if (!whole) std::fill_n(to, a_.groups * elements_, 0.0f);
  const int64_t channel = a_.nhwc ? 1 : plane, pixel = a_.nhwc ? channels : 1;
  const auto* in = static_cast<const float*>(a_.in) + n * channels * plane;
  for (int64_t tz = begin[0]; tz < end[0]; ++tz)
    for (int64_t ty = begin[1]; ty < end[1]; ++ty) {
      const int64_t iz = z * s_.z.in_step + s_.z.pass[0].offset[tz],
                    iy = y * s_.y.in_step + s_.y.pass[0].offset[ty];
      const int64_t tap = (tz * s_.y.kernel + ty) * s_.x.kernel;
      for (int64_t tx = begin[2]; tx < end[2]; ++tx) {
        const int64_t ix = x * s_.x.in_step + s_.x.pass[0].offset[tx];
        const float* from = in + ((iz * s_.y.in + iy) * s_.x.in + ix) * pixel;
        float* o = to + tap + tx;
        for (int64_t c = 0; c < channels; ++c) o[c * taps] = from[c * channel];
      }
    }
}

bool Few::run(const float* weight, const float* bias, const Context& context) const {
  const int64_t outs = a_.groups * a_.out_channels, plane = s_.out();
  ScratchFrame frame;
  int64_t* place = frame.take<int64_t>(pixels_);
  for (int64_t p = 0; p < pixels_; ++p) place[p] = a_.nhwc ? p * outs : p / plane * outs * plane + p % plane;
  const int64_t pixel = a_.groups * elements_;
  const auto* x = static_cast<const float*>(a_.in);
  if (!in_place_) {
    float* space = frame.take<float>(pixels_ * pixel);
    parallel_for(context, pixels_, std::max<int64_t>(1, 20000 / pixel), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) copy(p, space + p * pixel);
    });
    x = space;
  }
  auto* out = static_cast<float*>(a_.out);
  const int64_t out_row = a_.nhwc ? 1 : plane;
  const int64_t parts = divide_up(a_.out_channels * elements_, kTask),
                most = divide_up(a_.out_channels, parts);
  std::atomic<bool> good{true};
  parallel_for(context, a_.groups * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task / parts, r0 = task % parts * most, rows = std::min(a_.out_channels - r0, most);
      if (rows <= 0) continue;
      const int64_t first = g * a_.out_channels + r0;
      ConvDots d = {rows, elements_, pixels_, pixel, 0, 0, out_row, place};
      for (; d.begin < elements_; d.begin = d.end) {
        d.end = pixels_ > 4 ? std::min(elements_, d.begin + kElements) : elements_;
        leaves_.dots(out + first * out_row, weight + first * elements_, x + g * elements_, &d,
                     bias == nullptr ? nullptr : bias + first);
      }
      bool fine = true;
      for (int64_t p = 0; p < pixels_; ++p)
        for (int64_t r = 0; r < rows; ++r) {
          const float v = out[(first + r) * out_row + place[p]];
          fine &= v - v == 0;
        }
      if (!fine) good.store(false, std::memory_order_relaxed);
    }
  });
  return good.load();
}

}  // namespace upsampling
