// Convolutions of planes that are read where they are: rows of outputs, one vector after the other.
#include "ops/convolution-direct.h"

#include "runtime/parallel.h"

namespace upsampling {

using namespace conv;

namespace {

constexpr int64_t kTask = 1 << 20;    // products of a task
constexpr int64_t kInputs = 6 << 10;  // of a task, where those are read for some blocks of channels

constexpr int64_t kReach = 1 << 15;  // inputs of a row of windows
constexpr int64_t kNear = 1 << 18;   // inputs and outputs that fit the second-level cache

// In cycles: of a product of vectors, and of planning and setting up anything else.
constexpr double kProduct = 0.55, kPlan = 6000;

bool in_order(const Axis& axis) { return is_plain(axis) && axis.pass[0].taps == axis.pass[0].all; }

}  // namespace

Direct::Direct(const ConvArgs& a, const Geometry& s, const KernelTable& kernels)
    : a_(a), s_(s), leaves_(kernels.conv), can_(false), block_(1) {
  const int64_t step = s.x.in_step;
  if (a.type != F32 || a.nhwc || step > ConvDirect::kSteps || leaves_.direct[step - 1][1] == nullptr ||
      !is_flat(s.z) || a.in_channels == 0 || s.out() == 0 || a.in_channels * s.in() > INT32_MAX)
    return;
  for (const Axis* axis : {&s.z, &s.y, &s.x})
    if (!in_order(*axis)) return;
  // Of one channel, weights are in another order; planes of pixels have no rows.
  if ((a.in_channels == 1 && a.out_channels <= 2) || goes_over(s.x) ||
      s.y.pass[0].taps * s.x.pass[0].taps == 0)
    return;
  block_ = divide_up(a.out_channels, divide_up<int64_t>(a.out_channels, leaves_.most));
  can_ = true;
}

double Direct::cost() const {
  const Pass &y = s_.y.pass[0], &x = s_.x.pass[0];
  int64_t rows = 0;  // of taps
  for (int64_t t = 0; t < y.taps; ++t) {
    int64_t begin = 0, end = s_.y.out;
    keep_inside(s_.y, y.offset[t], &begin, &end);
    rows += std::max<int64_t>(0, end - begin);
  }
  const auto outs = static_cast<double>(a_.out_channels),
             blocks = static_cast<double>(divide_up(a_.out_channels, block_)),
             vectors = static_cast<double>(divide_up<int64_t>(s_.x.out, leaves_.lanes)),
             sums = static_cast<double>(rows * x.taps * a_.in_channels);
  const double turn[] = {0.5, 2, 3};
  return static_cast<double>(a_.batch * a_.groups) * vectors *
         (sums * (kProduct * outs + turn[s_.x.in_step - 1] * blocks) +
          static_cast<double>(s_.y.out) * (1.5 * outs + 10 * blocks));
}

// The same of the others, the cheapest of which is taken: products with a copy of the planes, which tiles of
// few columns wait for; of vectors of columns; and of tiles of 4x4 outputs (Winograd).
double Direct::cost_of_others() const {
  const Pass &y = s_.y.pass[0], &x = s_.x.pass[0];
  const int64_t taps = y.taps * x.taps, step = s_.x.in_step, lanes = leaves_.lanes;
  const auto outs = static_cast<double>(a_.out_channels), planes = static_cast<double>(a_.batch * a_.groups),
             k = static_cast<double>(taps * a_.in_channels), pixels = static_cast<double>(s_.out()),
             ins = planes * static_cast<double>(a_.in_channels);
  const auto vectors_of = [&](int64_t n) { return static_cast<double>(divide_up(n, lanes)); };
  const double products = kProduct * planes * pixels * k, written = 0.5 * planes * outs * pixels;
  const int64_t residues = std::min(step, x.taps),
                rows = std::min(s_.y.in, s_.y.out * std::min(s_.y.in_step, y.taps));
  const double row = (step > 1 ? 8 : 4) + (step > 1 ? 8 : 3) * vectors_of(s_.x.out),
               copied = ins * static_cast<double>(rows * residues) * row,
               waits = 1 + 2 / static_cast<double>(std::max<int64_t>(block_, 3));
  double least = products * outs / static_cast<double>(lanes) * waits + copied + written + kPlan;
  if (2 * a_.out_channels >= lanes)
    least = std::min(least, products * vectors_of(a_.out_channels) +
                                0.5 * ins * static_cast<double>(s_.in()) + written + 1.5 * kPlan);
  if (y.taps == 3 && x.taps == 3 && step == 1 && s_.y.in_step == 1) {
    const auto all =
        static_cast<double>(divide_up<int64_t>(s_.y.out, 4) * divide_up<int64_t>(s_.x.out, 4) * 16);
    least = std::min(
        least, all * (0.4 * kProduct * planes * k * outs / static_cast<double>(lanes) + ins + planes * outs) +
                   2 * static_cast<double>(a_.batch) * kPlan);
  }
  return least;
}

// Of more blocks of columns, inputs are brought together more often than they are copied; windows of long
// rows of many channels are in too many pages (3x3 of 33 channels of 112x1005 to 3: 6.3 ms, 3.1 from a copy).
// What comes from farther off and goes there is only worth it where copies cost most, at strides: 3x3 3->16
// of 512x512 takes 3.2 ms rather than 2.4, at a stride of 3 .47 rather than .72.
bool Direct::worth_running() const {
  const int64_t inputs = a_.in_channels * s_.y.pass[0].taps * s_.x.in,
                all = a_.batch * a_.groups * (a_.in_channels * s_.in() + a_.out_channels * s_.out());
  if (!can_ || a_.out_channels > 2 * block_ || inputs > kReach) return false;
  if (all > kNear && s_.x.in_step < (a_.out_channels > block_ ? 3 : 2)) return false;
  return 1.1 * cost() < cost_of_others();
}

void Direct::run(const float* packed, const Context& context) const {
  const Pass &y = s_.y.pass[0], &x = s_.x.pass[0];
  const int64_t taps = y.taps * x.taps, k = taps * a_.in_channels, outs = a_.out_channels;
  const auto whole = [](int64_t n) { return divide_up<int64_t>(n, 16) * 16; };
  const int64_t lanes = leaves_.lanes, step = s_.x.in_step, vectors = divide_up(s_.x.out, lanes);
  ScratchFrame frame;
  auto* inside = frame.take<uint64_t>(vectors * (x.taps + 1));
  const auto first_bits = [](int64_t n) { return n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; };
  for (int64_t v = 0, i = 0; v < vectors; ++v) {
    const int64_t n = lanes * step;
    uint64_t both = first_bits(n);
    for (int64_t t = 0; t < x.taps; ++t) {
      // Of the inputs at `from` and on.
      const int64_t from = v * n + x.offset[t];
      const int64_t lead = zeros_before(from, 1, n), stop = std::max(lead, end_inside(from, 1, n, s_.x.in));
      inside[i] = first_bits(stop) & ~first_bits(lead);
      both &= inside[i++];
    }
    inside[i++] = both;
  }
  // Rows of a task.
  const int64_t work = std::max<int64_t>(1, s_.x.out * k * outs),
                inputs = std::max<int64_t>(1, s_.x.in * s_.y.in_step * a_.in_channels),
                most = std::clamp(a_.batch * a_.groups * s_.y.out * work / 2, kForThread, kTask);
  int64_t rows = std::max<int64_t>(1, most / work);
  if (outs > block_) rows = std::min(rows, std::max<int64_t>(4, kInputs / inputs));
  rows = std::min(rows, s_.y.out);
  const int64_t parts = divide_up(s_.y.out, rows), tasks = a_.batch * a_.groups * parts;
  const float* biases = packed + a_.groups * whole(k * outs);
  parallel_for(context, tasks, std::max<int64_t>(1, most / (work * rows)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts, plane = task / parts, g = plane % a_.groups;
      const float *in = static_cast<const float*>(a_.in) + plane * a_.in_channels * s_.in(),
                  *w = packed + g * whole(k * outs), *b = biases + g * whole(outs);
      float* out = static_cast<float*>(a_.out) + plane * outs * s_.out();
      const ConvDirect d = {a_.in_channels,
                            s_.in(),
                            s_.x.in,
                            s_.y.in,
                            s_.y.in_step,
                            y.taps,
                            x.taps,
                            y.offset,
                            x.offset,
                            inside,
                            part * s_.y.out / parts,
                            (part + 1) * s_.y.out / parts,
                            s_.x.out,
                            s_.out()};
      for (int64_t r = 0; r < outs; r += block_) {
        const int64_t m = std::min(block_, outs - r);
        leaves_.direct[step - 1][m](out + r * s_.out(), in, &d, w + r * k, b + r);
      }
    }
  });
}

}  // namespace upsampling
