// Process-wide settings that TypeScript decides (src/native/threads.ts) and operators read.
#pragma once

namespace upsampling {

int default_threads();
void set_default_threads(int n);

}  // namespace upsampling
