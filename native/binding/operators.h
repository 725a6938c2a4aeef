// Every operator that the addon exports, by its name in src/backend.ts.
#pragma once
#include <napi.h>

// clang-format off
#define UPS_OPERATORS(X) \
  X(avg_pool2d, "avgPool2d") \
  X(grid_sample, "gridSample") \
  X(conv2d, "conv2d") \
  X(conv_transpose2d, "convTranspose2d") \
  X(resize_conv2d, "resizeConv2d") \
  X(interpolate, "interpolate") \
  X(interpolate_argmax, "interpolateArgmax") \
  X(interpolate_quantize, "interpolateQuantize") \
  X(interpolate_softmax, "interpolateSoftmax") \
  X(interpolate_threshold, "interpolateThreshold") \
  X(mask_runs, "maskRuns") \
  X(max_pool2d, "maxPool2d") \
  X(max_unpool2d, "maxUnpool2d") \
  X(pixel_shuffle, "pixelShuffle") \
  X(pixel_unshuffle, "pixelUnshuffle")
// clang-format on

namespace upsampling {
#define UPS_DECLARE(name, text) napi_value bind_##name(napi_env env, napi_callback_info info);
UPS_OPERATORS(UPS_DECLARE)
#undef UPS_DECLARE

// Weights of the convolution family, packed ahead.
napi_value packed_bytes(napi_env env, napi_callback_info info);
napi_value pack_weights(napi_env env, napi_callback_info info);

}  // namespace upsampling
