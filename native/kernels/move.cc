// Leaves that move elements without looking at them.
#include "kernels/kernels.h"

namespace upsampling {
namespace UPS_ISA {

namespace {

template <class T>
void gather(void* out, const void* in, const int32_t* index, int64_t n) {
  T* __restrict o = static_cast<T*>(out);
  const T* __restrict x = static_cast<const T*>(in);
  for (int64_t i = 0; i < n; ++i) o[i] = x[index[i]];
}

}  // namespace

void fill_move(KernelTable* table) {
  table->gather[0] = gather<uint8_t>;
  table->gather[1] = gather<uint16_t>;
  table->gather[2] = gather<uint32_t>;
  table->gather[3] = gather<uint64_t>;
}

}  // namespace UPS_ISA
}  // namespace upsampling
