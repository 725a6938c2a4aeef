// Channels last: a vector holds columns.
//
// Inputs are read where they are, or from a copy with the padding. Sums go straight to the output where a
// block of columns is a whole one of neighbouring channels.
//
// Note [Edges]
// Where taps read beside inputs that are read where they are, or so often that their products are better left
// out although a copy holds the padding (holes of 6 and more on planes of 32), positions are divided by the
// taps that find inputs: a stretch along each axis is what lies between two changes of those, and a part of
// the positions is a product of stretches, with sums over the taps they have.
#include "ops/convolution-engine.h"
#include "runtime/cache.h"

namespace upsampling {
namespace conv {

template <class T>
void Engine<T>::fill_slab_turned(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1,
                                 T* to) const {
  const int64_t all = a_.groups * a_.in_channels, channels = c1 - c0, plane = s_.in();
  const int64_t start = s_.x.in_step * box.begin[3] + low_[2], extent = slab.extent[2];
  const int64_t lead = zeros_before(start, 1, extent),
                stop = std::max(lead, end_inside(start, 1, extent, s_.x.in));
  for (int64_t n = box.begin[0]; n < box.end[0]; ++n) {
    const T* image = static_cast<const T*>(a_.in) + (n * all + g * a_.in_channels + c0) * plane;
    T* slice = to + (n - box.begin[0]) * slab.pitch[0];
    if (by_taps_ || whole_) {
      leaves_.transpose(slice, slab.pitch[3], image, plane, channels, plane);
      continue;
    }
    for (int64_t mz = 0; mz < slab.extent[0]; ++mz)
      for (int64_t my = 0; my < slab.extent[1]; ++my) {
        const int64_t z = s_.z.in_step * box.begin[1] + low_[0] + mz,
                      y = s_.y.in_step * box.begin[2] + low_[1] + my;
        const bool any = z >= 0 && z < s_.z.in && y >= 0 && y < s_.y.in && stop > lead;
        T* row = slice + mz * slab.pitch[1] + my * slab.pitch[2];
        std::fill_n(row, (any ? lead : extent) * slab.pitch[3], T(0));
        if (!any) continue;
        leaves_.transpose(row + lead * slab.pitch[3], slab.pitch[3],
                          image + (z * s_.y.in + y) * s_.x.in + start + lead, plane, channels, stop - lead);
        std::fill_n(row + stop * slab.pitch[3], (extent - stop) * slab.pitch[3], T(0));
      }
  }
}

// The inputs of a row from `lead` to `stop`, channels c0 to c1, every one as often as it has outputs.
template <class T>
void Engine<T>::repeat_channels(T* row, const T* from, int64_t lead, int64_t stop, int64_t extent,
                                int64_t pixel, int64_t c0, int64_t c1) const {
  const int64_t times = a_.repeats, all = a_.groups / times;
  std::fill_n(row, lead * pixel, T(0));
  T* to = row + lead * pixel;
  if (pixel == a_.groups) {
    // What is written beyond the last one is written again.
    for (int64_t i = lead * all; i < stop * all; ++i, to += times)
      for (int64_t j = 0; j < times; j += 4) std::fill_n(to + j, 4, from[i]);
  } else {
    for (int64_t x = lead; x < stop; ++x, to += pixel)
      for (int64_t c = c0; c < c1; ++c) to[c - c0] = from[x * all + c / times];
  }
  std::fill_n(to, (extent - stop) * pixel, T(0));
}

template <class T>
void Engine<T>::fill_slab_last(const Slab& slab, const Box& box, int64_t g, int64_t c0, int64_t c1,
                               T* to) const {
  if (turned_) {
    fill_slab_turned(slab, box, g, c0, c1, to);
    return;
  }
  const int64_t all = a_.groups * a_.in_channels / a_.repeats, channels = c1 - c0;
  const int64_t source0 = a_.repeats > 1 ? 0 : g * a_.in_channels + c0;
  const int64_t start = s_.x.in_step * box.begin[3] + low_[2], extent = slab.extent[2];
  const int64_t lead = zeros_before(start, 1, extent),
                stop = std::max(lead, end_inside(start, 1, extent, s_.x.in));
  const bool together = channels == all && slab.pitch[3] == channels;
  ScratchFrame frame;
  ConvRun* runs = frame.take<ConvRun>(extent);
  for (int64_t n = box.begin[0]; n < box.end[0]; ++n)
    for (int64_t mz = 0; mz < slab.extent[0]; ++mz)
      for (int64_t my = 0; my < slab.extent[1]; ++my) {
        const int64_t z = s_.z.in_step * box.begin[1] + low_[0] + mz,
                      y = s_.y.in_step * box.begin[2] + low_[1] + my;
        const bool inside = z >= 0 && z < s_.z.in && y >= 0 && y < s_.y.in;
        T* row = to + (n - box.begin[0]) * slab.pitch[0] + mz * slab.pitch[1] + my * slab.pitch[2];
        const int64_t source =
            inside ? (((n * s_.z.in + z) * s_.y.in + y) * s_.x.in + start) * all + source0 : 0;
        const char* from = static_cast<const char*>(a_.in) + source * size_;
        if (a_.repeats > 1) {
          const int64_t first = inside ? lead : slab.extent[2], end = inside ? stop : first;
          repeat_channels(row, reinterpret_cast<const T*>(from), first, end, extent, slab.pitch[3], c0, c1);
          continue;
        }
        if (together) {
          const ConvRun run = {0, 0, inside ? lead * channels : 0, inside ? stop * channels : 0};
          leaves_.gather[a_.type](row, 0, from, 1, 0, 1, &run, 1, extent * channels);
          continue;
        }
        for (int64_t x = 0; x < extent; ++x)
          runs[x] = {x * slab.pitch[3], x * all, 0, inside && x >= lead && x < stop ? channels : 0};
        leaves_.gather[a_.type](row, 0, from, 1, 0, 1, runs, extent, channels);
      }
}

template <class T>
void Engine<T>::run_last(int64_t task, int64_t count, const T* packed, const T* packed_bias) const {
  const int64_t g = task % a_.groups;
  task /= a_.groups;
  const int64_t unit = split_units_ ? task % unit_count_ : 0;
  if (split_units_) task /= unit_count_;
  const int64_t part = task % parts_;
  task /= parts_;
  const Box box = box_of(&task);
  const Slab slab = slab_of(box.extent);
  ScratchFrame frame;
  T* space = in_place_ ? nullptr : frame.take<T>(slab.pitch[0] * box.extent[0]);
  if (!in_place_ && chunk_ >= a_.in_channels) fill_slab_last(slab, box, g, 0, a_.in_channels, space);
  for (int64_t i = unit; i < (split_units_ ? unit + 1 : unit_count_); ++i)
    run_unit_last(units_[i], box, slab, g, part, part + count, packed + g * group_weights_,
                  packed_bias + g * group_bias_, space);
}

template <class T>
void Engine<T>::run_unit_last(const Unit& u, const Box& box, const Slab& slab, int64_t g, int64_t part,
                              int64_t part_end, const T* w, const T* bias, T* space) const {
  const int64_t first[4] = {0, u.z->begin, u.y->begin, u.x->begin};
  const int64_t last[4] = {a_.batch, u.z->end, u.y->end, u.x->end};
  const int64_t step[4] = {0, s_.z.in_step, s_.y.in_step, s_.x.in_step};
  Lines all;
  all.second = leaves_.lanes;
  all.some = 0;
  int64_t begin[4];
  int64_t from = 0;
  for (int i = 0; i < 4; ++i) {
    begin[i] = std::max(box.begin[i], first[i]);
    all.count[i] = std::min(box.end[i], last[i]) - begin[i];
    if (all.count[i] <= 0) return;
    all.in[i] = (i == 0 ? 1 : step[i]) * slab.pitch[i];
    from += (begin[i] - box.begin[i]) * all.in[i];
  }
  const int64_t pixels = all.count[0] * all.count[1] * all.count[2] * all.count[3];
  const bool chunked = chunk_ < a_.in_channels;
  const int64_t total = a_.groups * a_.out_channels;
  // Outputs that do not stay in the second-level cache.
  const bool far = bytes_of_outputs() > second_level_cache() / 2;
  ScratchFrame frame;
  int64_t most = 1;
  for (int64_t i = 0; chunked && i < u.x->count; ++i) {
    const int64_t n = blocks_of(u, *u.x->pass[i]);
    most += part_end * n / parts_ - part * n / parts_;
  }
  T* sums = frame.take<T>(most * pixels * width_);
  for (int64_t c0 = 0; c0 < a_.in_channels; c0 += chunk_) {
    const int64_t c1 = std::min(a_.in_channels, c0 + chunk_), channels = c1 - c0;
    const T *source = space + from, *origin = space;
    if (in_place_) {
      origin = static_cast<const T*>(a_.in) + g * a_.in_channels + begin[0] * slab.pitch[0];
      source = static_cast<const T*>(a_.in) + g * a_.in_channels;
      for (int i = 0; i < 4; ++i)
        source += (begin[i] * (i == 0 ? 1 : step[i]) + (i == 0 ? 0 : low_[i - 1])) * slab.pitch[i];
    } else if (chunked) {
      fill_slab_last(slab, box, g, c0, c1, space);
    }
    int64_t block_base = 0;
    for (int64_t j = 0; j < u.x->count; ++j) {
      const Pass& x = *u.x->pass[j];
      const int64_t k = weights_of(u, j), blocks = blocks_of(u, x);
      const int64_t block0 = part * blocks / parts_, block1 = part_end * blocks / parts_;
      ScratchFrame inner;
      Part* parts = nullptr;
      const int64_t part_count = by_taps_ ? 0 : parts_of(u, x, begin, all, channels, slab, &inner, &parts);
      const bool one = u.z->phases * u.y->phases * x.phases == 1 && !by_taps_ && !chunked && a_.nhwc &&
                       size_ == static_cast<int64_t>(sizeof(T));
      int64_t together = block1 - block0;
      while (one && together > 0 && block_of(u, x, block0 + together - 1).n < width_) --together;
      // All columns of some pixels at once: of few products, whose weights stay in the first-level cache, or
      // outputs do not stay in the second (3x3 5->512 of 89x61 takes 3.5 ms rather than 7.9); and where not
      // even weights of a block stay in the first, but all in the second, so that the pixels stay in the
      // first.
      const int64_t size = sizeof(T), bytes = k * width_ * size, second_level = second_level_cache();
      const bool spills = k <= kFewProducts && pixels * total * size > second_level / 2 &&
                          together * bytes <= second_level / 4;
      const bool few = together * k * width_ <= kWideWeights || spills;
      const bool many = leaves_.blocks_first && bytes > kFirstLevel && together * bytes <= second_level / 2;
      const bool wide = one && together > 1 && (few || many);
      // And a last vector of them.
      const int64_t single =
          wide && few && block0 + together < block1 && block_of(u, x, block0 + together).n == leaves_.lanes
              ? 1
              : 0;
      for (int64_t b = block0, blocks_done = 1; b < block1; b += blocks_done) {
        // A vector and the last block, of two more, are one tile where there are leaves of three.
        const bool three =
            one && leaves_.row_tile[2] > 0 && b == block1 - 2 && block_of(u, x, b).n == leaves_.lanes;
        const Block last = block_of(u, x, three ? b + 1 : b);
        const Block block = three ? Block{last.first - leaves_.lanes, last.n + leaves_.lanes} : last;
        const int64_t n = block.n, lanes = leaves_.lanes;
        const int vectors = three ? 2 : n > lanes ? 1 : 0;
        blocks_done = three ? 2 : wide && b == block0 ? together + single : 1;
        const T* weights = w + u.weights[j] + (b * k + c0) * width_;
        const T* start = c0 == 0 ? bias + u.bias[j] + b * width_ : nullptr;
        const Column column = column_of(u, x, block.first), end = column_of(u, x, block.first + n - 1);
        Lines lines = all;
        lines.few = few;
        const auto multiply = [&](T* to, const Lines& some) {
          if (by_taps_)
            multiply_taps(u, x, begin, some, to, origin, slab, vectors, weights, start);
          else if (edges_)
            multiply_parts(parts, part_count, some, to, source, vectors, weights, start,
                           wide && b == block0 ? together : 1, k * width_);
          else
            multiply_lines(some, to, source, vectors, weights, &parts->sum, start,
                           wide && b == block0 ? together : 1, k * width_);
        };
        const int64_t neighbours = neighbours_of(x);
        // All phases of the block have the same outputs.
        const bool even = outputs_of(s_.x, begin[3], x.phase[column.fx], all.count[3]) ==
                          outputs_of(s_.x, begin[3], x.phase[end.fx], all.count[3]);
        const bool whole =
            (a_.nhwc || s_.out() == 1) &&
            (reaches_ ? n >= lanes || (leaves_.stores_some && s_.x.out_step == 1) : n == lanes << vectors) &&
            block.first % neighbours + n <= neighbours && even && size_ == static_cast<int64_t>(sizeof(T));
        for (Part* some = parts; some < parts + part_count; ++some) {
          // Inputs come from the last cache once.
          some->sum.ahead = in_place_ && b == block0;
          some->sum.single = b == block0 ? single : 0;
          if (three) some->sum.next = k * width_;
          // Those that store whole pixels ask for what follows them, others for their own outputs.
          const bool joined = (wide && few && b == block0) || some->sum.slide != nullptr;
          some->sum.asks = whole && (joined ? (wide ? together * width_ + single * lanes : n) == total : far);
        }
        if (whole) {
          // Where this phase has outputs.
          const int64_t phase[4] = {0, u.z->phase[column.fz], u.y->phase[column.fy], x.phase[column.fx]};
          const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
          int64_t pitch = total, to = g * a_.out_channels + column.o;
          for (int i = 3; i >= 1; --i) {
            const Axis& axis = *axes[i - 1];
            lines.out[i] = axis.out_step * pitch;
            const int64_t position = begin[i] * axis.out_step + phase[i];
            lines.count[i] = std::min(lines.count[i], divide_up(axis.out - position, axis.out_step));
            if (position >= axis.out) lines.count[i] = 0;
            to += position * pitch;
            pitch *= axis.out;
          }
          lines.out[0] = pitch;
          lines.second = lanes - back_of(last);
          lines.some = n < lanes ? n : 0;
          to += begin[0] * pitch;
          multiply(static_cast<T*>(a_.out) + to, lines);
          continue;
        }
        T* c = sums + (chunked ? (block_base + b - block0) * pixels : 0) * width_;
        lines.out[3] = width_;
        for (int i = 2; i >= 0; --i) lines.out[i] = lines.out[i + 1] * lines.count[i + 1];
        multiply(c, lines);
        if (c1 < a_.in_channels) continue;
        if (turned_)
          emit_turned(u, x, g, begin, all.count, block.first, n, c);
        else
          emit_last(u, x, g, begin, all.count, block, c);
      }
      block_base += block1 - block0;
    }
  }
}

// How far taps are apart that find what the next one does a position further on, or 0 if those are not all
// but the first ones. A single vector of columns and its pixels are as many loads as products: 3x3 7->13 of
// 61x43 takes .040 ms rather than .047.
template <class T>
int64_t Engine<T>::sliding(const Pass& x, const Stretch& s) const {
  constexpr int64_t kLeast = 4;  // positions: fewer are not a row of their own (multiply_lines)
  if (s_.x.out_step > 1 || x.phases > 1 || s.end - s.begin < kLeast) return 0;
  for (int64_t apart = 1; apart < s.taps; ++apart) {
    bool all = true;
    for (int64_t t = s.first; t + apart < s.first + s.taps; ++t)
      all = all && x.offset[t + apart] == x.offset[t] + s_.x.in_step &&
            x.order[t + apart] == x.order[t] + apart;
    if (all) return apart;
  }
  return 0;
}

template <class T>
int64_t Engine<T>::parts_of(const Unit& u, const Pass& x, const int64_t* begin, const Lines& lines,
                            int64_t channels, const Slab& slab, ScratchFrame* frame, Part** parts) const {
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  const Pass* passes[3] = {u.z, u.y, &x};
  Stretch whole[3], *list[3];
  int64_t count[3], total = 1;
  for (int i = 0; i < 3; ++i) {
    const Pass& p = *passes[i];
    list[i] = edges_ ? frame->take<Stretch>(2 * p.taps + 2) : whole + i;
    count[i] = stretches_of(edges_, *axes[i], p, begin[i + 1], lines.count[i + 1], list[i]);
    total *= count[i];
  }
  *parts = frame->take<Part>(total);
  for (int64_t i = 0; i < total; ++i) {
    const Stretch stretch[3] = {list[0][i / count[2] / count[1]], list[1][i / count[2] % count[1]],
                                list[2][i % count[2]]};
    const Stretch &sz = stretch[0], &sy = stretch[1], &sx = stretch[2];
    Part& part = (*parts)[i];
    part.begin[0] = 0;
    part.end[0] = lines.count[0];
    for (int j = 0; j < 3; ++j) {
      part.begin[j + 1] = stretch[j].begin - begin[j + 1];
      part.end[j + 1] = stretch[j].end - begin[j + 1];
    }
    const int64_t most = channels == 0 ? 0 : sz.taps * sy.taps * sx.taps;
    const int64_t apart = u.rows * x.phases <= leaves_.lanes ? sliding(x, sx) : 0;
    // Taps that slide are one, or those that lie next to one another.
    int64_t joined = 1;
    while (apart == 0 && joined < sx.taps && channels == slab.pitch[3] && channels == a_.in_channels &&
           x.offset[sx.first + joined] == x.offset[sx.first] + joined &&
           x.order[sx.first + joined] == x.order[sx.first] + joined)
      ++joined;
    if (joined < sx.taps) joined = 1;
    int64_t *offset = frame->take<int64_t>(most + 1), *order = frame->take<int64_t>(most + 1);
    part.sum = {offset, order, 0, joined * channels};
    int64_t* slide = apart > 0 ? frame->take<int64_t>(most + 1) : nullptr;
    part.sum.slide = slide;
    part.sum.next = apart * a_.in_channels * width_;
    int64_t& taps = part.sum.taps;
    const auto add = [&](int64_t tz, int64_t ty, int64_t tx) {
      offset[taps] = (u.z->offset[tz] - low_[0]) * slab.pitch[1] +
                     (u.y->offset[ty] - low_[1]) * slab.pitch[2] + (x.offset[tx] - low_[2]) * slab.pitch[3];
      order[taps++] = order_of(u, x, (tz * u.y->taps + ty) * x.taps + tx) * a_.in_channels * width_;
    };
    for (int64_t tz = sz.first; most > 0 && tz < sz.first + sz.taps; ++tz)
      for (int64_t ty = sy.first; ty < sy.first + sy.taps; ++ty) {
        for (int64_t tx = sx.first; apart == 0 && tx < sx.first + sx.taps; tx += joined) add(tz, ty, tx);
        for (int64_t r = 0; r < apart; ++r) {
          const int64_t all = divide_up(sx.taps - r, apart), runs = divide_up<int64_t>(all, ConvSum::kSlide);
          for (int64_t run = 0; run < runs; ++run) {
            const int64_t first = run * all / runs;
            slide[taps] = (run + 1) * all / runs - first;
            add(tz, ty, sx.first + r + first * apart);
          }
        }
      }
  }
  return total;
}

// Lines may end before the parts do.
template <class T>
void Engine<T>::multiply_parts(Part* parts, int64_t count, const Lines& lines, T* to, const T* from,
                               int vectors, const T* weights, const T* bias, int64_t blocks,
                               int64_t block) const {
  for (Part* part = parts; part < parts + count; ++part) {
    Lines some = lines;
    int64_t in = 0, out = 0;
    for (int i = 0; i < 4; ++i) {
      some.count[i] = std::max<int64_t>(0, std::min(part->end[i], lines.count[i]) - part->begin[i]);
      in += part->begin[i] * lines.in[i];
      out += part->begin[i] * lines.out[i];
    }
    if (some.count[0] * some.count[1] * some.count[2] * some.count[3] == 0) continue;
    multiply_lines(some, to + out, from + in, vectors, weights, &part->sum, bias, blocks, block);
  }
}

// Tap by tap; `from` is the first pixel of the images, and all of it is inside.
template <class T>
void Engine<T>::multiply_taps(const Unit& u, const Pass& x, const int64_t* begin, const Lines& lines, T* to,
                              const T* from, const Slab& slab, int vectors, const T* weights,
                              const T* bias) const {
  const int64_t zero = 0;
  ConvSum sum = {&zero, &zero, 0, a_.in_channels};
  multiply_lines(lines, to, from, vectors, weights, &sum, bias, 1, 0);
  sum.taps = 1;
  const Axis* axes[3] = {&s_.z, &s_.y, &s_.x};
  const Pass* passes[3] = {u.z, u.y, &x};
  const int64_t taps = u.z->taps * u.y->taps * x.taps;
  for (int64_t t = 0; t < taps; ++t) {
    const int64_t tap[3] = {t / x.taps / u.y->taps, t / x.taps % u.y->taps, t % x.taps};
    Lines some = lines;
    int64_t in = 0, out = 0;
    for (int i = 1; i < 4; ++i) {
      const Axis& axis = *axes[i - 1];
      const int64_t offset = passes[i - 1]->offset[tap[i - 1]];
      int64_t first = begin[i], last = begin[i] + lines.count[i];
      keep_inside(axis, offset, &first, &last);
      some.count[i] = std::max<int64_t>(0, last - first);
      in += (first * axis.in_step + offset) * slab.pitch[i];
      out += (first - begin[i]) * lines.out[i];
    }
    if (some.count[1] * some.count[2] * some.count[3] == 0) continue;
    multiply_lines(some, to + out, from + in, vectors, weights + order_of(u, x, t) * a_.in_channels * width_,
                   &sum, nullptr, 1, 0);
  }
}

// Some blocks of columns of all pixels, whose weights are `block` apart.
template <class T>
void Engine<T>::multiply_lines(Lines lines, T* to, const T* from, int vectors, const T* weights, ConvSum* sum,
                               const T* bias, int64_t blocks, int64_t block) const {
  // Axes that are one step, or continue the one inside them, are not loops of their own.
  int axis = 2;
  for (; axis >= 0; --axis) {
    const int64_t n = lines.count[3];
    if (n == 1) {
      lines.in[3] = lines.in[axis];
      lines.out[3] = lines.out[axis];
    } else if (lines.count[axis] != 1 &&
               (lines.in[axis] != n * lines.in[3] || lines.out[axis] != n * lines.out[3])) {
      break;
    }
    lines.count[3] = n * lines.count[axis];
    lines.count[axis] = 1;
  }
  // The longest innermost where rows are short.
  if (2 * lines.count[3] < leaves_.most && sum->slide == nullptr)
    for (int i = 0; i < 3; ++i)
      if (lines.count[i] > lines.count[3]) {
        std::swap(lines.count[i], lines.count[3]);
        std::swap(lines.in[i], lines.in[3]);
        std::swap(lines.out[i], lines.out[3]);
      }
  const int64_t n = lines.count[3],
                widest = sum->slide != nullptr ? leaves_.slide_rows : leaves_.row_tile[vectors];
  const int64_t tile = n == 0 ? 1 : divide_up(n, divide_up(n, widest)), whole = n / tile, rest = n % tile;
  const auto* rows = sum->slide != nullptr ? leaves_.slide : leaves_.rows[vectors];
  const bool few = lines.few;
  if (blocks > 1 && few && n < leaves_.wide_rows) {
    for (int64_t b = 0; b < blocks + sum->single; ++b)
      multiply_lines(lines, to + b * width_, from, b < blocks ? vectors : 0, weights + b * block, sum,
                     bias + b * width_, 1, 0);
    return;
  }
  sum->second = lines.second;
  sum->some = lines.some;
  sum->c_step = tile * lines.out[3];
  sum->v_step = tile * lines.in[3];
  for (int64_t i = 0; i < lines.count[0]; ++i)
    for (int64_t z = 0; z < lines.count[1]; ++z)
      for (int64_t y = 0; y < lines.count[2]; ++y) {
        T* c = to + i * lines.out[0] + z * lines.out[1] + y * lines.out[2];
        const T* b = from + i * lines.in[0] + z * lines.in[1] + y * lines.in[2];
        if (blocks > 1 && !few) {
          ConvSum one = *sum;
          one.count = 1;
          for (int64_t at = 0; at < n; at += tile)
            for (int64_t j = 0; j < blocks; ++j) {
              one.ahead = sum->ahead && j == 0;
              leaves_.rows[vectors][std::min(tile, n - at)](c + at * lines.out[3] + j * width_, lines.out[3],
                                                            b + at * lines.in[3], lines.in[3],
                                                            weights + j * block, &one, bias + j * width_);
            }
          continue;
        }
        if (blocks > 1) {
          sum->count = blocks;
          sum->v_step = block;
          leaves_.wide(c, lines.out[3], b, lines.in[3], n, weights, sum, bias);
          continue;
        }
        sum->count = whole;
        rows[tile](c, lines.out[3], b, lines.in[3], weights, sum, bias);
        if (rest == 0) continue;
        sum->count = 1;
        rows[rest](c + whole * sum->c_step, lines.out[3], b + whole * sum->v_step, lines.in[3], weights, sum,
                   bias);
      }
}

// Columns first … first + n of the pixels to the planes of the output: c[pixel·width + i].
template <class T>
void Engine<T>::emit_turned(const Unit& u, const Pass& x, int64_t g, const int64_t* begin,
                            const int64_t* extent, int64_t first, int64_t n, const T* c) const {
  const int64_t channels = a_.groups * a_.out_channels, plane = s_.out(), step = s_.x.out_step;
  auto* out = static_cast<T*>(a_.out);
  for (int64_t i = 0; i < n;) {
    const Column column = column_of(u, x, first + i);
    const int64_t run = std::min(n - i, a_.out_channels - column.o);
    const int64_t ox = begin[3] * step + x.phase[column.fx];
    const int64_t pixels = outputs_of(s_.x, begin[3], x.phase[column.fx], extent[3]);
    // Rows that continue one another.
    int64_t joined = 1;
    if (step == 1 && s_.y.out_step == 1 && pixels == s_.x.out && pixels == extent[3])
      joined = std::min(extent[2], s_.y.out - begin[2]);
    for (int64_t image = 0; image < extent[0]; ++image)
      for (int64_t z = 0; z < extent[1]; ++z)
        for (int64_t y = 0; y < extent[2]; y += joined) {
          const int64_t oz = (begin[1] + z) * s_.z.out_step + u.z->phase[column.fz];
          const int64_t oy = (begin[2] + y) * s_.y.out_step + u.y->phase[column.fy];
          if (oz >= s_.z.out || oy >= s_.y.out) continue;
          const int64_t channel = (begin[0] + image) * channels + g * a_.out_channels + column.o;
          const int64_t row = (image * extent[1] + z) * extent[2] + y;
          T* to = out + ((channel * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox;
          const T* from = c + row * extent[3] * width_ + i;
          if (step == 1) {
            leaves_.transpose(to, plane, from, width_, joined * pixels, run);
            continue;
          }
          if (pixels == 1) {
            for (int64_t o = 0; o < run; ++o) to[o * plane] = from[o];
            continue;
          }
          for (int64_t o = 0; o < run; ++o)
            for (int64_t p = 0; p < pixels; ++p) to[o * plane + p * step] = from[p * width_ + o];
        }
    i += run;
  }
}

// Columns of a block of the pixels to the output: c[pixel·width + i], where the second vector reaches back.
template <class T>
void Engine<T>::emit_last(const Unit& u, const Pass& x, int64_t g, const int64_t* begin,
                          const int64_t* extent, const Block& block, const T* c) const {
  const int64_t channels = a_.groups * a_.out_channels, lanes = leaves_.lanes, back = back_of(block);
  auto* out = static_cast<char*>(a_.out);
  for (int64_t i = 0; i < block.n;) {
    const Column column = column_of(u, x, block.first + i);
    const int64_t end = back > 0 && i < lanes ? lanes : block.n;
    const int64_t run = std::min(end - i, a_.out_channels - column.o);
    const T* from = c + i + (i < lanes ? 0 : back);
    const int64_t ox = begin[3] * s_.x.out_step + x.phase[column.fx];
    const int64_t pixels = outputs_of(s_.x, begin[3], x.phase[column.fx], extent[3]);
    for (int64_t image = 0; image < extent[0]; ++image)
      for (int64_t z = 0; z < extent[1]; ++z)
        for (int64_t y = 0; y < extent[2]; ++y) {
          const int64_t oz = (begin[1] + z) * s_.z.out_step + u.z->phase[column.fz];
          const int64_t oy = (begin[2] + y) * s_.y.out_step + u.y->phase[column.fy];
          if (oz >= s_.z.out || oy >= s_.y.out) continue;
          const int64_t at = (((begin[0] + image) * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox;
          const int64_t row = (image * extent[1] + z) * extent[2] + y;
          leaves_.spread[a_.type](out + (at * channels + g * a_.out_channels + column.o) * size_,
                                  s_.x.out_step * channels, from + row * extent[3] * width_, width_, run,
                                  pixels);
        }
    i += run;
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
