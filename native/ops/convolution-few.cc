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

// --- transposed

Reaching::Reaching(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, double work,
                   ScratchFrame* frame)
    : a_(a), s_(s), leaves_(kernels.conv), pixels_(a.batch * s.in()), faster_(false) {
  const int64_t kernel = s.kernel(), row = a.out_channels * kernel;
  if (a.type != F32 || !a.transposed || row < leaves_.lanes) return;
  const Axis* axes[3] = {&s.z, &s.y, &s.x};
  for (int i = 0; i < 3; ++i) {
    reach_[i] = frame->take<Reach>(axes[i]->kernel);
    if (!read_axis(*axes[i], reach_[i])) return;
  }
  // In cycles: packing a weight, and for every input and weight their product and adding it up.
  const auto p = static_cast<double>(pixels_), n = static_cast<double>(row),
             c = static_cast<double>(a.in_channels);
  faster_ = p * n * (c / 28 + 4) + 0.3 * c * n < work / 28 + 1.5 * c * n;
}

bool Reaching::read_axis(const Axis& axis, Reach* reach) const {
  if (axis.in_step != 1) return false;
  for (int64_t k = 0; k < axis.kernel; ++k) reach[k] = {0, 0, 0};
  for (int64_t j = 0; j < axis.count; ++j) {
    const Pass& p = axis.pass[j];
    for (int64_t f = 0; f < p.phases; ++f)
      for (int64_t t = 0; t < p.taps; ++t) {
        const int64_t e = p.first[f * p.taps + t];
        if (p.first[f * p.taps + t + 1] != e + 1 || p.coefficient[e] != 1) return false;
        Reach& r = reach[p.kernel[e]];
        if (r.end > r.begin) return false;
        r = {p.phase[f] - p.offset[t] * axis.out_step, p.begin * axis.out_step + p.phase[f],
             std::min(axis.out, (p.end - 1) * axis.out_step + p.phase[f] + 1)};
      }
  }
  return true;
}

// Products of input p with weights of some channels, y[channel][kernel], to the outputs.
void Reaching::add(int64_t p, int64_t first, int64_t channels, const float* y) const {
  const int64_t n = p / s_.in(), z = p / (s_.y.in * s_.x.in) % s_.z.in, iy = p / s_.x.in % s_.y.in,
                x = p % s_.x.in;
  const int64_t outs = a_.groups * a_.out_channels, kernel = s_.kernel();
  const int64_t pixel = a_.nhwc ? outs : 1, channel = a_.nhwc ? 1 : s_.out();
  auto* out = static_cast<float*>(a_.out) + n * outs * s_.out() + first * channel;
  for (int64_t kz = 0; kz < s_.z.kernel; ++kz) {
    const Reach& rz = reach_[0][kz];
    const int64_t oz = z * s_.z.out_step + rz.to;
    if (oz < rz.begin || oz >= rz.end) continue;
    for (int64_t ky = 0; ky < s_.y.kernel; ++ky) {
      const Reach& ry = reach_[1][ky];
      const int64_t oy = iy * s_.y.out_step + ry.to;
      if (oy < ry.begin || oy >= ry.end) continue;
      for (int64_t kx = 0; kx < s_.x.kernel; ++kx) {
        const Reach& rx = reach_[2][kx];
        const int64_t ox = x * s_.x.out_step + rx.to;
        if (ox < rx.begin || ox >= rx.end) continue;
        float* o = out + ((oz * s_.y.out + oy) * s_.x.out + ox) * pixel;
        const float* from = y + (kz * s_.y.kernel + ky) * s_.x.kernel + kx;
        for (int64_t c = 0; c < channels; ++c) o[c * channel] += from[c * kernel];
      }
    }
  }
}

void Reaching::run(const float* weight, const float* bias, const Context& context) const {
  const int64_t kernel = s_.kernel(), row = a_.out_channels * kernel, outs = a_.groups * a_.out_channels;
  const int64_t plane = s_.out(), channels = a_.groups * a_.in_channels;
  // Parts of the output channels, each of at least a vector of columns; and of the images.
  const int64_t least = divide_up<int64_t>(std::max<int64_t>(leaves_.lanes, 128), kernel);
  const int64_t parts =
      std::max<int64_t>(1, std::min(a_.out_channels / least, divide_up(a_.in_channels * row, kTask)));
  const int64_t columns = divide_up(a_.out_channels, parts) * kernel;
  // Inputs at a time, so that their products stay in the second-level cache.
  const int64_t image = s_.in();
  const int64_t images = std::min(a_.batch, std::max<int64_t>(1, (1 << 16) / (columns * image)));
  const int64_t some = std::min(images * image, std::max<int64_t>(4, (1 << 16) / columns));
  const int64_t blocks = divide_up(a_.batch, images);
  parallel_for(context, a_.groups * parts * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    float* y = frame.take<float>(some * columns);
    float* panel = frame.take<float>(a_.in_channels * columns);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t block = task % blocks, part = task / blocks % parts, g = task / blocks / parts;
      const int64_t r0 = part * a_.out_channels / parts, r1 = (part + 1) * a_.out_channels / parts;
      const int64_t n0 = block * images, n1 = std::min(a_.batch, n0 + images),
                    first = g * a_.out_channels + r0;
      auto* out = static_cast<float*>(a_.out);
      for (int64_t n = n0; n < n1; ++n) {
        if (a_.nhwc) {
          for (int64_t i = 0; i < plane; ++i)
            for (int64_t r = 0; r < r1 - r0; ++r)
              out[(n * plane + i) * outs + first + r] = bias == nullptr ? 0.0f : bias[first + r];
        } else {
          for (int64_t r = 0; r < r1 - r0; ++r)
            std::fill_n(out + (n * outs + first + r) * plane, plane,
                        bias == nullptr ? 0.0f : bias[first + r]);
        }
      }
      const float* w = weight + g * a_.in_channels * row + r0 * kernel;
      ConvColumns d = {0,   a_.nhwc ? channels : 1, a_.in_channels, a_.nhwc ? 1 : image, (r1 - r0) * kernel,
                       row, (r1 - r0) * kernel};
      // Rows next to one another, where they are read again.
      if ((n1 - n0) * image > 8) {
        for (int64_t c = 0; c < a_.in_channels; ++c)
          std::copy_n(w + c * row, d.columns, panel + c * d.columns);
        w = panel;
        d.row = d.columns;
      }
      for (int64_t p0 = n0 * image; p0 < n1 * image; p0 += d.pixels) {
        // Of one image, or of images of one pixel, whose channels follow one another.
        const int64_t n = p0 / image, left = image == 1 ? n1 - n : (n + 1) * image - p0;
        d.pixels = std::min(some, left);
        if (image == 1) {
          d.pixel = channels;
          d.channel = 1;
        }
        const int64_t at = a_.nhwc || image == 1 ? p0 * channels + g * a_.in_channels
                                                 : (n * channels + g * a_.in_channels) * image + p0 % image;
        leaves_.columns(y, w, static_cast<const float*>(a_.in) + at, &d);
        for (int64_t p = 0; p < d.pixels; ++p) add(p0 + p, first, r1 - r0, y + p * d.out_row);
      }
    }
  });
}

}  // namespace upsampling
