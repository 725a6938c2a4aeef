// Groups of one input channel: few products for every input, so nothing is set up per group.
#include "ops/convolution-engine.h"
#include "runtime/cache.h"

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
  return size_ == static_cast<int64_t>(sizeof(T)) && !u.trimmed && !v.trimmed && u.z == v.z &&
         u.z->taps == 1 && u.x == v.x && u.x->count == 2 && pair(s_.y, *u.y, *v.y) &&
         pair(s_.x, *u.x->pass[0], *u.x->pass[1]);
}

// --- vectors hold pixels: the planes of many groups in a box, one after the other; of few groups channels
// last, those of an image, which are woven into pixels

template <class T>
void Engine<T>::run_deep(int64_t task, const T* packed, const T* packed_bias) const {
  const Box box = box_of(&task);
  const Slab slab = slab_of(box.extent);
  ScratchFrame frame;
  const int64_t copies = woven_ ? a_.groups : 1;
  T* slabs = frame.take<T>(slab.channel * copies + 64);
  std::fill_n(slabs, slab.channel * copies + 64, T(0));

  // What of the slab is not padding; that stays zero from plane to plane.
  const int64_t per = slab.residues[0] * slab.extent[0] * slab.residues[1] * slab.extent[1];
  ConvRun* runs = frame.take<ConvRun>(per * slab.residues[2]);
  int64_t *counts = frame.take<int64_t>(slab.residues[2]), *lengths = frame.take<int64_t>(slab.residues[2]);
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
    counts[rx] = count - before;
    lengths[rx] = stop - lead;
  }

  // Where the outputs of a plane go: to their place, or woven, first to those of the box alone.
  const int64_t steps[3] = {s_.z.out_step, s_.y.out_step, s_.x.out_step};
  int64_t origin[3] = {0, 0, 0}, out[3] = {s_.z.out, s_.y.out, s_.x.out};
  for (int i = 0; woven_ && i < 3; ++i) {
    origin[i] = box.begin[i + 1] * steps[i];
    out[i] = std::min(out[i], box.end[i + 1] * steps[i]) - origin[i];
  }
  const int64_t out_plane = out[0] * out[1] * out[2];

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

  // What is computed of every plane.
  struct Piece {
    const Unit* unit;
    const Unit* other;  // all four phases at once
    int64_t r, z, y, x, rows, depth, pixels;
    int64_t from, to;  // in the slab, and from the first output of a plane
    const int64_t *taps, *offsets;
    bool direct, lines;
  };
  int64_t piece_count = 0, width = 0;
  for (int64_t i = 0; i < unit_count_; ++i) piece_count += units_[i].rows;
  Piece* pieces = frame.take<Piece>(piece_count);
  piece_count = 0;
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    int64_t begin[4], positions[4];
    if (!clip(u, box, begin, positions)) continue;
    const bool both = leaves_.deep_double != nullptr && i + 1 < unit_count_ &&
                      positions[3] >= leaves_.lanes && doubles(u, units_[i + 1]);
    const int64_t n_slots = u.x->phases, *taps = all_taps + i * slots;
    for (int64_t r = 0; r < u.rows; ++r) {
      const int64_t fy = r % u.y->phases, fz = r / u.y->phases % u.z->phases,
                    o = r / u.y->phases / u.z->phases;
      Piece& p = pieces[piece_count++];
      p.unit = &u;
      p.other = both ? &units_[i + 1] : nullptr;
      p.r = r;
      p.z = begin[1];
      p.y = begin[2];
      p.x = begin[3];
      p.depth = outputs_of(s_.z, begin[1], u.z->phase[fz], positions[1]);
      p.rows = outputs_of(s_.y, begin[2], u.y->phase[fy], positions[2]);
      p.pixels = positions[3];
      p.from = (begin[1] - box.begin[1]) * slab.pitch[1] + (begin[2] - box.begin[2]) * slab.pitch[2] +
               begin[3] - box.begin[3];
      p.to = ((o * out[0] + begin[1] * steps[0] + u.z->phase[fz] - origin[0]) * out[1] + begin[2] * steps[1] +
              u.y->phase[fy] - origin[1]) *
                 out[2] +
             begin[3] * steps[2] - origin[2];
      p.taps = taps;
      p.offsets = all_offsets + i * slots * most;
      p.lines = n_slots == steps[2];
      // Short rows are one with what is between them, where that is fewer vectors.
      const int64_t lanes = leaves_.lanes, stretch = (p.rows - 1) * slab.pitch[2] + p.pixels;
      const bool dense =
          p.lines && n_slots == 1 && 3 * p.rows * divide_up(p.pixels, lanes) > 4 * divide_up(stretch, lanes);
      p.direct = !dense && size_ == static_cast<int64_t>(sizeof(T)) && p.lines && n_slots <= 2 &&
                 leaves_.deep[n_slots - 1][leaf_of(taps[0], taps[n_slots - 1])] != nullptr &&
                 (begin[3] + positions[3]) * n_slots <= s_.x.out;
      if (both || p.direct) continue;
      width = std::max(width, p.rows * slab.pitch[2] + p.pixels + 4 * lanes);
    }
    if (both) ++i;
  }
  T* sums = frame.take<T>(slots * width);
  ConvLine* lines = frame.take<ConvLine>(box_[2] + 1);
  const int64_t channels = a_.groups * a_.out_channels, kind = sizeof(T) == 4 ? 2 : 3;
  char* woven = frame.take<char>(woven_ ? channels * out_plane * size_ : 0);
  void** rows = frame.take<void*>(copies);

  const int64_t planes = a_.batch * a_.groups, plane = s_.in();
  const char* end = static_cast<const char*>(a_.in) + planes * plane * size_;
  for (int64_t p = task * planes_; p < std::min(planes, (task + 1) * planes_); ++p) {
    const int64_t n = p / a_.groups, g = p % a_.groups;
    const char* in = static_cast<const char*>(a_.in) + (woven_ ? n * a_.groups : p) * plane * size_;
    char* to_plane = woven_ ? woven + g * a_.out_channels * out_plane * size_
                            : static_cast<char*>(a_.out) + p * a_.out_channels * s_.out() * size_;
    const T* space = slabs + (woven_ ? g * slab.channel : 0);
    if (woven_) {
      for (int64_t i = 0; g == 0 && i < count; ++i) {
        for (int64_t c = 0; c < a_.groups; ++c) rows[c] = slabs + c * slab.channel + runs[i].to;
        weave_.deinterleave[kind](rows, in + runs[i].from * a_.groups * size_, a_.groups, runs[i].stop);
      }
    } else {
      for (int64_t rx = 0, at = 0; rx < slab.residues[2]; at += counts[rx++])
        leaves_.gather_planes[0][a_.type](slabs, 0, in, 1, 0, s_.x.in_step, runs + at, counts[rx],
                                          lengths[rx], end);
    }
    const T *w = packed + g * group_weights_, *b = packed_bias + g * group_bias_;
    for (int64_t i = 0; i < piece_count; ++i) {
      const Piece& piece = pieces[i];
      const Unit& u = *piece.unit;
      const int64_t n_slots = u.x->phases, r = piece.r;
      for (int64_t j = 0; j < u.x->count; ++j)
        for (int64_t f = 0; f < u.x->pass[j]->phases; ++f) {
          const int64_t slot = u.x->slot[j][f], column = r * u.x->pass[j]->phases + f;
          weights[slot] = w + u.weights[j] + column * k_of(u, j);
          biases[slot] = b[u.bias[j] + column];
        }
      ConvDeep deep = {piece.rows,
                       piece.pixels,
                       slab.pitch[2],
                       steps[1] * out[2],
                       {piece.taps[0], piece.taps[n_slots - 1]},
                       {piece.offsets, piece.offsets + (n_slots - 1) * most}};
      for (int64_t z = 0; z < piece.depth; ++z) {
        const T* from = space + piece.from + z * slab.pitch[1];
        char* to = to_plane + (piece.to + z * steps[0] * out[1] * out[2]) * size_;
        if (piece.other != nullptr) {
          const Unit& v = *piece.other;
          const T* four[4] = {weights[0], weights[1], w + v.weights[0] + r * 4, w + v.weights[1] + r * 4};
          const T four_biases[4] = {biases[0], biases[1], b[v.bias[0] + r], b[v.bias[1] + r]};
          deep.out_row = out[2];
          leaves_.deep_double(reinterpret_cast<T*>(to), from + piece.offsets[0], &deep, four, four_biases);
          continue;
        }
        if (piece.direct) {
          leaves_.deep[n_slots - 1][leaf_of(piece.taps[0], piece.taps[n_slots - 1])](
              reinterpret_cast<T*>(to), from, &deep, weights, biases);
          continue;
        }
        deep.rows = 1;
        deep.n = (piece.rows - 1) * slab.pitch[2] + piece.pixels;
        for (int64_t slot = 0; slot < n_slots; ++slot) {
          deep.taps[0] = piece.taps[slot];
          deep.offset[0] = piece.offsets + slot * most;
          leaves_.deep[0][leaf_of(piece.taps[slot], piece.taps[slot])](sums + slot * width, from, &deep,
                                                                       weights + slot, biases + slot);
        }
        for (int64_t y = 0; y < piece.rows && !piece.lines; ++y)
          emit_phases(*u.x, to + y * steps[1] * out[2] * size_, 1, piece.x, piece.pixels,
                      sums + y * slab.pitch[2], width);
        if (!piece.lines) continue;
        const int64_t each = std::min(piece.pixels * steps[2], s_.x.out - piece.x * steps[2]);
        for (int64_t y = 0; y < piece.rows; ++y) lines[y] = {y * steps[1] * out[2], y * slab.pitch[2], each};
        leaves_.lines[a_.type](to, sums, width, n_slots, lines, piece.rows);
      }
    }
    if (!woven_ || g < a_.groups - 1) continue;
    for (int64_t z = 0; z < out[0]; ++z)
      weave_rows(
          weave_,
          static_cast<T*>(a_.out) +
              (((n * s_.z.out + origin[0] + z) * s_.y.out + origin[1]) * s_.x.out + origin[2]) * channels,
          s_.x.out * channels, reinterpret_cast<const T*>(woven) + z * out[1] * out[2], out_plane, out[2],
          channels, out[1], out[2]);
  }
}

// --- channels last: a vector holds groups

// Windows of 3 x 3 neighbours at step 1.
bool three_by_three(const Geometry& s, const Pass& y, const Pass& x) {
  for (const Pass* p : {&y, &x})
    if (p->taps != 3 || p->all != 3 || p->offset[1] != p->offset[0] + 1 || p->offset[2] != p->offset[1] + 1)
      return false;
  return s.y.in_step == 1 && s.x.in_step == 1 && s.y.out_step == 1 && s.x.out_step == 1;
}

template <class T>
void Engine<T>::run_deep_last(int64_t task, const T* packed, const T* packed_bias) const {
  const int64_t c0 = task % boxes_of_groups_ * chunk_, c1 = std::min(a_.groups, c0 + chunk_),
                channels = c1 - c0;
  task /= boxes_of_groups_;
  const Box box = box_of(&task);
  const int64_t* extent = box.extent;
  const Slab slab = slab_of(extent);
  ScratchFrame frame;
  const T* space = nullptr;
  int64_t origin[4] = {};
  if (in_place_) {
    space = static_cast<const T*>(a_.in) + c0;
  } else {
    T* copy = frame.take<T>(slab.pitch[0] * extent[0]);
    fill_slab_last(slab, box, 0, c0, c1, copy);
    space = copy;
    const int64_t step[4] = {1, s_.z.in_step, s_.y.in_step, s_.x.in_step};
    for (int i = 0; i < 4; ++i) origin[i] = box.begin[i] * step[i] + (i == 0 ? 0 : low_[i - 1]);
  }
  const bool converts = size_ != static_cast<int64_t>(sizeof(T));
  T* sums = converts ? frame.take<T>(extent[3] * channels) : nullptr;
  // Turned, whole images wait for their planes.
  T* image = turned_ ? frame.take<T>(extent[0] * s_.out() * channels) : nullptr;
  const int64_t pixel = turned_ ? channels : a_.groups;
  const bool far = !turned_ && bytes_of_outputs() > 2 * second_level_cache();
  int64_t taps = 0;
  for (int64_t i = 0; i < unit_count_; ++i) taps = std::max(taps, most_taps(units_[i]));
  T* wide = strip_ > 1 ? frame.take<T>((taps + 1) * strip_ * channels) : nullptr;
  int64_t *offsets = frame.take<int64_t>(taps + 1), *order = frame.take<int64_t>(taps + 1);
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    int64_t begin[4], count[4];
    if (!clip(u, box, begin, count)) continue;
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const int64_t k = k_of(u, j);
      ScratchFrame inner;
      Stretch* lists[3];
      const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
      const Pass* passes[3] = {u.z, u.y, &x};
      for (int d = 0; d < 3; ++d) lists[d] = inner.take<Stretch>(2 * passes[d]->taps + 2);
      for (int64_t c = 0; c < u.rows * x.phases; ++c) {
        const Column column = column_of(u, x, c);
        const T *w = packed + (u.weights[j] + c * k) * a_.groups + c0,
                *b = packed_bias + (u.bias[j] + c) * a_.groups + c0;
        const int64_t phase[3] = {u.z->phase[column.fz], u.y->phase[column.fy], x.phase[column.fx]};
        int64_t counts[3];
        for (int d = 0; d < 3; ++d) {
          const int64_t n = outputs_of(*axes[d], begin[d + 1], phase[d], count[d + 1]);
          // A copy holds the padding, too.
          counts[d] = stretches_of(in_place_ || turned_, *axes[d], *passes[d], begin[d + 1], n, lists[d]);
        }
        if (leaves_.deep_plane != nullptr && !converts && (in_place_ || turned_) &&
            channels >= leaves_.lanes && u.z->taps == 1 && counts[0] == 1 && three_by_three(s_, *u.y, x)) {
          const ConvDeepPlane plane = {count[2],
                                       count[3],
                                       channels,
                                       s_.y.in,
                                       s_.x.in,
                                       begin[2] + u.y->offset[0],
                                       begin[3] + x.offset[0],
                                       slab.pitch[2],
                                       slab.pitch[3],
                                       s_.x.out * pixel,
                                       pixel,
                                       a_.groups,
                                       far};
          for (int64_t m = 0; m < count[0]; ++m)
            for (int64_t z = begin[1]; z < begin[1] + count[1]; ++z) {
              const int64_t image_at = turned_ ? m : begin[0] + m;
              T* to = (turned_ ? image : static_cast<T*>(a_.out) + c0) +
                      (((image_at * s_.z.out + z) * s_.y.out + begin[2]) * s_.x.out + begin[3]) * pixel;
              leaves_.deep_plane(to,
                                 space + (begin[0] + m - origin[0]) * slab.pitch[0] +
                                     (z * s_.z.in_step + u.z->offset[0]) * slab.pitch[1],
                                 &plane, w, b);
            }
          continue;
        }
        // Of few channels, a strip of pixels is one of many.
        int64_t weight = a_.groups;
        if (strip_ > 1) {
          for (int64_t t = 0; t < k; ++t)
            for (int64_t i = 0; i < strip_; ++i)
              std::copy_n(w + t * a_.groups, channels, wide + (t * strip_ + i) * channels);
          for (int64_t i = 0; i < strip_; ++i) std::copy_n(b, channels, wide + (k * strip_ + i) * channels);
          w = wide;
          b = wide + k * strip_ * channels;
          weight = strip_ * channels;
        }
        for (int64_t piece = 0; piece < counts[0] * counts[1] * counts[2]; ++piece) {
          const Stretch &pz = lists[0][piece / counts[2] / counts[1]],
                        &py = lists[1][piece / counts[2] % counts[1]], &px = lists[2][piece % counts[2]];
          // A strip is summed over columns of taps: rows of outputs share what they read.
          const bool strips = strip_ > 1;
          const Stretch &outer = strips ? px : py, &inner_taps = strips ? py : px;
          int64_t n = 0;
          for (int64_t tz = pz.first; tz < pz.first + pz.taps; ++tz)
            for (int64_t to = outer.first; to < outer.first + outer.taps; ++to)
              for (int64_t ti = inner_taps.first; ti < inner_taps.first + inner_taps.taps; ++ti) {
                const int64_t ty = strips ? ti : to, tx = strips ? to : ti;
                offsets[n] = u.z->offset[tz] * slab.pitch[1] + u.y->offset[ty] * slab.pitch[2] +
                             x.offset[tx] * slab.pitch[3];
                order[n++] = ((tz * u.y->taps + ty) * x.taps + tx) * weight;
              }
          // Rows of taps that are neighbours, some to a step.
          const Pass& along = strips ? *u.y : x;
          const int64_t step = strips ? s_.y.in_step : s_.x.in_step, row = inner_taps.taps;
          const int32_t* at = along.offset + inner_taps.first;
          const int64_t apart = row < 2 ? 0 : at[1] - at[0], steps = apart == 0 ? 0 : step / apart;
          bool neighbours = row <= ConvDeepLast::kMostNeighbours && steps >= 1 &&
                            steps <= ConvDeepLast::kSteps && steps * apart == step;
          for (int64_t t = 2; t < row; ++t) neighbours = neighbours && at[t] - at[t - 1] == apart;
          auto run = neighbours ? leaves_.deep_neighbours[steps - 1][row] : nullptr;
          if (run == nullptr) run = leaves_.deep_last;
          const auto leaf = [&](T* out, const T* in, ConvDeepLast deep) {
            if (!strips) {
              // The longest innermost where rows are short: a single pixel waits for its own sum.
              const bool turn = deep.pixels < 4 && deep.pixels < deep.rows;
              if (turn) turn_rows(&deep);
              (turn ? leaves_.deep_last : run)(out, in, &deep, w, b);
              return;
            }
            // Strips of a row; the last one is what is left, and at least a vector.
            const int64_t pixels = deep.pixels, some = std::min(pixels, strip_);
            const int64_t rest =
                std::min(some, std::max(pixels % some, divide_up<int64_t>(leaves_.lanes, channels)));
            deep.channels = deep.in_pixel = deep.out_pixel = some * channels;
            deep.pixels = pixels / some;
            turn_rows(&deep);
            run(out, in, &deep, w, b);
            if (pixels % some == 0) return;
            deep.channels = rest * channels;
            deep.rows = 1;
            run(out + (pixels - rest) * channels, in + (pixels - rest) * channels, &deep, w, b);
          };
          ConvDeepLast deep = {py.end - py.begin,
                               px.end - px.begin,
                               channels,
                               s_.y.in_step * slab.pitch[2],
                               s_.x.in_step * slab.pitch[3],
                               s_.y.out_step * s_.x.out * pixel,
                               s_.x.out_step * pixel,
                               n,
                               offsets,
                               order};
          for (int64_t m = 0; m < count[0]; ++m)
            for (int64_t z = pz.begin; z < pz.end; ++z) {
              const T* in = space + (begin[0] + m - origin[0]) * slab.pitch[0] +
                            (z * s_.z.in_step - origin[1]) * slab.pitch[1] +
                            (py.begin * s_.y.in_step - origin[2]) * slab.pitch[2] +
                            (px.begin * s_.x.in_step - origin[3]) * slab.pitch[3];
              const int64_t oz = z * s_.z.out_step + phase[0], oy = py.begin * s_.y.out_step + phase[1],
                            ox = px.begin * s_.x.out_step + phase[2];
              const int64_t at =
                  ((((turned_ ? 0 : begin[0]) + m) * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox;
              if (!converts) {
                T* to = turned_ ? image : static_cast<T*>(a_.out) + c0;
                leaf(to + at * pixel, in, deep);
                continue;
              }
              ConvDeepLast line = deep;
              line.rows = 1;
              line.out_pixel = channels;
              for (int64_t y = 0; y < deep.rows; ++y) {
                leaf(sums, in + y * deep.in_row, line);
                leaves_.spread[a_.type](
                    static_cast<char*>(a_.out) + (at * pixel + c0 + y * deep.out_row) * size_, deep.out_pixel,
                    sums, channels, channels, deep.pixels);
              }
            }
        }
      }
    }
  }
  for (int64_t m = 0; turned_ && m < extent[0]; ++m)
    leaves_.transpose(static_cast<T*>(a_.out) + ((box.begin[0] + m) * a_.groups + c0) * s_.out(), s_.out(),
                      image + m * s_.out() * channels, channels, s_.out(), channels);
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
