#include "ops/pixel-unshuffle.h"

#include "binding/operators.h"
#include "binding/pixel-shuffle.h"

namespace upsampling {

// (plan, threads, job, input, output)
napi_value bind_pixel_unshuffle(napi_env env, napi_callback_info info) {
  Call call(env, info);
  return call.submit(pixel_unshuffle, read_block(&call));
}

}  // namespace upsampling
