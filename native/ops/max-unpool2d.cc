// Max unpooling by planes: all indices are checked, then every plane is zeroed and filled while it is in
// cache.
#include "ops/max-unpool2d.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

struct First {
  std::atomic<int64_t> at{INT64_MAX};
  void offer(int64_t position) {
    int64_t had = at.load(std::memory_order_relaxed);
    while (position < had && !at.compare_exchange_weak(had, position, std::memory_order_relaxed)) {
    }
  }
  bool found() const { return at.load() != INT64_MAX; }
};

int64_t index_at(const MaxUnpool2dArgs& a, int64_t i) {
  return a.wide_index ? static_cast<const int64_t*>(a.index)[i] : static_cast<const int32_t*>(a.index)[i];
}

// The position of the first index outside its plane.
int64_t first_outside(const MaxUnpool2dArgs& a, const Context& context) {
  First bad;
  const int64_t plane = a.in_size * a.inner, total = a.outer * plane, width = a.wide_index ? 8 : 4;
  const auto check = kernels().max_unpool.check[a.wide_index];
  const auto range = [&](int64_t begin, int64_t end, int64_t base) {
    const int64_t at =
        check(static_cast<const char*>(a.index) + begin * width, end - begin, base, a.index_size) + begin;
    if (at < end) bad.offer(at);
  };
  constexpr int64_t kGrain = 256 * 1024;
  if (a.plane_stride == 0)
    parallel_for(context, total, kGrain, [&](int64_t begin, int64_t end) { range(begin, end, 0); });
  else
    parallel_for(context, a.outer, std::max<int64_t>(1, kGrain / std::max<int64_t>(plane, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t p = begin; p < end; ++p)
                     range(p * plane, (p + 1) * plane, p * a.plane_stride);
                 });
  return bad.at.load();
}

// The position of the first index that repeats another of its plane.
int64_t first_repeated(const MaxUnpool2dArgs& a, const Context& context) {
  First bad;
  const int64_t plane = a.in_size * a.inner, words = (a.out_size * a.inner + 63) / 64;
  parallel_for(context, a.outer, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    auto* taken = frame.take<uint64_t>(words);
    for (int64_t p = begin; p < end; ++p) {
      std::fill_n(taken, words, uint64_t{0});
      for (int64_t i = 0; i < plane; ++i) {
        const int64_t cell = index_at(a, p * plane + i) - p * a.plane_stride;
        // The check above passed; what lies outside now was changed by another thread since.
        if (cell < 0 || cell >= a.out_size) continue;
        const int64_t bit = cell * a.inner + i % a.inner;
        if (taken[bit >> 6] >> (bit & 63) & 1) {
          bad.offer(p * plane + i);
          break;
        }
        taken[bit >> 6] |= uint64_t{1} << (bit & 63);
      }
    }
  });
  return bad.at.load();
}

// Indices [begin, end) of a plane that counts from `base`, as places in a plane of the output.
void find_places(const MaxUnpool2dArgs& a, int64_t begin, int64_t end, int64_t base, int64_t* place) {
  for (int64_t i = begin; i < end; ++i) {
    int64_t rest = index_at(a, i) - base, flat = 0, stride = 1;
    // The check has passed; what lies outside now was changed by another thread since.
    if (rest < 0 || rest >= a.index_size) rest = 0;
    for (int k = a.axis_count - 1; k >= 0; --k) {
      flat += rest % a.index_dims[k] * stride;
      rest /= a.index_dims[k];
      stride *= a.out_dims[k];
    }
    place[i - begin] = flat;
  }
}

// A plane whose indices count in a smaller one.
template <class F>
void scatter_grown(const MaxUnpool2dArgs& a, const F& scatter, char* out, const char* in, int64_t first,
                   int64_t base) {
  constexpr int64_t kChunk = 1024;
  int64_t place[kChunk];
  for (int64_t i = 0; i < a.in_size; i += kChunk) {
    const int64_t n = std::min(kChunk, a.in_size - i);
    find_places(a, first + i, first + i + n, base, place);
    scatter(out, in + i * bytes_of(a.type), place, n, 1, 0, a.out_size);
  }
}

}  // namespace

Status max_unpool2d(const MaxUnpool2dArgs& a, const Context& context) {
  const MaxUnpoolKernels& k = kernels().max_unpool;
  int64_t bad = first_outside(a, context);
  if (context.cancelled()) return CANCELLED;
  if (bad == INT64_MAX && a.on_duplicate == REFUSE) bad = first_repeated(a, context);
  if (context.cancelled()) return CANCELLED;
  if (bad != INT64_MAX) return with_detail(BAD_INDEX, bad);

  const int64_t size = bytes_of(a.type), slot = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  const int64_t width = a.wide_index ? 8 : 4, plane = a.in_size * a.inner, out_plane = a.out_size * a.inner;
  const auto scatter = k.scatter[slot][a.wide_index];
  const auto again = a.on_duplicate == MAX   ? k.scatter_max[a.type][a.wide_index]
                     : a.on_duplicate == SUM ? k.scatter_sum[a.type][a.wide_index]
                                             : nullptr;
  // Fewer channels leave vectors empty: the scatter is ten times faster there.
  constexpr int64_t kLeastChannels = 16;
  const bool pairs = a.axis_count == 0 && a.out_row == 2 * a.in_row && a.out_size == 4 * a.in_size &&
                     a.out_size <= INT32_MAX && (a.inner == 1 || a.inner >= kLeastChannels);
  const int64_t in_rows = pairs ? a.in_size / a.in_row : 0;
  const auto out_of = [&](int64_t p) { return static_cast<char*>(a.out) + p * out_plane * size; };
  const auto in_of = [&](int64_t p) { return static_cast<const char*>(a.in) + p * plane * size; };
  const auto index_of = [&](int64_t p) { return static_cast<const char*>(a.index) + p * plane * width; };

  // Input rows [begin, end) of a plane; false when a value does not return to its own 2×2.
  const auto rows_of_pairs = [&](int64_t p, int64_t begin, int64_t end) {
    constexpr int64_t kRows = 16;
    const int64_t in_row = a.in_row * a.inner;
    for (int64_t r = begin; r < end; r += kRows)
      if (!k.two_by_two[slot][a.wide_index](out_of(p) + 4 * r * in_row * size, in_of(p) + r * in_row * size,
                                            index_of(p) + r * in_row * width, std::min(kRows, end - r),
                                            a.in_row, a.inner, p * a.plane_stride + 4 * r * a.in_row))
        return false;
    return true;
  };
  const auto any_windows = [&](int64_t p) {
    char* out = out_of(p);
    const int64_t base = p * a.plane_stride;
    std::memset(out, 0, static_cast<size_t>(out_plane * size));
    if (a.axis_count > 0) {
      scatter_grown(a, k.scatter[slot][1], out, in_of(p), p * plane, base);
      return;
    }
    // With MAX the last of each cell stands first, so that no zero takes part; then the greatest of all.
    if (a.on_duplicate != SUM) scatter(out, in_of(p), index_of(p), plane, a.inner, base, a.out_size);
    if (again != nullptr) again(out, in_of(p), index_of(p), plane, a.inner, base, a.out_size);
  };

  constexpr int64_t kGrain = 512 * 1024;
  const int64_t planes = std::max<int64_t>(1, kGrain / std::max<int64_t>(out_plane * size, 1));
  if (pairs && a.inner == 1 && a.in_row < kernels().lanes / (size > 4 ? 2 : 1)) {
    // So many planes together, all of them again where a value strays.
    constexpr int64_t kTogether = 32 * 1024;
    const int64_t together = std::max<int64_t>(1, kTogether / (out_plane * size));
    parallel_for(context, a.outer, planes, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p += together) {
        const int64_t n = std::min(together, end - p);
        if (k.short_two_by_two[slot][a.wide_index](out_of(p), in_of(p), index_of(p), n, in_rows, a.in_row,
                                                   p * a.plane_stride, a.plane_stride))
          continue;
        for (int64_t i = p; i < p + n; ++i) any_windows(i);
      }
    });
    return context.cancelled() ? CANCELLED : OK;
  }
  if (!pairs || out_plane * size <= kGrain) {
    parallel_for(context, a.outer, planes, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        if (!pairs || !rows_of_pairs(p, 0, in_rows)) any_windows(p);
    });
    return context.cancelled() ? CANCELLED : OK;
  }
  // Large planes are divided into rows. Those where a value strays are done again as a whole.
  const int64_t rows = std::max<int64_t>(1, kGrain / (2 * a.out_row * a.inner * size));
  const int64_t bands = (in_rows + rows - 1) / rows;
  std::vector<std::atomic<bool>> strayed(static_cast<size_t>(a.outer));
  parallel_for(context, a.outer * bands, 1, [&](int64_t band, int64_t) {
    const int64_t p = band / bands, begin = band % bands * rows;
    std::atomic<bool>& left = strayed[static_cast<size_t>(p)];
    if (!left.load(std::memory_order_relaxed) && !rows_of_pairs(p, begin, std::min(begin + rows, in_rows)))
      left.store(true, std::memory_order_relaxed);
  });
  parallel_for(context, a.outer, 1, [&](int64_t p, int64_t) {
    if (strayed[static_cast<size_t>(p)].load(std::memory_order_relaxed)) any_windows(p);
  });
  return context.cancelled() ? CANCELLED : OK;
}

}  // namespace upsampling
