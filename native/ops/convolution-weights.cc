// Packing of weights.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

template <class T>
void Engine<T>::pack(const T* weight, const T* bias, int64_t part, T* packed, T* packed_bias) const {
  const Strides stride(a_, s_.kernel());
  const int64_t g = part / packing_ * groups_packed();
  int64_t task = part % packing_;
  const T* w = weight + g * stride.group;
  const T* b = bias == nullptr ? nullptr : bias + g * a_.out_channels;
  for (int64_t i = 0; i < unit_count_; ++i)
    for (int64_t j = 0; j < units_[i].x->count; ++j) {
      const int64_t parts = packing_parts(units_[i], j);
      if (task < parts) {
        T *to = packed + g * group_weights_, *biases = packed_bias + g * group_bias_;
        if (deep_)
          pack_deep(units_[i], j, g, std::min(groups_packed(), a_.groups - g), stride, w, b, packed,
                    packed_bias);
        else if (first_)
          pack_columns(units_[i], j, task, parts, stride, w, b, to, biases);
        else
          pack_columns_last(units_[i], j, task, parts, stride, w, b, to, biases);
        return;
      }
      task -= parts;
    }
}

template <class T>
Column Engine<T>::column_of(const Unit& u, const Pass& x, int64_t c) const {
  Column k;
  if (!first_) {
    k.o = c % a_.out_channels;
    c /= a_.out_channels;
    k.fx = c % x.phases;
    c /= x.phases;
    k.fy = c % u.y->phases;
    k.fz = c / u.y->phases;
  } else {
    k.fx = c % x.phases;
    c /= x.phases;
    k.fy = c % u.y->phases;
    c /= u.y->phases;
    k.fz = c % u.z->phases;
    k.o = c / u.z->phases;
  }
  return k;
}

// In the order in which tiles sum; a channel after the other, as the weights lie in memory.
template <class T>
void Engine<T>::pack_tile(const Unit& u, const Pass& x, const Column* column, int64_t n,
                          const Strides& stride, const T* w, T* to) const {
  const int64_t taps = u.z->taps * u.y->taps * x.taps, channels = a_.in_channels;
  if (taps == 0) return;  // outputs that see padding alone
  const int64_t row = first_ ? n : width_, block = first_ ? ConvTiles::kBlock : channels;
  ScratchFrame frame;
  int64_t* from = frame.take<int64_t>(taps * n);
  bool plain = true, even = !a_.transposed;
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = single_tap(s_, *u.z, column[i].fz * u.z->taps + t / x.taps / u.y->taps, *u.y,
                                    column[i].fy * u.y->taps + t / x.taps % u.y->taps, x,
                                    column[i].fx * x.taps + t % x.taps);
      plain &= at >= 0;
      from[t * n + i] = (column[i].o - column[0].o) * stride.out + at;
      even &= from[t * n + i] == from[t * n] + i * stride.out;
    }
  if (plain) {
    const ConvPacking packing = {n, row, taps, channels, block, stride.in, from, even ? stride.out : 0};
    leaves_.weights(to, w + column[0].o * stride.out, &packing);
    return;
  }
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t b = c / block * block, some = std::min(block, channels - b);
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t i = 0; i < n; ++i)
        to[(b * taps + t * some + c - b) * row + i] =
            folded(s_, w + c * stride.in + column[i].o * stride.out, *u.z,
                   column[i].fz * u.z->taps + t / x.taps / u.y->taps, *u.y,
                   column[i].fy * u.y->taps + t / x.taps % u.y->taps, x, column[i].fx * x.taps + t % x.taps);
  }
}

template <class T>
int64_t Engine<T>::packing_parts(const Unit& u, int64_t j) const {
  if (deep_) return 1;
  const int64_t columns = u.rows * u.x->pass[j]->phases;
  const int64_t blocks = first_ ? divide_up(u.rows, u.block) : blocks_of(u, *u.x->pass[j]);
  return std::max<int64_t>(1, std::min(blocks, columns * k_of(u, j) >> 16));
}

// Column after column of some groups; channels last, the groups of each weight are next to one another.
template <class T>
void Engine<T>::pack_deep(const Unit& u, int64_t j, int64_t g, int64_t groups, const Strides& stride,
                          const T* w, const T* b, T* packed, T* packed_bias) const {
  const Pass& x = *u.x->pass[j];
  const int64_t k = k_of(u, j), step = first_ ? 1 : a_.groups;
  const int64_t group = first_ ? group_weights_ : 1, group_bias = first_ ? group_bias_ : 1;
  for (int64_t c = 0; c < u.rows * x.phases; ++c) {
    const Column column = column_of(u, x, c);
    const T* from = w + column.o * stride.out;
    for (int64_t t = 0; t < k; ++t) {
      const int64_t ez = column.fz * u.z->taps + t / x.taps / u.y->taps,
                    ey = column.fy * u.y->taps + t / x.taps % u.y->taps, ex = column.fx * x.taps + t % x.taps;
      const int64_t at = single_tap(s_, *u.z, ez, *u.y, ey, x, ex);
      T* to = packed + g * group + (u.weights[j] + c * k + t) * step;
      for (int64_t i = 0; i < groups; ++i)
        to[i * group] = at >= 0 ? from[i * stride.group + at]
                                : folded(s_, from + i * stride.group, *u.z, ez, *u.y, ey, x, ex);
    }
    for (int64_t i = 0; i < groups; ++i)
      packed_bias[(g + i) * group_bias + (u.bias[j] + c) * step] =
          b == nullptr ? T(0) : b[i * a_.out_channels + column.o];
  }
}

template <class T>
void Engine<T>::pack_columns(const Unit& u, int64_t j, int64_t part, int64_t parts, const Strides& stride,
                             const T* w, const T* b, T* packed, T* packed_bias) const {
  const Pass& x = *u.x->pass[j];
  const int64_t k = k_of(u, j);
  const int64_t blocks = divide_up(u.rows, u.block);
  const int64_t row0 = part * blocks / parts * u.block,
                row1 = std::min(u.rows, (part + 1) * blocks / parts * u.block);
  T* to = packed + u.weights[j] + row0 * x.phases * k;
  T* bias = packed_bias + u.bias[j] + row0 * x.phases;
  for (int64_t r = row0; r < row1; r += u.block) {
    const int64_t columns = std::min(u.block, u.rows - r) * x.phases;
    const int64_t tile = tile_of(columns);
    for (int64_t c = 0; c < columns; c += tile) {
      const int64_t n = std::min(tile, columns - c);
      Column column[ConvLeaves<T>::kMost];
      for (int64_t i = 0; i < n; ++i) {
        column[i] = column_of(u, x, r * x.phases + c + i);
        *bias++ = b == nullptr ? T(0) : b[column[i].o];
      }
      pack_tile(u, x, column, n, stride, w, to);
      to += k * n;
    }
  }
}

template <class T>
void Engine<T>::pack_columns_last(const Unit& u, int64_t j, int64_t part, int64_t parts,
                                  const Strides& stride, const T* w, const T* b, T* packed,
                                  T* packed_bias) const {
  const Pass& x = *u.x->pass[j];
  const int64_t k = k_of(u, j), blocks = blocks_of(u, x);
  ScratchFrame frame;
  Column* column = frame.take<Column>(width_);
  for (int64_t c = part * blocks / parts; c < (part + 1) * blocks / parts; ++c) {
    T *to = packed + u.weights[j] + c * width_ * k, *bias = packed_bias + u.bias[j] + c * width_;
    const Block block = block_of(u, x, c);
    const int64_t back = back_of(block), n = block.n + back;
    const int64_t first = back > 0 ? leaves_.lanes : n;  // columns that follow one another
    for (int64_t i = 0; i < n; ++i) {
      column[i] = column_of(u, x, block.first + (i < first ? i : i - back));
      bias[i] = b == nullptr ? T(0) : b[column[i].o];
    }
    if (n < width_) {
      std::fill_n(to, k * width_, T(0));
      std::fill_n(bias + n, width_ - n, T(0));
    }
    pack_tile(u, x, column, first, stride, w, to);
    if (first < n) pack_tile(u, x, column + first, n - first, stride, w, to + first);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
