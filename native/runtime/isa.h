// The only CPU detection. Chooses the table of leaf kernels.
#pragma once
#include <string>
#include <vector>

#include "kernels/table.h"

namespace upsampling {

// The kernels in use; the best this CPU can run until set_isa() says otherwise.
const KernelTable& kernels();

// Names this CPU can run, worst first.
std::vector<std::string> isas();
const char* isa();
// False when the name is unknown or the CPU lacks it; nothing changes then.
bool set_isa(const std::string& name);

// Whether libgomp was found (runtime/gomp.cc).
bool openmp_available();

}  // namespace upsampling
