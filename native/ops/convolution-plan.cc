// What is to be computed, and its division into tasks.
#include <cmath>
#include <numeric>

#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

namespace {

const Pass kWhole = [] {
  static const int32_t zero[1] = {0}, first[2] = {0, 1};
  static const double one[1] = {1};
  return Pass{0, 1, 1, 1, zero, zero, first, zero, one, 1, zero};
}();

const Axis kOne = {1, 1, 1, 1, 1, 1, const_cast<Pass*>(&kWhole)};

void read_axis(const ConvAxis& from, ScratchFrame* frame, Axis* to) {
  to->in = from.in_size;
  to->out = from.out_size;
  to->kernel = from.kernel;
  to->in_step = from.in_step;
  to->out_step = from.out_step;
  to->count = from.pass_count;
  to->pass = frame->take<Pass>(from.pass_count);
  const double* at = from.passes;
  const auto ints = [&](int64_t n) {
    const auto* p = reinterpret_cast<const int32_t*>(at);
    at += divide_up<int64_t>(n, 2);
    return p;
  };
  for (int64_t i = 0; i < to->count; ++i) {
    Pass& p = to->pass[i];
    p.begin = static_cast<int64_t>(at[0]);
    p.end = static_cast<int64_t>(at[1]);
    p.taps = static_cast<int64_t>(at[2]);
    p.phases = static_cast<int64_t>(at[3]);
    const auto entries = static_cast<int64_t>(at[4]);
    at += 5;
    p.offset = ints(p.taps);
    p.phase = ints(p.phases);
    p.first = ints(p.taps * p.phases + 1);
    p.kernel = ints(entries);
    p.coefficient = at;
    at += entries;
    p.all = p.taps;
    auto* order = frame->take<int32_t>(p.taps);
    for (int64_t t = 0; t < p.taps; ++t) order[t] = static_cast<int32_t>(t);
    p.order = order;
  }
}

// Whether any position of a pass finds an input at this offset.
bool reads(const Axis& axis, const Pass& p, int64_t offset) {
  const int64_t first = p.begin * axis.in_step + offset;
  const int64_t position = p.begin + std::max<int64_t>(0, divide_up(-first, axis.in_step));
  return position < p.end && position * axis.in_step + offset < axis.in;
}

void trim_pass(const Axis& axis, bool packed, ScratchFrame* frame, Pass* p) {
  int64_t taps = 0;
  for (int64_t t = 0; t < p->taps; ++t) taps += reads(axis, *p, p->offset[t]) ? 1 : 0;
  if (taps == p->taps) return;
  auto* offset = frame->take<int32_t>(taps);
  auto* order = frame->take<int32_t>(taps);
  int64_t n = 0;
  for (int64_t t = 0; t < p->taps; ++t) {
    if (!reads(axis, *p, p->offset[t])) continue;
    offset[n] = p->offset[t];
    order[n++] = static_cast<int32_t>(t);
  }
  if (!packed) {
    const int64_t entries = p->first[p->taps * p->phases];
    auto* first = frame->take<int32_t>(taps * p->phases + 1);
    auto* kernel = frame->take<int32_t>(entries);
    auto* coefficient = frame->take<double>(entries);
    first[0] = 0;
    for (int64_t f = 0, e = 0; f < p->phases; ++f)
      for (int64_t t = 0; t < taps; ++t) {
        for (int64_t i = p->first[f * p->taps + order[t]]; i < p->first[f * p->taps + order[t] + 1];
             ++i, ++e) {
          kernel[e] = p->kernel[i];
          coefficient[e] = p->coefficient[i];
        }
        first[f * taps + t + 1] = static_cast<int32_t>(e);
      }
    for (int64_t t = 0; t < taps; ++t) order[t] = static_cast<int32_t>(t);
    p->first = first;
    p->kernel = kernel;
    p->coefficient = coefficient;
    p->all = taps;
  }
  p->taps = taps;
  p->offset = offset;
  p->order = order;
}

// Positions of a pass that find an input, of all taps.
double taps_inside(const Axis& axis, const Pass& p) {
  double all = 0;
  for (int64_t t = 0; t < p.taps; ++t) {
    int64_t begin = p.begin, end = p.end;
    keep_inside(axis, p.offset[t], &begin, &end);
    all += static_cast<double>(std::max<int64_t>(0, end - begin));
  }
  return all;
}

constexpr int64_t kLeastChunk = ConvTiles::kBlock;

// Cycles of a part of Note [Edges] beyond its products, of each of its taps, and of one tap by itself.
constexpr double kOfPart = 60, kOfPartTap = 3, kOfTap = 120;

// Whole blocks of the order in which tiles sum.
int64_t half_of(int64_t chunk) { return divide_up(divide_up<int64_t>(chunk, 2), kLeastChunk) * kLeastChunk; }

}  // namespace

Geometry::Geometry(const ConvArgs& a, ScratchFrame* frame) {
  Axis* axes[3] = {&z, &y, &x};
  const int lead = 3 - a.axis_count;
  for (int i = 0; i < lead; ++i) *axes[i] = kOne;
  for (int i = lead; i < 3; ++i) read_axis(a.axes[i - lead], frame, axes[i]);
  for (int i = 1; i >= 0; --i) {
    if (!goes_over(*axes[i]) || !goes_over(x)) return;
    x.in *= axes[i]->in;
    x.out = x.pass[0].end = x.in;
    *axes[i] = kOne;
  }
}

void Geometry::trim(bool packed, ScratchFrame* frame) {
  for (const Axis* axis : {&z, &y, &x})
    for (int64_t i = 0; i < axis->count; ++i) trim_pass(*axis, packed, frame, &axis->pass[i]);
}

template <class T>
bool Engine<T>::can_turn(const ConvArgs& a, const KernelTable& kernels) {
  const int64_t lanes = leaves_of<T>(kernels).lanes;
  return !a.nhwc && bytes_of(a.type) == static_cast<int64_t>(sizeof(T)) &&
         (a.in_channels > 1 ? 2 * a.out_channels >= lanes : a.out_channels == 1 && a.groups >= lanes);
}

template <class T>
Engine<T>::Engine(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, ScratchFrame* frame,
                  bool turned)
    : a_(a),
      s_(s),
      leaves_(leaves_of<T>(kernels)),
      weave_(kernels.interleave),
      width_(2 * leaves_.lanes),
      size_(bytes_of(a.type)),
      strip_(a.nhwc && a.in_channels == 1 && a.out_channels == 1 && a.groups < leaves_.lanes &&
                     s.x.in_step == 1 && s.x.out_step == 1
                 ? leaves_.lanes / (s.y.kernel > 1 ? std::gcd(leaves_.lanes, a.groups) : 1)
                 : 1),
      first_(!turned &&
             (!a.nhwc || (strip_ == 1 && 2 * a.out_channels < leaves_.lanes &&
                          (a.in_channels > 1 || a.out_channels > 1 ||
                           (a.groups < leaves_.lanes &&
                            ((a.groups < 4 && s.x.in_step == 1) || !leaves_.stores_some || a.transposed)))))),
      woven_(first_ && a.nhwc && a.in_channels == 1 && a.out_channels <= 2 && s.x.in_step == 1 &&
             size_ == static_cast<int64_t>(sizeof(T))),
      deep_(woven_ || (a.in_channels == 1 &&
                       (a.nhwc || turned ? !first_ && a.out_channels == 1 : a.out_channels <= 2))),
      turned_(turned),
      reaches_(a.nhwc && !turned_ && size_ == static_cast<int64_t>(sizeof(T))),
      by_taps_(false),
      edges_(false),
      whole_(false),
      stepped_(false),
      doubled_(false) {
  make_bundles(frame);
  make_units(frame);
  plan_boxes();
}

template <class T>
void Engine<T>::make_bundles(ScratchFrame* frame) {
  bundles_ = frame->take<Bundle>(s_.x.count);
  bool* taken = frame->take<bool>(s_.x.count);
  std::fill_n(taken, s_.x.count, false);
  bundle_count_ = 0;
  for (int64_t i = 0; i < s_.x.count; ++i) {
    if (taken[i]) continue;
    Bundle& b = bundles_[bundle_count_++];
    b.begin = s_.x.pass[i].begin;
    b.end = s_.x.pass[i].end;
    b.count = b.phases = 0;
    b.pass = frame->take<const Pass*>(s_.x.count - i);
    for (int64_t j = i; j < s_.x.count; ++j) {
      const Pass& p = s_.x.pass[j];
      if (taken[j] || p.begin != b.begin || p.end != b.end) continue;
      taken[j] = true;
      b.pass[b.count++] = &p;
      b.phases += p.phases;
    }
    b.phase = frame->take<int32_t>(b.phases);
    int64_t n = 0;
    for (int64_t j = 0; j < b.count; ++j)
      for (int64_t f = 0; f < b.pass[j]->phases; ++f) b.phase[n++] = b.pass[j]->phase[f];
    std::sort(b.phase, b.phase + b.phases);
    b.slot = frame->take<int32_t*>(b.count);
    for (int64_t j = 0; j < b.count; ++j) {
      b.slot[j] = frame->take<int32_t>(b.pass[j]->phases);
      for (int64_t f = 0; f < b.pass[j]->phases; ++f)
        b.slot[j][f] = static_cast<int32_t>(
            std::lower_bound(b.phase, b.phase + b.phases, b.pass[j]->phase[f]) - b.phase);
    }
  }
}

template <class T>
void Engine<T>::make_units(ScratchFrame* frame) {
  units_ = frame->take<Unit>(s_.z.count * s_.y.count * bundle_count_);
  unit_count_ = group_weights_ = group_bias_ = packing_ = 0;
  for (int64_t iz = 0; iz < s_.z.count; ++iz)
    for (int64_t iy = 0; iy < s_.y.count; ++iy)
      for (int64_t ix = 0; ix < bundle_count_; ++ix) {
        Unit& u = units_[unit_count_];
        u.z = &s_.z.pass[iz];
        u.y = &s_.y.pass[iy];
        u.x = &bundles_[ix];
        u.qz = u.z->end - u.z->begin;
        u.qy = u.y->end - u.y->begin;
        u.qx = u.x->end - u.x->begin;
        u.pixels = a_.batch * u.qz * u.qy * u.qx;
        ++unit_count_;
        u.rows = a_.out_channels * u.z->phases * u.y->phases;
        u.trimmed = u.z->taps < u.z->all || u.y->taps < u.y->all;
        for (int64_t j = 0; j < u.x->count; ++j) u.trimmed |= u.x->pass[j]->taps < u.x->pass[j]->all;
        u.weights = frame->take<int64_t>(u.x->count);
        u.bias = frame->take<int64_t>(u.x->count);
        int64_t columns = 0;
        for (int64_t j = 0; j < u.x->count; ++j) columns = std::max(columns, u.x->pass[j]->phases);
        u.block = std::max<int64_t>(1, leaves_.most / columns);
        u.block = divide_up(u.rows, divide_up(u.rows, u.block));
        for (int64_t j = 0; j < u.x->count; ++j) {
          const int64_t all = u.rows * u.x->pass[j]->phases;
          const int64_t padded = first_ || deep_ ? all : blocks_of(u, *u.x->pass[j]) * width_;
          u.weights[j] = group_weights_;
          u.bias[j] = group_bias_;
          group_weights_ += (weights_of(u, j) * padded + 15) & ~int64_t{15};
          group_bias_ += (padded + 15) & ~int64_t{15};
          packing_ += packing_parts(u, j);
        }
      }
}

// Neighbours, where those are not much more vectors than all columns one after the other.
template <class T>
int64_t Engine<T>::stretch_of(const Unit& u, const Pass& x) const {
  const int64_t all = u.rows * x.phases, some = neighbours_of(x), lanes = leaves_.lanes;
  return reaches_ && some >= lanes && 4 * (all / some) * divide_up(some, lanes) <= 5 * divide_up(all, lanes)
             ? some
             : all;
}

// The last block of a stretch is more than a vector, unless the stretch is not.
template <class T>
typename Engine<T>::Block Engine<T>::block_of(const Unit& u, const Pass& x, int64_t b) const {
  const int64_t stretch = stretch_of(u, x), blocks = divide_up(stretch, width_), lanes = leaves_.lanes;
  const int64_t at = b % blocks * width_, rest = stretch - (blocks - 1) * width_;
  Block block = {b / blocks * stretch + at, std::min(width_, stretch - at)};
  if (!reaches_ || blocks == 1 || rest >= lanes) return block;
  if (b % blocks == blocks - 2) block.n = lanes;
  if (b % blocks == blocks - 1) block = {block.first - lanes, lanes + rest};
  return block;
}

// --- the division into tasks

template <class T>
void Engine<T>::plan_boxes() {
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  // Read as they are: planes that have no padding and whose rows continue one another, or pixels without
  // padding that do not all fall in one set of the first-level cache.
  in_place_ = size_ == static_cast<int64_t>(sizeof(T)) && a_.repeats == 1 && (!turned_ || s_.in() == 1) &&
              (first_ ? !a_.nhwc && !deep_ : deep_ || a_.groups * a_.in_channels * s_.x.in_step % 1024 != 0);
  for (int i = 0; i < 3; ++i) {
    const Axis& axis = *axes[i];
    int64_t low = INT64_MAX, high = INT64_MIN, q = 0;
    for (int64_t j = 0; j < axis.count; ++j) {
      const Pass& p = axis.pass[j];
      q = std::max(q, p.end);
      for (int64_t t = 0; t < p.taps; ++t) {
        low = std::min<int64_t>(low, p.offset[t]);
        high = std::max<int64_t>(high, p.offset[t]);
      }
    }
    if (low > high) low = high = 0;
    q_[i] = q;
    low_[i] = low;
    high_[i] = high;
    // Groups of one channel leave out what is padding themselves.
    if (deep_ && !first_ && strip_ == 1) continue;
    in_place_ = in_place_ && low >= 0 && (q - 1) * axis.in_step + high < axis.in &&
                (!first_ || (high == 0 && axis.in_step == 1));
  }
  flow_ = 0;
  cost_ = 0;
  if (deep_) {
    choose_deep_box();
    return;
  }
  doubled_ = first_ && !a_.nhwc && unit_count_ == 2 && q_[2] >= leaves_.lanes &&
             a_.out_channels <= ConvDouble::kMost && leaves_.doubled[a_.out_channels] != nullptr &&
             doubles(units_[0], units_[1]);
  choose_box();

  int64_t blocks = 1, columns = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    int64_t most = 0;
    for (int64_t j = 0; !first_ && j < u.x->count; ++j) most = std::max(most, blocks_of(u, *u.x->pass[j]));
    blocks = std::max(blocks, first_ ? divide_up(u.rows, u.block) : most);
    columns = std::max(columns, first_ ? u.rows * u.x->phases : most * width_ * u.x->count);
  }
  tasks_ = a_.groups * count_of_boxes();
  split_units_ = tasks_ < 8 && unit_count_ > 1 && !doubled_ && work() > 1 << 22;
  if (split_units_) tasks_ *= unit_count_;
  parts_ = 1;
  if (flow_ > 0 || stepped_) return;
  const int64_t wanted = tasks_for_threads(tasks_, work() * static_cast<double>(a_.groups));
  // Channels last, those of columns would write to the same lines of the cache: 3x3 3->97 of 28x28 takes .052
  // ms by two threads that way, .019 by pixels.
  const bool by_pixels = (a_.nhwc || (first_ && !in_place_)) && a_.groups == 1 &&
                         (a_.batch >= wanted || !leaves_out_of_images()) &&
                         positions() >= kSharedPixels * wanted;
  if (tasks_ < wanted && !by_pixels) parts_ = divide_up(wanted, tasks_);
  const int64_t pixels = first_ && in_place_ ? flat_ : box_[0] * box_[1] * box_[2] * box_[3];
  // The smallest boxes of many channels take more than 2 ms.
  const double box = work_of_position() * static_cast<double>(pixels);
  parts_ = std::max(parts_, static_cast<int64_t>(box / kMostWork) + (box > kMostWork ? 1 : 0));
  // Where the channels are cut into chunks, the sums of a part wait in memory.
  if (chunk_ < a_.in_channels) {
    parts_ = std::max(parts_, divide_up(columns * pixels * static_cast<int64_t>(sizeof(T)), kSums));
  }
  parts_ = std::min(parts_, blocks);
  tasks_ *= parts_;
  if (tasks_ >= wanted) return;
  const int64_t of_box = tasks_ / count_of_boxes();
  split_boxes(divide_up(wanted, tasks_));
  tasks_ = of_box * count_of_boxes();
}

// At least so many tasks of so many products are to be shared among some threads, where there are `tasks`:
// two where there is little to do, as each of more would begin anew, but of three one thread takes two.
template <class T>
int64_t Engine<T>::tasks_for_threads(int64_t tasks, double products) {
  const double shares = products / static_cast<double>(kForThread);
  return static_cast<int64_t>(std::min(shares < 12 && tasks != 3 ? 2.0 : 4.0, shares));
}

// Into about n as many, of what was chosen for its cost.
template <class T>
void Engine<T>::split_boxes(int64_t n) {
  cost_ = cost();
  if (first_ && in_place_) {
    flat_ = divide_up(divide_up(flat_, width_), n) * width_;
    boxes_[3] = divide_up(positions(), flat_);
    return;
  }
  const int64_t all[4] = {a_.batch, q_[0], q_[1], q_[2]};
  for (int i = 0; i < (leaves_out_of_images() ? 1 : 4) && n > 1; ++i) {
    const int64_t some = std::min(n, i < 3 ? box_[i] : divide_up(box_[i], kSharedPixels));
    box_[i] = divide_up(box_[i], some);
    boxes_[i] = divide_up(all[i], box_[i]);
    n = divide_up(n, some);
  }
}

template <class T>
double Engine<T>::work_of_position() const {
  double work = 0;
  for (int64_t i = 0; i < unit_count_; ++i)
    for (int64_t j = 0; j < units_[i].x->count; ++j)
      work += static_cast<double>(k_of(units_[i], j)) *
              static_cast<double>(units_[i].rows * units_[i].x->pass[j]->phases);
  return work;
}

// Groups of one channel: boxes of a plane that stay in the first-level cache, or pixels in the second.
template <class T>
void Engine<T>::choose_deep_box() {
  const int64_t all[4] = {first_ ? 1 : a_.batch, q_[0], q_[1], q_[2]};
  const int64_t pixels = all[0] * all[1] * all[2] * all[3];
  for (int64_t i = 0; i < unit_count_; ++i) units_[i].panels = false;
  parts_ = 1;
  split_units_ = false;
  chunk_ = first_ && !woven_ ? 1 : a_.groups;
  // Woven planes have room for what becomes of them, too.
  const int64_t bytes = !first_ ? kPanel
                        : woven_
                            ? kPanel / (1 + a_.out_channels * s_.z.out_step * s_.y.out_step * s_.x.out_step)
                            : 32 * 1024;
  const int64_t budget = bytes / static_cast<int64_t>(sizeof(T));
  // Outputs of a task, for one group; about a product and a half for each.
  const int64_t work = static_cast<int64_t>(work_of_position()) + 8;
  if (turned_) {
    // Whole images, without padding, and what becomes of them.
    const int64_t image = s_.in() + s_.out();
    by_taps_ = true;
    for (int64_t& low : low_) low = 0;
    while (image * chunk_ > budget && chunk_ > kLeastChunk) chunk_ = half_of(chunk_);
    for (int i = 0; i < 4; ++i) boxes_[i] = 1, box_[i] = i == 0 ? 1 : q_[i - 1];
    const int64_t most =
        std::max<int64_t>(divide_up<int64_t>(a_.batch, 8), (1 << 19) / (work * image * chunk_));
    box_[0] = std::max<int64_t>(1, std::min({a_.batch, budget / (image * chunk_), most}));
    boxes_[0] = divide_up(a_.batch, box_[0]);
    boxes_of_groups_ = divide_up(a_.groups, chunk_);
    planes_ = 1;
    tasks_ = boxes_[0] * boxes_of_groups_;
    return;
  }
  const bool planes_alone = first_ && !woven_;
  while (!fit_box(budget,
                  planes_alone ? pixels : std::max<int64_t>(pixels / 8, (1 << 19) / (work * a_.groups))) &&
         !first_ && chunk_ > kLeastChunk)
    chunk_ = half_of(chunk_);
  int64_t boxes = 1;
  for (int i = 0; i < 4; ++i) boxes *= boxes_[i] = divide_up(all[i], box_[i]);
  boxes_of_groups_ = first_ ? 1 : divide_up(a_.groups, chunk_);
  const int64_t planes = first_ ? a_.batch * a_.groups : 1, positions = box_[1] * box_[2] * box_[3];
  // Woven, all planes of an image.
  const int64_t least = woven_ ? a_.groups : 1;
  planes_ =
      std::max<int64_t>(1, std::min((1 << 20) / (work * positions), divide_up<int64_t>(planes, 8)) / least) *
      least;
  tasks_ = boxes * boxes_of_groups_ * divide_up(planes, planes_);
}

// The cheapest of a few candidates: with and without panels, of all channels at a time or fewer.
template <class T>
void Engine<T>::choose_box() {
  const int64_t budget = kPanel / static_cast<int64_t>(sizeof(T));
  const int64_t all[4] = {a_.batch, q_[0], q_[1], q_[2]};
  const int64_t pixels = all[0] * all[1] * all[2] * all[3];
  // Tasks for some threads, each of them worth its start, and over within 2 ms: a call is cancelled between
  // tasks.
  const double work = std::max(work_of_position(), 1.0);
  int64_t most = std::min(std::max({pixels / 8, 8 * width_, static_cast<int64_t>((1 << 21) / work)}),
                          std::max(2 * width_, static_cast<int64_t>(kMostWork / work)));
  // Of weights that stay in the first-level cache rather four tasks of some pixels than of some columns, each
  // of which would read all inputs: 5x5 at stride 2 5->64 of 16x14x14 takes .081 ms rather than .087, by two
  // threads .044 rather than .050.
  if (!first_ && a_.groups == 1 && group_weights_ <= kWideWeights &&
      work * static_cast<double>(pixels) > 1 << 22)
    most = std::min(most, std::max(4 * width_, divide_up<int64_t>(pixels, 4)));
  if (!first_) {
    for (int64_t i = 0; i < unit_count_; ++i) units_[i].panels = false;
    choose_reading(budget, most);
    return;
  }
  stepped_ = in_place_ && choose_stepped();
  if (stepped_) return;
  if (in_place_) {
    // Panels of any positions; planes that are read once are read where they are.
    const int64_t plane = s_.in();
    int64_t taps = 1;
    for (int64_t i = 0; i < unit_count_; ++i) {
      Unit& u = units_[i];
      // Images of one pixel have no rows to read.
      u.panels = u.x->count > 1 || unit_count_ > 1 || u.rows * u.x->phases > leaves_.few ||
                 (plane == 1 && a_.batch > leaves_.narrow);
      taps = std::max(taps, taps_of(u));
    }
    chunk_ = std::max<int64_t>(a_.in_channels, 1);
    while (chunk_ > kLeastChunk && chunk_ * taps * 2 * width_ > budget) chunk_ = half_of(chunk_);
    const int64_t panels =
        std::max<int64_t>(2, std::min(budget / (chunk_ * taps * width_), divide_up(most, width_)));
    const int64_t count = divide_up(divide_up(pixels, width_), panels);
    flat_ = divide_up(divide_up(pixels, width_), count) * width_;
    for (int64_t& n : boxes_) n = 1;
    boxes_[3] = divide_up(pixels, flat_);
    // One tap: copying the panels takes up to as long as the products, so both are done at once, but for the
    // first panels of a box.
    const Unit& u = units_[0];
    const int64_t boxes = std::max<int64_t>(1, divide_up(plane, most)),
                  flat = plane / boxes / width_ * width_;
    const int64_t group = std::min({int64_t{16}, budget / (2 * chunk_ * width_), flat / (4 * width_)});
    const bool one = unit_count_ == 1 && u.x->count == 1 && taps_of(u) == 1 && !u.trimmed &&
                     u.rows * u.x->phases == a_.out_channels && plane == s_.out() &&
                     u.qz * u.qy * u.qx == plane && chunk_ == a_.in_channels;
    if (one && u.rows > leaves_.most && group >= 1 && leaves_.most * plane <= INT32_MAX) {
      flow_ = group;
      flat_ = flat;
      boxes_[3] = a_.batch * boxes;
      // One thread takes the boxes of a plane together, more of them find some: about as many panels each.
      const int64_t tasks = a_.groups * boxes_[3], panels = divide_up(plane, width_),
                    wanted = tasks_for_threads(tasks, work * static_cast<double>(a_.groups * pixels));
      for (int64_t n = std::min(divide_up(wanted, tasks) * boxes, panels / 2); n > boxes; --n) {
        const int64_t some = divide_up(panels, n) * width_;
        if (plane - (n - 1) * some < width_) continue;
        flat_ = some;
        boxes_[3] = a_.batch * n;
        return;
      }
    }
    return;
  }
  double least = 0;
  bool any = false, packed = false;
  int64_t best[4], best_chunk = 1;
  if (doubled_) {
    // All channels at a time.
    for (int64_t i = 0; i < unit_count_; ++i) units_[i].panels = false;
    chunk_ = a_.in_channels;
    if (fit_box(budget, most)) {
      for (int i = 0; i < 4; ++i) boxes_[i] = divide_up(all[i], box_[i]);
      return;
    }
    doubled_ = false;
  }
  for (const bool panels : {false, true}) {
    for (int64_t i = 0; i < unit_count_; ++i) units_[i].panels = panels;
    for (chunk_ = std::max<int64_t>(a_.in_channels, 1);; chunk_ = half_of(chunk_)) {
      // Channels lie far apart in a slab: half of the budget keeps them in fewer pages.
      const bool fits = fit_box(panels ? budget : budget / 2, most);
      const double cost = cost_of_box();
      const bool better = !any || cost < least;
      if ((fits && better) || (chunk_ <= kLeastChunk && !any)) {
        least = cost;
        any = true;
        packed = panels;
        best_chunk = chunk_;
        std::copy_n(box_, 4, best);
      }
      if (chunk_ <= kLeastChunk ||
          (fits && box_[0] * box_[1] * box_[2] * box_[3] >= std::min({pixels, most, 8 * width_})))
        break;
    }
  }
  std::copy_n(best, 4, box_);
  chunk_ = best_chunk;
  for (int64_t i = 0; i < unit_count_; ++i) units_[i].panels = packed;
  for (int i = 0; i < 4; ++i) boxes_[i] = divide_up(all[i], box_[i]);
}

template <class T>
bool Engine<T>::may_be_turned() const {
  if (!first_ || doubled_ || stepped_ || flow_ > 0) return false;
  // 2x2 at stride 2 of 28x28, 1024 channels to 512: 19.9 ms turned, 17.5 as planes.
  if (in_place_ && s_.in() > 1 && s_.x.out_step > 1) return false;
  if (!deep_) return true;
  // Whole images of some channels; long rows are doubled by a leaf of their own.
  const int64_t image = (s_.in() + s_.out()) * static_cast<int64_t>(sizeof(T));
  return image * kLeastChunk <= kPanel && (s_.x.out_step == 1 || s_.x.in < leaves_.lanes);
}

template <class T>
double Engine<T>::cost() const {
  if (cost_ > 0) return cost_;
  if (deep_) return cost_of_deep();
  if (first_ && in_place_) return s_.in() > 1 ? cost_of_planes() : INFINITY;
  if (first_) return cost_of_box();
  const double products = by_taps_ ? cost_of_taps(box_[0]) : cost_of_parts(edges_, box_[0]);
  if (!turned_ || s_.in() == 1) return products;
  const auto in = static_cast<double>(a_.batch * a_.in_channels * s_.in()),
             out = static_cast<double>(a_.batch * a_.out_channels * s_.out());
  return products + 0.4 * in + (s_.x.out_step == 1 ? 0.4 : 1.5) * out;
}

// Of groups of one channel. Planes: copies of their rows, and of every output as many products as it has
// taps; outputs that are a step apart are woven. Turned: products that find an input, of vectors of groups.
// Near ties are mostly faster turned, so planes count a third more: 43 of 12x13, 3x3, takes 4.8 us rather
// than 7.8, and 4x20 of 51x51, 1x1 at stride 2, still 20 us rather than 77.
template <class T>
double Engine<T>::cost_of_deep() const {
  const int64_t lanes = leaves_.lanes;
  double products = 0, rows = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const auto columns = static_cast<double>(u.rows * x.phases);
      if (!first_) {
        products += columns * taps_inside(s_.z, *u.z) * taps_inside(s_.y, *u.y) * taps_inside(s_.x, x);
        continue;
      }
      const int64_t lines = u.qz * u.qy, stretch = lines * (u.qx + high_[2] - low_[2]);
      const double vectors = std::min(static_cast<double>(divide_up(stretch, lanes)),
                                      1.3 * static_cast<double>(lines * divide_up(u.qx, lanes)));
      products += columns * static_cast<double>(u.z->taps * u.y->taps * x.taps) * vectors;
      rows += columns * static_cast<double>(lines);
    }
  }
  const bool woven = s_.x.out_step > 1;
  if (!first_) {
    // The last vector, if not full, takes longer.
    const auto vectors = static_cast<double>(a_.groups / lanes + (a_.groups % lanes == 0 ? 0 : 2)),
               in = static_cast<double>(a_.groups * s_.in()), out = static_cast<double>(a_.groups * s_.out());
    return static_cast<double>(a_.batch) * (1000 + 0.4 * in + 0.4 * out + 1.1 * vectors * products +
                                            (woven ? 8 : 1) * vectors * static_cast<double>(s_.out()));
  }
  const Slab slab = slab_of(box_);
  const bool steps = s_.x.in_step > 1;
  const double copied =
      static_cast<double>(boxes_[1] * boxes_[2] * boxes_[3] * slab.residues[0] * slab.extent[0] *
                          slab.residues[1] * slab.extent[1] * slab.residues[2]) *
      ((steps ? 12 : 2) + (steps ? 2 : 3) * static_cast<double>(divide_up(slab.extent[2], lanes)));
  return 1.35 * static_cast<double>(a_.batch * a_.groups) *
         (50 + copied + 1.4 * products + (woven ? 20 : 0) * rows);
}

// Of planes that are read in place, some columns of a plane at a time or all of its panels: as of a box.
template <class T>
double Engine<T>::cost_of_planes() const {
  const double fetch = work_of_position() > 128 * 1024 ? 0.5 : 0.1;
  double cost = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    const int64_t vectors = divide_up<int64_t>(flat_, leaves_.lanes);
    if (u.panels)
      cost += static_cast<double>(taps_of(u) * a_.in_channels * (2 * vectors + 4 * (1 + flat_ / width_)));
    for (int64_t j = 0; j < u.x->count; ++j)
      cost += static_cast<double>(k_of(u, j) * u.rows * u.x->pass[j]->phases) *
              (products_of(1, flat_, 0) + fetch);
  }
  return cost * static_cast<double>(boxes_[3]);
}

template <class T>
double Engine<T>::cost_of_narrow_tiles() const {
  if (first_ && in_place_) return INFINITY;
  if (deep_) return 0;
  int64_t least = leaves_.most;
  for (int64_t i = 0; i < unit_count_; ++i)
    for (int64_t j = 0; j < units_[i].x->count; ++j)
      least = std::min(least, units_[i].block * units_[i].x->pass[j]->phases);
  return cost() * (1 + 2.0 / static_cast<double>(least));
}

// Channels last: whether inputs that some taps read beside are copied with the padding, or read where they
// are (Note [Edges]), or tap by tap.
template <class T>
void Engine<T>::choose_reading(int64_t budget, int64_t most) {
  chunk_ = std::max<int64_t>(a_.in_channels, 1);
  if (!in_place_) {
    const bool readable = a_.nhwc && size_ == static_cast<int64_t>(sizeof(T));
    const int64_t pixel = a_.groups * a_.in_channels;
    const bool taps_in_place = readable && pixel % 1024 != 0;
    const int64_t images = images_by_taps(budget, most, taps_in_place);
    const double taps = images > 0 ? cost_of_taps(images) : INFINITY,
                 all_taps = cost_of_parts(false, std::max<int64_t>(images, 1)),
                 some_taps = cost_of_parts(true, std::max<int64_t>(images, 1));
    // A copy holds the padding; products with it are left out where that is clearly less.
    const bool leaves_out = some_taps < 0.9 * all_taps;
    const double copied = leaves_out ? some_taps : all_taps;
    // A few pixels are as fast to compute as to plan.
    if (readable && a_.batch * s_.in() >= leaves_.most && pixel * s_.x.in_step % 1024 != 0) {
      in_place_ = edges_ = true;
      fit_box(budget, most);
      const double parts = cost_of_parts(true, box_[0]);
      in_place_ = edges_ =
          parts < taps && parts < copied + 0.25 * static_cast<double>(a_.batch * a_.in_channels * s_.in());
    }
    if (!edges_ && taps < copied) {
      by_taps_ = true;
      in_place_ = taps_in_place;
      take_images(images);
      return;
    }
    edges_ = edges_ || leaves_out;
    // Where boxes would mostly copy what others copy, too, images are turned at once, without padding, and
    // taps left out: 3x3 of 64 channels of 32x32 at a dilation of 12 takes .25 ms rather than .36. Unless
    // that is nothing to share among threads.
    if (turned_ && images > 0 && some_taps < 1.1 * all_taps) {
      fit_box(budget, most);
      const int64_t rows = divide_up(q_[1], box_[2]) * slab_of(box_).extent[1],
                    tasks = divide_up(a_.batch, images) * divide_up(a_.out_channels, width_);
      if (rows > 2 * s_.y.in && (tasks > 1 || work() < 1 << 22)) {
        edges_ = whole_ = true;
        take_images(images);
        return;
      }
    }
  }
  // An image for which weights are read once may have a copy that is a little larger: 1x1 2048->512 of 7x7
  // takes .76 ms rather than .87.
  const int64_t image = q_[0] * q_[1] * q_[2];
  const bool once = reads_weights_once();
  const int64_t most_room = once && !turned_ ? budget + budget / 4 : budget;
  while ((!fit_box(most_room, most) || (once && box_[1] * box_[2] * box_[3] < image)) && !in_place_ &&
         chunk_ > kLeastChunk)
    chunk_ = half_of(chunk_);
  for (int i = 0; i < 4; ++i) boxes_[i] = divide_up(i == 0 ? a_.batch : q_[i - 1], box_[i]);
}

// Boxes of so many whole images, which have no padding.
template <class T>
void Engine<T>::take_images(int64_t images) {
  for (int i = 0; i < 4; ++i) boxes_[i] = 1, box_[i] = i == 0 ? images : q_[i - 1];
  boxes_[0] = divide_up(a_.batch, images);
  for (int64_t& low : low_) low = 0;
}

// Images that are summed tap by tap together; 0 where one is too large.
template <class T>
int64_t Engine<T>::images_by_taps(int64_t budget, int64_t most, bool in_place) const {
  const int64_t positions = q_[0] * q_[1] * q_[2], image = s_.in() * a_.in_channels;
  if (positions == 0 || (!in_place && image > 2 * budget)) return 0;
  return std::min({a_.batch, divide_up(most, positions),
                   std::max<int64_t>(1, kSums / static_cast<int64_t>(sizeof(T)) / (positions * width_)),
                   in_place ? a_.batch : std::max<int64_t>(1, budget / image)});
}

namespace {

// About in cycles: a product of two vectors and n pixels is n, where it does not wait for weights.
double tiles_of(int64_t n, int64_t most, double wait) {
  const auto count = static_cast<double>(divide_up(n, most));
  return std::max(static_cast<double>(n), wait * count) + 0.5 * count;
}

// A single vector is a little more than half of two.
double pairs_of(int64_t columns, int64_t lanes) {
  const int64_t vectors = divide_up(columns, lanes);
  return static_cast<double>(vectors / 2) + (vectors % 2 == 0 ? 0 : 0.6);
}

}  // namespace

// About in cycles, of all images, tap by tap: sums of a pixel are taken up and laid down in four.
template <class T>
double Engine<T>::cost_of_taps(int64_t images) const {
  const auto channels = static_cast<double>(a_.in_channels), all = static_cast<double>(images);
  const auto over = [&](const Axis& axis, const Pass& p, auto&& add) {
    for (int64_t t = 0; t < p.taps; ++t) {
      int64_t begin = p.begin, end = p.end;
      keep_inside(axis, p.offset[t], &begin, &end);
      if (end > begin) add(end - begin);
    }
  };
  double cost = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      double planes = 0, rows = 0, products = 0;
      over(s_.z, *u.z, [&](int64_t n) { planes += static_cast<double>(n); });
      over(s_.y, *u.y, [&](int64_t n) { rows += static_cast<double>(n); });
      over(s_.x, x, [&](int64_t n) {
        const double along = tiles_of(n, leaves_.most, 2.5) * all,
                     across = tiles_of(images, leaves_.most, 2.5) * static_cast<double>(n);
        products += std::min(along, across) * channels + (40 + 4 * static_cast<double>(n)) * all;
      });
      const auto taps = static_cast<double>(u.z->taps * u.y->taps * x.taps);
      cost += (planes * rows * products + kOfTap * taps) * pairs_of(u.rows * x.phases, leaves_.lanes);
    }
  }
  return cost * static_cast<double>(a_.batch) / all;
}

// The same with all taps of a position at once. Weights that do not stay in the second-level cache are waited
// for by tiles of few pixels.
template <class T>
double Engine<T>::cost_of_parts(bool edges, int64_t images) const {
  const double wait = weights_are_far() ? 8.0 : 2.5;
  ScratchFrame frame;
  double cost = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
      const Pass* passes[3] = {u.z, u.y, &x};
      Stretch* list[3];
      int64_t count[3];
      for (int d = 0; d < 3; ++d) {
        const Pass& p = *passes[d];
        list[d] = frame.take<Stretch>(2 * p.taps + 2);
        count[d] = stretches_of(edges, *axes[d], p, p.begin, p.end - p.begin, list[d]);
      }
      double products = 0;
      for (int64_t e = 0; e < count[0] * count[1] * count[2]; ++e) {
        const Stretch part[3] = {list[0][e / count[2] / count[1]], list[1][e / count[2] % count[1]],
                                 list[2][e % count[2]]};
        int64_t n = part[2].end - part[2].begin, longest = std::max(n, images);
        double pixels = static_cast<double>(images), taps = 1;
        for (const Stretch& s : part) {
          longest = std::max(longest, s.end - s.begin);
          pixels *= static_cast<double>(s.end - s.begin);
          taps *= static_cast<double>(s.taps);
        }
        const double sums = taps * static_cast<double>(a_.in_channels);
        if (2 * n < leaves_.most) n = longest;
        if (edges) products += kOfPart + kOfPartTap * taps;
        products +=
            pixels / static_cast<double>(n) * (tiles_of(n, leaves_.most, wait) * sums + 40) + 4 * pixels;
      }
      cost += products * pairs_of(u.rows * x.phases, leaves_.lanes);
    }
  }
  return cost * static_cast<double>(a_.batch) / static_cast<double>(images);
}

// As many positions as fit with chunk_ channels; false if not even one vector does.
template <class T>
bool Engine<T>::fit_box(int64_t budget, int64_t most) {
  const int64_t all[4] = {deep_ && first_ ? 1 : a_.batch, q_[0], q_[1], q_[2]};
  for (int i = 0; i < 4; ++i) box_[i] = 1;
  box_[3] = std::max<int64_t>(all[3], 1);
  // Pixels that are read where they are may be one row.
  while ((room(box_) > budget || (in_place_ && !deep_ && box_[3] > most)) && box_[3] > width_)
    box_[3] = divide_up(divide_up<int64_t>(box_[3], 2), width_) * width_;
  const bool fits = room(box_) <= budget;
  int64_t inner = box_[3];
  for (int i = 2; i >= 0 && box_[i + 1] >= all[i + 1]; --i) {
    // Working memory grows by the same amount with each row, plane or image.
    const int64_t one = room(box_);
    box_[i] = 2;
    const int64_t more = std::max<int64_t>(1, room(box_) - one);
    const int64_t n = std::min({all[i], divide_up(most, inner), 1 + (budget - one) / more});
    box_[i] = n <= 1 ? 1 : divide_up(all[i], divide_up(all[i], n));
    inner *= box_[i];
  }
  return fits;
}

// Elements of working memory for a box of these extents.
template <class T>
int64_t Engine<T>::room(const int64_t* extent) const {
  int64_t taps = 0;
  for (int64_t i = 0; i < unit_count_; ++i)
    if (units_[i].panels) taps = std::max(taps, taps_of(units_[i]));
  if (!first_) {
    const Slab slab = slab_of(extent);
    return extent[0] * slab.extent[0] * slab.extent[1] * slab.extent[2] * slab.pitch[3];
  }
  return (slab_of(extent).channel + taps * extent[0] * extent[1] * extent[2] * extent[3]) * chunk_;
}

template <class T>
int64_t Engine<T>::taps_of(const Unit& u) {
  int64_t taps = 0;
  for (int64_t j = 0; j < u.x->count; ++j) taps += u.z->taps * u.y->taps * u.x->pass[j]->taps;
  return taps;
}

// About in cycles, a product of `lines` lines of x positions that are `gap` positions apart: of a vector half
// of one (of a single one a little more).
template <class T>
double Engine<T>::products_of(int64_t lines, int64_t x, int64_t gap) const {
  const int64_t lanes = leaves_.lanes;
  if (gap >= width_) {
    const int64_t vectors = divide_up(x, lanes);
    return static_cast<double>(lines) *
           (0.5 * static_cast<double>(vectors) + 0.1 * static_cast<double>(vectors % 2));
  }
  const int64_t vectors = divide_up(lines * x + (lines - 1) * gap, lanes);
  return 0.5 * static_cast<double>(vectors) + 0.1 * static_cast<double>(vectors % 2);
}

// Whether sums of lines of the slab go to the outputs they are, though their last vectors are not full. Those
// of all lines together are copied.
template <class T>
bool Engine<T>::row_by_row(const Unit& u, int64_t lines, int64_t x, int64_t gap) const {
  if (in_place_ || u.panels || chunk_ < a_.in_channels || x < leaves_.lanes || !sums_are_outputs(u))
    return false;
  const auto k = static_cast<double>(k_of(u, 0));
  return k * products_of(lines, x, width_) <
         k * products_of(lines, x, gap) + kCopy * static_cast<double>(lines * x);
}

// What all boxes cost, about in cycles: a weight fetched from the third-level cache half of one; a vector of
// inputs copied is two, a row of them four; sums that wait for the next chunk two. Vectors that are as long
// as a line of the cache lie across two in a slab, which the weights of many channels hide, and a piece of a
// row that is copied to a panel is twelve.
template <class T>
double Engine<T>::cost_of_box() const {
  const int64_t lanes = leaves_.lanes;
  const Slab slab = slab_of(box_);
  const int64_t rows =
      slab.extent[0] * slab.residues[0] * slab.extent[1] * slab.residues[1] * slab.residues[2];
  double boxes = 1;
  const int64_t all[4] = {a_.batch, q_[0], q_[1], q_[2]};
  for (int i = 0; i < 4; ++i) boxes *= static_cast<double>(all[i]) / static_cast<double>(box_[i]);
  const auto channels = static_cast<double>(a_.in_channels);
  const double fetch = work_of_position() > 128 * 1024 ? 0.5 : 0.1;
  const bool line = lanes * static_cast<int64_t>(sizeof(T)) == 64;
  const double across = line && chunk_ >= a_.in_channels ? kAcross : 1, piece = line ? 12 : 4;
  double cost = static_cast<double>(box_[0] * rows * (4 + 2 * divide_up(slab.extent[2], lanes))) * channels;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    const int64_t image = std::min(box_[1], u.qz) * std::min(box_[2], u.qy), lines = box_[0] * image,
                  x = std::min(box_[3], u.qx), gap = slab.pitch[2] - x, dense = divide_up(lines * x, lanes);
    const bool alone = row_by_row(u, lines, x, gap),
               copied = u.panels ? !sums_are_outputs(u) || (box_[0] > 1 && image * x < kStretch) : !alone;
    if (u.panels)
      cost += static_cast<double>(taps_of(u) * (2 * dense + piece * lines * (1 + x / width_))) * channels;
    const double products = products_of(lines, x,
                                        u.panels ? 0
                                        : alone  ? width_
                                                 : gap) *
                                (u.panels ? 1 : across) +
                            fetch;
    for (int64_t j = 0; j < u.x->count; ++j) {
      const auto columns = static_cast<double>(u.rows * u.x->pass[j]->phases);
      cost += static_cast<double>(k_of(u, j)) * columns * products;
      if (copied) cost += kCopy * static_cast<double>(lines * x) * columns;
      if (chunk_ < a_.in_channels)
        cost += 2 * static_cast<double>(divide_up(a_.in_channels, chunk_) * dense) * columns;
    }
  }
  return cost * boxes;
}

template <class T>
Box Engine<T>::box_of(int64_t* task) const {
  // Planes of groups of one channel are images of their own.
  const int64_t all[4] = {deep_ && first_ ? 1 : a_.batch, q_[0], q_[1], q_[2]};
  Box box;
  for (int i = 3; i >= 0; --i) {
    box.begin[i] = *task % boxes_[i] * box_[i];
    box.end[i] = std::min(all[i], box.begin[i] + box_[i]);
    box.extent[i] = box.end[i] - box.begin[i];
    *task /= boxes_[i];
  }
  return box;
}

template <class T>
Slab Engine<T>::slab_of(const int64_t* extent) const {
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  Slab slab;
  if (!first_) {
    // Pixels that a tile reads together start in different sets.
    slab.pitch[3] = chunk_ * s_.x.in_step % 1024 == 0 && !deep_ ? chunk_ + 16 : chunk_;
    if (in_place_) slab.pitch[3] = a_.groups * a_.in_channels;
    int64_t pitch = slab.pitch[3];
    for (int i = 2; i >= 0; --i) {
      slab.residues[i] = 1;
      slab.extent[i] =
          by_taps_ || whole_ ? axes[i]->in : (extent[i + 1] - 1) * axes[i]->in_step + high_[i] - low_[i] + 1;
      pitch *= in_place_ ? axes[i]->in : slab.extent[i];
      slab.pitch[i] = pitch;
    }
    return slab;
  }
  int64_t pitch[3], length = extent[0], cells = 1;
  for (int i = 0; i < 3; ++i) {
    const int64_t step = axes[i]->in_step, n = extent[i + 1];
    slab.residues[i] = std::min(step, high_[i] - low_[i] + 1);
    slab.extent[i] = n + (high_[i] - low_[i]) / step;
    cells *= slab.residues[i];
    int64_t shared = 0;
    if (n == q_[i]) {
      shared = slab.extent[i] - 1;
      for (int64_t r = 0; r < slab.residues[i]; ++r) {
        const int64_t start = low_[i] + r, e = slab.extent[i];
        shared =
            std::min({shared, zeros_before(start, step, e), e - end_inside(start, step, e, axes[i]->in)});
      }
    }
    pitch[i] = slab.extent[i] - shared;
  }
  if (in_place_) {
    slab.pitch[3] = 1;
    slab.pitch[2] = s_.x.in;
    slab.pitch[1] = s_.y.in * s_.x.in;
    slab.channel = s_.in();
    slab.pitch[0] = a_.groups * a_.in_channels * slab.channel;
    slab.residue = 0;
    return slab;
  }
  slab.pitch[3] = 1;
  slab.pitch[2] = pitch[2];
  slab.pitch[1] = pitch[1] * pitch[2];
  slab.pitch[0] = pitch[0] * slab.pitch[1];
  length = (extent[0] - 1) * slab.pitch[0] + slab.extent[2];
  for (int i = 0; i < 2; ++i) length += (slab.extent[i] - 1) * slab.pitch[i + 1];
  // What is written behind the end of one residue is not in the next.
  slab.residue = length + (cells > 1 ? leaves_.lanes : 0);
  slab.channel = slab.residue * cells;
  // Channels start in different sets of the caches.
  if (slab.channel >= 256) slab.channel = (divide_up<int64_t>(slab.channel, 16) | 1) * 16;
  return slab;
}

template <class T>
int64_t Engine<T>::joined(int64_t threads) const {
  const int64_t pixels = first_ && (in_place_ || flow_ > 0) ? flat_ : box_[0] * box_[1] * box_[2] * box_[3];
  const double work = std::max(work_of_position() * static_cast<double>(pixels), 1.0);
  if (flow_ > 0)
    return threads > 1 || a_.groups > 1 ? 1 : std::max<int64_t>(1, static_cast<int64_t>(kMostWork / work));
  if (parts_ == 1 || !shares_boxes()) return 1;
  int64_t n = parts_;
  if (threads > 1) n = tasks_ % threads == 0 && tasks_ / threads <= 4 ? tasks_ / threads : 1;
  return static_cast<double>(n) * work <= kMostWork * static_cast<double>(parts_) ? n : 1;
}

template <class T>
void Engine<T>::run(int64_t begin, int64_t end, const T* packed, const T* packed_bias) const {
  while (flow_ > 0 && begin < end) begin += run_flow(begin, end, packed, packed_bias);
  for (int64_t task = begin, n = 1; task < end; task += n) {
    if (shares_boxes()) n = std::min(end - task, parts_ - task % parts_);
    if (deep_ && first_)
      run_deep(task, packed, packed_bias);
    else if (deep_)
      run_deep_last(task, packed, packed_bias);
    else if (first_)
      run_first(task, n, packed, packed_bias);
    else
      run_last(task, n, packed, packed_bias);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
