// Plans of convolutions that a thread keeps.
//
// Note [Kept plans]
// What computes a convolution follows from its extents and from which forms of the weights there are, and is
// asked for by calls that come again: of small planes choosing takes about a third of the time (8 channels of
// 6x11 to 32, 5x5 at stride 2). So a thread keeps its last plans: all algorithms, as far as they were asked
// for, and which of them are worth running.
#pragma once
#include <cstring>
#include <memory>
#include <optional>

#include "ops/convolution-direct.h"
#include "ops/convolution-few.h"
#include "ops/convolution-forms.h"
#include "ops/convolution-overlap.h"
#include "ops/convolution-point.h"
#include "ops/convolution-windows.h"
#include "ops/winograd.h"

namespace upsampling {
namespace conv {

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
inline int64_t table_size(const ConvAxis& axis) {
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
  const int64_t forms;  // of the weights: Packed::forms_of
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

}  // namespace conv
}  // namespace upsampling
