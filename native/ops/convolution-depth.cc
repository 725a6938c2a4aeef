// Groups of one input channel, channels first.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

template <class T>
void Engine<T>::plan_depth() {
  strips_ = 0;
  const Pass& z = s_.z.pass[0];
  if (a_.nhwc || a_.in_channels != 1 || s_.z.count != 1 || s_.z.in != 1 || s_.z.out != 1 || z.taps != 1 ||
      z.phases != 1 || z.offset[0] != 0)
    return;
  low_x_ = low_y_ = INT64_MAX;
  int64_t high_x = INT64_MIN, qx = 0, columns = 0;
  high_y_ = INT64_MIN;
  q_end_ = 0;
  const auto stretch = [](const Axis& axis, int64_t* low, int64_t* high) {
    for (int64_t i = 0; i < axis.count; ++i)
      for (int64_t t = 0; t < axis.pass[i].taps; ++t) {
        *low = std::min<int64_t>(*low, axis.pass[i].offset[t]);
        *high = std::max<int64_t>(*high, axis.pass[i].offset[t]);
      }
  };
  stretch(s_.x, &low_x_, &high_x);
  stretch(s_.y, &low_y_, &high_y_);
  if (low_x_ > high_x || low_y_ > high_y_) return;
  for (int64_t i = 0; i < s_.x.count; ++i) qx = std::max(qx, s_.x.pass[i].end);
  for (int64_t i = 0; i < s_.y.count; ++i) q_end_ = std::max(q_end_, s_.y.pass[i].end);
  for (int64_t i = 0; i < unit_count_; ++i)
    columns = std::max(columns, units_[i].block * units_[i].x->phases);
  sub_row_ = qx + (high_x - low_x_) / s_.x.in_step + 1;
  pitch_ = sub_row_ * s_.x.in_step;
  if (pitch_ * (high_y_ - low_y_ + 1) > 32768 || qx * columns > 65536) return;
  // The padded rows and the sums of a strip stay in the second-level cache.
  strip_ = std::max<int64_t>(1, 32768 / (pitch_ * std::max(s_.y.in_step, columns)));
  strips_ = divide_up(q_end_, strip_);
  tasks_ = a_.batch * a_.groups * strips_;
}

template <class T>
void Engine<T>::run_depth(int64_t task, const T* packed, const T* packed_bias) const {
  const int64_t q0 = task % strips_ * strip_, q1 = std::min(q_end_, q0 + strip_);
  const int64_t image = task / strips_, g = image % a_.groups, n = image / a_.groups;
  const T* w = packed + g * group_weights_;
  const T* bias = packed_bias + g * group_bias_;
  const int64_t slack = 8 * leaves_.lanes, step = s_.x.in_step;
  const int64_t first = q0 * s_.y.in_step + low_y_, last = (q1 - 1) * s_.y.in_step + high_y_;
  ScratchFrame frame;
  T* rows = frame.take<T>((last - first + 1) * pitch_ + slack);
  ConvRun* runs = frame.take<ConvRun>(step);
  for (int64_t y = first; y <= last; ++y) {
    const bool inside = y >= 0 && y < s_.y.in;
    for (int64_t p = 0; p < step; ++p) {
      const int64_t x = low_x_ + p;
      const int64_t lead = !inside || x >= 0 ? 0 : std::min(sub_row_, divide_up(-x, step));
      const int64_t stop = !inside        ? 0
                           : x >= s_.x.in ? lead
                                          : std::max(lead, std::min(sub_row_, divide_up(s_.x.in - x, step)));
      runs[p] = {p * sub_row_, x, lead, stop};
    }
    const int64_t source = ((n * a_.groups + g) * s_.y.in + (inside ? y : 0)) * s_.x.in;
    leaves_.gather[a_.type](rows + (y - first) * pitch_, 0, static_cast<const char*>(a_.in) + source * size_,
                            1, 0, step, runs, step, sub_row_);
  }
  for (int64_t i = 0; i < unit_count_; ++i) {
    const Unit& u = units_[i];
    const int64_t begin = std::max(q0, u.y->begin), end = std::min(q1, u.y->end);
    if (begin >= end) continue;
    ScratchFrame inner;
    const int64_t width = (end - begin) * pitch_ + slack, slots = u.x->phases;
    T* c = inner.take<T>(u.block * slots * width);
    const T** from = inner.take<const T*>(most_taps(u));
    T* weight = inner.take<T>(most_taps(u));
    for (int64_t r = 0; r < u.rows; r += u.block) {
      const int64_t r1 = std::min(u.rows, r + u.block);
      for (int64_t j = 0; j < u.x->count; ++j) {
        const Pass& x = *u.x->pass[j];
        const int64_t k = k_of(u, j), columns = (r1 - r) * x.phases, tile = tile_of(columns);
        const T* packed_tile = w + u.weights[j] + r * x.phases * k;
        for (int64_t at = 0; at < columns; at += tile) {
          const int64_t m = std::min(tile, columns - at);
          for (int64_t e = 0; e < m; ++e) {
            for (int64_t t = 0; t < k; ++t) weight[t] = packed_tile[t * m + e];
            const int64_t slot = (at + e) / x.phases * slots + u.x->slot[j][(at + e) % x.phases];
            sum_rows(u, x, rows, first, begin, end, from, weight, k, bias[u.bias[j] + r * x.phases + at + e],
                     c + slot * width);
          }
          packed_tile += k * m;
        }
      }
      for (int64_t q = begin; q < end; ++q) {
        const Segment line = {n, 0, q, u.x->begin, 0, u.qx, 0};
        for (int64_t e = r; e < r1; ++e)
          emit_line(u, g, line, e, c + (e - r) * slots * width + (q - begin) * pitch_, width);
      }
    }
  }
}

template <class T>
void Engine<T>::sum_rows(const Unit& u, const Pass& x, const T* rows, int64_t first, int64_t begin,
                         int64_t end, const T** from, const T* weight, int64_t taps, T bias, T* c) const {
  const bool together = s_.y.in_step == 1;
  for (int64_t q = begin; q < (together ? begin + 1 : end); ++q) {
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t dx = x.offset[t % x.taps] - low_x_ + u.x->begin * s_.x.in_step;
      const int64_t y = q * s_.y.in_step + u.y->offset[t / x.taps] - first;
      from[t] = rows + y * pitch_ + dx % s_.x.in_step * sub_row_ + dx / s_.x.in_step;
    }
    const int64_t n = together ? (end - begin - 1) * pitch_ + u.qx : u.qx;
    leaves_.depth(c + (q - begin) * pitch_, from, weight, taps, bias, n);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
