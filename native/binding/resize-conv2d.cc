#include "binding/convolution.h"
#include "binding/operators.h"

namespace upsampling {

napi_value bind_resize_conv2d(napi_env env, napi_callback_info info) { return call_convolution(env, info); }

}  // namespace upsampling
