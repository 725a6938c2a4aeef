// Groups of one input channel: few products for every input, so nothing is set up per group.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

namespace {

int leaf_of(int64_t taps, int64_t others) { return taps != others ? 0 : taps == 4 ? 1 : taps == 9 ? 2 : 0; }

}  // namespace

// What is left of a box for one unit: positions along z, y, x and where they begin.
template <class T>
bool Engine<T>::clip(const Unit& u, const Box& box, int64_t* begin, int64_t* count) const {
  const int64_t first[4] = {0, u.z->begin, u.y->begin, u.x->begin};
  const int64_t last[4] = {a_.batch, u.z->end, u.y->end, u.x->end};
  for (int i = 0; i < 4; ++i) {
    begin[i] = std::max(box.begin[i], first[i]);
    count[i] = std::min(box.end[i], last[i]) - begin[i];
    if (count[i] <= 0) return false;
  }
  return true;
}

// How many of `count` positions from `begin` on have an output in a phase.
inline int64_t outputs_of(const Axis& axis, int64_t begin, int64_t phase, int64_t count) {
  const int64_t at = begin * axis.out_step + phase;
  return at >= axis.out ? 0 : std::min(count, divide_up(axis.out - at, axis.out_step));
}

// Whether both units together are the four phases of a doubled plane, two taps each way, the second phase one
// position further.
template <class T>
bool Engine<T>::doubles(const Unit& u, const Unit& v) const {
  const auto pair = [](const Axis& axis, const Pass& a, const Pass& b) {
    return axis.in_step == 1 && axis.out_step == 2 && axis.out % 2 == 0 && a.begin == b.begin &&
           a.end == b.end && a.phases == 1 && b.phases == 1 && a.phase[0] == 0 && b.phase[0] == 1 &&
           a.taps == 2 && b.taps == 2 && a.offset[1] == a.offset[0] + 1 && b.offset[0] == a.offset[1] &&
           b.offset[1] == a.offset[1] + 1;
  };
  return size_ == static_cast<int64_t>(sizeof(T)) && u.z == v.z && u.z->taps == 1 && u.x == v.x &&
         u.x->count == 2 && pair(s_.y, *u.y, *v.y) && pair(s_.x, *u.x->pass[0], *u.x->pass[1]);
}

// --- channels first: the planes of many groups in a box, one after the other

template <class T>
void Engine<T>::run_deep(int64_t task, const T* packed, const T* packed_bias) const {
  Box box;
  int64_t extent[4];
  const int64_t all[4] = {1, q_[0], q_[1], q_[2]};
  for (int i = 3; i >= 0; --i) {
    box.begin[i] = task % boxes_[i] * box_[i];
    box.end[i] = std::min(all[i], box.begin[i] + box_[i]);
    extent[i] = box.end[i] - box.begin[i];
    task /= boxes_[i];
  }
  const Slab slab = slab_of(extent);
  ScratchFrame frame;
  T* space = frame.take<T>(slab.channel + 64);
  std::fill_n(space, slab.channel + 64, T(0));

  // What of the slab is not padding; that stays zero from plane to plane.
  const int64_t per = slab.residues[0] * slab.extent[0] * slab.residues[1] * slab.extent[1];
  ConvRun* runs = frame.take<ConvRun>(per * slab.residues[2]);
  int64_t counts[2], lengths[2];
  const bool even = slab.residues[2] <= 2;
  int64_t count = 0;
  for (int64_t rx = 0; rx < slab.residues[2]; ++rx) {
    const int64_t step = s_.x.in_step, start = step * box.begin[3] + low_[2] + rx;
    const int64_t lead = zeros_before(start, step, slab.extent[2]);
    const int64_t stop = std::max(lead, end_inside(start, step, slab.extent[2], s_.x.in));
    const int64_t before = count;
    for (int64_t rz = 0; rz < slab.residues[0]; ++rz)
      for (int64_t ry = 0; ry < slab.residues[1]; ++ry)
        for (int64_t mz = 0; mz < slab.extent[0]; ++mz)
          for (int64_t my = 0; my < slab.extent[1]; ++my) {
            const int64_t z = s_.z.in_step * (box.begin[1] + mz) + low_[0] + rz;
            const int64_t y = s_.y.in_step * (box.begin[2] + my) + low_[1] + ry;
            if (z < 0 || z >= s_.z.in || y < 0 || y >= s_.y.in || lead == stop) continue;
            runs[count++] = {((rz * slab.residues[1] + ry) * slab.residues[2] + rx) * slab.residue +
                                 mz * slab.pitch[1] + my * slab.pitch[2] + lead,
                             (z * s_.y.in + y) * s_.x.in + start + lead * step, 0, stop - lead};
          }
    if (even) {
      counts[rx] = count - before;
      lengths[rx] = stop - lead;
    }
  }

  int64_t most = 1, slots = 1;
  for (int64_t i = 0; i < unit_count_; ++i) {
    most = std::max(most, most_taps(units_[i]));
    slots = std::max(slots, units_[i].x->phases);
  }
  int64_t* all_offsets = frame.take<int64_t>(unit_count_ * slots * most);
  int64_t* all_taps = frame.take<int64_t>(unit_count_ * slots);
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const int64_t t = u.z->taps * u.y->taps * x.taps;
      for (int64_t f = 0; f < x.phases; ++f) {
        const int64_t slot = i * slots + u.x->slot[j][f];
        all_taps[slot] = t;
        for (int64_t e = 0; e < t; ++e) all_offsets[slot * most + e] = offset_of(slab, u, x, e);
      }
    }
  }
  const T** weights = frame.take<const T*>(slots);
  T* biases = frame.take<T>(slots);
  const int64_t width = extent[2] * extent[3] + 4 * leaves_.lanes;
  T* sums = nullptr;

  const int64_t planes = a_.batch * a_.groups, plane = s_.in();
  for (int64_t p = task * planes_; p < std::min(planes, (task + 1) * planes_); ++p) {
    const int64_t n = p / a_.groups, g = p % a_.groups;
    const char* in = static_cast<const char*>(a_.in) + p * plane * size_;
    if (even) {
      for (int64_t rx = 0, at = 0; rx < slab.residues[2]; at += counts[rx++])
        leaves_.gather[a_.type](space, 0, in, 1, 0, s_.x.in_step, runs + at, counts[rx], lengths[rx]);
    } else {
      for (int64_t i = 0; i < count; ++i)
        leaves_.gather[a_.type](space, 0, in, 1, 0, s_.x.in_step, runs + i, 1, runs[i].stop);
    }
    for (int64_t i = 0; i < unit_count_; ++i) {
      const Unit& u = units_[i];
      int64_t begin[4], positions[4];
      if (!clip(u, box, begin, positions)) continue;
      const int64_t from = (begin[1] - box.begin[1]) * slab.pitch[1] +
                           (begin[2] - box.begin[2]) * slab.pitch[2] + begin[3] - box.begin[3];
      const int64_t* taps = all_taps + i * slots;
      const int64_t* offsets = all_offsets + i * slots * most;
      const bool both = leaves_.deep_double != nullptr && i + 1 < unit_count_ &&
                        positions[3] >= leaves_.lanes && doubles(u, units_[i + 1]);
      for (int64_t r = 0; r < u.rows; ++r) {
        for (int64_t j = 0; j < u.x->count; ++j)
          for (int64_t f = 0; f < u.x->pass[j]->phases; ++f) {
            const int64_t slot = u.x->slot[j][f], column = r * u.x->pass[j]->phases + f;
            weights[slot] = packed + g * group_weights_ + u.weights[j] + column * k_of(u, j);
            biases[slot] = packed_bias[g * group_bias_ + u.bias[j] + column];
          }
        const int64_t fy = r % u.y->phases, fz = r / u.y->phases % u.z->phases,
                      o = r / u.y->phases / u.z->phases;
        const int64_t rows = outputs_of(s_.y, begin[2], u.y->phase[fy], positions[2]);
        const int64_t depth = outputs_of(s_.z, begin[1], u.z->phase[fz], positions[1]);
        const int64_t n_slots = u.x->phases;
        ConvDeep deep = {rows,
                         positions[3],
                         slab.pitch[2],
                         0,
                         {taps[0], taps[n_slots - 1]},
                         {offsets, offsets + (n_slots - 1) * most}};
        const auto leaf =
            n_slots > 2 ? nullptr : leaves_.deep[n_slots - 1][leaf_of(taps[0], taps[n_slots - 1])];
        const bool direct = size_ == static_cast<int64_t>(sizeof(T)) && n_slots == s_.x.out_step &&
                            leaf != nullptr && (begin[3] + positions[3]) * n_slots <= s_.x.out;
        if (both) {
          const int64_t k = 4, other = r * k;
          const Unit& v = units_[i + 1];
          const T* four[4] = {weights[0], weights[1], packed + g * group_weights_ + v.weights[0] + other,
                              packed + g * group_weights_ + v.weights[1] + other};
          const T* b = packed_bias + g * group_bias_;
          const T four_biases[4] = {biases[0], biases[1], b[v.bias[0] + r], b[v.bias[1] + r]};
          deep.out_row = s_.x.out;
          for (int64_t z = 0; z < depth; ++z) {
            const int64_t oz = (begin[1] + z) * s_.z.out_step + u.z->phase[fz];
            T* out = static_cast<T*>(a_.out) +
                     (((p * a_.out_channels + o) * s_.z.out + oz) * s_.y.out + 2 * begin[2]) * s_.x.out +
                     2 * begin[3];
            leaves_.deep_double(out, space + from + offsets[0] + z * slab.pitch[1], &deep, four, four_biases);
          }
          continue;
        }
        if (direct) {
          deep.out_row = s_.y.out_step * s_.x.out;
          for (int64_t z = 0; z < depth; ++z) {
            const int64_t oz = (begin[1] + z) * s_.z.out_step + u.z->phase[fz];
            const int64_t oy = begin[2] * s_.y.out_step + u.y->phase[fy];
            T* out = static_cast<T*>(a_.out) +
                     (((p * a_.out_channels + o) * s_.z.out + oz) * s_.y.out + oy) * s_.x.out +
                     begin[3] * n_slots;
            leaf(out, space + from + z * slab.pitch[1], &deep, weights, biases);
          }
          continue;
        }
        if (sums == nullptr) sums = frame.take<T>(slots * width);
        deep.out_row = positions[3];
        for (int64_t z = 0; z < depth; ++z) {
          for (int64_t slot = 0; slot < n_slots; ++slot) {
            deep.taps[0] = taps[slot];
            deep.offset[0] = offsets + slot * most;
            leaves_.deep[0][leaf_of(taps[slot], taps[slot])](
                sums + slot * width, space + from + z * slab.pitch[1], &deep, weights + slot, biases + slot);
          }
          for (int64_t y = 0; y < rows; ++y)
            emit_line(u, g, {n, begin[1] + z, begin[2] + y, begin[3], 0, positions[3], 0}, r,
                      sums + y * positions[3], width);
        }
      }
      if (both) ++i;
    }
  }
}

// --- channels last: a vector holds groups

template <class T>
void Engine<T>::run_deep_last(int64_t task, const T* packed, const T* packed_bias) const {
  const int64_t all[4] = {a_.batch, q_[0], q_[1], q_[2]};
  const int64_t c0 = task % boxes_of_groups_ * chunk_, c1 = std::min(a_.groups, c0 + chunk_),
                channels = c1 - c0;
  task /= boxes_of_groups_;
  Box box;
  int64_t extent[4];
  for (int i = 3; i >= 0; --i) {
    box.begin[i] = task % boxes_[i] * box_[i];
    box.end[i] = std::min(all[i], box.begin[i] + box_[i]);
    extent[i] = box.end[i] - box.begin[i];
    task /= boxes_[i];
  }
  const Slab slab = slab_of(extent);
  ScratchFrame frame;
  T* space = nullptr;
  if (!in_place_) {
    space = frame.take<T>(slab.pitch[0] * extent[0]);
    fill_slab_last(slab, box, 0, c0, c1, space);
  }
  const bool converts = size_ != static_cast<int64_t>(sizeof(T));
  T* sums = converts ? frame.take<T>(extent[3] * channels) : nullptr;
  const int64_t step[4] = {1, s_.z.in_step, s_.y.in_step, s_.x.in_step};
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    int64_t begin[4], count[4];
    if (!clip(u, box, begin, count)) continue;
    const T* from = space;
    if (in_place_) {
      from = static_cast<const T*>(a_.in) + c0;
      for (int d = 0; d < 4; ++d) from += (begin[d] * step[d] + (d == 0 ? 0 : low_[d - 1])) * slab.pitch[d];
    } else {
      for (int d = 0; d < 4; ++d) from += (begin[d] - box.begin[d]) * step[d] * slab.pitch[d];
    }
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const int64_t k = k_of(u, j);
      ScratchFrame inner;
      int64_t* offsets = inner.take<int64_t>(k + 1);
      for (int64_t t = 0; t < k; ++t)
        offsets[t] = (u.z->offset[t / x.taps / u.y->taps] - low_[0]) * slab.pitch[1] +
                     (u.y->offset[t / x.taps % u.y->taps] - low_[1]) * slab.pitch[2] +
                     (x.offset[t % x.taps] - low_[2]) * slab.pitch[3];
      for (int64_t c = 0; c < u.rows * x.phases; ++c) {
        const Column column = column_of(u, x, c);
        const T* w = packed + (u.weights[j] + c * k) * a_.groups + c0;
        const T* b = packed_bias + (u.bias[j] + c) * a_.groups + c0;
        const int64_t depth = outputs_of(s_.z, begin[1], u.z->phase[column.fz], count[1]);
        const int64_t rows = outputs_of(s_.y, begin[2], u.y->phase[column.fy], count[2]);
        const int64_t pixels = outputs_of(s_.x, begin[3], x.phase[column.fx], count[3]);
        const int64_t out_row = s_.y.out_step * s_.x.out * a_.groups, out_pixel = s_.x.out_step * a_.groups;
        ConvDeepLast deep = {rows,
                             pixels,
                             channels,
                             s_.y.in_step * slab.pitch[2],
                             s_.x.in_step * slab.pitch[3],
                             out_row,
                             out_pixel,
                             k,
                             offsets,
                             a_.groups};
        for (int64_t n = 0; n < count[0]; ++n)
          for (int64_t z = 0; z < depth; ++z) {
            const T* in = from + n * slab.pitch[0] + z * s_.z.in_step * slab.pitch[1];
            const int64_t oz = (begin[1] + z) * s_.z.out_step + u.z->phase[column.fz];
            const int64_t oy = begin[2] * s_.y.out_step + u.y->phase[column.fy];
            const int64_t ox = begin[3] * s_.x.out_step + x.phase[column.fx];
            const int64_t to =
                ((((begin[0] + n) * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox) * a_.groups + c0;
            const auto leaf = leaves_.deep_last[leaf_of(k, k)];
            if (!converts) {
              leaf(static_cast<T*>(a_.out) + to, in, &deep, w, b);
              continue;
            }
            deep.rows = 1;
            deep.out_pixel = channels;
            for (int64_t y = 0; y < rows; ++y) {
              leaf(sums, in + y * deep.in_row, &deep, w, b);
              leaves_.spread[a_.type](static_cast<char*>(a_.out) + (to + y * out_row) * size_, out_pixel,
                                      sums, channels, channels, pixels);
            }
          }
      }
    }
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
