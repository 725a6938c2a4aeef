// Resizes by rows: a source row is resampled across once and kept while the output rows that need it are
// blended from it.
#include "ops/interpolate.h"

#include <algorithm>
#include <cstring>

#include "ops/resample-order.h"
#include "runtime/isa.h"
#include "runtime/parallel.h"
#include "runtime/scratch.h"

namespace upsampling {

namespace {

// The source rows that an output row is blended from.
template <class T>
struct RowTaps {
  int64_t count;
  int64_t* row;  // number of the row within a plane
  T* weight;
};

// How the axes before the last one combine into rows.
struct Rows {
  const AxisTable* axes;
  int count;        // axes before the last one
  int64_t in, out;  // rows in a plane
  int64_t taps;     // at most, of an output row
  explicit Rows(const InterpolateArgs& a) : axes(a.axes), count(a.axis_count - 1), in(1), out(1), taps(1) {
    for (int i = 0; i < count; ++i) {
      in *= axes[i].in_size;
      out *= axes[i].out_size;
      taps *= axes[i].taps;
    }
  }

  template <class T>
  void taps_of(int64_t row, RowTaps<T>* taps) const {
    taps->count = 1;
    taps->row[0] = 0;
    taps->weight[0] = T(1);
    int64_t below = out;
    for (int i = 0; i < count; ++i) {
      const AxisTable& axis = axes[i];
      below /= axis.out_size;
      const int64_t o = row / below % axis.out_size, n = axis.count[o];
      const T* weight = static_cast<const T*>(axis.weight);
      // Backwards, so that the products can stand where their factors stood.
      for (int64_t j = taps->count - 1; j >= 0; --j)
        for (int64_t k = n - 1; k >= 0; --k) {
          taps->row[j * n + k] = taps->row[j] * axis.in_size + axis.index[k * axis.out_size + o];
          taps->weight[j * n + k] = taps->weight[j] * weight[k * axis.out_size + o];
        }
      taps->count *= n;
    }
  }
};

// moves

Status move_rows(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner * size,
                out_row = x.out_size * a.inner * size;
  const auto* in = static_cast<const char*>(a.in);
  auto* out = static_cast<char*>(a.out);
  // Elements that stay together are moved as one: whole pixels where their size is that of a word.
  int64_t unit = a.inner * size, per_pixel = 1;
  if (unit != 1 && unit != 2 && unit != 4 && unit != 8) {
    unit = size;
    per_pixel = a.inner;
  }
  const bool copies = per_pixel * unit > 64 || x.in_size * per_pixel > INT32_MAX;
  const auto gather = kernels().gather[unit == 1 ? 0 : unit == 2 ? 1 : unit == 4 ? 2 : 3];
  ScratchFrame outer_frame;
  int32_t* index = nullptr;
  if (!copies) {
    index = outer_frame.take<int32_t>(x.out_size * per_pixel);
    for (int64_t o = 0; o < x.out_size; ++o)
      for (int64_t c = 0; c < per_pixel; ++c)
        index[o * per_pixel + c] = static_cast<int32_t>(x.index[o] * per_pixel + c);
  }
  const int64_t grain = std::max<int64_t>(1, 256 * 1024 / std::max<int64_t>(out_row, 1));
  parallel_for(context, a.outer * rows.out, grain, [&](int64_t begin, int64_t end) {
    int64_t previous = -1, row;
    float weight;
    RowTaps<float> taps{0, &row, &weight};
    for (int64_t r = begin; r < end; ++r) {
      const int64_t plane = r / rows.out;
      rows.taps_of(r % rows.out, &taps);
      const int64_t source = plane * rows.in + row;
      char* to = out + r * out_row;
      const char* from = in + source * in_row;
      if (source == previous) {
        std::memcpy(to, to - out_row, static_cast<size_t>(out_row));
      } else if (copies) {
        const int64_t pixel = a.inner * size;
        for (int64_t o = 0; o < x.out_size; ++o)
          std::memcpy(to + o * pixel, from + x.index[o] * pixel, static_cast<size_t>(pixel));
      } else {
        gather(to, from, index, x.out_size * per_pixel);
      }
      previous = source;
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// weighted

template <class T>
struct Leaves;
template <>
struct Leaves<float> {
  const KernelTable& k = kernels();
  int type;
  explicit Leaves(int t) : type(t) {}
  const float* row(const void* in, int64_t at, int64_t n, float* space) const {
    if (type == F32) return static_cast<const float*>(in) + at;
    k.widen[type](space, static_cast<const char*>(in) + at * bytes_of(type), n);
    return space;
  }
  void blend_out(char* out, const float* const* rows, const float* w, int64_t taps, int64_t n) const {
    k.blend[type](out, rows, w, taps, n);
  }
  void blend(float* out, const float* const* rows, const float* w, int64_t taps, int64_t n) const {
    k.blend[F32](out, rows, w, taps, n);
  }
  void resample(float* out, const float* in, const AxisTable& axis, int64_t inner) const {
    k.resample_row(out, in, &axis, inner);
  }
};
template <>
struct Leaves<double> {
  const KernelTable& k = kernels();
  explicit Leaves(int) {}
  const double* row(const void* in, int64_t at, int64_t, double*) const {
    return static_cast<const double*>(in) + at;
  }
  void blend_out(char* out, const double* const* rows, const double* w, int64_t taps, int64_t n) const {
    k.blend_double(reinterpret_cast<double*>(out), rows, w, taps, n);
  }
  void blend(double* out, const double* const* rows, const double* w, int64_t taps, int64_t n) const {
    k.blend_double(out, rows, w, taps, n);
  }
  void resample(double* out, const double* in, const AxisTable& axis, int64_t inner) const {
    k.resample_row_double(out, in, &axis, inner);
  }
};

template <class T>
Status weighted_rows(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int64_t size = bytes_of(a.type), in_row = x.in_size * a.inner, out_row = x.out_size * a.inner;
  const Leaves<T> leaves(a.type);
  auto* out = static_cast<char*>(a.out);
  const bool down_first = blends_down_first(rows.in, rows.out, rows.taps, in_row, out_row, x.taps);
  const int64_t slots = down_first ? rows.taps : rows.taps + 1;
  const int64_t row_length = down_first ? in_row : out_row;
  const int64_t work = std::max<int64_t>(1, std::max(in_row, out_row) * (rows.taps + x.taps));
  const int64_t grain = std::min(rows.out, std::max<int64_t>(1, 128 * 1024 / work));
  const int64_t blocks = (rows.out + grain - 1) / grain;
  parallel_for(context, a.outer * blocks, 1, [&](int64_t begin, int64_t end) {
    ScratchFrame frame;
    RowTaps<T> taps{0, frame.take<int64_t>(rows.taps), frame.take<T>(rows.taps)};
    const T** sources = frame.take<const T*>(rows.taps);
    T** space = frame.take<T*>(slots);
    int64_t* held = frame.take<int64_t>(slots);  // the row that a slot holds
    for (int64_t s = 0; s < slots; ++s) {
      space[s] = frame.take<T>(row_length);
      held[s] = -1;
    }
    T* staged = frame.take<T>(in_row);
    T* result = frame.take<T>(down_first ? out_row : 0);
    const T one = 1;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t plane = block / blocks, first = block % blocks * grain,
                    last = std::min(first + grain, rows.out);
      for (int64_t r = first; r < last; ++r) {
        rows.taps_of(r, &taps);
        char* to = out + (plane * rows.out + r) * out_row * size;
        if (down_first) {
          for (int64_t k = 0; k < taps.count; ++k)
            sources[k] = leaves.row(a.in, (plane * rows.in + taps.row[k]) * in_row, in_row, space[k]);
          leaves.blend(staged, sources, taps.weight, taps.count, in_row);
          leaves.resample(result, staged, x, a.inner);
          const T* only = result;
          leaves.blend_out(to, &only, &one, 1, out_row);
          continue;
        }
        for (int64_t k = 0; k < taps.count; ++k) {
          const int64_t wanted = plane * rows.in + taps.row[k];
          int64_t slot = 0;
          while (slot < slots && held[slot] != wanted) ++slot;
          if (slot == slots) {
            // The slot whose row is farthest behind; no row of this output row can be it, there is one slot
            // to spare.
            slot = 0;
            for (int64_t s = 1; s < slots; ++s)
              if (held[s] < held[slot]) slot = s;
            for (bool taken = true; taken;) {
              taken = false;
              for (int64_t j = 0; j < k; ++j)
                if (sources[j] == space[slot]) {
                  slot = (slot + 1) % slots;
                  taken = true;
                  break;
                }
            }
            leaves.resample(space[slot], leaves.row(a.in, wanted * in_row, in_row, staged), x, a.inner);
            held[slot] = wanted;
          }
          sources[k] = space[slot];
        }
        leaves.blend_out(to, sources, taps.weight, taps.count, out_row);
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

// outside

template <class T>
void encode(double value, void* element) {
  const T v = static_cast<T>(value);
  std::memcpy(element, &v, sizeof v);
}

void encode(int type, double value, void* element) {
  const float f = static_cast<float>(value), one = 1;
  const float* row = &f;
  switch (type) {
    case F64:
      return encode<double>(value, element);
    case F16:
      return kernels().blend[F16](element, &row, &one, 1, 1);
    case F32:
      return encode<float>(value, element);
    case I8:
      return encode<int8_t>(value, element);
    case U16:
      return encode<uint16_t>(value, element);
    case I16:
      return encode<int16_t>(value, element);
    case I32:
      return encode<int32_t>(value, element);
    case U32:
      return encode<uint32_t>(value, element);
    case I64:
      return encode<int64_t>(value, element);
    case U64:
      return encode<uint64_t>(value, element);
    default:
      return encode<uint8_t>(value, element);
  }
}

// Writes the extrapolation value over the rows and columns that are outside.
Status fill_outside(const InterpolateArgs& a, const Context& context) {
  const Rows rows(a);
  const AxisTable& x = a.axes[a.axis_count - 1];
  const int32_t* columns = a.outside[a.axis_count - 1];
  const int64_t size = bytes_of(a.type);
  char element[8];
  encode(a.type, a.extrapolation, element);
  auto* out = static_cast<char*>(a.out);
  const int64_t grain = std::max<int64_t>(1, 64 * 1024 / std::max<int64_t>(x.out_size, 1));
  parallel_for(context, a.outer * rows.out, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      bool whole = false;
      int64_t row = r % rows.out;
      for (int i = rows.count - 1; i >= 0; --i) {
        whole = whole || a.outside[i][row % a.axes[i].out_size] != 0;
        row /= a.axes[i].out_size;
      }
      for (int64_t o = 0; o < x.out_size; ++o) {
        if (!whole && columns[o] == 0) continue;
        char* to = out + (r * x.out_size + o) * a.inner * size;
        for (int64_t c = 0; c < a.inner; ++c) std::memcpy(to + c * size, element, static_cast<size_t>(size));
      }
    }
  });
  return context.cancelled() ? CANCELLED : OK;
}

Status resize(const InterpolateArgs& a, const Context& context) {
  if (a.moves) return move_rows(a, context);
  return a.type == F64 ? weighted_rows<double>(a, context) : weighted_rows<float>(a, context);
}

}  // namespace

Status interpolate(const InterpolateArgs& a, const Context& context) {
  const Status status = resize(a, context);
  return status == OK && a.extrapolates ? fill_outside(a, context) : status;
}

}  // namespace upsampling
