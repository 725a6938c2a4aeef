// The forms in which weights are packed ahead, and what comes first of them.
#pragma once
#include <atomic>

#include "ops/convolution-engine.h"
#include "ops/convolution-groups.h"
#include "ops/convolution-point.h"
#include "runtime/parallel.h"

namespace upsampling {
namespace conv {

// What stands before packed weights.
struct Packed {
  const KernelTable* table;
  int64_t kept;  // elements: weights and bias as they came, or none
  bool packed;   // behind them, as an engine packs them; if not, the weights are not all finite
  // From there: once more, for vectors of columns, as Winograd's forms, for overlaps, for small groups and
  // for windows, or 0.
  int64_t turned, transformed, overlapping, grouped, windows;

  // Which forms there are, as one number; 0 of weights that are not packed.
  static int64_t forms_of(const Packed* head) {
    if (head == nullptr) return 0;
    int64_t forms = 1;
    for (const bool form : {head->kept > 0, head->packed, head->turned > 0, head->transformed > 0,
                            head->overlapping > 0, head->grouped > 0, head->windows > 0})
      forms = 2 * forms + (form ? 1 : 0);
    return forms;
  }
};

constexpr int64_t kHead = 128, kFew = 256;
constexpr int64_t kTiles[] = {4, 2};  // of Winograd's forms, in the order in which they are packed

template <class P>
P* aligned(P* p) {
  return reinterpret_cast<P*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

// What an engine computes. Channels last, windows of groups of one channel that become some are as many
// groups of one output: what they read is repeated, once for all taps, where SmallGroups leaves that to an
// engine.
inline ConvArgs for_engine(ConvArgs a, const Geometry& s, const KernelTable& table) {
  const int64_t times = a.out_channels;
  if (a.type != F32 || !a.nhwc || a.transposed || a.in_channels != 1 || a.groups == 1 || times == 1 ||
      2 * times > table.lanes || !table.conv.stores_some || SmallGroups(a, s, table).worth_running())
    return a;
  for (const Axis* axis : {&s.z, &s.y, &s.x})
    if (!is_plain(*axis)) return a;
  a.groups *= times;
  a.out_channels = 1;
  a.repeats = times;
  return a;
}

// One channel is the same in both layouts.
inline ConvArgs simplest(ConvArgs a) {
  if (a.groups * a.in_channels == 1 && a.groups * a.out_channels == 1) a.nhwc = false;
  return a;
}

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

// Elements of weights and bias as they came, and whether they are kept beside those that are packed: they are
// few, or read as they are.
inline int64_t kept_size(const ConvArgs& a, const Geometry& s) {
  return divide_up<int64_t>(a.groups * a.out_channels * (a.in_channels * s.kernel() + 1), 16) * 16;
}
inline bool keeps(const ConvArgs& a, const Geometry& s, const KernelTable& table) {
  return a.groups * a.out_channels * a.in_channels * s.kernel() <= kFew || Point(a, s, table).worth_keeping();
}

template <class T>
void pack_all(const ConvArgs& a, const Engine<T>& engine, const T* weight, const T* bias, T* packed,
              const Context& context) {
  T* packed_bias = packed + a.groups * engine.group_weights();
  parallel_for(context, engine.packing_tasks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) engine.pack(weight, bias, i, packed, packed_bias);
  });
}

}  // namespace conv
}  // namespace upsampling
