// Note [Winograd]
// Where every phase of both axes has three (or two) neighbouring taps, or fewer with zeros beside them, the
// outputs fall into tiles of 4×4 (for two taps and few pixels, where reading the weights is what takes time,
// of 2×2: 9 products instead of 16). A tile of 6×6 (5×5) inputs and the kernels are transformed; then output
// channels are sums over input channels of 36 (25) products each where the direct algorithm has 144 (64).
// With zeros, 3×3 at stride 2 has 4·25 products in four phases instead of 144. The products of one plane of
// the transforms are a matrix product, done by the tiles of Note [Tiles].
//
// A task takes as many tiles as fill a panel, transforms them for a part of the input channels at a time,
// adds up the products for a part of the output channels, and transforms those to outputs: all of it stays in
// the second-level cache. Channels first, a vector holds tiles, channels last, channels.
//
// Sums of a tile mix all its inputs, so NaN and infinity spread over it, and what overflows here may be
// finite. Every such output is not finite itself: it is seen, and the call is computed again directly.
#include "ops/winograd.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "runtime/parallel.h"

namespace upsampling {

using conv::divide_up;

namespace {

constexpr int64_t kMost = 4;         // outputs along an axis of the largest tile
constexpr int64_t kLeastPiece = 32;  // output channels
// Floats that the transforms of a part of the channels may take.
constexpr int64_t kInputs = 75 * 1024, kOutputs = 150 * 1024;
// Bytes of inputs and outputs from which on they are asked for ahead: less are no faster for it.
constexpr int64_t kFar = 16 * 1024 * 1024;
// And weights that are packed for one call.
constexpr int64_t kWeights = 1536 * 1024;

bool finite(const float* flags, int64_t n) {
  bool all = true;
  for (int64_t i = 0; i < n; ++i) all &= flags[i] == flags[i];
  return all;
}

}  // namespace

Winograd::Winograd(const ConvArgs& a, const conv::Geometry& s, const KernelTable& kernels, int64_t tile)
    : a_(a),
      s_(s),
      leaves_(kernels.conv),
      widen_(kernels.widen),
      width_(2 * kernels.conv.lanes),
      size_(bytes_of(a.type)),
      tile_(tile) {
  if (a.type == F64 || !conv::is_flat(s.z)) return;
  // Channels last, a part of the inputs is a vector or more.
  if (a.in_channels < (a.nhwc ? 16 : 8) || a.out_channels < 3) return;
  int64_t taps_y, taps_x, phases_x;
  if (!read_axis(s.y, y_, &phases_, &taps_y) || !read_axis(s.x, x_, &phases_x, &taps_x)) return;
  if (taps_y != taps_x || phases_ != phases_x || (tile < kMost && taps_y != 2)) return;
  taps_ = taps_y;
  scheme_ = tile < kMost ? &kernels.winograd.small : &kernels.winograd.large[taps_ - 2];
  planes_ = (taps_ + tile_ - 1) * (taps_ + tile_ - 1);
  tiles_y_ = divide_up(divide_up(s.y.out, phases_), tile_);
  tiles_x_ = divide_up(divide_up(s.x.out, phases_), tile_);
  tiles_ = a.batch * tiles_y_ * tiles_x_;
  group_tiles_ = a.nhwc ? leaves_.most * (28 / leaves_.most) : width_;
  const int64_t channel = planes_ * group_tiles_, inputs = channel * (a.nhwc ? 1 : forms()),
                outputs = channel * (a.nhwc ? phases_ / forms() : phases_);
  in_parts_ = divide_up(a.in_channels, std::max<int64_t>(32, kInputs / inputs));
  out_parts_ = divide_up(a.out_channels, std::max(width_, kOutputs / outputs / width_ * width_));

  asks_ = a.batch * (a.groups * a.in_channels * s.in() + a.groups * a.out_channels * s.out()) * size_ >= kFar;
  // Few tiles are one vector.
  panel_ = tiles_ <= leaves_.lanes ? leaves_.lanes : width_;

  // In products for each pair of channels. The transforms of an element cost as much as so many products, and
  // reading a weight that the direct algorithm does not have as much as so many tiles. All four were
  // measured.
  const int64_t lanes = a.nhwc ? tiles_ : divide_up(tiles_, panel_) * panel_;
  const double transform = a.nhwc ? 16 : 8, reading = a.nhwc ? 15 : 19;
  const double share = static_cast<double>(forms()) / static_cast<double>(phases_);
  const double products = 1 + transform / a.in_channels + share * transform / a.out_channels;
  double taps = 1;  // of a phase in the mean
  for (const Phase* axis : {y_, x_})
    taps *= static_cast<double>(axis[0].pass->taps + axis[phases_ - 1].pass->taps) / 2;
  const double direct =
      taps * static_cast<double>(a.batch * divide_up(s.y.out, phases_) * divide_up(s.x.out, phases_));
  cost_ = static_cast<double>(planes_ * lanes) * products + (static_cast<double>(planes_) - taps) * reading;
  faster_ = cost_ < direct;
  // Where phases have fewer taps, the transforms of the weights for one call count as so many products of a
  // plane (256 to 128 channels, 3x3 at stride 2).
  const double packing = taps < static_cast<double>(taps_ * taps_) ? 60 : 0;
  faster_once_ = cost_ + packing * static_cast<double>(planes_) < direct;
}

bool Winograd::read_axis(const conv::Axis& axis, Phase* phase, int64_t* phases, int64_t* taps) const {
  *phases = axis.out_step;
  if (axis.in_step != 1 || axis.out_step > 2 || axis.count == 0) return false;
  const conv::Pass* most = &axis.pass[0];
  for (int64_t i = 1; i < axis.count; ++i)
    if (axis.pass[i].taps > most->taps) most = &axis.pass[i];
  *taps = most->taps;
  if (*taps != 2 && *taps != 3) return false;
  int64_t found = 0;
  for (int64_t i = 0; i < axis.count; ++i) {
    const conv::Pass& p = axis.pass[i];
    if (p.taps == 0 || p.begin != 0) return false;
    for (int64_t t = 1; t < p.taps; ++t)
      if (p.offset[t] != p.offset[0] + t) return false;
    // The same inputs as the others read, if possible.
    const int64_t after = p.offset[0] - most->offset[0];
    const int64_t lead = after >= 0 && after <= *taps - p.taps ? after : 0;
    for (int64_t f = 0; f < p.phases; ++f) {
      if (p.end * axis.out_step + p.phase[f] < axis.out) return false;
      phase[p.phase[f]] = {&p, f, p.offset[0] - lead, lead};
    }
    found += p.phases;
  }
  return found == axis.out_step;
}

// Part i of `all`, in whole units.
Winograd::Span Winograd::part(int64_t all, int64_t parts, int64_t i, int64_t unit) {
  const int64_t units = divide_up(all, unit), begin = i * units / parts * unit;
  return {begin, std::min(all, (i + 1) * units / parts * unit) - begin};
}

// --- weights

// Parts of the outputs one after the other, in each the phases of y and x.
int64_t Winograd::weights_before(int64_t p) const {
  const int64_t all = columns_of({0, a_.out_channels});
  const int64_t columns = p / out_parts_ * all + (p == parts() ? 0 : outputs_of(p).begin);
  return columns * phases_ * phases_ * a_.in_channels * planes_;
}

// [part of the inputs][plane][tile or panel of columns][input][column]: the order in which they are read.
void Winograd::pack_tile(const float* weight, int64_t g, int64_t fy, int64_t fx, Span out, int64_t column,
                         int64_t n, float* packed) const {
  const conv::Strides stride(a_, s_.kernel());
  const conv::Pass &z = s_.z.pass[0], &y = *y_[fy].pass, &x = *x_[fx].pass;
  const int64_t lanes = leaves_.lanes, count = taps_ * taps_;
  const int64_t wide = columns_of(out);
  const int64_t row = a_.nhwc ? width_ : n;  // of a tile
  // Some input channels at a time, so that every plane is written in runs and not in single rows.
  const int64_t most = 128 / row, u_step = most * row + 16;
  ScratchFrame frame;
  double* w = frame.take<double>(most * count * lanes);
  float* u = frame.take<float>(planes_ * u_step);
  const float* base = weight + g * stride.group + (out.begin + column) * stride.out;
  // Of each tap: the elements of a kernel that it is the sum of.
  struct Entry {
    int64_t at;
    double coefficient;
  };
  int64_t first_entry[10] = {};
  Entry* entries = frame.take<Entry>(z.first[1] * y.first[y.taps * y.phases] * x.first[x.taps * x.phases]);
  for (int64_t t = 0, e = 0; t < count; ++t, first_entry[t] = e) {
    const int64_t ty = y_[fy].tap(t / taps_), tx = x_[fx].tap(t % taps_);
    if (ty < 0 || tx < 0) continue;
    for (int64_t k = 0; k < z.first[1]; ++k)
      for (int64_t l = y.first[ty]; l < y.first[ty + 1]; ++l)
        for (int64_t m = x.first[tx]; m < x.first[tx + 1]; ++m)
          entries[e++] = {(z.kernel[k] * s_.y.kernel + y.kernel[l]) * s_.x.kernel + x.kernel[m],
                          z.coefficient[k] * y.coefficient[l] * x.coefficient[m]};
  }
  for (int64_t i = 0; i < in_parts_; ++i) {
    const Span in = part(a_.in_channels, in_parts_, i, 1);
    float* to =
        packed + ((fy * phases_ + fx) * a_.in_channels + in.begin) * wide * planes_ + column * in.count;
    for (int64_t c0 = 0; c0 < in.count; c0 += most) {
      const int64_t channels = std::min(most, in.count - c0);
      for (int64_t first = 0; first < row; first += lanes) {
        const int64_t some = std::max<int64_t>(0, std::min(lanes, n - first));
        if (some < lanes) std::fill_n(w, channels * count * lanes, 0.0);
        // Kernels of one output channel lie next to one another.
        for (int64_t l = 0; l < some; ++l)
          for (int64_t c = 0; c < channels; ++c) {
            const float* from = base + (first + l) * stride.out + (in.begin + c0 + c) * stride.in;
            __builtin_prefetch(from + most * stride.in);
            for (int64_t t = 0; t < count; ++t) {
              double sum = 0;
              for (int64_t e = first_entry[t]; e < first_entry[t + 1]; ++e)
                sum += entries[e].coefficient * from[entries[e].at];
              w[(c * count + t) * lanes + l] = sum;
            }
          }
        // What is written beyond a row is written again.
        for (int64_t c = 0; c < channels; ++c)
          scheme_->weights(u + c * row + first, u_step, w + c * count * lanes);
      }
      for (int64_t p = 0; p < planes_; ++p)
        std::copy_n(u + p * u_step, channels * row, to + p * wide * in.count + c0 * row);
    }
  }
}

void Winograd::pack_parts(int64_t first, int64_t last, const float* weight, float* packed,
                          const Context& context) const {
  const int64_t most = divide_up(divide_up(a_.out_channels, unit()), out_parts_) * unit();
  const int64_t pieces = divide_up(most, a_.nhwc ? width_ : tile_of(most));
  parallel_for(context, (last - first) * phases_ * phases_ * pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t piece = task % pieces, phase = task / pieces % (phases_ * phases_),
                    p = first + task / pieces / (phases_ * phases_);
      const Span out = outputs_of(p);
      const int64_t tile = a_.nhwc ? width_ : tile_of(out.count), at = piece * tile;
      if (at < out.count)
        pack_tile(weight, p / out_parts_, phase / phases_, phase % phases_, out, at,
                  std::min(tile, out.count - at), packed + weights_before(p) - weights_before(first));
    }
  });
}

void Winograd::pack(const float* weight, const float* bias, float* packed, const Context& context) const {
  pack_parts(0, parts(), weight, packed, context);
  float* biases = packed + weights_before(parts());
  if (bias != nullptr)
    std::copy_n(bias, a_.groups * a_.out_channels, biases);
  else
    std::fill_n(biases, a_.groups * a_.out_channels, 0.0f);
}

// --- tiles

int64_t Winograd::runs(int64_t first, int64_t count, Run* list) const {
  int64_t n = 0;
  for (int64_t t = first; t < first + count;) {
    const int64_t x = t % tiles_x_, row = t / tiles_x_;
    const int64_t some = std::min(tiles_x_ - x, first + count - t);
    list[n++] = {row / tiles_y_, row % tiles_y_, x, t - first, some};
    t += some;
  }
  return n;
}

bool Winograd::run_packed(const float* packed, const Context& context) const {
  return run_parts(0, parts(), packed, packed + weights_before(parts()), context);
}

// A part at a time, in memory that stays warm: fresh memory for all weights costs more than they do.
bool Winograd::run(const float* weight, const float* bias, const Context& context) const {
  Winograd some = *this;
  const int64_t group = columns_of({0, a_.out_channels}) * phases_ * phases_ * a_.in_channels * planes_;
  some.out_parts_ = std::min(divide_up(a_.out_channels, std::max<int64_t>(unit(), leaves_.most)),
                             std::max(out_parts_, divide_up(group, kWeights)));
  return some.run_by_parts(weight, bias, context);
}

bool Winograd::run_by_parts(const float* weight, const float* bias, const Context& context) const {
  ScratchFrame frame;
  int64_t most = 0;
  for (int64_t p = 0; p < parts(); ++p) most = std::max(most, weights_before(p + 1) - weights_before(p));
  float* packed = frame.take<float>(most);
  for (int64_t p = 0; p < parts(); ++p) {
    pack_parts(p, p + 1, weight, packed, context);
    if (!run_parts(p, p + 1, packed, bias, context)) return false;
  }
  return true;
}

// Of so many tasks, each of `work` products: pieces of whole tiles of columns. Each of them transforms the
// inputs again, so they are of kLeastPiece channels at least (256 channels of 45x45 to 20 take .50 ms by two
// threads, and would take .71), and more tasks are rather uneven (100 of 33x59 to 64: .44 ms, and would be
// .49).
int64_t Winograd::pieces_of(Span out, int64_t tasks, int64_t work, int64_t threads) const {
  const int64_t tiles = std::min(divide_up(out.count, tile_of(out.count)), out.count / kLeastPiece);
  for (int64_t n = 1; n <= std::min<int64_t>(tiles, threads) && tasks < 2 * threads && work >> 20 >= n; ++n)
    if (tasks * n % threads == 0) return n;
  return 1;
}

bool Winograd::run_parts(int64_t first, int64_t last, const float* packed, const float* bias,
                         const Context& context) const {
  const int64_t groups = divide_up(tiles_, a_.nhwc ? group_tiles_ : panel_), phases_x = a_.nhwc ? forms() : 1;
  const int64_t work = planes_ * group_tiles_ * a_.in_channels * outputs_of(first).count;
  std::atomic<bool> good{true};
  const int64_t tasks = (last - first) * phases_ * phases_x * groups;
  // Few tasks are in pieces of the output channels, as many for each thread, which transform the same inputs.
  const int64_t pieces = a_.nhwc ? 1 : pieces_of(outputs_of(first), tasks, work, context.threads);
  const int64_t grain = std::max<int64_t>(1, (1 << 20) / (work / pieces));
  parallel_for(context, tasks * pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end && good.load(std::memory_order_relaxed); ++task) {
      int64_t rest = task / pieces;
      const int64_t group = rest % groups;
      rest /= groups;
      const int64_t fx = rest % phases_x;
      rest /= phases_x;
      const int64_t fy = rest % phases_, p = first + rest / phases_, g = p / out_parts_;
      const float* w = packed + weights_before(p) - weights_before(first);
      const bool fine = a_.nhwc ? run_last(g, fy, fx, group, outputs_of(p), w, bias)
                                : run_first(g, fy, group, outputs_of(p), task % pieces, pieces, w, bias);
      if (!fine) good.store(false, std::memory_order_relaxed);
    }
  });
  return good.load();
}

// The transforms of some input channels, by the rows of each run: down its columns, then, when those of all
// runs are stored, across.
void Winograd::spread_rows(const Panel& panel, Span in) const {
  const int64_t n = taps_ + tile_ - 1, channels = a_.groups * a_.in_channels, plane = s_.y.in * s_.x.in;
  struct Strip {
    int64_t from[6];            // its rows in the first channel, or -1 outside
    int64_t lead, stop, place;  // what of it is inside, and where it is put
  };
  const int64_t gap = panel.across - tile_ * panel_,
                pitch = panel.runs * gap + tile_ * panel_ + 5 * leaves_.lanes;
  ScratchFrame frame;
  Strip* strips = frame.take<Strip>(panel.runs);
  float* down = frame.take<float>(n * pitch);
  float* zeros = frame.take<float>(panel.across);
  float* wide = frame.take<float>(n * panel.across);
  std::fill_n(zeros, panel.across, 0.0f);
  std::fill_n(down, n * pitch, 0.0f);
  for (int64_t r = 0; r < panel.runs; ++r) {
    const Run& run = panel.list[r];
    Strip& strip = strips[r];
    const int64_t x = run.x * tile_ + panel.low, all = tile_ * run.count + gap;
    strip.lead = std::min(all, std::max<int64_t>(0, -x));
    strip.stop = std::max(strip.lead, std::min(all, s_.x.in - x));
    strip.place = tile_ * run.at + r * gap;
    for (int64_t k = 0; k < n; ++k) {
      const int64_t y = run.y * tile_ + y_[panel.fy].offset + k;
      const int64_t start = (run.n * channels + panel.g * a_.in_channels + in.begin) * plane;
      strip.from[k] =
          y < 0 || y >= s_.y.in || strip.stop == strip.lead ? -1 : start + y * s_.x.in + x + strip.lead;
    }
  }
  const int64_t line = 64 / size_;
  for (int64_t c = 0; c < in.count; ++c) {
    for (int64_t r = 0; r < panel.runs; ++r) {
      const Strip& strip = strips[r];
      // The rows of the next channel are on their way.
      for (int64_t k = 0; asks_ && k < n && c + 1 < in.count; ++k) {
        if (strip.from[k] < 0) continue;
        const char* row = static_cast<const char*>(a_.in) + (strip.from[k] + (c + 1) * plane) * size_;
        for (int64_t i = 0; i < strip.stop - strip.lead; i += line) __builtin_prefetch(row + i * size_);
      }
      const float* rows[6];
      for (int64_t k = 0; k < n; ++k) {
        const int64_t from = strip.from[k] + c * plane;
        if (strip.from[k] < 0) {
          rows[k] = zeros;
        } else if (a_.type == F32) {
          rows[k] = static_cast<const float*>(a_.in) + from;
        } else {
          rows[k] = wide + k * panel.across;
          widen_[a_.type](wide + k * panel.across, static_cast<const char*>(a_.in) + from * size_,
                          strip.stop - strip.lead);
        }
      }
      scheme_->down(down + strip.place + strip.lead, pitch, rows, strip.stop - strip.lead);
    }
    for (int64_t f = 0; f < forms(); ++f)
      for (int64_t r = 0; r < panel.runs; ++r)
        scheme_->across(panel.v + f * planes_ * panel.step + c * panel_ + panel.list[r].at, panel.step,
                        down + strips[r].place + x_[f].offset - panel.low, pitch, panel.list[r].count);
  }
}

// The same where runs are short: tile by tile into vectors of tiles.
void Winograd::spread_patches(const Panel& panel, Span in) const {
  const int64_t n = taps_ + tile_ - 1, channels = a_.groups * a_.in_channels;
  struct Patch {
    int64_t from, y0, y1, x0, x1;  // where it starts, and what of it is inside the plane
  };
  ScratchFrame frame;
  Patch* patch = frame.take<Patch>(panel_);
  float* d = frame.take<float>(planes_ * panel_);
  const float* pixel[36];
  for (int64_t k = 0; k < planes_; ++k) pixel[k] = d + k * panel_;
  for (int64_t f = 0; f < forms(); ++f) {
    for (int64_t r = 0; r < panel.runs; ++r)
      for (int64_t e = 0; e < panel.list[r].count; ++e) {
        const Run& run = panel.list[r];
        const int64_t y = run.y * tile_ + y_[panel.fy].offset, x = (run.x + e) * tile_ + x_[f].offset;
        const int64_t plane = (run.n * channels + panel.g * a_.in_channels + in.begin) * s_.y.in;
        patch[run.at + e] = {(plane + y) * s_.x.in + x, std::max<int64_t>(0, -y), std::min(n, s_.y.in - y),
                             std::max<int64_t>(0, -x), std::min(n, s_.x.in - x)};
      }
    std::fill_n(d, planes_ * panel_, 0.0f);
    for (int64_t c = 0; c < in.count; ++c) {
      for (int64_t t = 0; t < panel.tiles; ++t) {
        const Patch& p = patch[t];
        for (int64_t i = p.y0; i < p.y1; ++i) {
          const int64_t from = p.from + (c * s_.y.in + i) * s_.x.in;
          float few[6];
          const float* row = static_cast<const float*>(a_.in) + from;
          if (a_.type != F32) {
            if (p.x0 < p.x1)
              widen_[a_.type](few + p.x0, static_cast<const char*>(a_.in) + (from + p.x0) * size_,
                              p.x1 - p.x0);
            row = few;
          }
          for (int64_t j = p.x0; j < p.x1; ++j) d[(i * n + j) * panel_ + t] = row[j];
        }
      }
      scheme_->spread(panel.v + f * planes_ * panel.step + c * panel_, panel.step, pixel, panel_);
    }
  }
}

bool Winograd::run_first(int64_t g, int64_t fy, int64_t group, Span all, int64_t piece, int64_t pieces,
                         const float* packed, const float* bias) const {
  const int64_t tile = tile_of(all.count);
  Span out = part(all.count, pieces, piece, tile);
  if (out.count <= 0) return true;
  out.begin += all.begin;
  const int64_t first = group * panel_, tiles = std::min(panel_, tiles_ - first);
  // Planes a line more apart than a power of two.
  const int64_t v_step = inputs_most() * panel_ + 16, m_step = out.count * panel_ + 16;
  const int64_t low = std::min(x_[0].offset, x_[phases_ - 1].offset),
                high = std::max(x_[0].offset, x_[phases_ - 1].offset);
  ScratchFrame frame;
  Run* list = frame.take<Run>(panel_);
  float* v = frame.take<float>(forms() * planes_ * v_step);
  float* m = frame.take<float>(phases_ * planes_ * m_step);
  float* flags = frame.take<float>(panel_);
  const Panel panel = {
      list, runs(first, tiles, list), tiles, g, fy, v, v_step, low, tile_ * panel_ + taps_ - 1 + high - low};
  const float zeros[ConvLeaves<float>::kMost] = {};
  int32_t place[ConvLeaves<float>::kMost];
  for (int32_t i = 0; i < ConvLeaves<float>::kMost; ++i) place[i] = i * static_cast<int32_t>(panel_);
  // What of the outputs each call of a tile asks for.
  const int64_t calls = phases_ * planes_ * divide_up(out.count, tile);
  const char* const* ahead = nullptr;
  const int64_t asked = asks_ ? ask_first(panel, out, calls, &frame, &ahead) : 0;
  for (int64_t i = 0; i < in_parts_; ++i) {
    const Span in = part(a_.in_channels, in_parts_, i, 1);
    if (panel.runs * 5 <= panel_)
      spread_rows(panel, in);
    else
      spread_patches(panel, in);
    for (int64_t f = 0; f < phases_; ++f) {
      const float* weights = packed + ((fy * phases_ + f) * a_.in_channels + in.begin) * all.count * planes_ +
                             (out.begin - all.begin) * in.count;
      const ConvPiece products = {0, 0, in.count};
      ConvTiles sum = {&products, 1, panel_, 1, 0, 0, ahead, i + 1 == in_parts_ ? asked : 0};
      for (int64_t p = f * planes_; p < (f + 1) * planes_; ++p, weights += all.count * in.count) {
        const float* w = weights;
        for (int64_t at = 0; at < out.count; at += tile) {
          const int64_t columns = std::min(tile, out.count - at);
          leaves_.tile[panel_ > leaves_.lanes ? 1 : 0][columns](m + p * m_step + at * panel_, place, w,
                                                                v + (forms() == 1 ? p % planes_ : p) * v_step,
                                                                &sum, i == 0 ? zeros : nullptr);
          w += columns * in.count;
          sum.ahead += sum.asked;
        }
      }
      ahead = sum.ahead;
    }
  }
  std::fill_n(flags, panel_, 0.0f);
  emit_first(panel, out, m, m_step, bias, flags);
  return finite(flags, tiles);
}

// The lines of memory that the outputs are in, as many for each call.
int64_t Winograd::ask_first(const Panel& panel, Span out, int64_t calls, ScratchFrame* frame,
                            const char* const** ahead) const {
  const int64_t wide = tile_ * phases_, row = s_.x.out * size_;
  const int64_t most = out.count * tile_ * (panel.runs + divide_up(panel.tiles * wide * size_, int64_t{64}));
  const int64_t each = divide_up(most, calls);
  const char** list = frame->take<const char*>(each * calls);
  *ahead = list;
  int64_t n = 0;
  for (int64_t o = 0; o < out.count; ++o)
    for (int64_t r = 0; r < panel.runs; ++r) {
      const Run& run = panel.list[r];
      const int64_t channel = (run.n * a_.groups + panel.g) * a_.out_channels + out.begin + o;
      const int64_t y = run.y * tile_ * phases_ + panel.fy, x = run.x * wide;
      const char* to = static_cast<const char*>(a_.out) + (channel * s_.y.out + y) * row + x * size_;
      const int64_t rows = std::min(tile_, divide_up(s_.y.out - y, phases_));
      for (int64_t k = 0; k < rows; ++k, to += phases_ * row)
        for (int64_t i = 0; i < std::min(run.count * wide, s_.x.out - x) * size_; i += 64) list[n++] = to + i;
    }
  std::fill(list + n, list + each * calls, n > 0 ? list[0] : nullptr);
  return each;
}

void Winograd::emit_first(const Panel& panel, Span out, const float* m, int64_t step, const float* bias,
                          float* flags) const {
  const int64_t lanes = leaves_.lanes, wide = tile_ * phases_, line = wide * lanes;
  const int64_t out_channels = a_.groups * a_.out_channels;
  ScratchFrame frame;
  float* rest = frame.take<float>(tile_ * line);
  for (int64_t o = 0; o < out.count; ++o) {
    const int64_t channel = panel.g * a_.out_channels + out.begin + o;
    // Row k of the tiles from a lane of a run on, or null below the plane.
    const auto to = [&](const Run& t, int64_t k, int64_t lane) -> char* {
      const int64_t oy = (t.y * tile_ + k) * phases_ + panel.fy, ox = (t.x + lane - t.at) * wide;
      if (oy >= s_.y.out) return nullptr;
      return static_cast<char*>(a_.out) +
             (((t.n * out_channels + channel) * s_.y.out + oy) * s_.x.out + ox) * size_;
    };
    for (int64_t at = 0, r = 0; at < panel.tiles; at += lanes) {
      while (panel.list[r].at + panel.list[r].count <= at) ++r;
      const Run& run = panel.list[r];
      const bool whole = a_.type == F32 && run.at + run.count >= at + lanes &&
                         (run.x + at - run.at + lanes) * wide <= s_.x.out;
      float* rows[kMost];
      for (int64_t k = 0; k < tile_; ++k) {
        char* row = whole ? to(run, k, at) : nullptr;
        rows[k] = row != nullptr ? reinterpret_cast<float*>(row) : rest + k * line;
      }
      scheme_->up[phases_ - 1](rows, flags + at, m + o * panel_ + at, step, planes_ * step,
                               bias == nullptr ? 0.0f : bias[channel]);
      if (whole) continue;
      for (int64_t e = r; e < panel.runs && panel.list[e].at < at + lanes; ++e) {
        const Run& t = panel.list[e];
        const int64_t lane = std::max(at, t.at), end = std::min(at + lanes, t.at + t.count);
        const int64_t size = std::min((end - lane) * wide, s_.x.out - (t.x + lane - t.at) * wide);
        for (int64_t k = 0; k < tile_; ++k) {
          char* row = to(t, k, lane);
          if (row == nullptr) break;
          const float* from = rest + k * line + (lane - at) * wide;
          if (a_.type != F32) {
            leaves_.interleave[a_.type](row, from, 0, 1, size);
            continue;
          }
          // Short: no call.
          int64_t i = 0;
          for (; i + 4 <= size; i += 4) std::memcpy(row + 4 * i, from + i, 16);
          for (; i < size; ++i) std::memcpy(row + 4 * i, from + i, 4);
        }
      }
    }
  }
}

bool Winograd::run_last(int64_t g, int64_t fy, int64_t fx, int64_t group, Span out, const float* packed,
                        const float* bias) const {
  const int64_t lanes = leaves_.lanes, n = taps_ + tile_ - 1;
  const int64_t first = group * group_tiles_, tiles = std::min(group_tiles_, tiles_ - first);
  const int64_t blocks = divide_up(out.count, width_), most = inputs_most();
  const int64_t v_step = group_tiles_ * most + 16, m_step = blocks * group_tiles_ * width_ + 16;
  // Phases of x that share the transforms.
  const int64_t phases = phases_ / forms();
  ScratchFrame frame;
  Run* list = frame.take<Run>(group_tiles_);
  const int64_t count = runs(first, tiles, list);
  float* v = frame.take<float>(planes_ * v_step);
  float* m = frame.take<float>(phases * planes_ * m_step);
  float* zeros = frame.take<float>(std::max(most, width_));
  float* wide = frame.take<float>(planes_ * most);
  std::fill_n(zeros, std::max(most, width_), 0.0f);
  const int64_t channels = a_.groups * a_.in_channels, step = tile_of(tiles);
  const auto* in = static_cast<const char*>(a_.in);
  const int64_t none = 0;

  for (int64_t i = 0; i < in_parts_; ++i) {
    const Span some = part(a_.in_channels, in_parts_, i, 1);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t e = 0; e < list[r].count; ++e) {
        const Run& run = list[r];
        const float* pixel[36];
        for (int64_t k = 0; k < planes_; ++k) {
          const int64_t y = run.y * tile_ + y_[fy].offset + k / n,
                        x = (run.x + e) * tile_ + x_[fx].offset + k % n;
          if (y < 0 || y >= s_.y.in || x < 0 || x >= s_.x.in) {
            pixel[k] = zeros;
            continue;
          }
          const char* from =
              in +
              (((run.n * s_.y.in + y) * s_.x.in + x) * channels + g * a_.in_channels + some.begin) * size_;
          if (a_.type == F32) {
            pixel[k] = reinterpret_cast<const float*>(from);
          } else {
            widen_[a_.type](wide + k * most, from, some.count);
            pixel[k] = wide + k * most;
          }
        }
        scheme_->spread(v + (run.at + e) * some.count, v_step, pixel, some.count);
      }
    for (int64_t f = 0; f < phases; ++f) {
      const float* w =
          packed + ((fy * phases_ + fx + f) * a_.in_channels + some.begin) * blocks * width_ * planes_;
      for (int64_t p = 0; p < planes_; ++p)
        for (int64_t b = 0; b < blocks; ++b, w += some.count * width_) {
          const auto* kernel = leaves_.rows[out.count - b * width_ > lanes ? 1 : 0];
          float* to = m + (f * planes_ + p) * m_step + b * group_tiles_ * width_;
          const float* from = v + p * v_step;
          ConvSum sum = {&none, &none, 1, some.count, tiles / step, step * width_, step * some.count, lanes};
          kernel[step](to, width_, from, some.count, w, &sum, i == 0 ? zeros : nullptr);
          if (const int64_t rest = tiles % step) {
            to += sum.count * sum.c_step;
            from += sum.count * sum.v_step;
            sum.count = 1;
            kernel[rest](to, width_, from, some.count, w, &sum, i == 0 ? zeros : nullptr);
          }
        }
    }
  }

  float* flags = frame.take<float>(lanes);
  float* rest = frame.take<float>((tile_ * tile_ + 1) * lanes);
  float* biases = frame.take<float>(blocks * width_);
  std::fill_n(flags, lanes, 0.0f);
  std::fill_n(biases, blocks * width_, 0.0f);
  const int64_t out_channels = a_.groups * a_.out_channels, channel = g * a_.out_channels + out.begin;
  if (bias != nullptr) std::copy_n(bias + channel, out.count, biases);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t i = 0; i < list[r].count * phases; ++i) {
      const Run& run = list[r];
      const int64_t e = i / phases, f = i % phases;
      char* to[kMost * kMost];
      for (int64_t k = 0; k < tile_ * tile_; ++k) {
        const int64_t oy = (run.y * tile_ + k / tile_) * phases_ + fy,
                      ox = ((run.x + e) * tile_ + k % tile_) * phases_ + fx + f;
        to[k] = oy >= s_.y.out || ox >= s_.x.out
                    ? nullptr
                    : static_cast<char*>(a_.out) +
                          (((run.n * s_.y.out + oy) * s_.x.out + ox) * out_channels + channel) * size_;
      }
      for (int64_t c = 0; c < out.count; c += lanes) {
        const bool whole = a_.type == F32 && c + lanes <= out.count;
        float* pixel[kMost * kMost];
        for (int64_t k = 0; k < tile_ * tile_; ++k)
          pixel[k] = !whole             ? rest + k * lanes
                     : to[k] == nullptr ? rest + tile_ * tile_ * lanes
                                        : reinterpret_cast<float*>(to[k]) + c;
        const float* products =
            m + f * planes_ * m_step + (c / width_ * group_tiles_ + run.at + e) * width_ + c % width_;
        scheme_->gather(pixel, flags, products, m_step, biases + c);
        if (whole) continue;
        for (int64_t k = 0; k < tile_ * tile_; ++k)
          if (to[k] != nullptr)
            leaves_.interleave[a_.type](to[k] + c * size_, rest + k * lanes, 0, 1,
                                        std::min(lanes, out.count - c));
      }
    }
  return finite(flags, lanes);
}

}  // namespace upsampling
