// What both pixel shuffles need of pixels of channels.
#pragma once
#include <algorithm>
#include <cstdint>

#include "ops/pixel-shuffle.h"
#include "runtime/isa.h"
#include "runtime/scratch.h"

namespace upsampling {

// Bytes of pixels, channels last.
struct PixelSizes {
  int64_t pixel, run, small, large_row;  // a pixel and a row of a block of the large image, one of the small
  int64_t step;                          // pixels that are permuted together: they stay in the first cache
  int64_t grain;                         // rows of the small image that a range has

  explicit PixelSizes(const BlockArgs& a)
      : pixel(a.channels * bytes_of(a.type)),
        run(a.bw * pixel),
        small(a.bh * run),
        large_row(a.width * run),
        step(std::max<int64_t>(1, kPermutedBytes / std::max<int64_t>(small, 1))),
        grain(kBlockBytes / std::max<int64_t>(a.width * small, 1)) {}

 private:
  static constexpr int64_t kPermutedBytes = 16 * 1024;
};

// The elements of a pixel of the small image in the order of the large one, rows of the block outermost, and
// the other way round.
class PixelOrder {
 public:
  // `to_large`: from the order of the small image. The table lies in the scratch memory of `frame`.
  PixelOrder(const BlockArgs& a, bool to_large, ScratchFrame* frame) {
    const int64_t size = bytes_of(a.type), unit = std::min<int64_t>(size, 4), words = size / unit;
    const int64_t count = a.bh * a.bw;
    same_ = a.dcr || a.channels == 1 || count == 1;
    const int of = size_class(unit);
    length_ = count * a.channels * words;
    // Pixels of more channels are woven by vectors of them.
    if (same_ || length_ > kernels().interleave.most_permuted[of] || a.channels * size > 64) return;
    permute_ = kernels().interleave.permute[of];
    auto* from = frame->take<int32_t>(length_);
    for (int64_t k = 0; k < count; ++k)
      for (int64_t c = 0; c < a.channels; ++c)
        for (int64_t w = 0; w < words; ++w) {
          const auto small = static_cast<int32_t>((c * count + k) * words + w);
          const auto large = static_cast<int32_t>((k * a.channels + c) * words + w);
          from[to_large ? large : small] = to_large ? small : large;
        }
    from_ = from;
  }

  bool same() const { return same_; }
  // False where pixels are not permuted as a whole.
  bool permutes() const { return permute_ != nullptr; }
  void permute(void* out, const void* in, int64_t n) const { permute_(out, in, from_, length_, n); }

 private:
  bool same_;
  int64_t length_;
  const int32_t* from_ = nullptr;
  void (*permute_)(void* out, const void* in, const int32_t* from, int64_t length, int64_t n) = nullptr;
};

// Calls body(y, x, n, done) for the parts in one row of `count` pixels from pixel `first` of rows of `width`
// on.
template <class Body>
void each_row(int64_t first, int64_t count, int64_t width, const Body& body) {
  for (int64_t done = 0; done < count;) {
    const int64_t y = (first + done) / width, x = (first + done) % width;
    const int64_t n = std::min(count - done, width - x);
    body(y, x, n, done);
    done += n;
  }
}

// Whether runs of so many bytes are elements of their own.
inline bool is_element(int64_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; }

}  // namespace upsampling
