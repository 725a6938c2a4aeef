// What this machine can do at most: copy bandwidth by working set and FMA rate. Prints JSON.
// usage: limits THREADS
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float V __attribute__((vector_size(kLanes * 4), aligned(64)));

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Best of several rounds in which all threads run `body` at once; returns seconds.
double best(int threads, const std::function<void(int)>& body) {
  double least = 1e9;
  for (int round = 0; round < 12; ++round) {
    std::vector<std::thread> pool;
    const double start = now();
    for (int t = 1; t < threads; ++t) pool.emplace_back(body, t);
    body(0);
    for (std::thread& t : pool) t.join();
    least = std::min(least, now() - start);
  }
  return least;
}

void stream(V* out, const V* in, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
#if defined(__AVX512F__)
    __builtin_ia32_movntps512(reinterpret_cast<float*>(out + i), in[i]);
#elif defined(__AVX__)
    __builtin_ia32_movntps256(reinterpret_cast<float*>(out + i), in[i]);
#else
    out[i] = in[i];
#endif
  }
}

// GB/s read plus written, a quarter read and three quarters written, as an enlargement does.
double bandwidth(int threads, int64_t bytes, bool streaming) {
  const int64_t each = bytes / threads / 256 * 256, in_bytes = each / 4, out_bytes = each - in_bytes;
  std::vector<char*> in(threads), out(threads);
  for (int t = 0; t < threads; ++t) {
    in[t] = static_cast<char*>(std::aligned_alloc(64, (in_bytes + 4095) / 64 * 64));
    out[t] = static_cast<char*>(std::aligned_alloc(64, (out_bytes + 4095) / 64 * 64));
    std::memset(in[t], 1, in_bytes);
    std::memset(out[t], 1, out_bytes);
  }
  const int repeat = static_cast<int>(std::max<int64_t>(1, (96 << 20) / bytes));
  const double seconds = best(threads, [&](int t) {
    for (int r = 0; r < repeat; ++r)
      for (int part = 0; part < 3; ++part) {
        char* to = out[t] + out_bytes / 3 / 64 * 64 * part;
        const int64_t n = std::min(in_bytes, out_bytes / 3) / 64;
        if (streaming)
          stream(reinterpret_cast<V*>(to), reinterpret_cast<const V*>(in[t]), n * 64 / static_cast<int64_t>(sizeof(V)));
        else
          std::memcpy(to, in[t], n * 64);
      }
  });
  for (int t = 0; t < threads; ++t) {
    std::free(in[t]);
    std::free(out[t]);
  }
  return static_cast<double>(each) * threads * repeat / seconds / 1e9;
}

double fma_rate(int threads) {
  constexpr int kChains = 24;
  constexpr int64_t kSteps = 400000;
  volatile float sink = 0;
  const double seconds = best(threads, [&](int t) {
    V acc[kChains], x, y;
    for (int i = 0; i < kLanes; ++i) x[i] = 1.0f + 1e-7f * t, y[i] = 1e-9f;
    for (V& a : acc) a = x;
    for (int64_t s = 0; s < kSteps; ++s)
#pragma GCC unroll 24
      for (int c = 0; c < kChains; ++c) acc[c] = acc[c] * x + y;
    for (V& a : acc) sink = sink + a[0];
  });
  return 2.0 * kLanes * kChains * kSteps * threads / seconds / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const struct {
    const char* name;
    int64_t bytes;
  } tiers[] = {{"l2", threads * (512 << 10)}, {"l3", 8 << 20}, {"l3big", 20 << 20}, {"dram", 256 << 20}};
  std::printf("{\"threads\":%d,\"gflops\":%.1f", threads, fma_rate(threads));
  for (const auto& tier : tiers)
    std::printf(",\"%s\":%.1f", tier.name, std::max(bandwidth(threads, tier.bytes, false), bandwidth(threads, tier.bytes, true)));
  std::printf("}\n");
}
