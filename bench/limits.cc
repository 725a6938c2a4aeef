// What this machine can do at most: copy bandwidth by working set and FMA rate. Prints JSON.
// usage: limits THREADS
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <atomic>
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

// Best of several rounds; the clock starts when every thread has run `body` once and waits beside the others.
double best(int threads, const std::function<void(int)>& body) {
  double least = 1e9;
  for (int round = 0; round < 12; ++round) {
    std::atomic<int> ready{0};
    std::vector<double> start(threads), end(threads);
    const auto run = [&](int t) {
      body(t);
      ready.fetch_add(1);
      while (ready.load() < threads) {
      }
      start[t] = now();
      body(t);
      end[t] = now();
    };
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t) pool.emplace_back(run, t);
    run(0);
    for (std::thread& t : pool) t.join();
    // From the first start to the last end: threads that took turns on one core must not count as if side by side.
    least = std::min(least, *std::max_element(end.begin(), end.end()) - *std::min_element(start.begin(), start.end()));
  }
  return least;
}

// Four vectors at a time: one by one, loads wait behind stores.
void plain(V* out, const V* in, int64_t n) {
  for (int64_t i = 0; i < n; i += 4) {
    const V a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];
    out[i] = a, out[i + 1] = b, out[i + 2] = c, out[i + 3] = d;
  }
}

// Past the caches; the same as `plain` where there is no such store.
void streaming(V* out, const V* in, int64_t n) {
#if defined(__AVX512F__)
  const auto put = [](V* to, V v) { __builtin_ia32_movntps512(reinterpret_cast<float*>(to), v); };
#elif defined(__AVX__)
  const auto put = [](V* to, V v) { __builtin_ia32_movntps256(reinterpret_cast<float*>(to), v); };
#else
  const auto put = [](V* to, V v) { *to = v; };
#endif
  for (int64_t i = 0; i < n; i += 4) {
    const V a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];
    put(out + i, a), put(out + i + 1, b), put(out + i + 2, c), put(out + i + 3, d);
  }
}

// Memory in huge pages where the system gives them.
void* memory(int64_t bytes) {
  constexpr int64_t kPage = 2 << 20;
  const int64_t whole = (bytes + kPage - 1) / kPage * kPage;
  void* at = std::aligned_alloc(kPage, whole);
  if (at == nullptr) std::abort();
#if defined(__linux__)
  madvise(at, whole, MADV_HUGEPAGE);
#endif
  std::memset(at, 1, whole);
  return at;
}

// GB/s read plus written by a copy, `bytes` read and as many written by every thread; the better kind of store.
double bandwidth(int threads, int64_t bytes) {
  std::vector<void*> in(threads), out(threads);
  for (int t = 0; t < threads; ++t) in[t] = memory(bytes), out[t] = memory(bytes);
  const int64_t repeat = std::max<int64_t>(1, (128 << 20) / bytes);
  double seconds = 1e9;
  for (const auto copy : {plain, streaming})
    seconds = std::min(seconds, best(threads, [&](int t) {
                         for (int64_t r = 0; r < repeat; ++r) copy(static_cast<V*>(out[t]), static_cast<const V*>(in[t]), bytes / static_cast<int64_t>(sizeof(V)));
                       }));
  for (int t = 0; t < threads; ++t) std::free(in[t]), std::free(out[t]);
  return 2.0 * static_cast<double>(bytes) * threads * static_cast<double>(repeat) / seconds / 1e9;
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
  // Read, and as much written, by each thread.
  const struct {
    const char* name;
    int64_t bytes;
  } tiers[] = {{"l2", 320 << 10}, {"l3", 3 << 20}, {"l3big", 6 << 20}, {"dram", 64 << 20}};
  std::printf("{\"threads\":%d,\"gflops\":%.1f", threads, fma_rate(threads));
  for (const auto& tier : tiers) std::printf(",\"%s\":%.1f", tier.name, bandwidth(threads, tier.bytes));
  std::printf("}\n");
}
