// How convolutions are divided into tasks, by numbers only: no kernel runs here.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ops/convolution-direct.h"
#include "ops/convolution-engine.h"
#include "ops/convolution-few.h"
#include "ops/convolution-groups.h"
#include "ops/convolution-overlap.h"
#include "ops/convolution-windows.h"

namespace upsampling {
namespace conv {

#define CHECK(condition)                                                                               \
  do {                                                                                                 \
    if (!(condition)) {                                                                                \
      std::fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, name.c_str(), #condition); \
      std::exit(1);                                                                                    \
    }                                                                                                  \
  } while (0)

// A square convolution of square planes.
struct Shape {
  const char* name;
  bool transposed;
  int64_t batch, in, size, out, kernel, stride, pad, groups;
  const char* choice = nullptr;    // of AVX-512, channels first
  const char* unpacked = nullptr;  // what weights as they came are read by, there; overlaps: packed ones, too
  bool turned = false;             // whether its vectors hold columns once weights are packed
  bool direct = false;             // whether packed weights meet planes where those are, there
  const char* last = nullptr;      // of AVX-512, channels last: "windows", "groups" or neither
};

// One axis as src/plan/conv2d.ts packs it: phases with the same offsets are one pass.
struct AxisPlan {
  std::vector<double> data;
  ConvAxis axis;

  void ints(const std::vector<int32_t>& list) {
    const size_t at = data.size();
    data.resize(at + (list.size() + 1) / 2);
    std::memcpy(&data[at], list.data(), list.size() * sizeof(int32_t));
  }

  explicit AxisPlan(const Shape& s) {
    const int64_t step = s.transposed ? s.stride : 1;
    const int64_t out = s.transposed ? (s.size - 1) * s.stride - 2 * s.pad + s.kernel
                                     : (s.size + 2 * s.pad - s.kernel) / s.stride + 1;
    int64_t count = 0;
    for (int64_t phase = 0; phase < step; ++phase) {
      std::vector<int32_t> offset, first, kernel;
      for (int64_t t = 0; t < s.kernel; ++t) {
        const int64_t k = s.transposed ? s.kernel - 1 - t : t, at = phase + s.pad - k;
        if (s.transposed && at % s.stride != 0) continue;
        first.push_back(static_cast<int32_t>(offset.size()));
        offset.push_back(static_cast<int32_t>(s.transposed ? at / s.stride : k - s.pad));
        kernel.push_back(static_cast<int32_t>(k));
      }
      const auto taps = static_cast<double>(offset.size());
      first.push_back(static_cast<int32_t>(offset.size()));
      data.insert(data.end(), {0.0, static_cast<double>(divide_up(out - phase, step)), taps, 1.0, taps});
      ints(offset);
      ints({static_cast<int32_t>(phase)});
      ints(first);
      ints(kernel);
      data.insert(data.end(), offset.size(), 1.0);
      ++count;
    }
    axis = {s.size, out, s.kernel, s.transposed ? 1 : s.stride, step, count, data.data()};
  }
};

// What an engine has chosen.
struct Division {
  const Engine<float>& e;
  std::string name;

  std::string text() const {
    const auto n = [](int64_t v) { return std::to_string(v); };
    if (e.deep_) return "planes " + n(e.planes_) + ", box " + n(e.box_[2]) + "x" + n(e.box_[3]);
    const std::string chunk = ", channels " + n(e.chunk_) + ", parts " + n(e.parts_);
    if (e.in_place_) return "in place, positions " + n(e.flat_) + chunk;
    const Unit& u = e.units_[0];
    const int64_t x = e.box_[3];
    const bool rows =
        e.first_ && e.row_by_row(u, e.box_[0] * e.box_[1] * e.box_[2], x, e.slab_of(e.box_).pitch[2] - x);
    return std::string(u.panels ? "panels"
                       : rows   ? "slab by rows"
                                : "slab") +
           ", box " + n(e.box_[0]) + "x" + n(e.box_[2]) + "x" + n(e.box_[3]) + chunk;
  }

  void check(const ConvArgs& a, const Geometry& s) const {
    CHECK(e.tasks_ >= 1 && e.parts_ >= 1 && e.chunk_ >= 1);
    const int64_t all[4] = {e.deep_ && e.first_ ? 1 : a.batch, e.q_[0], e.q_[1], e.q_[2]};
    CHECK(all[2] * s.y.out_step >= s.y.out && all[3] * s.x.out_step >= s.x.out);
    double positions = 1, boxes = 1;
    if (e.first_ && e.in_place_) {
      const int64_t pixels = all[0] * all[1] * all[2] * all[3];
      // Where panels flow, the last box of a plane has what is left, at least a panel.
      const int64_t each = e.boxes_[3] / a.batch, last = pixels / a.batch - (each - 1) * e.flat_;
      if (e.flow_ > 0)
        CHECK(e.boxes_[3] % a.batch == 0 && last >= e.width_ && last <= e.flat_ + each * e.width_);
      else
        CHECK(e.flat_ * e.boxes_[3] >= pixels && e.flat_ * (e.boxes_[3] - 1) < pixels);
      positions = static_cast<double>(e.flat_);
      boxes = static_cast<double>(e.boxes_[3]);
    } else {
      // Every position is in one box, and no box is empty.
      for (int i = 0; i < 4; ++i) {
        CHECK(e.box_[i] * e.boxes_[i] >= all[i] && e.box_[i] * (e.boxes_[i] - 1) < all[i]);
        positions *= static_cast<double>(e.box_[i]);
        boxes *= static_cast<double>(e.boxes_[i]);
      }
    }
    if (e.deep_) return;
    const double units = e.split_units_ ? static_cast<double>(e.unit_count_) : 1;
    CHECK(static_cast<double>(e.tasks_) == boxes * static_cast<double>(a.groups * e.parts_) * units);
    // Two milliseconds at 130 products a nanosecond, but for the rounding to whole rows and blocks of
    // columns.
    CHECK(e.work_of_position() * positions <= 1.5 * Engine<float>::kMostWork * static_cast<double>(e.parts_));
    // Working memory: inputs of a box, unless one vector of the fewest channels is more. Images for which
    // far weights are read once have a quarter more.
    const bool more = !e.first_ && !e.turned_ && e.reads_weights_once();
    const int64_t budget = (e.by_taps_ ? 8 : more ? 5 : 4) * Engine<float>::kPanel / 16;
    const bool least = e.chunk_ <= ConvTiles::kBlock && positions <= static_cast<double>(e.width_);
    if (!e.in_place_) CHECK(least || e.room(e.box_) <= budget);
  }
};

namespace {

// What AVX-512 does channels first.
void named(const Shape& shape, const Engine<float>& e) {
  if (shape.choice == nullptr) return;
  const std::string name = shape.name, got = Division{e, name}.text();
  if (got == shape.choice) return;
  std::fprintf(stderr, "%s: %s instead of %s\n", shape.name, got.c_str(), shape.choice);
  std::exit(1);
}

void check(const Shape& shape, bool nhwc, int lanes, int most, int few) {
  const AxisPlan plan(shape);
  KernelTable table = {};
  table.conv.lanes = lanes;
  table.conv.most = most;
  table.conv.few = few;
  table.conv.fewest = 1;
  for (auto& step : table.conv.direct)
    step[1] = [](float*, const float*, const ConvDirect*, const float*, const float*) {};
  table.lanes = lanes;
  for (int i = 1; i <= ConvWindows::kMost; ++i)
    table.windows.windows[i] = [](float*, const float*, const ConvWindows*, const float*, const float*) {};
  table.conv.groups_any = [](float*, const float*, const ConvDeepLast*, const ConvGroups*, const float*,
                             const float*) {};
  ConvArgs a = {};
  a.type = F32;
  a.nhwc = nhwc;
  a.transposed = shape.transposed;
  a.batch = shape.batch;
  a.groups = shape.groups;
  a.in_channels = shape.in / shape.groups;
  a.out_channels = shape.out / shape.groups;
  a.axis_count = 2;
  a.axes[0] = a.axes[1] = plan.axis;
  ScratchFrame frame;
  const Geometry s(a, &frame);
  const Engine<float> engine(a, s, table, &frame);
  const std::string name =
      std::string(shape.name) + (nhwc ? ", nhwc, " : ", nchw, ") + std::to_string(lanes) + " lanes";
  const Division division = {engine, name};
  division.check(a, s);
  if (Engine<float>::can_turn(a, table)) {
    const Engine<float> turned(a, s, table, &frame, true);
    const std::string turned_name = name + ", turned";
    Division{turned, turned_name}.check(a, s);
    const bool faster = engine.may_be_turned() && turned.cost() < engine.cost();
    if (lanes == 16 && faster != shape.turned) {
      std::fprintf(stderr, "%s: %s\n", turned_name.c_str(), faster ? "faster" : "slower");
      std::exit(1);
    }
  }
  if (!nhwc && lanes == 16) {
    named(shape, engine);
    const bool direct = Direct(a, s, table).worth_running();
    if (direct != shape.direct) {
      std::fprintf(stderr, "%s: %s\n", shape.name, direct ? "direct" : "not direct");
      std::exit(1);
    }
    const bool few = Few(a, s, table).worth_running(),
               reaching = Reaching(a, s, table, engine.work(), &frame).worth_running();
    const Overlap overlap(a, s, table, &frame);
    const bool overlaps = overlap.worth_packing() && overlap.worth_running(engine.cost_of_narrow_tiles());
    const std::string got = overlaps ? "overlap" : few ? "few" : reaching ? "reaching" : "packed";
    if (shape.unpacked != nullptr && got != shape.unpacked) {
      std::fprintf(stderr, "%s: %s instead of %s\n", shape.name, got.c_str(), shape.unpacked);
      std::exit(1);
    }
  }
  if (nhwc && lanes == 16 && shape.last != nullptr) {
    const std::string got = SmallGroups(a, s, table).worth_running() ? "groups"
                            : Windows(a, s, table).worth_running()   ? "windows"
                                                                     : "engine";
    if (got != shape.last) {
      std::fprintf(stderr, "%s: %s instead of %s\n", name.c_str(), got.c_str(), shape.last);
      std::exit(1);
    }
  }
  // Enough for four threads, where a call is long enough for them.
  const double products =
      static_cast<double>(shape.batch * shape.in / shape.groups * shape.out * s.out() * s.kernel()) /
      static_cast<double>(s.y.out_step * s.x.out_step);
  if (products > 1 << 24) CHECK(engine.tasks() >= 4);
}

}  // namespace
}  // namespace conv
}  // namespace upsampling

int main() {
  using namespace upsampling::conv;
  const Shape shapes[] = {
      {"U-Net up-convolution 2x2", true, 1, 1024, 28, 512, 2, 2, 0, 1,
       "in place, positions 96, channels 512, parts 2"},
      {"U-Net last up-convolution", true, 1, 128, 196, 64, 2, 2, 0, 1},
      {"FCN-8s 16x16", true, 1, 21, 64, 21, 16, 8, 4, 1, "slab, box 1x8x64, channels 21, parts 1"},
      {"DCGAN first", true, 1, 512, 8, 256, 4, 2, 1, 1, "panels, box 1x8x8, channels 128, parts 2", nullptr,
       true},
      {"DCGAN last", true, 1, 64, 32, 3, 4, 2, 1, 1, nullptr, "overlap"},
      {"5x5 to one channel", true, 1, 256, 16, 1, 5, 2, 2, 1, nullptr, "overlap"},
      {"4x4 from three channels to three", true, 1, 3, 128, 3, 4, 2, 1, 1, nullptr, "packed"},
      {"3x3 at stride 2, transposed", true, 1, 128, 64, 64, 3, 2, 1, 1},
      {"depthwise", true, 1, 256, 32, 256, 4, 2, 1, 256, "planes 32, box 32x32", "packed"},
      {"3x3", false, 1, 64, 128, 64, 3, 1, 1, 1},
      {"1x1 of a head", false, 1, 64, 256, 21, 1, 1, 0, 1, "in place, positions 8192, channels 64, parts 1"},
      {"1x1 of planes of 7x7", false, 1, 960, 7, 160, 1, 1, 0, 1,
       "in place, positions 64, channels 960, parts 4", nullptr, true},
      {"1x1 of planes of 28x28", false, 1, 512, 28, 128, 1, 1, 0, 1,
       "in place, positions 192, channels 512, parts 1"},
      {"1x1 of one pixel", false, 1, 2048, 1, 256, 1, 1, 0, 1, nullptr, "few", true},
      {"1x1 of 64 pixels", false, 64, 2048, 1, 1000, 1, 1, 0, 1, nullptr, nullptr, true},
      {"1x1 of 400 pixels", false, 400, 512, 1, 512, 1, 1, 0, 1, nullptr, "packed", true},
      {"3x3 of 7x7", false, 1, 512, 7, 512, 3, 1, 1, 1, nullptr, "few", true},
      {"4x4 of one pixel, transposed", true, 1, 100, 1, 512, 4, 1, 0, 1, nullptr, "reaching", true},
      {"4x4 of 64 single pixels, transposed", true, 64, 100, 1, 512, 4, 1, 0, 1, nullptr, "reaching", true},
      {"7x7 at stride 2 of three channels", false, 1, 3, 224, 64, 7, 2, 3, 1},
      {"3x3 of three channels", false, 1, 3, 224, 64, 3, 1, 1, 1,
       "slab by rows, box 1x28x224, channels 3, parts 1"},
      {"3x3 at stride 2 of few channels", false, 1, 3, 66, 64, 3, 2, 1, 1,
       "panels, box 1x17x33, channels 3, parts 1"},
      {"groups of 8", false, 2, 64, 33, 64, 3, 1, 1, 8},
      {"one channel of a large plane", false, 1, 1, 4096, 1, 3, 1, 1, 1},
      {"5x5 of many channels", false, 4, 1024, 17, 1024, 5, 1, 2, 1,
       "slab, box 1x4x17, channels 256, parts 7", "packed", true},
      {"3x3 at stride 3 to few channels", false, 64, 8, 82, 4, 3, 3, 1, 1, nullptr, nullptr, false, true},
      {"3x3 at stride 2 of 15x15 to few channels", false, 1, 64, 15, 3, 3, 2, 1, 1, nullptr, nullptr, false,
       true},
      {"3x3 at stride 2 of 14x14 to many channels", false, 1, 8, 14, 64, 3, 2, 1, 1, nullptr, "packed", true},
      {"3x3 at stride 2 of 7x7 to few channels", false, 1, 64, 7, 8, 3, 2, 1, 1, nullptr, nullptr, true,
       true},
      {"groups of a channel, to 16 each", false, 4, 4, 14, 64, 3, 2, 1, 4, nullptr, nullptr, false, true},
      {"3x3 of 14x14 to 14", false, 1, 32, 14, 14, 3, 1, 1, 1, nullptr, nullptr, false, true},
      {"3x3 of 32x32 to 32", false, 1, 16, 32, 32, 3, 1, 1, 1},
      {"3x3 at stride 2 to 3", false, 4, 32, 82, 3, 3, 2, 1, 1, nullptr, nullptr, false, true, "windows"},
      {"1x1 to 3", false, 1, 64, 56, 3, 1, 1, 0, 1, nullptr, nullptr, false, false, "windows"},
      {"3x3 of 12 to 3", false, 1, 12, 28, 3, 3, 1, 1, 1, nullptr, nullptr, false, true, "engine"},
      {"3x3 of 16 to 3", false, 1, 16, 28, 3, 3, 1, 1, 1, nullptr, nullptr, false, true, "windows"},
      {"3x3 to 12", false, 1, 64, 28, 12, 3, 1, 1, 1, nullptr, nullptr, false, false, "engine"},
      {"16 groups of 3", false, 1, 48, 28, 48, 3, 1, 1, 16, nullptr, nullptr, false, true, "groups"},
      {"6 groups of 3, to 8 each", false, 2, 18, 14, 48, 7, 2, 3, 6, nullptr, nullptr, false, false,
       "groups"},
      {"24 groups of a channel, to 16 each", false, 1, 24, 28, 384, 3, 2, 1, 24, nullptr, nullptr, false,
       true, "groups"},
      {"24 groups of a channel, to 8 each, 5x5", false, 1, 24, 28, 192, 5, 1, 2, 24, nullptr, nullptr, false,
       true, "engine"},
  };
  for (const Shape& shape : shapes)
    for (const bool nhwc : {false, true}) {
      check(shape, nhwc, 16, 14, 6);
      check(shape, nhwc, 8, 6, 2);
      check(shape, nhwc, 4, 4, 2);
    }
  std::puts("convolutions: divided as they should be");
}
