// Note [Selection]
// Elements become whole numbers in the same order. Counting how many of them have each leading digit finds
// the digit of the element sought; counting the next digit among those that share it finds the next one, and
// so on: one pass over the elements for every digit, for both percentiles at once, and no memory but the
// counters.
#include "ops/percentile.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

constexpr int kDigit = 11, kDigits = 1 << kDigit;
constexpr int64_t kChunk = 4096, kParts = 8;

template <class T>
struct Elements {
  using Key = typename std::conditional<std::is_same<T, double>::value, uint64_t, uint32_t>::type;
  static constexpr int kBits = 8 * sizeof(Key);
  static constexpr Key kSign = Key{1} << (kBits - 1);

  const void* data;
  int type;
  int64_t n;
  const Context& context;

  static Key key(T v) {
    Key bits;
    std::memcpy(&bits, &v, sizeof(v));
    return bits & kSign ? ~bits : bits | kSign;
  }
  static T value(Key key) {
    key = key & kSign ? key & ~kSign : ~key;
    T v;
    std::memcpy(&v, &key, sizeof(v));
    return v;
  }

  int64_t parts() const { return std::min<int64_t>(kParts, (n + 16 * kChunk - 1) / (16 * kChunk)); }

  // body(key) for the finite elements of a part.
  template <class Body>
  void each(int64_t part, const Body& body) const {
    const int64_t begin = part * n / parts(), end = (part + 1) * n / parts();
    const int64_t size = bytes_of(type);
    ScratchFrame frame;
    T* space = frame.take<T>(kChunk);
    for (int64_t i = begin; i < end && !context.cancelled(); i += kChunk) {
      const int64_t count = std::min(kChunk, end - i);
      const void* from = static_cast<const char*>(data) + i * size;
      const T* values = static_cast<const T*>(from);
      if constexpr (std::is_same<T, float>::value) {
        if (type != F32) {
          kernels().widen[type](space, from, count);
          values = space;
        }
      }
      for (int64_t k = 0; k < count; ++k)
        if (std::isfinite(values[k])) body(key(values[k]));
    }
  }

  // Elements of rank `rank` and, in `next`, of rank + 1.
  struct Sought {
    int64_t rank;
    Key prefix;      // the leading digits
    int64_t before;  // elements that come before all those with these digits
    int64_t alike;   // elements with these digits
    Key next;
  };

  // counts[which][digit], of all parts.
  int64_t* count(Sought* sought, int shift, int bits, ScratchFrame* frame) const {
    const int64_t one = 2 * kDigits;
    int64_t* counts = frame->take<int64_t>(parts() * one);
    std::fill_n(counts, parts() * one, 0);
    const Key mask = (Key{1} << bits) - 1;
    parallel_for(context, parts(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        int64_t* mine = counts + part * one;
        if (shift + bits == kBits) {
          each(part, [&](Key k) { ++mine[k >> shift]; });
          std::copy_n(mine, kDigits, mine + kDigits);
        } else {
          const Key first = sought[0].prefix, second = sought[1].prefix;
          each(part, [&](Key k) {
            const Key prefix = k >> (shift + bits);
            if (prefix == first) ++mine[k >> shift & mask];
            if (prefix == second) ++mine[kDigits + (k >> shift & mask)];
          });
        }
      }
    });
    for (int64_t part = 1; part < parts(); ++part)
      for (int64_t i = 0; i < one; ++i) counts[i] += counts[part * one + i];
    return counts;
  }

  // The least key above each of those sought.
  void find_next(Sought* sought) const {
    Key next[kParts][2];
    parallel_for(context, parts(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        Key* mine = next[part];
        mine[0] = mine[1] = std::numeric_limits<Key>::max();
        each(part, [&](Key k) {
          for (int i = 0; i < 2; ++i)
            if (k > sought[i].prefix) mine[i] = std::min(mine[i], k);
        });
      }
    });
    for (int i = 0; i < 2; ++i) {
      sought[i].next = sought[i].prefix;
      if (sought[i].rank + 1 < sought[i].before + sought[i].alike) continue;
      sought[i].next = std::numeric_limits<Key>::max();
      for (int64_t part = 0; part < parts(); ++part) sought[i].next = std::min(sought[i].next, next[part][i]);
    }
  }

  Percentiles at(double low, double high) const {
    Sought sought[2] = {};
    double within[2] = {};
    const double percent[2] = {low, high};
    for (int shift = kBits; shift > 0;) {
      const int bits = std::min(kDigit, shift);
      shift -= bits;
      ScratchFrame frame;
      const int64_t* counts = count(sought, shift, bits, &frame);
      if (shift + bits == kBits) {
        int64_t finite = 0;
        for (int i = 0; i < kDigits; ++i) finite += counts[i];
        if (finite == 0) return {0, 0};
        for (int i = 0; i < 2; ++i) {
          const double position = percent[i] / 100 * static_cast<double>(finite - 1);
          sought[i].rank = static_cast<int64_t>(std::floor(position));
          within[i] = position - static_cast<double>(sought[i].rank);
        }
      }
      for (int i = 0; i < 2; ++i) {
        const int64_t* of = counts + i * kDigits;
        int64_t digit = 0;
        while (digit + 1 < (1 << bits) && sought[i].before + of[digit] <= sought[i].rank)
          sought[i].before += of[digit++];
        sought[i].prefix = sought[i].prefix << bits | static_cast<Key>(digit);
        sought[i].alike = of[digit];
      }
      if (context.cancelled()) return {0, 0};
    }
    find_next(sought);
    double result[2];
    for (int i = 0; i < 2; ++i) {
      const double below = value(sought[i].prefix);
      result[i] = within[i] == 0 ? below : below + (value(sought[i].next) - below) * within[i];
    }
    return {result[0], result[1]};
  }
};

}  // namespace

Percentiles percentiles(const void* data, int type, int64_t n, double low, double high,
                        const Context& context) {
  if (type == F64) return Elements<double>{data, type, n, context}.at(low, high);
  return Elements<float>{data, type, n, context}.at(low, high);
}

}  // namespace upsampling
