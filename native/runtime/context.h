// What an operator is told about the call it serves, and how it reports.
#pragma once
#include <atomic>
#include <cstdint>

namespace upsampling {

// Status of a call: one of these, with a detail above the low four bits. src/native/backend.ts reads the same
// numbers.
using Status = int64_t;
enum : Status { OK = 0, CANCELLED = 1, OUT_OF_MEMORY = 2, BAD_INDEX = 3 };
inline Status with_detail(Status code, int64_t detail) { return code + 16 * detail; }

struct Context {
  int threads = 1;                           // how many may work on this call
  const std::atomic<int>* cancel = nullptr;  // non-zero: stop at the next block
  bool cancelled() const { return cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0; }
};

}  // namespace upsampling
