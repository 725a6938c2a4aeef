// Channels first: a vector holds pixels.
//
// Note [Slabs]
// The inputs of a part of the positions are copied once, with their padding, so that every tap of a pixel is
// at a fixed distance from it whatever the row: tiles read them there, some pixels beyond row ends along with
// the others. Where that is too many, or the columns are enough to pay for it, the pixels are packed once
// more, tap by tap, without gaps.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

// --- inputs

// What an offset along an axis adds to a place in the slab.
template <class T>
int64_t Engine<T>::offset_along(const Slab& slab, int axis, int64_t offset) const {
  const int64_t steps[3] = {s_.z.in_step, s_.y.in_step, s_.x.in_step}, step = steps[axis];
  offset -= low_[axis];
  if (step == 1) return offset * slab.pitch[axis + 1];
  int64_t residue = offset % step * slab.residue;
  for (int i = axis + 1; i < 3; ++i) residue *= slab.residues[i];
  return residue + offset / step * slab.pitch[axis + 1];
}

template <class T>
int64_t Engine<T>::offset_of(const Slab& slab, const Unit& u, const Pass& x, int64_t tap) const {
  return offset_along(slab, 0, u.z->offset[tap / x.taps / u.y->taps]) +
         offset_along(slab, 1, u.y->offset[tap / x.taps % u.y->taps]) +
         offset_along(slab, 2, x.offset[tap % x.taps]);
}

// Of all taps: where they are in the slab, and which they are of those that have weights.
template <class T>
void Engine<T>::offsets_of(const Slab& slab, const Unit& u, const Pass& x, int64_t* offset,
                           int64_t* order) const {
  for (int64_t z = 0; z < u.z->taps; ++z)
    for (int64_t y = 0; y < u.y->taps; ++y) {
      const int64_t at = offset_along(slab, 0, u.z->offset[z]) + offset_along(slab, 1, u.y->offset[y]),
                    first = (u.z->order[z] * u.y->all + u.y->order[y]) * x.all;
      for (int64_t t = 0; t < x.taps; ++t) {
        *offset++ = at + offset_along(slab, 2, x.offset[t]);
        *order++ = first + x.order[t];
      }
    }
}

template <class T>
void Engine<T>::fill_slab(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1, T* to) const {
  const int64_t channels = a_.groups * a_.in_channels, plane = s_.in();
  const bool last = a_.nhwc && channels > 1;
  const int64_t images = box.end[0] - box.begin[0], pixel = last ? channels : 1;
  ScratchFrame frame;
  ConvRun* runs = frame.take<ConvRun>(images * slab.residues[0] * slab.extent[0] * slab.residues[1] *
                                      slab.extent[1] * slab.residues[2]);
  int64_t *start = frame.take<int64_t>(slab.residues[2]), *lead = frame.take<int64_t>(slab.residues[2]),
          *stop = frame.take<int64_t>(slab.residues[2]);
  for (int64_t rx = 0; rx < slab.residues[2]; ++rx) {
    start[rx] = s_.x.in_step * box.begin[3] + low_[2] + rx;
    lead[rx] = zeros_before(start[rx], s_.x.in_step, slab.extent[2]);
    stop[rx] = std::max(lead[rx], end_inside(start[rx], s_.x.in_step, slab.extent[2], s_.x.in));
  }
  // Row by row of the inputs, all residues of each, so that it is read from afar once. In each residue runs
  // rise, and what is written behind their ends is written over.
  int64_t count = 0;
  for (int64_t n = 0; n < images; ++n)
    for (int64_t iz = 0; iz < slab.extent[0] * slab.residues[0]; ++iz)
      for (int64_t iy = 0; iy < slab.extent[1] * slab.residues[1]; ++iy)
        for (int64_t rx = 0; rx < slab.residues[2]; ++rx) {
          const int64_t rz = iz % slab.residues[0], mz = iz / slab.residues[0], ry = iy % slab.residues[1],
                        my = iy / slab.residues[1];
          const int64_t z = s_.z.in_step * (box.begin[1] + mz) + low_[0] + rz;
          const int64_t y = s_.y.in_step * (box.begin[2] + my) + low_[1] + ry;
          const bool inside = z >= 0 && z < s_.z.in && y >= 0 && y < s_.y.in;
          runs[count++] = {
              ((rz * slab.residues[1] + ry) * slab.residues[2] + rx) * slab.residue + n * slab.pitch[0] +
                  mz * slab.pitch[1] + my * slab.pitch[2],
              inside ? n * channels * plane + ((z * s_.y.in + y) * s_.x.in + start[rx]) * pixel : 0,
              inside ? lead[rx] : 0, inside ? stop[rx] : 0};
        }
  const int64_t channel = last ? 1 : plane;
  const int64_t source = box.begin[0] * channels * plane + (g * a_.in_channels + c0) * channel;
  const char *in = static_cast<const char*>(a_.in), *end = in + a_.batch * channels * plane * size_;
  if (last)
    leaves_.gather[a_.type](to, slab.channel, in + source * size_, c1 - c0, channel, s_.x.in_step * pixel,
                            runs, count, slab.extent[2]);
  else
    leaves_.gather_planes[1][a_.type](to, slab.channel, in + source * size_, c1 - c0, channel, s_.x.in_step,
                                      runs, count, slab.extent[2], end);
}

// The rows of a box that a unit computes; `at` is not set.
template <class T>
int64_t Engine<T>::lines_of(const Unit& u, const Box& box, const Slab& slab, Segment* list) const {
  int64_t count = 0;
  const int64_t z0 = std::max(box.begin[1], u.z->begin), z1 = std::min(box.end[1], u.z->end);
  const int64_t y0 = std::max(box.begin[2], u.y->begin), y1 = std::min(box.end[2], u.y->end);
  const int64_t left = std::max(box.begin[3], u.x->begin), right = std::min(box.end[3], u.x->end);
  for (int64_t n = box.begin[0]; n < box.end[0]; ++n)
    for (int64_t z = z0; z < z1; ++z)
      for (int64_t y = y0; y < y1; ++y) {
        int64_t x0 = left, x1 = right;
        if (in_place_) {
          const int64_t row = ((n * q_[0] + z) * q_[1] + y) * q_[2];
          x0 = std::max(x0, box.p0 - row);
          x1 = std::min(x1, box.p1 - row);
        }
        if (x0 >= x1) continue;
        list[count++] = {n,
                         z,
                         y,
                         x0,
                         0,
                         x1 - x0,
                         (n - box.begin[0]) * slab.pitch[0] + (z - box.begin[1]) * slab.pitch[1] +
                             (y - box.begin[2]) * slab.pitch[2] + x0 - box.begin[3]};
      }
  return count;
}

// --- tasks

// Planes of one tap, some panels at a time, each copied while those before it are multiplied. The last
// panel reaches back. Nothing is multiplied while the first panels are copied, so tasks of the same planes
// are one. Returns how many those were.
template <class T>
int64_t Engine<T>::run_flow(int64_t first, int64_t last, const T* packed, const T* packed_bias) const {
  const int64_t boxes = boxes_[3] / a_.batch, g = first % a_.groups, box = first / a_.groups % boxes,
                n = first / a_.groups / boxes,
                count = a_.groups > 1 ? 1 : std::min(last - first, boxes - box);
  const int64_t plane = s_.in(), k = a_.in_channels, rows = units_[0].rows;
  const int64_t begin = box * flat_, end = box + count == boxes ? plane : begin + count * flat_;
  const T* in = static_cast<const T*>(a_.in) + (n * a_.groups + g) * k * plane;
  T* out = static_cast<T*>(a_.out) + (n * a_.groups + g) * rows * plane;
  const T *w = packed + g * group_weights_ + units_[0].weights[0],
          *bias = packed_bias + g * group_bias_ + units_[0].bias[0];
  ScratchFrame frame;
  const int64_t panel = k * width_ + 16;  // not a power of two
  T *now = frame.take<T>(flow_ * panel), *next = frame.take<T>(flow_ * panel);
  int32_t* place = frame.take<int32_t>(leaves_.most);
  for (int64_t i = 0; i < leaves_.most; ++i) place[i] = static_cast<int32_t>(i * plane);
  const ConvPiece piece = {0, 0, k};
  const auto start_of = [&](int64_t at) { return std::min(at, end - width_); };
  const auto panels_of = [&](int64_t at) {
    return at >= end ? 0 : std::max<int64_t>(1, std::min(flow_, (end - at) / width_));
  };
  const auto move_of = [&](int64_t at, T* to) {
    // Asked for so many copies ahead that the third-level cache has the time.
    const int64_t panels = panels_of(at),
                  planes = std::min(k, divide_up(kAsked, std::max<int64_t>(1, panels)));
    const T *from = in + start_of(at), *next = in + start_of(at + panels * width_);
    return ConvMove<T>{from,  to,        panels,     panel,
                       plane, 0,         panels * k, planes < k ? from + planes * plane : next,
                       next,  k - planes};
  };
  ConvMove<T> move = move_of(begin, now);
  leaves_.move(&move);
  for (int64_t at = begin; at < end;) {
    const int64_t panels = panels_of(at);
    T* to = out + start_of(at);
    at += panels * width_;
    move = move_of(at, next);
    const ConvTiles sum = {&piece, 1, width_, panels, width_, panel};
    const int64_t block = units_[0].block;
    for (int64_t r = 0; r < rows; r += block) {
      const int64_t columns = std::min(block, rows - r), tile = tile_of(columns);
      for (int64_t i = 0; i < columns; i += tile) {
        const int64_t m = std::min(tile, columns - i);
        leaves_.moving_tile[m](to + (r + i) * plane, place, w + (r + i) * k, now, &sum, bias + r + i, &move);
      }
    }
    leaves_.move(&move);
    std::swap(now, next);
  }
  return count;
}

template <class T>
void Engine<T>::run_first(int64_t task, int64_t count, const T* packed, const T* packed_bias) const {
  if (stepped_) return run_stepped(task, packed, packed_bias);
  const int64_t g = task % a_.groups;
  task /= a_.groups;
  const int64_t unit = split_units_ ? task % unit_count_ : 0;
  if (split_units_) task /= unit_count_;
  const int64_t part = task % parts_;
  task /= parts_;
  Box box;
  if (in_place_) {
    const int64_t all[4] = {a_.batch, q_[0], q_[1], q_[2]};
    box.p0 = task * flat_;
    box.p1 = box.p0 + flat_;
    int64_t inner = 1;
    for (int i = 3; i >= 0; --i) {
      // Whole images, planes and rows around the positions.
      const int64_t begin = box.p0 / inner, end = divide_up(box.p1, inner);
      const bool one = end - begin <= all[i] - begin % all[i];
      box.begin[i] = i == 0 ? begin : one ? begin % all[i] : 0;
      box.end[i] = i == 0 ? std::min(end, all[0]) : one ? begin % all[i] + end - begin : all[i];
      inner *= all[i];
    }
    box.begin[3] = 0;
    box.end[3] = all[3];
    for (int i = 0; i < 4; ++i) box.extent[i] = box.end[i] - box.begin[i];
  } else {
    box = box_of(&task);
  }
  const Slab slab = slab_of(box.extent);
  ScratchFrame frame;
  T* space = in_place_ ? nullptr : frame.take<T>(slab.channel * chunk_ + 64);
  if (!in_place_ && chunk_ >= a_.in_channels) fill_slab(slab, box, g, 0, a_.in_channels, space);
  if (doubled_ &&
      run_doubled(box, slab, g, packed + g * group_weights_, packed_bias + g * group_bias_, space))
    return;
  for (int64_t i = unit; i < (split_units_ ? unit + 1 : unit_count_); ++i)
    run_unit(units_[i], box, slab, g, part, part + count, packed + g * group_weights_,
             packed_bias + g * group_bias_, space);
}

// All phases in one pass over the slab; false where that is less than a vector.
template <class T>
bool Engine<T>::run_doubled(const Box& box, const Slab& slab, int64_t g, const T* w, const T* bias,
                            const T* space) const {
  const Unit &u = units_[0], &v = units_[1];
  int64_t begin[4], count[4];
  if (!clip(u, box, begin, count) || count[3] < leaves_.lanes) return false;
  const T* weights[4] = {w + u.weights[0], w + u.weights[1], w + v.weights[0], w + v.weights[1]};
  const ConvDouble d = {count[2], count[3], a_.in_channels, slab.channel, slab.pitch[2], s_.out(), s_.x.out};
  for (int64_t n = 0; n < count[0]; ++n)
    for (int64_t z = 0; z < count[1]; ++z) {
      const T* in = space + offset_of(slab, u, *u.x->pass[0], 0) + n * slab.pitch[0];
      for (int i = 1; i < 4; ++i) in += (begin[i] - box.begin[i] + (i == 1 ? z : 0)) * slab.pitch[i];
      const int64_t plane = ((begin[0] + n) * a_.groups + g) * a_.out_channels;
      T* out = static_cast<T*>(a_.out) +
               ((plane * s_.z.out + begin[1] + z) * s_.y.out + 2 * begin[2]) * s_.x.out + 2 * begin[3];
      leaves_.doubled[a_.out_channels](out, in, &d, weights, bias + u.bias[0]);
    }
  return true;
}

namespace {

bool follows(const ConvLine& a, const ConvLine& b) { return b.to == a.to + a.n; }

// Whether lines are one stretch of outputs, or each stretch is long.
bool long_stretches(const ConvLine* lines, int64_t count, int64_t least) {
  int64_t n = lines[0].n, stretches = 1;
  bool all = true;
  for (int64_t i = 1; i < count; ++i) {
    if (follows(lines[i - 1], lines[i])) {
      n += lines[i].n;
      continue;
    }
    all = all && n >= least;
    n = lines[i].n;
    ++stretches;
  }
  return stretches == 1 || (all && n >= least);
}

}  // namespace

template <class T>
void Engine<T>::run_unit(const Unit& u, const Box& box, const Slab& slab, int64_t g, int64_t part,
                         int64_t part_end, const T* w, const T* bias, T* space) const {
  const Bundle& bundle = *u.x;
  const int64_t blocks = divide_up(u.rows, u.block), lanes = leaves_.lanes;
  const int64_t row0 = part * blocks / parts_ * u.block;
  const int64_t row1 = std::min(u.rows, part_end * blocks / parts_ * u.block);
  ScratchFrame frame;
  Segment* lines = frame.take<Segment>((box.end[0] - box.begin[0]) * (box.end[1] - box.begin[1]) *
                                       (box.end[2] - box.begin[2]));
  const int64_t line_count = lines_of(u, box, slab, lines);
  if (line_count == 0 || row0 >= row1) return;

  // Tiles over the lines: of four vectors or eight while all columns are few, the rest of fewer.
  int64_t widest = 0;
  for (int64_t j = 0; j < bundle.count; ++j)
    widest = std::max(widest, tile_of(u.block * bundle.pass[j]->phases));
  const int64_t taps = taps_of(u);
  const int few = widest <= leaves_.few ? 2 : 1;
  const int largest = widest <= leaves_.fewest ? 3 : few;
  // Whether tiles store outputs where they belong.
  ConvLine* outputs = frame.take<ConvLine>(line_count);
  const bool whole = whole_lines(u, lines, line_count, outputs), chunked = chunk_ < a_.in_channels;
  const bool by_rows = whole && row_by_row(u, line_count, lines[0].count, slab.pitch[2] - lines[0].count);
  const bool direct = by_rows || (whole && sums_are_outputs(u) && (in_place_ || u.panels) &&
                                  long_stretches(outputs, line_count, kStretch));
  const bool exact = direct || (in_place_ && !u.panels);
  // In place: where positions of the box begin.
  const T* plane = static_cast<const T*>(a_.in) + box.begin[0] * a_.groups * a_.in_channels * s_.in() +
                   box.begin[1] * slab.pitch[1] + box.begin[2] * slab.pitch[2] + box.begin[3];
  Run* runs = frame.take<Run>(8 * line_count);
  int64_t run_count = 0, tile_count = 0, width = 0, panel = 0;
  const auto cover = [&](int64_t from, int64_t pixels) {
    const auto add = [&](int log, int64_t n, int64_t narrow) {
      const int64_t size = lanes << log;
      Run& run = runs[run_count++];
      run = {log, narrow, from, width, n, size};
      if (u.panels) {
        run.from = panel;
        run.step = taps * chunk_ * size + 16;  // not a power of two
        panel += n * run.step;
        tile_count += n;
      }
      from += narrow > 0 ? narrow : n * size;
      width += narrow > 0 ? narrow : n * size;
    };
    // Planes that begin alike in their lines: after a vector, the others are whole lines, and one reaches
    // back (224x224, 3 channels to one: 8.7 us instead of 10.6). All are tiles, whatever the address, so all
    // sum in the same order. What is summed in chunks would be so twice.
    const bool alike = exact && !u.panels && chunk_ >= a_.in_channels && s_.in() % lanes == 0 &&
                       pixels % lanes == 0 && pixels > lanes;
    const auto address = static_cast<int64_t>(reinterpret_cast<uintptr_t>(plane + from) / sizeof(T));
    const int64_t lead = alike ? -address & (lanes - 1) : 0;
    if (lead > 0) {
      add(0, 1, 0);
      from -= lanes - lead;
      width -= lanes - lead;
      pixels -= lead;
    }
    // A vector for less than half of its lanes is not worth its products; where planes lie as they are, there
    // may be nothing behind them.
    int64_t rest = pixels % lanes, vectors = pixels / lanes;
    if (rest > leaves_.narrow && !exact) {
      ++vectors;
      rest = 0;
    }
    for (int log = largest; log >= 0 && vectors > 0; --log) {
      const int64_t n = vectors >> log;
      if (n == 0) continue;
      vectors -= n << log;
      add(log, n, 0);
    }
    if (lead > 0) {
      from -= lead;
      width -= lead;
      add(0, 1, 0);
      return;
    }
    for (; rest > 0; rest -= runs[run_count - 1].narrow) add(0, 1, std::min<int64_t>(rest, leaves_.narrow));
  };
  // A row of outputs ends with what the next one is laid over. Where that is somewhere else, the last tile
  // reaches back.
  const auto cover_row = [&](int64_t from, int64_t to, int64_t pixels, bool last) {
    const auto add = [&](int log, int64_t n) {
      const int64_t size = lanes << log;
      runs[run_count++] = {log, 0, from, to, n, size};
      from += n * size;
      to += n * size;
    };
    int64_t vectors = divide_up(pixels, lanes);
    const int64_t back = last ? vectors * lanes - pixels : 0;
    for (int log = largest; log >= 0; --log) {
      const int64_t n = vectors >> log;
      if (n == 0 || (back > 0 && lanes << log > pixels)) continue;
      vectors -= n << log;
      const bool reach = vectors == 0 && back > 0;
      if (n > 1 || !reach) add(log, reach ? n - 1 : n);
      if (!reach) continue;
      from -= back;
      to -= back;
      add(log, 1);
    }
  };
  // Rows that are close to one another, or all that are packed, are one stretch; in place, outputs that
  // follow one another. The rows of an image may begin before the last ones of the image before it, where
  // those are only of padding that both share.
  for (int64_t i = 0, end; i < line_count && !by_rows;) {
    const int64_t begin = lines[i].from;
    if (direct) width = outputs[i].to;
    const int64_t at = width;
    int64_t pixels = 0;
    do {
      lines[i].at = at + (u.panels ? pixels : lines[i].from - begin);
      pixels = lines[i].at - at + lines[i].count;
      end = lines[i].from + lines[i].count;
      ++i;
    } while (i < line_count &&
             (u.panels || (lines[i].from > lines[i - 1].from && lines[i].from < end + width_)) &&
             (!direct || follows(outputs[i - 1], outputs[i])));
    cover(begin, pixels);
  }
  for (int64_t i = 0; i < line_count && by_rows; ++i)
    cover_row(lines[i].from, outputs[i].to, outputs[i].n,
              i + 1 == line_count || !follows(outputs[i], outputs[i + 1]));
  for (int64_t i = 0; i < line_count; ++i) outputs[i].at = lines[i].at;
  width = direct ? 0 : (divide_up(width, lanes) | 1) * lanes;

  // Copies from lines to panels.
  ConvCopy* copies = nullptr;
  int64_t copy_count = 0;
  T* panels = nullptr;
  if (u.panels) {
    panels = frame.take<T>(panel + 64);
    copies = frame.take<ConvCopy>(line_count + tile_count);
    int64_t r = 0, tile = 0, inside = 0;  // in a run, its tiles, and a tile
    for (int64_t i = 0; i < line_count; ++i)
      for (int64_t x = 0; x < lines[i].count;) {
        const int64_t size = lanes << runs[r].log, full = runs[r].narrow > 0 ? runs[r].narrow : size;
        const int64_t n = std::min(lines[i].count - x, full - inside);
        copies[copy_count++] = {runs[r].from + tile * runs[r].step + inside, lines[i].from + x, n, size};
        x += n;
        inside += n;
        if (inside == full) {
          inside = 0;
          if (++tile == runs[r].count) {
            tile = 0;
            ++r;
          }
        }
      }
  }

  // Channels last, all of them at once: rows of pixels are interleaved like phases.
  const bool pixels = a_.nhwc && a_.groups == 1 && u.block == u.rows && bundle.phases == s_.x.out_step;
  const int64_t sums = chunked ? row1 - row0 : u.block, slots = bundle.phases, yz = u.z->phases * u.y->phases;
  T* c = frame.take<T>(sums * slots * width + 64);
  int32_t* place = frame.take<int32_t>(u.block * slots);
  ConvPiece* pieces =
      frame.take<ConvPiece>((largest + 2) * (taps * divide_up(chunk_, ConvTiles::kBlock) + 1));
  int64_t* lists = u.panels ? nullptr : frame.take<int64_t>(taps * chunk_);
  int64_t *offsets = frame.take<int64_t>(taps), *orders = frame.take<int64_t>(taps);
  for (int64_t j = 0, tap = 0; j < bundle.count; ++j) {
    const Pass& x = *bundle.pass[j];
    offsets_of(slab, u, x, offsets + tap, orders + tap);
    tap += u.z->taps * u.y->taps * x.taps;
  }
  // The parts of the sums that do not depend on the tile; the last of each pass are those of narrow ones.
  constexpr int kKinds = 5, kNarrow = 4;
  ConvTiles* sums_of = frame.take<ConvTiles>(kKinds * bundle.count);
  const auto blocks_of = [&](int64_t rows) {  // of `rows` rows
    int64_t tiles = 0, blocks = 0;
    for (int64_t i = 0; i < run_count; ++i) tiles += runs[i].narrow > 0 ? 0 : runs[i].count;
    for (int64_t j = 0; j < bundle.count; ++j) {
      const int64_t columns = rows * bundle.pass[j]->phases;
      blocks += divide_up(columns, tile_of(columns)) * tiles * sums_of[kKinds * j].pieces;
    }
    return blocks;
  };
  const char** ahead = nullptr;
  for (int64_t c0 = 0; c0 < a_.in_channels; c0 += chunk_) {
    const int64_t c1 = std::min(a_.in_channels, c0 + chunk_), channels = c1 - c0;
    const T *source = space, *end = space + slab.channel * chunk_ + 64;
    if (in_place_) {
      const int64_t plane = s_.in(), all = a_.groups * a_.in_channels;
      source = static_cast<const T*>(a_.in) + (box.begin[0] * all + g * a_.in_channels + c0) * plane +
               box.begin[1] * slab.pitch[1] + box.begin[2] * slab.pitch[2] + box.begin[3];
      end = static_cast<const T*>(a_.in) + a_.batch * all * plane;
    } else if (chunked) {
      fill_slab(slab, box, g, c0, c1, space);
    }
    // Outputs are on their way into the cache while their sums are computed. All at once they would be waited
    // for.
    const bool asks = whole && !direct && c1 == a_.in_channels;
    int64_t tap0 = 0;
    ConvPiece* piece = pieces;
    int64_t* list = lists;
    for (int64_t j = 0; j < bundle.count; ++j) {
      const Pass& x = *bundle.pass[j];
      const int64_t n = u.z->taps * u.y->taps * x.taps;
      const int64_t *offset = offsets + tap0, *order = orders + tap0;
      // In the order of the sum, or one tap after the other: what a copy leaves behind its end is written
      // over by the next.
      const int64_t block = n == 1 || u.trimmed ? channels : ConvTiles::kBlock;
      for (int64_t i = 0; u.panels && i < channels; i += block) {
        const int64_t some = std::min(block, channels - i);
        for (int64_t t = 0; t < n; ++t) {
          const T* from = source + i * slab.channel + offset[t];
          const int64_t first = tap0 * channels + i * n + t * some;
          if (!in_place_ || s_.in() > 1) {
            leaves_.pack(panels, from, first, some, slab.channel, copies, copy_count, end);
            continue;
          }
          // Images of one pixel are rows of channels.
          for (int64_t q = 0, m; q < copy_count; q += m) {
            for (m = 1; q + m < copy_count && copies[q + m].to == copies[q].to + m; ++m) {
            }
            leaves_.transpose(panels + copies[q].to + first * copies[q].step, copies[q].step,
                              from + copies[q].from, slab.pitch[0], m, some);
          }
        }
      }
      // The products of evenly spaced channels or of a list, in pieces that leave time to ask for outputs.
      const auto follow = [&](ConvTiles* sum, int64_t from) {
        const int64_t products = n * channels, most = asks ? 64 : std::max<int64_t>(1, products);
        sum->piece = piece;
        for (int64_t i = 0; i < products; i += most)
          *piece++ = {from + i * sum->channel, i, std::min(most, products - i)};
        sum->pieces = piece - sum->piece;
      };
      // One tap after the other of some channels.
      const auto tap_by_tap = [&](ConvTiles* sum) {
        const int64_t all = u.z->all * u.y->all * x.all;
        sum->piece = piece;
        for (int64_t i = 0; i < channels; i += ConvTiles::kBlock) {
          const int64_t some = std::min(ConvTiles::kBlock, channels - i);
          for (int64_t t = 0; t < n; ++t) {
            const int64_t at = u.panels ? (tap0 + t) * channels * sum->channel : offset[t];
            *piece++ = {at + i * sum->channel, i * all + order[t] * some, some};
          }
        }
        sum->pieces = piece - sum->piece;
      };
      ConvTiles* const kinds = sums_of + kKinds * j;
      for (int log = 0; log <= (u.panels ? largest : 0); ++log) {
        ConvTiles& sum = kinds[log];
        sum = {};
        sum.channel = u.panels ? lanes << log : slab.channel;
        sum.asked = asks ? 1 : 0;
        if (u.trimmed)
          tap_by_tap(&sum);
        else
          follow(&sum, u.panels ? tap0 * channels * sum.channel : 0);
      }
      kinds[kNarrow] = kinds[0];
      if (!u.panels && !u.trimmed) {
        // Pieces of few channels would wait for their beginnings: 7x7 5->64 of 16x35x62 takes 6.4 ms rather
        // than 7.3.
        kinds[0].list = list;
        for (int64_t i = 0; i < channels; i += ConvTiles::kBlock)
          for (int64_t t = 0; t < n; ++t) {
            const int64_t end = std::min(channels, i + ConvTiles::kBlock);
            for (int64_t c = i; c < end; ++c) *list++ = offset[t] + c * slab.channel;
          }
        tap_by_tap(&kinds[kNarrow]);
      }
      for (int log = 1; log <= largest && !u.panels; ++log) kinds[log] = kinds[0];
      tap0 += n;
    }
    if (asks) {
      int64_t most = blocks_of(u.block);
      for (int64_t i = 0; i < line_count; ++i) most += u.block * divide_up<int64_t>(outputs[i].n * size_, 64);
      ahead = frame.take<const char*>(most);
    }
    for (int64_t r = row0; r < row1; r += u.block) {
      // Where row e of all begins in the outputs, in elements.
      const auto place_of = [&](int64_t e) {
        int64_t channel = e, z = u.z->phase[0], y = u.y->phase[0];
        if (yz > 1) {
          channel = e / yz;
          z = u.z->phase[e % yz / u.y->phases];
          y = u.y->phase[e % u.y->phases];
        }
        return (((g * a_.out_channels + channel) * s_.z.out + z) * s_.y.out + y) * s_.x.out;
      };
      const auto target = [&](int64_t e) { return static_cast<char*>(a_.out) + place_of(e) * size_; };
      T* to = direct ? reinterpret_cast<T*>(target(r)) : c + (chunked ? r - row0 : 0) * slots * width;
      const int64_t rows = std::min(row1 - r, u.block);
      const char** asked = ahead;
      int64_t each = 0;
      if (asks) {
        for (int64_t e = r; e < r + rows; ++e) {
          const char* row = target(e);
          for (int64_t i = 0; i < line_count; ++i)
            for (int64_t at = 0; at < outputs[i].n * size_; at += 64)
              *asked++ = row + outputs[i].to * size_ + at;
        }
        const int64_t blocks = blocks_of(rows);
        each = blocks == 0 ? 0 : divide_up(asked - ahead, blocks);
        for (const char** end = ahead + each * blocks; asked < end; ++asked) *asked = ahead[0];
        asked = ahead;
      }
      for (int64_t j = 0; j < bundle.count; ++j) {
        const Pass& x = *bundle.pass[j];
        const int64_t k = weights_of(u, j), columns = rows * x.phases, tile = tile_of(columns);
        const T* from = w + u.weights[j] + r * x.phases * k;
        const T* b = bias + u.bias[j] + r * x.phases;
        for (int64_t e = 0, i = 0; e < rows; ++e) {
          const int64_t row = direct   ? place_of(r + e) - place_of(r)
                              : pixels ? (yz > 1 ? e % yz * slots * a_.out_channels + e / yz : e) * width
                                       : e * slots * width;
          const int64_t step = direct ? 0 : (pixels ? a_.out_channels : 1) * width;
          for (int64_t f = 0; f < x.phases; ++f)
            place[i++] = static_cast<int32_t>(row + u.x->slot[j][f] * step);
        }
        for (int64_t i = 0; i < columns; i += tile) {
          const int64_t m = std::min(tile, columns - i);
          for (int64_t q = 0; q < run_count; ++q) {
            const Run& run = runs[q];
            ConvTiles sum = sums_of[kKinds * j + (run.narrow > 0 && !u.panels ? kNarrow : run.log)];
            sum.count = run.count;
            sum.c_step = lanes << run.log;
            sum.v_step = run.step;
            sum.ahead = asked;
            sum.asked = each;
            const T* v = (u.panels ? panels : source) + run.from;
            const T* start = c0 == 0 ? b + i : nullptr;
            const T* part = from + c0 * (k / a_.in_channels) * m;
            if (run.narrow > 0) {
              leaves_.narrow_tile[run.narrow](to + run.at, place + i, part, m, v, &sum, start);
            } else {
              leaves_.tile[run.log][m](to + run.at, place + i, part, v, &sum, start);
              asked += each * run.count * sum.pieces;
            }
          }
          from += k * m;
        }
      }
      if (direct || c1 < a_.in_channels) continue;
      if (pixels) {
        for (int64_t i = 0; i < line_count; ++i) emit_pixels(u, lines[i], to + lines[i].at, width);
        continue;
      }
      for (int64_t e = r; e < r + rows; ++e, to += slots * width) {
        if (whole) {
          leaves_.lines[a_.type](target(e), to, width, slots, outputs, line_count);
          continue;
        }
        for (int64_t i = 0; i < line_count; ++i) emit_line(u, g, lines[i], e, to + lines[i].at, width);
      }
    }
  }
}

// Segments as whole lines of the output, but for the phases of z and y and the channel; false where that is
// not what they are.
template <class T>
bool Engine<T>::whole_lines(const Unit& u, const Segment* list, int64_t count, ConvLine* lines) const {
  const int64_t step = s_.x.out_step;
  if (a_.nhwc || u.x->phases != step) return false;
  const int64_t last_z = u.z->phases > 0 ? *std::max_element(u.z->phase, u.z->phase + u.z->phases) : 0;
  const int64_t last_y = u.y->phases > 0 ? *std::max_element(u.y->phase, u.y->phase + u.y->phases) : 0;
  for (int64_t i = 0; i < count; ++i) {
    const Segment& s = list[i];
    const int64_t z = s.z * s_.z.out_step, y = s.y * s_.y.out_step;
    if (z + last_z >= s_.z.out || y + last_y >= s_.y.out) return false;
    lines[i] = {((s.n * a_.groups * a_.out_channels * s_.z.out + z) * s_.y.out + y) * s_.x.out + s.x * step,
                s.at, std::min(s.count * step, s_.x.out - s.x * step)};
  }
  return true;
}

// Whether outputs lie next to one another as their sums do.
template <class T>
bool Engine<T>::sums_are_outputs(const Unit& u) const {
  return !a_.nhwc && u.x->phases == 1 && s_.x.out_step == 1 && size_ == static_cast<int64_t>(sizeof(T)) &&
         u.block * s_.out() <= INT32_MAX;
}

// A segment of all channels and phases: c[((phases of z and y)·phases of x + phase)·channels + o][pixel].
template <class T>
void Engine<T>::emit_pixels(const Unit& u, const Segment& s, const T* c, int64_t width) const {
  const int64_t step = s_.x.out_step, channels = a_.out_channels;
  const int64_t n = std::min(s.count * step, s_.x.out - s.x * step) * channels;
  for (int64_t f = 0; f < u.z->phases * u.y->phases; ++f, c += step * channels * width) {
    const int64_t z = s.z * s_.z.out_step + u.z->phase[f / u.y->phases],
                  y = s.y * s_.y.out_step + u.y->phase[f % u.y->phases];
    if (z >= s_.z.out || y >= s_.y.out) continue;
    const int64_t at = (((s.n * s_.z.out + z) * s_.y.out + y) * s_.x.out + s.x * step) * channels;
    leaves_.interleave[a_.type](static_cast<char*>(a_.out) + at * size_, c, width, step * channels, n);
  }
}

template <class T>
void Engine<T>::emit_line(const Unit& u, int64_t g, const Segment& s, int64_t r, const T* c,
                          int64_t width) const {
  const Bundle& bundle = *u.x;
  const int64_t step = s_.x.out_step, channels = a_.groups * a_.out_channels;
  const int64_t fy = r % u.y->phases, fz = r / u.y->phases % u.z->phases, o = r / u.y->phases / u.z->phases;
  const int64_t z = s.z * s_.z.out_step + u.z->phase[fz], y = s.y * s_.y.out_step + u.y->phase[fy];
  if (z >= s_.z.out || y >= s_.y.out) return;
  const int64_t pixel = a_.nhwc ? channels : 1, channel = g * a_.out_channels + o;
  const int64_t at = a_.nhwc ? ((s.n * s_.z.out + z) * s_.y.out + y) * s_.x.out * channels + channel
                             : (((s.n * channels + channel) * s_.z.out + z) * s_.y.out + y) * s_.x.out;
  char* row = static_cast<char*>(a_.out) + at * size_;
  if (bundle.phases == step && pixel == 1) {
    const int64_t n = std::min(s.count * step, s_.x.out - s.x * step);
    leaves_.interleave[a_.type](row + s.x * step * size_, c, width, step, n);
    return;
  }
  emit_phases(bundle, row + s.x * step * pixel * size_, pixel, s.x, s.count, c, width);
}

template <class T>
void Engine<T>::emit_phases(const Bundle& bundle, char* to, int64_t pixel, int64_t x, int64_t count,
                            const T* c, int64_t width) const {
  const int64_t step = s_.x.out_step;
  for (int64_t f = 0; f < bundle.phases; ++f) {
    const int64_t n = std::min(count, divide_up(s_.x.out - x * step - bundle.phase[f], step));
    if (n > 0) leaves_.scatter[a_.type](to + bundle.phase[f] * pixel * size_, step * pixel, c + f * width, n);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
