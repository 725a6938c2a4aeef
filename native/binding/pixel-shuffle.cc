#include "ops/pixel-shuffle.h"

#include "binding/operators.h"
#include "binding/pixel-shuffle.h"

namespace upsampling {

// (plan, threads, job, input, output)
napi_value bind_pixel_shuffle(napi_env env, napi_callback_info info) {
  Call call(env, info);
  return call.submit(pixel_shuffle, read_block(&call));
}

}  // namespace upsampling
