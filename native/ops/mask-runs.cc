// Run lengths of masks, down the columns.
#include "ops/mask-runs.h"

#include "runtime/parallel.h"

namespace upsampling {

namespace {

// Calls body(length) for every run of a mask.
template <class Body>
void each_run(const MaskRunsArgs& a, int64_t plane, const Body& body) {
  const int64_t row = (a.width + 7) / 8;
  const uint8_t* bits = a.bits + plane * a.height * row;
  int64_t length = 0;
  int current = 0;
  for (int64_t x = 0; x < a.width; ++x) {
    const uint8_t* p = bits + x / 8;
    const int shift = static_cast<int>(7 - x % 8);
    for (int64_t y = 0; y < a.height; ++y, p += row) {
      const int bit = (*p >> shift) & 1;
      if (bit != current) {
        body(length);
        length = 0;
        current = bit;
      }
      ++length;
    }
  }
  body(length);
}

}  // namespace

Status mask_runs(const MaskRunsArgs& a, const Context& context) {
  parallel_for(context, a.planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      if (a.runs == nullptr) {
        int32_t count = 0;
        each_run(a, plane, [&](int64_t) { ++count; });
        a.counts[plane] = count;
      } else {
        uint32_t* to = a.runs + static_cast<int64_t>(a.offsets[plane]);
        each_run(a, plane, [&](int64_t length) { *to++ = static_cast<uint32_t>(length); });
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
