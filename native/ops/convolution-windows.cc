// Convolutions of pixels to few channels: products of rows of windows with rows of weights.
#include "ops/convolution-windows.h"

#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

// Cycles of a task, and bytes of a copy.
constexpr double kTask = 1 << 17;
constexpr int64_t kCopy = 1 << 16;

}  // namespace

Windows::Windows(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a), s_(s), lanes_(kernels.lanes) {
  if (a.type != F32 || !a.nhwc || a.groups != 1 || a.in_channels == 0 || 2 * a.out_channels >= lanes_ ||
      !is_plain(s.z) || !is_plain(s.y) || !is_plain(s.x))
    return;
  const Pass& x = s.x.pass[0];
  for (int64_t t = 1; t < x.taps; ++t) joined_ = joined_ && x.offset[t] == x.offset[t - 1] + 1;
  leaf_ = kernels.windows.windows[a.out_channels];
}

bool Windows::worth_running() const {
  if (!worth_packing()) return false;
  // What planes take instead: their products, turning what windows read (pixels of many channels lie far
  // apart), and weaving outputs; and to begin with.
  const auto outs = static_cast<double>(a_.out_channels), channels = static_cast<double>(a_.in_channels);
  double read = channels, taps = 1;
  for (const Axis* axis : {&s_.z, &s_.y, &s_.x}) {
    read *= static_cast<double>(std::min<int64_t>(axis->in_step, axis->pass[0].taps));
    taps *= static_cast<double>(axis->pass[0].taps);
  }
  const auto pixels = static_cast<double>(a_.batch * s_.out()),
             rows = static_cast<double>(a_.batch * s_.z.out * s_.y.out);
  const double planes = 0.75 * taps * channels * outs / static_cast<double>(lanes_) +
                        (0.9 + 0.02 * channels) * read + 2.5 * outs + 5;
  const double ours = copies()
                          ? pixels * cost_of_pixel() + rows * cost_of_copy()
                          : pixels * cost_of_pixel() + rows * static_cast<double>(edges()) * cost_of_edge();
  return ours < 0.9 * (pixels * planes + 4000);
}

int64_t Windows::packed_size() const {
  return worth_packing() ? divide_up<int64_t>(runs() * a_.out_channels * weight() + 2 * lanes_, 16) * 16 : 0;
}

// [run][column][element], with zeros up to whole vectors, and one more; the bias as a vector of pixels.
void Windows::pack(const float* weight, const float* bias, float* packed) const {
  const Strides stride(a_, s_.kernel());
  const int64_t taps = run_taps(), channels = a_.in_channels;
  float* to = packed;
  for (int64_t r = 0; r < runs(); ++r)
    for (int64_t o = 0; o < a_.out_channels; ++o, to += this->weight()) {
      for (int64_t i = 0; i < taps; ++i) {
        const WindowTap tap(s_, r * taps + i);
        for (int64_t c = 0; c < channels; ++c)
          to[i * channels + c] = tap.weight(weight + o * stride.out + c * stride.in);
      }
      std::fill(to + elements(), to + this->weight(), 0.0F);
    }
  std::fill_n(to, lanes_, 0.0F);
  to += lanes_;
  for (int64_t i = 0; i < lanes_; ++i) to[i] = bias == nullptr ? 0.0F : bias[i % a_.out_channels];
}

double Windows::cost_of_pixel() const {
  return static_cast<double>(a_.out_channels) * (1.1 * static_cast<double>(vectors()) + 3.3) + 4;
}

// Beyond that: few products wait for one another.
double Windows::cost_of_edge() const {
  return static_cast<double>(std::max<int64_t>(4 - a_.out_channels, 0) * vectors() + 90);
}

double Windows::cost_of_copy() const {
  return static_cast<double>(s_.y.in_step) *
         (4 * static_cast<double>(pitch()) / static_cast<double>(lanes_) + 10);
}

int64_t Windows::edges() const {
  const Pass& p = s_.x.pass[0];
  if (p.taps == 0) return 0;
  int64_t begin = 0, end = s_.x.out;
  keep_inside(s_.x, p.offset[0], &begin, &end);
  keep_inside(s_.x, p.offset[p.taps - 1], &begin, &end);
  return s_.x.out - std::max<int64_t>(0, end - begin);
}

// Planes, of which a copy holds some rows.
bool Windows::copies() const {
  return is_flat(s_.z) && pitch() * span(s_.y, 2) * static_cast<int64_t>(sizeof(float)) <= kCopy &&
         cost_of_copy() < static_cast<double>(edges()) * cost_of_edge();
}

void Windows::run(const float* packed, const Context& context) const {
  ScratchFrame frame;
  const WindowRows rows(a_, s_, &frame);
  const double work = static_cast<double>(s_.x.out) * cost_of_pixel();
  const bool copied = copies();
  parallel_for(context, rows.count(), std::max<int64_t>(1, static_cast<int64_t>(kTask / work)),
               [&](int64_t begin, int64_t end) {
                 if (copied)
                   run_copied(begin, end, packed);
                 else
                   run_in_place(rows, begin, end, packed);
               });
}

void Windows::copy_rows(const float* image, int64_t first, int64_t rows, float* to) const {
  const int64_t channels = a_.in_channels, width = pitch() / channels, start = low(s_.x.pass[0]);
  const int64_t lead = std::min(width, std::max<int64_t>(0, -start)),
                stop = std::max(lead, std::min(width, s_.x.in - start));
  for (int64_t r = 0; r < rows; ++r, to += width * channels) {
    const int64_t y = first + r;
    const bool inside = y >= 0 && y < s_.y.in && stop > lead;
    std::fill_n(to, (inside ? lead : width) * channels, 0.0F);
    if (!inside) continue;
    std::copy_n(image + (y * s_.x.in + start + lead) * channels, (stop - lead) * channels,
                to + lead * channels);
    std::fill(to + stop * channels, to + width * channels, 0.0F);
  }
}

void Windows::run_copied(int64_t begin, int64_t end, const float* packed) const {
  const int64_t channels = a_.in_channels, outs = a_.out_channels, row = pitch(), step = s_.y.in_step;
  const Pass &py = s_.y.pass[0], &px = s_.x.pass[0];
  const int64_t room = kCopy / static_cast<int64_t>(sizeof(float)) / row,
                most = 1 + (room - span(s_.y, 1)) / step;
  ScratchFrame frame;
  float* copy = frame.take<float>(span(s_.y, std::min(most, s_.y.out)) * row);
  auto* offset = frame.take<int64_t>(runs());
  auto* order = frame.take<int64_t>(runs());
  for (int64_t r = 0; r < runs(); ++r) {
    const int64_t ty = joined_ ? r : r / px.taps, tx = joined_ ? 0 : r % px.taps;
    offset[r] = (py.offset[ty] - low(py)) * row + (px.offset[tx] - low(px)) * channels;
    order[r] = r * outs * weight();
  }
  const ConvWindows d = {s_.x.out, s_.x.in_step * channels, runs(), elements(), offset, order, weight()};
  for (int64_t r = begin; r < end;) {
    const int64_t n = r / s_.y.out, y = r % s_.y.out, count = std::min({most, end - r, s_.y.out - y});
    copy_rows(static_cast<const float*>(a_.in) + n * s_.in() * channels, y * step + low(py),
              span(s_.y, count), copy);
    for (int64_t i = 0; i < count; ++i, ++r)
      leaf_(static_cast<float*>(a_.out) + r * s_.x.out * outs, copy + i * step * row, &d, packed,
            bias_of(packed));
  }
}

void Windows::run_in_place(const WindowRows& rows, int64_t begin, int64_t end, const float* packed) const {
  const int64_t channels = a_.in_channels, column = a_.out_channels * weight();
  const Pass &py = s_.y.pass[0], &px = s_.x.pass[0];
  ScratchFrame frame;
  auto* offset = frame.take<int64_t>(runs() + 1);
  auto* order = frame.take<int64_t>(runs() + 1);
  rows.each(begin, end,
            [&](float* out, const float* in, const Stretch& z, const Stretch& y, const Stretch& x) {
              const int64_t along = joined_ ? std::min<int64_t>(x.taps, 1) : x.taps;
              int64_t k = 0;
              for (int64_t tz = z.first; tz < z.first + z.taps; ++tz)
                for (int64_t ty = y.first; ty < y.first + y.taps; ++ty)
                  for (int64_t tx = x.first; tx < x.first + along; ++tx) {
                    offset[k] = rows.offset(tz, ty, tx);
                    const int64_t at = tz * py.taps + ty;
                    order[k++] = joined_ ? at * column + tx * channels : (at * px.taps + tx) * column;
                  }
              const ConvWindows d = {x.end - x.begin,
                                     s_.x.in_step * channels,
                                     k,
                                     joined_ ? x.taps * channels : channels,
                                     offset,
                                     order,
                                     weight()};
              leaf_(out, in, &d, packed, bias_of(packed));
            });
}

}  // namespace upsampling
