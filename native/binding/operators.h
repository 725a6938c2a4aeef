// Every operator that the addon exports, by its name in src/backend.ts.
#pragma once
#include <napi.h>

// clang-format off
#define UPS_OPERATORS(X) \
  X(interpolate, "interpolate") \
  X(interpolate_argmax, "interpolateArgmax") \
  X(pixel_shuffle, "pixelShuffle") \
  X(pixel_unshuffle, "pixelUnshuffle")
// clang-format on

namespace upsampling {
#define UPS_DECLARE(name, text) napi_value bind_##name(napi_env env, napi_callback_info info);
UPS_OPERATORS(UPS_DECLARE)
#undef UPS_DECLARE
}  // namespace upsampling
