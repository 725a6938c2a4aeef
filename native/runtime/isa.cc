#include "runtime/isa.h"

#include <atomic>

namespace upsampling {

namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
#endif

// The tables that this CPU can run, worst first. Filling a table runs code compiled for its instruction set.
const std::vector<KernelTable>& tables() {
  static const std::vector<KernelTable>* list = [] {
    auto* all = new std::vector<KernelTable>{make_table_baseline()};
#if defined(__x86_64__)
    if (has_avx2()) all->push_back(make_table_avx2());
    if (has_avx512()) all->push_back(make_table_avx512());
#endif
    return all;
  }();
  return *list;
}

std::atomic<const KernelTable*>& current() {
  static std::atomic<const KernelTable*> table{&tables().back()};
  return table;
}

}  // namespace

const KernelTable& kernels() { return *current().load(std::memory_order_relaxed); }

std::vector<std::string> isas() {
  std::vector<std::string> names;
  for (const KernelTable& t : tables()) names.push_back(t.name);
  return names;
}

const char* isa() { return kernels().name; }

bool set_isa(const std::string& name) {
  for (const KernelTable& t : tables())
    if (name == t.name) {
      current().store(&t, std::memory_order_relaxed);
      return true;
    }
  return false;
}

}  // namespace upsampling
