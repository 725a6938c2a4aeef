// Transposed convolutions whose kernel is their step, channels first: all outputs of some rows of inputs, one
// output channel after the other.
#include "ops/convolution-engine.h"

namespace upsampling {
namespace conv {

namespace {

constexpr int64_t kInputs = 8 * 1024;  // of a task: they stay in the first-level cache

// More channels are packed for tiles, which read an input for more products: of 65x67 to 64 channels, 8 take
// .15 ms rather than .22, 16 .25 rather than .31, 32 .51 rather than .45; planes of 128x128, whose channels
// start in the same set of the cache, and shorter rows lose sooner.
constexpr int64_t kChannels = 8;

// Whether phase f is the f-th, of one tap.
bool in_order(const Pass& p, int64_t step) {
  if (p.taps != 1 || p.all != 1 || p.phases != step) return false;
  for (int64_t f = 0; f < step; ++f)
    if (p.phase[f] != f) return false;
  return true;
}

}  // namespace

// Long rows of inputs that are read where they are.
template <class T>
bool Engine<T>::choose_stepped() {
  const int64_t step = s_.x.out_step;
  if (unit_count_ != 1 || units_[0].x->count != 1 || step > ConvStepped::kMost ||
      leaves_.stepped[step] == nullptr)
    return false;
  const Pass &y = *units_[0].y, &x = *units_[0].x->pass[0];
  if (s_.y.out_step != step || !in_order(y, step) || !in_order(x, step) || !is_flat(s_.z) ||
      s_.x.out != step * s_.x.in || s_.y.out != step * s_.y.in || a_.in_channels > kChannels ||
      s_.x.in < 2 * leaves_.lanes)
    return false;
  for (int64_t& n : boxes_) n = 1;
  const int64_t rows = std::max<int64_t>(1, kInputs / (a_.in_channels * s_.x.in));
  box_[0] = box_[1] = 1;
  box_[2] = std::min(rows, divide_up<int64_t>(s_.y.in, 8));
  box_[3] = s_.x.in;
  boxes_[0] = a_.batch;
  boxes_[2] = divide_up(s_.y.in, box_[2]);
  return true;
}

template <class T>
void Engine<T>::run_stepped(int64_t task, const T* packed, const T* packed_bias) const {
  const Unit& u = units_[0];
  const int64_t g = task % a_.groups;
  task /= a_.groups;
  const Box box = box_of(&task);
  const int64_t n = box.begin[0], y = box.begin[2], rows = box.extent[2];
  const int64_t channels = a_.in_channels, step = s_.x.out_step, phases = step * step;
  const T *w = packed + g * group_weights_ + u.weights[0], *bias = packed_bias + g * group_bias_ + u.bias[0];
  const T* in = static_cast<const T*>(a_.in) + (n * a_.groups + g) * channels * s_.in() + y * s_.x.in;
  T* out = static_cast<T*>(a_.out) + (n * a_.groups + g) * a_.out_channels * s_.out() + y * step * s_.x.out;
  const ConvStepped d = {rows, s_.x.in, channels, s_.in(), s_.x.in, s_.x.out};
  ScratchFrame frame;
  T* of_channel = frame.take<T>(channels * phases);
  for (int64_t o = 0; o < a_.out_channels; ++o, out += s_.out()) {
    for (int64_t f = 0; f < phases; ++f) {
      // Where the tile begins that has its column, as packed.
      const int64_t r = (o * step + f / step) / u.block * u.block,
                    columns = std::min(u.block, u.rows - r) * step;
      const int64_t tile = tile_of(columns), at = o * phases + f - r * step, i = at / tile * tile;
      const T* from = w + (r * step + i) * channels + at - i;
      for (int64_t c = 0; c < channels; ++c)
        of_channel[c * phases + f] = from[c * std::min(tile, columns - i)];
    }
    leaves_.stepped[step](out, in, &d, of_channel, bias[o * phases]);
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace conv
}  // namespace upsampling
