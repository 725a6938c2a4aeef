#pragma once
#include <napi.h>

namespace upsampling {

napi_value get_isas(napi_env env, napi_callback_info info);
napi_value get_isa(napi_env env, napi_callback_info info);
napi_value set_isa(napi_env env, napi_callback_info info);
napi_value get_threads(napi_env env, napi_callback_info info);
napi_value set_threads(napi_env env, napi_callback_info info);
napi_value advise_huge_pages(napi_env env, napi_callback_info info);
napi_value facts(napi_env env, napi_callback_info info);

}  // namespace upsampling
