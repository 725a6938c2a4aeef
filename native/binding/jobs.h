#pragma once
#include <napi.h>

namespace upsampling {

napi_value connect(napi_env env, napi_callback_info info);
napi_value deliver_more(napi_env env, napi_callback_info info);
napi_value cancel(napi_env env, napi_callback_info info);
napi_value stats(napi_env env, napi_callback_info info);

}  // namespace upsampling
