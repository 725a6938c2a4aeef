// A soft dependency on libgomp: the addon has no NEEDED entry for it, so it loads where the library is absent
// and then runs serially. Only GOMP_parallel is used (check: nm -u parallel.o | grep GOMP).
//
// libgomp spins about 9 ms after each region, which burns a core of a server that is nearly idle. It reads
// GOMP_SPINCOUNT in its constructor, so the variable is set around the dlopen and taken away again: nothing
// leaks to child processes. Without effect when something else loaded libgomp first.
#if defined(__linux__)
#include <dlfcn.h>

#include <cstdlib>

#include "runtime/isa.h"

namespace {

using Region = void (*)(void*);
using Parallel = void (*)(Region, void*, unsigned, unsigned);

Parallel find_parallel() {
  const bool ours = getenv("GOMP_SPINCOUNT") == nullptr && getenv("OMP_WAIT_POLICY") == nullptr;
  if (ours) setenv("GOMP_SPINCOUNT", "2000", 1);
  void* library = dlopen("libgomp.so.1", RTLD_NOW | RTLD_LOCAL);
  if (ours) unsetenv("GOMP_SPINCOUNT");
  return library == nullptr ? nullptr : reinterpret_cast<Parallel>(dlsym(library, "GOMP_parallel"));
}

const Parallel parallel = find_parallel();

}  // namespace

extern "C" __attribute__((visibility("hidden"))) void GOMP_parallel(Region fn, void* data, unsigned threads,
                                                                    unsigned flags) {
  if (parallel != nullptr) {
    parallel(fn, data, threads, flags);
  } else {
    fn(data);
  }
}

namespace upsampling {
bool openmp_available() { return parallel != nullptr; }
}  // namespace upsampling
#else
#include "runtime/isa.h"
namespace upsampling {
bool openmp_available() { return false; }
}  // namespace upsampling
#endif
