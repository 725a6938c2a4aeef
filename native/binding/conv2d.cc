#include "binding/convolution.h"
#include "binding/operators.h"

namespace upsampling {

napi_value bind_conv2d(napi_env env, napi_callback_info info) { return call_convolution(env, info); }

// packedBytes(plan)
napi_value packed_bytes(napi_env env, napi_callback_info info) {
  Call call(env, info);
  napi_value result;
  napi_create_double(env, static_cast<double>(packed_bytes(ConvShape(&call.plan).args)), &result);
  return result;
}

// (plan, threads, job, weight, bias if any, packed)
napi_value pack_weights(napi_env env, napi_callback_info info) {
  Call call(env, info);
  ConvShape shape(&call.plan);
  ConvArgs& a = shape.args;
  const int64_t size = bytes_of(a.type);
  size_t at = 0;
  a.weight = call.memory(at++, shape.weights(), size);
  if (shape.bias) a.bias = call.memory(at++, a.groups * a.out_channels, size);
  a.packing = call.memory(at, (packed_bytes(a) + 7) / 8, sizeof(double));
  return call.submit(pack_weights, a);
}

}  // namespace upsampling
