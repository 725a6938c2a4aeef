// Reads a plan of the convolution family (packConvolution of src/native/conv2d.ts).
#pragma once
#include "binding/call.h"
#include "ops/convolution.h"

namespace upsampling {

inline ConvAxis read_conv_axis(PlanReader* plan) {
  ConvAxis axis;
  axis.in_size = plan->integer();
  axis.out_size = plan->integer();
  axis.kernel = plan->integer();
  axis.in_step = plan->integer();
  axis.out_step = plan->integer();
  axis.pass_count = plan->integer();
  axis.passes = plan->table<double>(0);
  for (int64_t i = 0; i < axis.pass_count; ++i) {
    plan->integer();
    plan->integer();
    const int64_t taps = plan->integer(), phases = plan->integer(), entries = plan->integer();
    plan->table<int32_t>(taps);
    plan->table<int32_t>(phases);
    plan->table<int32_t>(taps * phases + 1);
    plan->table<int32_t>(entries);
    plan->table<double>(entries);
  }
  return axis;
}

// Everything of a plan but the arrays.
struct ConvShape {
  ConvArgs args{};
  bool bias, packed;
  int64_t in = 1, out = 1, kernel = 1;  // elements of a channel
  explicit ConvShape(PlanReader* plan) {
    args.type = static_cast<int>(plan->integer());
    args.nhwc = plan->boolean();
    args.batch = plan->integer();
    args.groups = plan->integer();
    args.in_channels = plan->integer();
    args.out_channels = plan->integer();
    args.transposed = plan->boolean();
    bias = plan->boolean();
    packed = plan->boolean();
    args.axis_count = static_cast<int>(plan->integer());
    for (int i = 0; i < args.axis_count; ++i) {
      args.axes[i] = read_conv_axis(plan);
      in *= args.axes[i].in_size;
      out *= args.axes[i].out_size;
      kernel *= args.axes[i].kernel;
    }
  }
  int64_t weights() const { return args.groups * args.in_channels * args.out_channels * kernel; }
};

// (plan, threads, job, input, weight, bias if any, output), or (…, input, packed weights, output)
inline napi_value call_convolution(napi_env env, napi_callback_info info) {
  Call call(env, info);
  ConvShape shape(&call.plan);
  ConvArgs& a = shape.args;
  const int64_t size = bytes_of(a.type), outputs = a.batch * a.groups * a.out_channels * shape.out;
  size_t at = 0;
  a.in = call.memory(at++, a.batch * a.groups * a.in_channels * shape.in, size);
  if (shape.packed) {
    a.packed = call.memory(at++, 8, sizeof(double));
  } else {
    a.weight = call.memory(at++, shape.weights(), size);
    if (shape.bias) a.bias = call.memory(at++, a.groups * a.out_channels, size);
  }
  a.out = call.memory(at, outputs, size);
  return call.submit(convolution, a, static_cast<double>(outputs) * a.in_channels * shape.kernel / 50);
}

}  // namespace upsampling
