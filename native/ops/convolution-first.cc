// Channels first: a vector holds pixels.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

template <class T>
ConvRun Engine<T>::run_of(const Unit& u, const Pass& x, const Segment& s, int64_t tap) const {
  const int64_t tx = tap % x.taps, ty = tap / x.taps % u.y->taps, tz = tap / x.taps / u.y->taps;
  const int64_t z = s.z * s_.z.in_step + u.z->offset[tz], y = s.y * s_.y.in_step + u.y->offset[ty];
  if (z < 0 || z >= s_.z.in || y < 0 || y >= s_.y.in) return {0, 0, 0, 0};
  const int64_t step = s_.x.in_step, first = s.x * step + x.offset[tx];
  // Inside: first + i·step in 0 … in.
  const int64_t lead = first >= 0 ? 0 : std::min(s.count, divide_up(-first, step));
  const int64_t stop =
      first >= s_.x.in ? lead : std::max(lead, std::min(s.count, divide_up(s_.x.in - first, step)));
  return {0, (z * s_.y.in + y) * s_.x.in + first, lead, stop};
}

template <class T>
void Engine<T>::fill_panel(const Unit& u, const Pass& x, int64_t g, const Segment* list, int64_t count,
                           int64_t k0, int64_t k1, T* to, ConvRun* runs) const {
  const int64_t channels = a_.groups * a_.in_channels, plane = s_.in();
  const auto* in = static_cast<const char*>(a_.in);
  const int64_t last = list[count - 1].at + list[count - 1].count;
  if (last < width_)
    for (int64_t k = 0; k < k1 - k0; ++k) std::fill(to + k * width_ + last, to + (k + 1) * width_, T(0));
  for (int64_t k = k0; k < k1;) {
    // Whole taps together, a part of a tap alone.
    const int64_t tap = k / a_.in_channels, c = k % a_.in_channels;
    const int64_t taps = c == 0 ? std::max<int64_t>(1, (k1 - k) / a_.in_channels) : 1;
    const int64_t n = std::min(a_.in_channels - c, k1 - k);
    for (int64_t i = 0; i < count; ++i) {
      const Segment& s = list[i];
      for (int64_t t = 0; t < taps; ++t) {
        runs[t] = run_of(u, x, s, tap + t);
        runs[t].to = t * n * width_ + s.at;
      }
      const int64_t source = (s.n * channels + g * a_.in_channels + c) * plane;
      leaves_.gather[a_.type](to, width_, in + source * size_, n, plane, s_.x.in_step, runs, taps, s.count);
    }
    to += taps * n * width_;
    k += taps * n;
  }
}

template <class T>
void Engine<T>::run_columns(const Unit& u, int64_t g, int64_t tile, int64_t part, const T* w,
                            const T* bias) const {
  ScratchFrame frame;
  const Bundle& bundle = *u.x;
  const int64_t begin = tile * u.sub * width_, end = std::min(u.pixels, begin + u.sub * width_);
  const int64_t panels = divide_up(end - begin, width_);
  const int64_t blocks = divide_up(u.rows, u.block);
  const int64_t row0 = part * blocks / u.parts * u.block;
  const int64_t row1 = std::min(u.rows, (part + 1) * blocks / u.parts * u.block);
  int64_t k_all = 0, columns = 0;
  for (int64_t j = 0; j < bundle.count; ++j) {
    k_all += k_of(u, j);
    columns = std::max(columns, u.block * bundle.pass[j]->phases);
  }
  ConvRun* runs = frame.take<ConvRun>(most_taps(u));
  int32_t* place = frame.take<int32_t>(columns);
  Segment* lists = frame.take<Segment>(panels * width_);
  int64_t* counts = frame.take<int64_t>(panels);
  for (int64_t p = 0; p < panels; ++p)
    counts[p] = segments(u, begin + p * width_, std::min(end, begin + (p + 1) * width_), lists + p * width_);
  if (u.chunked) {
    const int64_t chunk = kPanel / (panels * width_ * static_cast<int64_t>(sizeof(T)));
    const int64_t stride = chunk * width_ + 16, row = bundle.phases * width_;
    T* space = frame.take<T>(panels * stride);
    T* c = frame.take<T>(panels * (row1 - row0) * row);
    for (int64_t j = 0; j < bundle.count; ++j) {
      const int64_t k = k_of(u, j);
      for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += chunk) {
        const int64_t k1 = std::min(k, k0 + chunk);
        for (int64_t p = 0; p < panels; ++p)
          fill_panel(u, *bundle.pass[j], g, lists + p * width_, counts[p], k0, k1, space + p * stride, runs);
        for (int64_t r = row0; r < row1; r += u.block)
          for (int64_t p = 0; p < panels; ++p)
            multiply(u, j, r, w, bias, space + p * stride, k0, k1, c + (p * (row1 - row0) + r - row0) * row,
                     place);
      }
    }
    for (int64_t r = row0; r < row1; r += u.block)
      for (int64_t p = 0; p < panels; ++p)
        emit(u, g, lists + p * width_, counts[p], r, std::min(u.rows, r + u.block),
             c + (p * (row1 - row0) + r - row0) * row);
    return;
  }
  const int64_t stride = k_all * width_ + 16;  // not a power of two
  T* space = frame.take<T>(panels * stride);
  T* c = frame.take<T>(u.block * bundle.phases * width_);
  for (int64_t p = 0; p < panels; ++p) {
    counts[p] = segments(u, begin + p * width_, std::min(end, begin + (p + 1) * width_), lists + p * width_);
    T* panel = space + p * stride;
    for (int64_t j = 0; j < bundle.count; ++j) {
      fill_panel(u, *bundle.pass[j], g, lists + p * width_, counts[p], 0, k_of(u, j), panel, runs);
      panel += k_of(u, j) * width_;
    }
  }
  for (int64_t r = row0; r < row1; r += u.block)
    for (int64_t p = 0; p < panels; ++p) {
      const T* panel = space + p * stride;
      for (int64_t j = 0; j < bundle.count; ++j) {
        multiply(u, j, r, w, bias, panel, 0, k_of(u, j), c, place);
        panel += k_of(u, j) * width_;
      }
      emit(u, g, lists + p * width_, counts[p], r, std::min(u.rows, r + u.block), c);
    }
}

template <class T>
void Engine<T>::multiply(const Unit& u, int64_t j, int64_t r, const T* w, const T* bias, const T* panel,
                         int64_t k0, int64_t k1, T* c, int32_t* place) const {
  const Pass& x = *u.x->pass[j];
  const int64_t k = k_of(u, j), columns = std::min(u.block, u.rows - r) * x.phases, tile = tile_of(columns);
  const T* from = w + u.weights[j] + r * x.phases * k;
  const T* b = bias + u.bias[j] + r * x.phases;
  for (int64_t i = 0; i < columns; ++i)
    place[i] = static_cast<int32_t>((i / x.phases * u.x->phases + u.x->slot[j][i % x.phases]) * width_);
  for (int64_t i = 0; i < columns; i += tile) {
    const int64_t n = std::min(tile, columns - i);
    leaves_.tile[n](c, place + i, from + k0 * n, panel, k1 - k0, k0 == 0 ? b + i : nullptr);
    from += k * n;
  }
}

template <class T>
void Engine<T>::emit(const Unit& u, int64_t g, const Segment* list, int64_t count, int64_t r0, int64_t r1,
                     const T* c) const {
  for (int64_t r = r0; r < r1; ++r, c += u.x->phases * width_)
    for (int64_t i = 0; i < count; ++i) emit_line(u, g, list[i], r, c + list[i].at, width_);
}

template <class T>
void Engine<T>::emit_line(const Unit& u, int64_t g, const Segment& s, int64_t r, const T* c,
                          int64_t width) const {
  const Bundle& bundle = *u.x;
  const int64_t step = s_.x.out_step, channels = a_.groups * a_.out_channels;
  const int64_t fy = r % u.y->phases, fz = r / u.y->phases % u.z->phases, o = r / u.y->phases / u.z->phases;
  const int64_t z = s.z * s_.z.out_step + u.z->phase[fz], y = s.y * s_.y.out_step + u.y->phase[fy];
  if (z >= s_.z.out || y >= s_.y.out) return;
  char* row = static_cast<char*>(a_.out) +
              (((s.n * channels + g * a_.out_channels + o) * s_.z.out + z) * s_.y.out + y) * s_.x.out * size_;
  if (bundle.phases == step) {
    const int64_t n = std::min(s.count * step, s_.x.out - s.x * step);
    leaves_.interleave[a_.type](row + s.x * step * size_, c, width, step, n);
    return;
  }
  for (int64_t f = 0; f < bundle.phases; ++f) {
    const int64_t x = s.x * step + bundle.phase[f], n = std::min(s.count, divide_up(s_.x.out - x, step));
    if (n > 0) leaves_.scatter[a_.type](row + x * size_, step, c + f * width, n);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
