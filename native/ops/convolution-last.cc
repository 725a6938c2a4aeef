// Channels last: a vector holds columns.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

template <class T>
void Engine<T>::fill_rows(const Unit& u, const Pass& x, int64_t g, const Segment* list, int64_t count,
                          int64_t k0, int64_t k1, T* to, int64_t row) const {
  const int64_t channels = a_.groups * a_.in_channels;
  const auto* in = static_cast<const char*>(a_.in);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& s = list[i];
    for (int64_t k = k0; k < k1;) {
      const int64_t tap = k / a_.in_channels, c = k % a_.in_channels,
                    n = std::min(a_.in_channels - c, k1 - k);
      const int64_t tx = tap % x.taps, ty = tap / x.taps % u.y->taps, tz = tap / x.taps / u.y->taps;
      const int64_t z = s.z * s_.z.in_step + u.z->offset[tz], y = s.y * s_.y.in_step + u.y->offset[ty];
      const bool inside = z >= 0 && z < s_.z.in && y >= 0 && y < s_.y.in;
      const int64_t line = ((s.n * s_.z.in + z) * s_.y.in + y) * s_.x.in;
      for (int64_t p = 0; p < s.count; ++p) {
        const int64_t sx = (s.x + p) * s_.x.in_step + x.offset[tx];
        const bool there = inside && sx >= 0 && sx < s_.x.in;
        const ConvRun run = {0, 0, 0, there ? n : 0};
        const int64_t source = there ? (line + sx) * channels + g * a_.in_channels + c : 0;
        leaves_.gather[a_.type](to + (s.at + p) * row + k - k0, 0, in + source * size_, 1, 0, 1, &run, 1, n);
      }
      k += n;
    }
  }
}

template <class T>
void Engine<T>::run_columns_last(const Unit& u, int64_t g, int64_t tile, int64_t part, const T* w,
                                 const T* bias) const {
  const int64_t begin = tile * u.sub * leaves_.most, end = std::min(u.pixels, begin + u.sub * leaves_.most);
  const int64_t pixels = end - begin, step = tile_of(pixels);
  ScratchFrame frame;
  Segment* list = frame.take<Segment>(pixels);
  const int64_t count = segments(u, begin, end, list);
  for (int64_t j = 0; j < u.x->count; ++j) {
    const Pass& x = *u.x->pass[j];
    const int64_t k = k_of(u, j), columns = u.rows * x.phases, blocks = divide_up(columns, width_);
    const int64_t block0 = part * blocks / u.parts, block1 = (part + 1) * blocks / u.parts;
    const int64_t most = std::max<int64_t>(1, kPanel / (pixels * static_cast<int64_t>(sizeof(T))));
    const int64_t chunk = std::min(std::max<int64_t>(k, 1), most);
    ScratchFrame inner;
    T* rows = inner.take<T>(pixels * chunk);
    const bool chunked = chunk < k;
    T* sums = inner.take<T>((chunked ? (block1 - block0) * pixels : step) * width_);
    for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += chunk) {
      const int64_t k1 = std::min(k, k0 + chunk);
      fill_rows(u, x, g, list, count, k0, k1, rows, chunk);
      for (int64_t b = block0; b < block1; ++b) {
        const int64_t n = std::min(width_, columns - b * width_);
        const auto* kernel = leaves_.rows[n > leaves_.lanes ? 1 : 0];
        const T* from = w + u.weights[j] + (b * k + k0) * width_;
        for (int64_t p = 0; p < pixels; p += step) {
          const int64_t m = std::min(step, pixels - p);
          T* c = chunked ? sums + ((b - block0) * pixels + p) * width_ : sums;
          kernel[m](c, rows + p * chunk, chunk, from, k1 - k0,
                    k0 == 0 ? bias + u.bias[j] + b * width_ : nullptr);
          if (k1 == k) emit_last(u, x, g, begin + p, m, b * width_, n, c);
        }
      }
    }
  }
}

template <class T>
void Engine<T>::emit_last(const Unit& u, const Pass& x, int64_t g, int64_t pixel, int64_t pixels,
                          int64_t first, int64_t n, const T* c) const {
  const int64_t channels = a_.groups * a_.out_channels;
  auto* out = static_cast<char*>(a_.out);
  for (int64_t p = pixel; p < pixel + pixels; ++p, c += width_) {
    const int64_t qx = u.x->begin + p % u.qx, qy = u.y->begin + p / u.qx % u.qy;
    const int64_t qz = u.z->begin + p / u.qx / u.qy % u.qz, batch = p / u.qx / u.qy / u.qz;
    for (int64_t i = 0; i < n;) {
      const Column column = column_of(u, x, first + i);
      const int64_t run = std::min(n - i, a_.out_channels - column.o);
      const int64_t oz = qz * s_.z.out_step + u.z->phase[column.fz],
                    oy = qy * s_.y.out_step + u.y->phase[column.fy],
                    ox = qx * s_.x.out_step + x.phase[column.fx];
      if (oz < s_.z.out && oy < s_.y.out && ox < s_.x.out) {
        const int64_t at = ((batch * s_.z.out + oz) * s_.y.out + oy) * s_.x.out + ox;
        leaves_.interleave[a_.type](out + (at * channels + g * a_.out_channels + column.o) * size_, c + i, 0,
                                    1, run);
      }
      i += run;
    }
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
