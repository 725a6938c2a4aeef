// What is to be computed, and its division into tasks.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

namespace {

const Pass kWhole = [] {
  static const int32_t zero[1] = {0}, first[2] = {0, 1};
  static const double one[1] = {1};
  return Pass{0, 1, 1, 1, zero, zero, first, zero, one};
}();

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
  }
}

}  // namespace

Geometry::Geometry(const ConvArgs& a, ScratchFrame* frame) {
  Axis* axes[3] = {&z, &y, &x};
  const int lead = 3 - a.axis_count;
  for (int i = 0; i < lead; ++i) *axes[i] = Axis{1, 1, 1, 1, 1, 1, const_cast<Pass*>(&kWhole)};
  for (int i = lead; i < 3; ++i) read_axis(a.axes[i - lead], frame, axes[i]);
}

template <class T>
Engine<T>::Engine(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, ScratchFrame* frame)
    : a_(a),
      s_(s),
      leaves_(leaves_of<T>(kernels)),
      width_(2 * leaves_.lanes),
      size_(bytes_of(a.type)),
      first_(!a.nhwc || 2 * a.out_channels < leaves_.lanes) {
  make_bundles(frame);
  make_units(frame);
  strips_ = 0;
  if (first_) {
    plan_first();
    plan_depth();
  }
}

template <class T>
int64_t Engine<T>::grain() const {
  return strips_ == 0 ? 1
                      : std::max<int64_t>(1, tasks_ / std::max<int64_t>(1, tasks_ * strip_ * pitch_ / 32768));
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
  unit_count_ = group_weights_ = group_bias_ = tasks_ = packing_ = 0;
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
        u.weights = frame->take<int64_t>(u.x->count);
        u.bias = frame->take<int64_t>(u.x->count);
        int64_t columns = 0, k = 0, work = 0;
        for (int64_t j = 0; j < u.x->count; ++j) columns = std::max(columns, u.x->pass[j]->phases);
        u.block = std::max<int64_t>(1, leaves_.most / columns);
        u.block = divide_up(u.rows, divide_up(u.rows, u.block));
        for (int64_t j = 0; j < u.x->count; ++j) {
          const int64_t all = u.rows * u.x->pass[j]->phases;
          const int64_t padded = first_ ? all : divide_up(all, width_) * width_;
          u.weights[j] = group_weights_;
          u.bias[j] = group_bias_;
          group_weights_ += (k_of(u, j) * padded + 15) & ~int64_t{15};
          group_bias_ += (padded + 15) & ~int64_t{15};
          packing_ += packing_parts(u, j);
          k += k_of(u, j);
          work += k_of(u, j) * all;
        }
        if (first_) continue;
        divide(&u, k, work);
        u.first_task = tasks_;
        tasks_ += u.tiles * u.parts;
      }
  tasks_ *= a_.groups;
}

template <class T>
void Engine<T>::divide(Unit* u, int64_t k, int64_t work) {
  const int64_t unit = leaves_.most;
  const int64_t panels = divide_up(u->pixels, unit);
  const int64_t bytes = std::max<int64_t>(k, 1) * unit * static_cast<int64_t>(sizeof(T));
  const int64_t per_task = std::max<int64_t>(1, (8 << 20) / std::max<int64_t>(work * unit, 1));
  u->sub = std::max<int64_t>(1, std::min(kPanel / bytes, std::max(panels / 16, per_task)));
  u->tiles = divide_up(panels, u->sub);
  const int64_t blocks = divide_up(u->rows * u->x->phases, width_);
  u->parts = 1;
  const int64_t tasks = u->tiles * a_.groups * s_.z.count * s_.y.count * bundle_count_;
  if (tasks < 8 && work * unit * u->sub > (1 << 21))
    u->parts =
        std::min({blocks, divide_up<int64_t>(8, tasks), divide_up<int64_t>(work * unit * u->sub, 1 << 21)});
  // Where K is cut into chunks, the sums of a part wait in memory.
  if (bytes > kPanel) {
    const int64_t most = std::max<int64_t>(1, kSums / (unit * u->sub * static_cast<int64_t>(sizeof(T))));
    const int64_t all = u->rows * u->x->phases;
    u->parts = std::min(blocks, std::max(u->parts, divide_up(all, most)));
  }
}

template <class T>
int64_t Engine<T>::segments(const Unit& u, int64_t begin, int64_t end, Segment* list) const {
  int64_t count = 0, rest = begin;
  int64_t x = rest % u.qx;
  rest /= u.qx;
  int64_t y = rest % u.qy;
  rest /= u.qy;
  int64_t z = rest % u.qz, n = rest / u.qz;
  for (int64_t p = begin; p < end;) {
    const int64_t run = std::min(u.qx - x, end - p);
    list[count++] = {n, u.z->begin + z, u.y->begin + y, u.x->begin + x, p - begin, run, 0};
    p += run;
    x = 0;
    if (++y == u.qy) {
      y = 0;
      if (++z == u.qz) {
        z = 0;
        ++n;
      }
    }
  }
  return count;
}

template <class T>
void Engine<T>::run(int64_t task, const T* packed, const T* packed_bias) const {
  if (strips_ > 0) {
    run_depth(task, packed, packed_bias);
    return;
  }
  if (first_) {
    run_first(task, packed, packed_bias);
    return;
  }
  const int64_t g = task % a_.groups;
  task /= a_.groups;
  int64_t i = 0;
  while (i + 1 < unit_count_ && units_[i + 1].first_task <= task) ++i;
  const Unit& u = units_[i];
  task -= u.first_task;
  const int64_t part = task % u.parts, tile = task / u.parts;
  const T* w = packed + g * group_weights_;
  const T* b = packed_bias + g * group_bias_;
  run_columns_last(u, g, tile, part, w, b);
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
