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
#include "ops/convolution-kept.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"

namespace upsampling {

namespace {

using namespace conv;

constexpr int64_t kFewest = 64, kFewImages = 8;

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
  Plan<T>& plan = plan_of<T>(args, *table, Packed::forms_of(head), &large_plan);
  const ConvArgs &a = plan.a, &each = plan.each;
  const Geometry& s = plan.s;
  const int64_t channels = a.groups * a.out_channels, weights = channels * a.in_channels * s.kernel();
  const int64_t products = a.batch * weights * (a.transposed ? s.in() : s.out());
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
  if (weight != nullptr && products <= (packed == nullptr ? kFew : kFewest))
    return run_one_by_one(a, s, *table, weight, bias, context);
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

}  // namespace

Status convolution(const ConvArgs& args, const Context& context) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? run_convolution<double>(a, context) : run_convolution<float>(a, context);
}

}  // namespace upsampling
