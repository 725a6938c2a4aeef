// Transposed convolutions to few channels: a product of matrices, then sums of shifted rows.
#include "ops/convolution-overlap.h"

#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

constexpr int64_t kSums = 128 * 1024;  // products of a box: they stay in the second-level cache
constexpr int64_t kPanels = 8 * 1024;  // inputs that are copied at a time

}  // namespace

Overlap::Overlap(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, ScratchFrame* frame)
    : a_(a), s_(s), leaves_(kernels.conv), weave_(kernels.interleave), columns_(0) {
  const int64_t kernel = s.kernel(), step = s.x.out_step;
  few_ = 2 * a.out_channels < leaves_.lanes && a.in_channels >= leaves_.lanes;
  meets_ = kernel > s.y.out_step * step;
  if (a.type != F32 || !a.transposed || !is_flat(s.z) || s.z.kernel != 1 || step > ConvMeet::kMost ||
      (!few_ && (a.nhwc || !meets_)))
    return;
  y_ = frame->take<Tap>(s.y.kernel);
  x_ = frame->take<Tap>(s.x.kernel);
  if (!read_axis(s.y, y_, low_, high_) || !read_axis(s.x, x_, low_ + 1, high_ + 1)) return;
  columns_ = a.out_channels * kernel;
  choose_box();
}

// A second form is worth it where it saves a tenth.
bool Overlap::worth_running(double other) const {
  return meets_ && (!a_.nhwc || a_.groups == 1) && s_.in() >= leaves_.lanes && 1.1 * cost() < other;
}

// Whole rows, unless a few of them are too many products.
void Overlap::choose_box() {
  const int64_t x_all = divide_up(s_.x.out, s_.x.out_step), y_all = divide_up(s_.y.out, s_.y.out_step);
  const int64_t y_more = high_[0] - low_[0], x_more = high_[1] - low_[1];
  const int64_t pixels = kSums / columns_;
  x_box_ = x_all;
  for (int64_t n = 2; x_box_ > 8 * leaves_.lanes && (x_box_ + x_more) * 4 * (y_more + 1) > pixels; ++n)
    x_box_ = divide_up(x_all, n);
  y_box_ = std::max<int64_t>(1, pixels / (x_box_ + x_more) - y_more);
  y_box_ = divide_up(y_all, divide_up(y_all, y_box_));
}

// About in cycles: a product of two vectors is one, copying those takes four, laying down products and adding
// them up six for each.
double Overlap::cost() const {
  const auto all = [](const Axis& axis, int64_t more, int64_t box) {
    return axis.in + more * (divide_up(divide_up(axis.out, axis.out_step), box) - 1);
  };
  const int64_t rows = all(s_.y, high_[0] - low_[0], y_box_), row = all(s_.x, high_[1] - low_[1], x_box_);
  const auto columns = static_cast<double>(columns_), channels = static_cast<double>(a_.in_channels);
  const auto pairs = static_cast<double>(divide_up<int64_t>(rows * row, 2 * leaves_.lanes)),
             added = static_cast<double>(s_.y.in * divide_up<int64_t>(s_.x.in, leaves_.lanes));
  return static_cast<double>(a_.batch * a_.groups) *
         (pairs * (columns * (1.1 * channels + 6) + 4 * channels) + 6 * columns * added);
}

bool Overlap::read_axis(const Axis& axis, Tap* taps, int64_t* low, int64_t* high) const {
  if (axis.in_step != 1) return false;
  int64_t found = 0;
  *low = INT64_MAX;
  *high = INT64_MIN;
  for (int64_t j = 0; j < axis.count; ++j) {
    const Pass& p = axis.pass[j];
    for (int64_t f = 0; f < p.phases; ++f) {
      if (p.begin != 0 || p.end < divide_up(axis.out - p.phase[f], axis.out_step)) return false;
      for (int64_t t = 0; t < p.taps; ++t) {
        const int64_t e = p.first[f * p.taps + t];
        if (p.first[f * p.taps + t + 1] != e + 1 || p.coefficient[e] != 1) return false;
        taps[p.kernel[e]] = {p.phase[f], p.offset[t]};
        *low = std::min<int64_t>(*low, p.offset[t]);
        *high = std::max<int64_t>(*high, p.offset[t]);
        ++found;
      }
    }
  }
  return found == axis.kernel;
}

int64_t Overlap::packed_size() const {
  // Narrow tiles read whole vectors of weights.
  return columns_ == 0 ? 0
                       : divide_up<int64_t>(bias_at(), 16) * 16 +
                             divide_up<int64_t>(a_.groups * a_.out_channels, 16) * 16;
}

// [tile][channel][column]
void Overlap::pack(const float* weight, const float* bias, float* packed) const {
  const int64_t channels = a_.in_channels, tile = this->tile();
  for (int64_t g = 0; g < a_.groups; ++g)
    for (int64_t j = 0; j < columns_; j += tile) {
      const int64_t n = std::min(tile, columns_ - j);
      float* to = packed + g * columns_ * channels + j * channels;
      for (int64_t c = 0; c < channels; ++c)
        std::copy_n(weight + (g * channels + c) * columns_ + j, n, to + c * n);
    }
  float* to = packed + bias_at();
  if (bias == nullptr)
    std::fill_n(to, a_.groups * a_.out_channels, 0.0f);
  else
    std::copy_n(bias, a_.groups * a_.out_channels, to);
}

Overlap::Range Overlap::range(const Axis& axis, int64_t low, int64_t high, int64_t box, int64_t index) const {
  const int64_t all = divide_up(axis.out, axis.out_step);
  Range r = {index * box, std::min(all, index * box + box), 0, 0};
  r.i0 = std::max<int64_t>(0, std::min(axis.in, r.q0 + low));
  r.i1 = std::max(r.i0, std::min(axis.in, r.q1 + high));
  return r;
}

void Overlap::run(const float* packed, const Context& context) const {
  const int64_t y_all = divide_up(s_.y.out, s_.y.out_step), x_all = divide_up(s_.x.out, s_.x.out_step);
  const int64_t y_more = high_[0] - low_[0], x_more = high_[1] - low_[1];
  const int64_t xs = divide_up(x_all, x_box_);
  // At least one for each thread.
  const int64_t least = divide_up<int64_t>(context.threads, a_.batch * a_.groups * xs);
  const int64_t y_box = std::min(y_box_, divide_up(y_all, least)), ys = divide_up(y_all, y_box);
  parallel_for(context, a_.batch * a_.groups * ys * xs, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    // Beside the products there is as much as a shifted row reads.
    const int64_t most =
        std::min(s_.y.in, y_box + y_more) * std::min(s_.x.in, x_box_ + x_more) + 2 * leaves_.lanes;
    const int64_t pitch = (divide_up<int64_t>(most, 16) | 1) * 16;
    const int64_t before = std::max<int64_t>(0, -low_[1]), after = std::max<int64_t>(0, high_[1]);
    float* sums = frame.take<float>(columns_ * pitch + before + after + x_box_ + 2 * leaves_.lanes) + before;
    const int64_t most_rows = y_box * s_.y.out_step, most_row = x_box_ * s_.x.out_step;
    float* planes = frame.take<float>(weaves() ? a_.out_channels * most_rows * most_row : 0);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t plane = task / xs / ys, g = plane % a_.groups;
      const Range x = range(s_.x, low_[1], high_[1], x_box_, task % xs),
                  y = range(s_.y, low_[0], high_[0], y_box, task / xs % ys);
      const auto* in = static_cast<const float*>(a_.in);
      multiply(in + plane * a_.in_channels * s_.in(), in + a_.batch * a_.groups * a_.in_channels * s_.in(), y,
               x, packed + g * columns_ * a_.in_channels, sums, pitch);
      const float* bias = packed + bias_at() + g * a_.out_channels;
      const int64_t first = y.q0 * s_.y.out_step * s_.x.out + x.q0 * s_.x.out_step;
      float* out = static_cast<float*>(a_.out) + plane * a_.out_channels * s_.out() +
                   first * (weaves() ? a_.out_channels : 1);
      if (!weaves()) {
        add(out, s_.out(), s_.x.out, y, x, bias, sums, pitch);
        continue;
      }
      add(planes, most_rows * most_row, most_row, y, x, bias, sums, pitch);
      weave_rows<float>(weave_, out, s_.x.out * a_.out_channels, planes, most_rows * most_row, most_row,
                        a_.out_channels, outputs(s_.y, y), outputs(s_.x, x));
    }
  });
}

// Inputs of one pixel: images are the pixels, and no two products meet.
void Overlap::run_pixels(const float* packed, const Context& context) const {
  const int64_t channels = a_.in_channels, all = a_.groups * channels, outs = a_.groups * a_.out_channels;
  const int64_t lanes = leaves_.lanes, width = 2 * lanes, plane = s_.out(), tile = this->tile();
  ScratchFrame frame;
  struct Output {
    int64_t column, channel, at;
  };
  Output* outputs = frame.take<Output>(columns_);
  int64_t count = 0;
  for (int64_t o = 0; o < a_.out_channels; ++o)
    for (int64_t ky = 0; ky < s_.y.kernel; ++ky)
      for (int64_t kx = 0; kx < s_.x.kernel; ++kx) {
        const int64_t oy = y_[ky].slot - y_[ky].shift * s_.y.out_step,
                      ox = x_[kx].slot - x_[kx].shift * s_.x.out_step, pixel = oy * s_.x.out + ox;
        if (oy >= 0 && oy < s_.y.out && ox >= 0 && ox < s_.x.out)
          outputs[count++] = {(o * s_.y.kernel + ky) * s_.x.kernel + kx, o,
                              a_.nhwc ? pixel * outs + o : o * plane + pixel};
      }
  const int64_t group = a_.nhwc ? a_.out_channels : a_.out_channels * plane;
  const int64_t blocks = divide_up(a_.batch, width);
  const float none[ConvLeaves<float>::kMost] = {};
  const ConvPiece piece = {0, 0, channels};
  parallel_for(context, a_.groups * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame inner;
    float* panel = inner.take<float>(channels * width);
    float* sums = inner.take<float>(columns_ * width);
    int32_t* place = inner.take<int32_t>(tile);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task % a_.groups, first = task / a_.groups * width,
                    images = std::min(width, a_.batch - first);
      const int64_t step = images == 1 ? 1 : images <= lanes ? lanes : width;
      const float *in = static_cast<const float*>(a_.in) + first * all + g * channels, *v = in;
      if (images > 1) {
        leaves_.transpose(panel, step, in, all, images, channels);
        v = panel;
      }
      for (int64_t i = 0; i < tile; ++i) place[i] = static_cast<int32_t>(i * step);
      const ConvTiles sum = {&piece, 1, step, 1, 0, 0};
      for (int64_t j = 0; j < columns_; j += tile) {
        const int64_t n = std::min(tile, columns_ - j);
        const float* w = packed + (g * columns_ + j) * channels;
        if (images <= leaves_.narrow)
          leaves_.narrow_tile[images](sums + j * step, place, w, n, v, &sum, none);
        else
          leaves_.tile[step == width ? 1 : 0][n](sums + j * step, place, w, v, &sum, none);
      }
      const float* bias = packed + bias_at() + g * a_.out_channels;
      float* out = static_cast<float*>(a_.out) + first * outs * plane + g * group;
      // Outputs that no input reaches.
      if (count < a_.out_channels * plane)
        for (int64_t n = 0; n < images; ++n)
          for (int64_t i = 0; i < plane; ++i)
            for (int64_t o = 0; o < a_.out_channels; ++o)
              out[n * outs * plane + (a_.nhwc ? i * outs + o : o * plane + i)] = bias[o];
      for (const Output* o = outputs; o < outputs + count; ++o)
        for (int64_t n = 0; n < images; ++n)
          out[n * outs * plane + o->at] = bias[o->channel] + sums[o->column * step + n];
    }
  });
}

// sums[column][pixel] of the inputs of a box, some panels at a time.
void Overlap::multiply(const float* in, const float* end, const Range& y, const Range& x, const float* packed,
                       float* sums, int64_t pitch) const {
  const int64_t channels = a_.in_channels, lanes = leaves_.lanes, width = 2 * lanes, tile = this->tile();
  const int64_t plane = s_.in(), panel = channels * width + 16;  // not a power of two
  int64_t rows = y.i1 - y.i0, row = x.i1 - x.i0;
  in += (y.i0 * s_.x.in + x.i0) * (a_.nhwc ? channels : 1);
  if (row == s_.x.in) {
    row *= rows;
    rows = 1;
  }
  const int64_t pixels = rows * row, some = std::max<int64_t>(1, kPanels / panel);
  ScratchFrame frame;
  float* panels = frame.take<float>(some * panel);
  ConvCopy* copies = frame.take<ConvCopy>(some * width);
  int32_t* place = frame.take<int32_t>(tile);
  for (int64_t i = 0; i < tile; ++i) place[i] = static_cast<int32_t>(i * pitch);
  const float none[ConvLeaves<float>::kMost] = {};
  const ConvPiece piece = {0, 0, channels};
  for (int64_t p = 0; p < pixels;) {
    const int64_t first = p, full = std::min(some, (pixels - p) / width);
    // At the end there are less pixels than in a panel.
    const int64_t rest = full == 0 ? pixels - p : 0, step = rest > 0 && rest <= lanes ? lanes : width;
    int64_t count = 0;
    for (const int64_t stop = p + full * width + rest; p < stop;) {
      const int64_t in_panel = (p - first) % width, n = std::min({stop - p, width - in_panel, row - p % row});
      copies[count++] = {(p - first) / width * panel + in_panel, p / row * s_.x.in + p % row, n, step};
      p += n;
    }
    for (int64_t i = 0; a_.nhwc && i < count; ++i)
      leaves_.transpose(panels + copies[i].to, step, in + copies[i].from * channels, channels, copies[i].n,
                        channels);
    if (!a_.nhwc) leaves_.pack(panels, in, 0, channels, plane, copies, count, end);
    const ConvTiles sum = {&piece, 1, step, full + (rest > 0 ? 1 : 0), step, panel};
    for (int64_t j = 0; j < columns_; j += tile)
      leaves_.tile[step == width ? 1 : 0][std::min(tile, columns_ - j)](
          sums + j * pitch + first, place, packed + j * channels, panels, &sum, none);
  }
}

void Overlap::add(float* out, int64_t out_plane, int64_t out_row, const Range& y, const Range& x,
                  const float* bias, const float* sums, int64_t pitch) const {
  const int64_t step = s_.x.out_step, row = x.i1 - x.i0, first = y.q0 * s_.y.out_step;
  ScratchFrame frame;
  ConvMeet::Tap* taps = frame.take<ConvMeet::Tap>(s_.x.kernel);
  int64_t* rows = frame.take<int64_t>(s_.y.kernel);
  ConvMeet meet;
  meet.n = outputs(s_.x, x);
  meet.width = s_.x.in;
  meet.low = std::min<int64_t>(0, x.q0 + low_[1]);
  meet.high = std::max<int64_t>(0, x.q0 + high_[1]);
  meet.row = rows;
  meet.tap = taps;
  int64_t count = 0;
  for (int64_t slot = 0; slot < step; ++slot) {
    meet.first[slot] = count;
    for (int64_t k = 0; k < s_.x.kernel; ++k)
      if (x_[k].slot == slot) taps[count++] = {k * pitch + x.q0 + x_[k].shift - x.i0, x.q0 + x_[k].shift};
  }
  meet.first[step] = count;
  for (int64_t o = 0; o < a_.out_channels; ++o)
    for (int64_t oy = first; oy < first + outputs(s_.y, y); ++oy) {
      meet.rows = 0;
      for (int64_t k = 0; k < s_.y.kernel; ++k) {
        const int64_t i = oy / s_.y.out_step + y_[k].shift;
        if (y_[k].slot == oy % s_.y.out_step && i >= 0 && i < s_.y.in)
          rows[meet.rows++] = (o * s_.y.kernel + k) * s_.x.kernel * pitch + (i - y.i0) * row;
      }
      leaves_.meet[step](out + o * out_plane + (oy - first) * out_row, sums, &meet, bias[o]);
    }
}

}  // namespace upsampling
