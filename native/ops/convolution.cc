// The convolution family: every plan of Note [Passes] in src/plan/conv2d.ts as products of packed weights and
// panels of packed pixels.
//
// Note [Tiles]
// The outputs of a pass are a matrix of pixels × columns, where a column is an output channel in one phase.
// Channels first (nchw), a vector holds pixels: a panel [k][2 vectors] of inputs, gathered across row ends
// with zeros for the padding, is multiplied by weights [k][columns of a tile], and the phases of a row are
// interleaved as they leave for the output. Channels last (nhwc), a vector holds columns: weights [k][2
// vectors], inputs [pixel][k]. Every output element is one sum in the order of k, whatever the number of
// threads. Winograd's algorithm (winograd.cc), transposed convolutions to few channels
// (convolution-overlap.cc) and 1x1 convolutions to few channels (convolution-point.cc) sum in orders of their
// own.
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>

#include "ops/convolution-direct.h"
#include "ops/convolution-engine.h"
#include "ops/convolution-few.h"
#include "ops/convolution-groups.h"
#include "ops/convolution-overlap.h"
#include "ops/convolution-point.h"
#include "ops/convolution-windows.h"
#include "ops/winograd.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

using namespace conv;

// Weights as T: themselves, or float16 widened.
template <class T>
const T* widened(const KernelTable& k, int type, const void* data, int64_t n, ScratchFrame* frame) {
  if constexpr (std::is_same<T, float>::value) {
    if (type == F16) {
      float* wide = frame->take<float>(n);
      k.widen[F16](wide, data, n);
      return wide;
    }
  }
  return static_cast<const T*>(data);
}

template <class T>
bool all_finite(const KernelTable& table, const T* x, int64_t n, const Context& context) {
  std::atomic<bool> all{true};
  parallel_for(context, n, 1 << 16, [&](int64_t begin, int64_t end) {
    if (!leaves_of<T>(table).finite(x + begin, end - begin)) all.store(false, std::memory_order_relaxed);
  });
  return all.load();
}

// --- one sum at a time

// For problems too small to be worth packing, and for weights that are not finite: padding is skipped, not
// multiplied.
template <class T>
void one_by_one(const ConvArgs& a, const Geometry& s, const KernelTable& kernels, const T* weight,
                const T* bias, int64_t begin, int64_t end) {
  const Strides stride(a, s.kernel());
  const int64_t channels = a.groups * a.in_channels, pixels = s.in(), out_pixels = s.out();
  const int64_t in_channel = a.nhwc ? 1 : pixels, in_pixel = a.nhwc ? channels : 1;
  const int64_t out_channels = a.groups * a.out_channels;
  const auto& leaves = leaves_of<T>(kernels);
  const auto load = [&](int64_t i) -> T {
    T v = 0;
    if constexpr (std::is_same<T, float>::value)
      if (a.type == F16) {
        kernels.widen[F16](&v, static_cast<const char*>(a.in) + 2 * i, 1);
        return v;
      }
    v = static_cast<const T*>(a.in)[i];
    return v;
  };
  for (int64_t item = begin; item < end; ++item) {
    const int64_t n = item / out_channels, o = item % out_channels, g = o / a.out_channels;
    const T* w = weight + g * stride.group + o % a.out_channels * stride.out;
    const int64_t from =
        a.nhwc ? n * pixels * channels + g * a.in_channels : (n * channels + g * a.in_channels) * pixels;
    const int64_t to = a.nhwc ? n * out_pixels * out_channels + o : (n * out_channels + o) * out_pixels;
    const int64_t step = a.nhwc ? out_channels : 1;
    for (int64_t iz = 0; iz < s.z.count; ++iz)
      for (int64_t iy = 0; iy < s.y.count; ++iy)
        for (int64_t ix = 0; ix < s.x.count; ++ix) {
          const Pass &pz = s.z.pass[iz], &py = s.y.pass[iy], &px = s.x.pass[ix];
          for (int64_t qz = pz.begin; qz < pz.end; ++qz)
            for (int64_t fz = 0; fz < pz.phases; ++fz) {
              const int64_t oz = qz * s.z.out_step + pz.phase[fz];
              if (oz >= s.z.out) continue;
              for (int64_t qy = py.begin; qy < py.end; ++qy)
                for (int64_t fy = 0; fy < py.phases; ++fy) {
                  const int64_t oy = qy * s.y.out_step + py.phase[fy];
                  if (oy >= s.y.out) continue;
                  for (int64_t qx = px.begin; qx < px.end; ++qx)
                    for (int64_t fx = 0; fx < px.phases; ++fx) {
                      const int64_t ox = qx * s.x.out_step + px.phase[fx];
                      if (ox >= s.x.out) continue;
                      T sum = bias != nullptr ? bias[o] : T(0);
                      for (int64_t tz = 0; tz < pz.taps; ++tz) {
                        const int64_t z = qz * s.z.in_step + pz.offset[tz];
                        if (z < 0 || z >= s.z.in) continue;
                        for (int64_t ty = 0; ty < py.taps; ++ty) {
                          const int64_t y = qy * s.y.in_step + py.offset[ty];
                          if (y < 0 || y >= s.y.in) continue;
                          for (int64_t tx = 0; tx < px.taps; ++tx) {
                            const int64_t x = qx * s.x.in_step + px.offset[tx];
                            if (x < 0 || x >= s.x.in) continue;
                            const int64_t source = from + ((z * s.y.in + y) * s.x.in + x) * in_pixel;
                            for (int64_t c = 0; c < a.in_channels; ++c)
                              sum += folded(s, w + c * stride.in, pz, fz * pz.taps + tz, py,
                                            fy * py.taps + ty, px, fx * px.taps + tx) *
                                     load(source + c * in_channel);
                          }
                        }
                      }
                      const int64_t at = to + ((oz * s.y.out + oy) * s.x.out + ox) * step;
                      if (std::is_same<T, float>::value && a.type == F16)
                        leaves.scatter[F16](static_cast<char*>(a.out) + 2 * at, 1, &sum, 1);
                      else
                        static_cast<T*>(a.out)[at] = sum;
                    }
                }
            }
        }
  }
}

// What stands before packed weights.
struct Packed {
  const KernelTable* table;
  int64_t kept;  // elements: weights and bias as they came, or none
  bool packed;   // behind them, as an engine packs them; if not, the weights are not all finite
  // From there: once more, for vectors of columns, as Winograd's forms, for overlaps, for small groups and
  // for windows, or 0.
  int64_t turned, transformed, overlapping, grouped, windows;
};

constexpr int64_t kHead = 128, kFew = 256, kFewImages = 8;
constexpr int64_t kTiles[] = {4, 2};  // of Winograd's forms, in the order in which they are packed

template <class P>
P* aligned(P* p) {
  return reinterpret_cast<P*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

// What an engine computes. Channels last, windows of groups of one channel that become some are as many
// groups of one output: what they read is repeated, once for all taps, where SmallGroups leaves that to an
// engine.
ConvArgs for_engine(ConvArgs a, const Geometry& s, const KernelTable& table) {
  const int64_t times = a.out_channels;
  if (a.type != F32 || !a.nhwc || a.transposed || a.in_channels != 1 || a.groups == 1 || times == 1 ||
      2 * times > table.lanes || table.conv.deep_part == nullptr || SmallGroups(a, s, table).worth_running())
    return a;
  for (const Axis* axis : {&s.z, &s.y, &s.x})
    if (!is_plain(*axis)) return a;
  a.groups *= times;
  a.out_channels = 1;
  a.repeats = times;
  return a;
}

// Elements of what an engine packs.
template <class T>
int64_t engine_size(const ConvArgs& a, const Engine<T>& engine) {
  return divide_up<int64_t>(a.groups * (engine.group_weights() + engine.group_bias()), 16) * 16;
}

// Elements of weights and bias as they came, and whether they are kept beside those that are packed: they are
// few, or read as they are.
int64_t kept_size(const ConvArgs& a, const Geometry& s) {
  return divide_up<int64_t>(a.groups * a.out_channels * (a.in_channels * s.kernel() + 1), 16) * 16;
}
bool keeps(const ConvArgs& a, const Geometry& s, const KernelTable& table) {
  return a.groups * a.out_channels * a.in_channels * s.kernel() <= kFew || Point(a, s, table).worth_keeping();
}

template <class T>
int64_t packed_size(const ConvArgs& a) {
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const int64_t raw = kept_size(a, s);
  const ConvArgs each = for_engine(a, s, kernels());
  int64_t size = engine_size(each, Engine<T>(each, s, kernels(), &frame));
  if (Engine<T>::can_turn(a, kernels())) size += engine_size(a, Engine<T>(a, s, kernels(), &frame, true));
  for (const int64_t tile : kTiles) size += Winograd(a, s, kernels(), tile).packed_size();
  size += Overlap(a, s, kernels(), &frame).packed_size() + SmallGroups(a, s, kernels()).packed_size();
  size += Windows(a, s, kernels()).packed_size();
  size = keeps(a, s, kernels()) ? raw + size : std::max(raw, size);
  return kHead + static_cast<int64_t>(sizeof(T)) * size;
}

template <class T>
void pack_all(const ConvArgs& a, const Engine<T>& engine, const T* weight, const T* bias, T* packed,
              const Context& context) {
  T* packed_bias = packed + a.groups * engine.group_weights();
  parallel_for(context, engine.packing_tasks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) engine.pack(weight, bias, i, packed, packed_bias);
  });
}

template <class T>
Status pack_ahead(const ConvArgs& a, const Context& context) {
  const KernelTable& table = kernels();
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const int64_t channels = a.groups * a.out_channels, weights = channels * a.in_channels * s.kernel();
  const T* weight = widened<T>(table, a.type, a.weight, weights, &frame);
  const T* bias = a.bias == nullptr ? nullptr : widened<T>(table, a.type, a.bias, channels, &frame);
  auto* head = static_cast<Packed*>(a.packing);
  T* to = reinterpret_cast<T*>(aligned(static_cast<char*>(a.packing) + sizeof(Packed)));
  head->table = &table;
  head->turned = head->transformed = head->overlapping = head->grouped = head->windows = 0;
  head->packed = all_finite(table, weight, weights, context);
  head->kept = !head->packed || keeps(a, s, table) ? kept_size(a, s) : 0;
  if (head->kept > 0) {
    std::copy_n(weight, weights, to);
    if (bias != nullptr)
      std::copy_n(bias, channels, to + weights);
    else
      std::fill_n(to + weights, channels, T(0));
    to += head->kept;
  }
  if (!head->packed) return OK;
  const ConvArgs each = for_engine(a, s, table);
  const Engine<T> engine(each, s, table, &frame);
  pack_all(each, engine, weight, bias, to, context);
  T* form = to + engine_size(each, engine);
  // For small planes.
  if (Engine<T>::can_turn(a, table)) {
    const Engine<T> turned(a, s, table, &frame, true);
    pack_all(a, turned, weight, bias, form, context);
    head->turned = form - to;
    form += engine_size(a, turned);
  }
  // For inputs that are large enough.
  if constexpr (std::is_same<T, float>::value) {
    for (const int64_t tile : kTiles) {
      const Winograd winograd(a, s, table, tile);
      if (!winograd.worth_packing()) continue;
      if (head->transformed == 0) head->transformed = form - to;
      winograd.pack(weight, bias, form, context);
      form += winograd.packed_size();
    }
    const Overlap overlap(a, s, table, &frame);
    if (overlap.worth_packing()) {
      overlap.pack(weight, bias, form);
      head->overlapping = form - to;
      form += overlap.packed_size();
    }
    const SmallGroups groups(a, s, table);
    if (groups.worth_running()) {
      groups.pack(weight, bias, form);
      head->grouped = form - to;
      form += groups.packed_size();
    }
    const Windows windows(a, s, table);
    if (windows.worth_packing()) {
      windows.pack(weight, bias, form);
      head->windows = form - to;
    }
  }
  return OK;
}

template <class T>
Status run_one_by_one(const ConvArgs& a, const Geometry& s, const KernelTable& table, const T* weight,
                      const T* bias, const Context& context) {
  const int64_t items = a.batch * a.groups * a.out_channels;
  const int64_t grain = std::max<int64_t>(1, 10000 / (s.out() * a.in_channels));
  parallel_for(context, items, grain,
               [&](int64_t begin, int64_t end) { one_by_one(a, s, table, weight, bias, begin, end); });
  return context.cancelled() ? CANCELLED : OK;
}

template <class T>
void run_engine(const ConvArgs& a, const Engine<T>& engine, const T* packed, const Context& context) {
  const T* bias = packed + a.groups * engine.group_weights();
  parallel_for(context, engine.tasks(), engine.joined(context.threads),
               [&](int64_t begin, int64_t end) { engine.run(begin, end, packed, bias); });
}

// Weights in the form of an algorithm: of the packed ones those that stand at head->*at, or packed for one
// call.
template <class Algorithm>
const float* packed_for(const Algorithm& algorithm, const Packed* head, int64_t Packed::* at,
                        const float* packed, const float* weight, const float* bias, ScratchFrame* frame) {
  if (packed != nullptr) return packed + head->*at;
  float* space = frame->take<float>(algorithm.packed_size());
  algorithm.pack(weight, bias, space);
  return space;
}

// --- plans

// Note [Kept plans]
// What computes a convolution follows from its extents and from which forms of the weights there are, and is
// asked for by calls that come again: of small planes choosing takes about a third of the time (8 channels of
// 6x11 to 32, 5x5 at stride 2). So a thread keeps its last plans: all algorithms, as far as they were asked
// for, and which of them are worth running.

// Something that is made, or answered, when it is first asked for.
template <class V>
class Late {
 public:
  template <class Make>
  V& get(Make&& make) {
    if (!value_) value_.emplace(make());
    return *value_;
  }

 private:
  std::optional<V> value_;
};

// Numbers of the tables of each axis.
struct TableSizes {
  int64_t of[ConvArgs::kMaxAxes], all;
};
int64_t table_size(const ConvAxis& axis) {
  const double* at = axis.passes;
  for (int64_t i = 0; i < axis.pass_count; ++i) {
    const auto taps = static_cast<int64_t>(at[2]), phases = static_cast<int64_t>(at[3]),
               entries = static_cast<int64_t>(at[4]);
    const auto ints = [](int64_t n) { return divide_up<int64_t>(n, 2); };
    at += 5 + ints(taps) + ints(phases) + ints(taps * phases + 1) + ints(entries) + entries;
  }
  return at - axis.passes;
}

// Behind the algorithms that do without: what an engine is needed for, or its cost.
template <class T>
struct Planned {
  Geometry near;
  const Engine<T> engine;
  Late<bool> overlaps, directly, may_turn, turns;
  Late<const Winograd*> transforms;
  Late<const Winograd> large, small;
  Late<const Few> few_positions;
  Late<const Direct> direct;
  Late<const Reaching> reaching;
  Late<const Engine<T>> turned;

  static Geometry nearest(const ConvArgs& a, bool packed, ScratchFrame* frame) {
    Geometry near(a, frame);
    if (!packed || a.in_channels > 1) near.trim(packed, frame);
    return near;
  }
  Planned(const ConvArgs& a, const ConvArgs& each, const KernelTable& table, bool packed, ScratchFrame* frame)
      : near(nearest(a, packed, frame)), engine(each, near, table, frame) {}
};

template <class T>
struct Plan {
  OwnScratch memory;
  const KernelTable& table;
  const int64_t forms;  // of the weights: forms_of
  const TableSizes sizes;
  ConvArgs a, each;  // with the arrays of a call
  const Geometry s;
  const Overlap overlap;
  const Point point;
  const Direct direct;
  const SmallGroups groups;
  const Windows windows;
  Late<bool> directly;
  std::optional<Planned<T>> rest;

  Plan(const ConvArgs& args, const TableSizes& sizes, const KernelTable& kernels, int64_t forms)
      : table(kernels),
        forms(forms),
        sizes(sizes),
        a(with_tables(args, sizes, memory.frame())),
        s(a, memory.frame()),
        overlap(a, s, table, memory.frame()),
        point(a, s, table),
        direct(a, s, table),
        groups(a, s, table),
        windows(a, s, table) {
    each = for_engine(a, s, table);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  static int64_t forms_of(const Packed* head) {
    if (head == nullptr) return 0;
    int64_t forms = 1;
    for (const bool form : {head->kept > 0, head->packed, head->turned > 0, head->transformed > 0,
                            head->overlapping > 0, head->grouped > 0, head->windows > 0})
      forms = 2 * forms + (form ? 1 : 0);
    return forms;
  }

  // The tables of a call end with it.
  static ConvArgs with_tables(ConvArgs a, const TableSizes& sizes, ScratchFrame* frame) {
    for (int i = 0; i < a.axis_count; ++i) {
      auto* copy = frame->take<double>(sizes.of[i]);
      std::copy_n(a.axes[i].passes, sizes.of[i], copy);
      a.axes[i].passes = copy;
    }
    return a;
  }

  bool is_of(const ConvArgs& b, const TableSizes& of_sizes, const KernelTable& kernels,
             int64_t of_forms) const {
    if (&table != &kernels || forms != of_forms || a.type != b.type || a.nhwc != b.nhwc ||
        a.transposed != b.transposed || a.batch != b.batch || a.groups != b.groups ||
        a.in_channels != b.in_channels || a.out_channels != b.out_channels || a.axis_count != b.axis_count)
      return false;
    for (int i = 0; i < a.axis_count; ++i) {
      const ConvAxis &x = a.axes[i], &y = b.axes[i];
      if (x.in_size != y.in_size || x.out_size != y.out_size || x.kernel != y.kernel ||
          x.in_step != y.in_step || x.out_step != y.out_step || x.pass_count != y.pass_count)
        return false;
      const auto bytes = static_cast<size_t>(sizes.of[i]) * sizeof(double);
      if (sizes.of[i] != of_sizes.of[i] || std::memcmp(x.passes, y.passes, bytes) != 0) return false;
    }
    return true;
  }

  void take_arrays(const ConvArgs& b) {
    for (ConvArgs* to : {&a, &each}) {
      to->out = b.out;
      to->in = b.in;
      to->weight = b.weight;
      to->bias = b.bias;
      to->packed = b.packed;
    }
  }

  Planned<T>& planned(bool packed) {
    if (!rest) rest.emplace(a, each, table, packed, memory.frame());
    return *rest;
  }
};

// Plans that a thread keeps, each some kilobytes, and the numbers of the tables of one.
constexpr uint64_t kPlans = 16;
constexpr int64_t kMostTables = 1024;

// The plan of a call: one that was kept, or a new one in its place. Those of many passes end with `large`.
template <class T>
Plan<T>& plan_of(const ConvArgs& a, const KernelTable& table, int64_t forms,
                 std::unique_ptr<Plan<T>>* large) {
  thread_local std::unique_ptr<Plan<T>> kept[kPlans];
  uint64_t hash = 0;
  const auto add = [&](int64_t n) {
    hash = (hash ^ static_cast<uint64_t>(n)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  };
  for (const int64_t n : {a.batch, a.groups, a.in_channels, a.out_channels}) add(n);
  TableSizes sizes = {};
  int64_t units = 1;
  for (int i = 0; i < a.axis_count; ++i) {
    const ConvAxis& axis = a.axes[i];
    for (const int64_t n : {axis.in_size, axis.out_size, axis.kernel}) add(n);
    sizes.all += sizes.of[i] = table_size(axis);
    units *= axis.pass_count;
  }
  std::unique_ptr<Plan<T>>& plan = sizes.all + 32 * units > kMostTables ? *large : kept[hash % kPlans];
  if (plan == nullptr || !plan->is_of(a, sizes, table, forms)) {
    plan.reset();
    plan = std::make_unique<Plan<T>>(a, sizes, table, forms);
  }
  plan->take_arrays(a);
  return *plan;
}

template <class T>
Status run_convolution(ConvArgs args, const Context& context) {
  if (args.batch == 0) return OK;
  ScratchFrame frame;
  const auto* head = static_cast<const Packed*>(args.packed);
  const KernelTable* table = head != nullptr ? head->table : &kernels();
  // Planes of one pixel are the same in both layouts: packed for vectors of pixels, images are copied faster
  // as planes.
  bool pixels = true;
  for (int i = 0; i < args.axis_count; ++i)
    pixels = pixels && args.axes[i].in_size == 1 && args.axes[i].out_size == 1;
  if (pixels && head == nullptr) args.nhwc = true;
  if (pixels && head != nullptr && args.in_channels > 1 && 2 * args.out_channels < leaves_of<T>(*table).lanes)
    args.nhwc = false;
  std::unique_ptr<Plan<T>> large_plan;
  Plan<T>& plan = plan_of<T>(args, *table, Plan<T>::forms_of(head), &large_plan);
  const ConvArgs &a = plan.a, &each = plan.each;
  const Geometry& s = plan.s;
  const int64_t channels = a.groups * a.out_channels, weights = channels * a.in_channels * s.kernel();
  const bool few = a.batch * channels * s.out() * a.in_channels <= kFew;
  const T *packed = nullptr, *weight = nullptr, *bias = nullptr;
  if (head != nullptr) {
    const T* first = reinterpret_cast<const T*>(aligned(static_cast<const char*>(a.packed) + sizeof(Packed)));
    if (head->kept > 0) {
      weight = first;
      bias = first + weights;
    }
    if (head->packed) packed = first + head->kept;
  } else {
    weight = widened<T>(*table, a.type, a.weight, weights, &frame);
    if (a.bias != nullptr) bias = widened<T>(*table, a.type, a.bias, channels, &frame);
  }
  if (weight != nullptr && few) return run_one_by_one(a, s, *table, weight, bias, context);
  const Overlap& overlap = plan.overlap;
  if constexpr (std::is_same<T, float>::value) {
    if (weight != nullptr && plan.point.worth_running()) {
      plan.point.run(weight, bias, context);
      return context.cancelled() ? CANCELLED : OK;
    }
    if (packed != nullptr && plan.directly.get([&] { return plan.direct.worth_running(); })) {
      plan.direct.run(packed, context);
      return context.cancelled() ? CANCELLED : OK;
    }
    const SmallGroups& groups = plan.groups;
    if (groups.worth_running() && (packed == nullptr || head->grouped > 0)) {
      groups.run(packed_for(groups, head, &Packed::grouped, packed, weight, bias, &frame), context);
      return context.cancelled() ? CANCELLED : OK;
    }
    const Windows& windows = plan.windows;
    if (windows.worth_running() &&
        (packed == nullptr ? all_finite(*table, weight, weights, context) : head->windows > 0)) {
      windows.run(packed_for(windows, head, &Packed::windows, packed, weight, bias, &frame), context);
      return context.cancelled() ? CANCELLED : OK;
    }
    // Weights as they came are read where they are for few images (Reaching).
    if (overlap.has_pixels() && (packed == nullptr ? a.batch > kFewImages : head->overlapping > 0)) {
      overlap.run_pixels(packed_for(overlap, head, &Packed::overlapping, packed, weight, bias, &frame),
                         context);
      return context.cancelled() ? CANCELLED : OK;
    }
  }
  Planned<T>& rest = plan.planned(packed != nullptr);
  const Engine<T>& engine = rest.engine;
  if constexpr (std::is_same<T, float>::value) {
    if (s.out() > 1) {
      const auto tiled = [&](int i) { return [&, i] { return Winograd(a, s, *table, kTiles[i]); }; };
      const Winograd *large = &rest.large.get(tiled(0)), *small = &rest.small.get(tiled(1)),
                     *winograd = rest.transforms.get([&] {
                       // Packing that many weights for one call takes longer than it saves.
                       if (packed == nullptr) return large->worth_running_once() ? large : nullptr;
                       const Winograd* best =
                           small->worth_running() && small->faster_than(*large) ? small : large;
                       return best->worth_running() && head->transformed > 0 ? best : nullptr;
                     });
      if (winograd != nullptr) {
        const int64_t before =
            packed == nullptr ? 0 : head->transformed + (winograd == small ? large->packed_size() : 0);
        const bool done = packed == nullptr ? winograd->run(weight, bias, context)
                                            : winograd->run_packed(packed + before, context);
        if (done) return context.cancelled() ? CANCELLED : OK;
      }
    }
    if (overlap.worth_packing() && (packed == nullptr || head->overlapping > 0) &&
        rest.overlaps.get([&] { return overlap.worth_running(engine.cost_of_narrow_tiles()); })) {
      overlap.run(packed_for(overlap, head, &Packed::overlapping, packed, weight, bias, &frame), context);
      return context.cancelled() ? CANCELLED : OK;
    }
    if (packed == nullptr) {
      const Few& few_positions = rest.few_positions.get([&] { return Few(a, s, *table); });
      if (few_positions.worth_running() && few_positions.run(weight, bias, context))
        return context.cancelled() ? CANCELLED : OK;
      const Reaching& reaching =
          rest.reaching.get([&] { return Reaching(a, s, *table, engine.work(), plan.memory.frame()); });
      if (reaching.worth_running()) {
        reaching.run(weight, bias, context);
        return context.cancelled() ? CANCELLED : OK;
      }
    }
  }
  if (packed == nullptr) {
    if (!all_finite(*table, weight, weights, context))
      return run_one_by_one(a, s, *table, weight, bias, context);
    T* space = frame.take<T>(each.groups * (engine.group_weights() + engine.group_bias()));
    pack_all(each, engine, weight, bias, space, context);
    packed = space;
  }
  if constexpr (std::is_same<T, float>::value) {
    // Without the taps that only read padding.
    const Direct& direct = rest.direct.get([&] { return Direct(a, rest.near, *table); });
    if (head == nullptr && rest.directly.get([&] { return direct.worth_running(); })) {
      direct.run(packed, context);
      return context.cancelled() ? CANCELLED : OK;
    }
  }
  if (head != nullptr && head->turned > 0 && rest.may_turn.get([&] { return engine.may_be_turned(); })) {
    const Engine<T>& turned =
        rest.turned.get([&] { return Engine<T>(a, rest.near, *table, plan.memory.frame(), true); });
    if (rest.turns.get([&] { return turned.cost() < engine.cost(); })) {
      run_engine(a, turned, packed + head->turned, context);
      return context.cancelled() ? CANCELLED : OK;
    }
  }
  run_engine(each, engine, packed, context);
  return context.cancelled() ? CANCELLED : OK;
}

// One channel is the same in both layouts.
ConvArgs simplest(ConvArgs a) {
  if (a.groups * a.in_channels == 1 && a.groups * a.out_channels == 1) a.nhwc = false;
  return a;
}

}  // namespace

int64_t packed_bytes(const ConvArgs& args) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? packed_size<double>(a) : packed_size<float>(a);
}

Status pack_weights(const ConvArgs& args, const Context& context) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? pack_ahead<double>(a, context) : pack_ahead<float>(a, context);
}

Status convolution(const ConvArgs& args, const Context& context) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? run_convolution<double>(a, context) : run_convolution<float>(a, context);
}

}  // namespace upsampling
