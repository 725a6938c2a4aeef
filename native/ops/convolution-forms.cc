// Weights packed ahead, in every form that an input may ask for.
#include "ops/convolution-forms.h"

#include "ops/convolution-overlap.h"
#include "ops/convolution-windows.h"
#include "ops/winograd.h"
#include "runtime/isa.h"

namespace upsampling {

namespace {

using namespace conv;

// Elements of what an engine packs.
template <class T>
int64_t engine_size(const ConvArgs& a, const Engine<T>& engine) {
  return divide_up<int64_t>(a.groups * (engine.group_weights() + engine.group_bias()), 16) * 16;
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

}  // namespace

int64_t packed_bytes(const ConvArgs& args) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? packed_size<double>(a) : packed_size<float>(a);
}

Status pack_weights(const ConvArgs& args, const Context& context) {
  const ConvArgs a = simplest(args);
  return a.type == F64 ? pack_ahead<double>(a, context) : pack_ahead<float>(a, context);
}

}  // namespace upsampling
