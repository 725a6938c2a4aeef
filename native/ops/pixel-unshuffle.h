#pragma once
#include "ops/pixel-shuffle.h"

namespace upsampling {

// From the large image to the small one.
Status pixel_unshuffle(const BlockArgs& args, const Context& context);

}  // namespace upsampling
