{
  "variables": {
    "ups_sources": [
      "native/addon.cc",
      "native/binding/avg-pool2d.cc",
      "native/binding/grid-sample.cc",
      "native/binding/interpolate.cc",
      "native/binding/interpolate-argmax.cc",
      "native/binding/jobs.cc",
      "native/binding/max-pool2d.cc",
      "native/binding/max-unpool2d.cc",
      "native/binding/pixel-shuffle.cc",
      "native/binding/pixel-unshuffle.cc",
      "native/binding/settings.cc",
      "native/ops/avg-pool2d.cc",
      "native/ops/grid-sample.cc",
      "native/ops/interpolate.cc",
      "native/ops/max-pool2d.cc",
      "native/ops/max-unpool2d.cc",
      "native/ops/pixel-shuffle.cc",
      "native/ops/pixel-unshuffle.cc",
      "native/runtime/dispatcher.cc",
      "native/ops/interpolate-argmax.cc",
      "native/runtime/gomp.cc",
      "native/runtime/isa.cc",
      "native/runtime/parallel.cc",
      "native/runtime/queue.cc",
      "native/runtime/scratch.cc",
      "native/runtime/settings.cc"
    ],
    "ups_kernel_sources": [
      "native/kernels/avg-pool2d.cc",
      "native/kernels/grid-sample.cc",
      "native/kernels/interleave.cc",
      "native/kernels/argmax.cc",
      "native/kernels/max-pool2d.cc",
      "native/kernels/max-unpool2d.cc",
      "native/kernels/move.cc",
      "native/kernels/resample.cc",
      "native/kernels/table.cc"
    ],
    "ups_cflags": ["-std=c++17", "-O3", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-ffp-contract=off"],
    "ups_kernel_cflags": ["-std=c++17", "-O3", "-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fno-trapping-math", "-fno-threadsafe-statics", "-fvisibility=hidden", "-ffp-contract=off"],
    "ups_avx2_cflags": ["-mavx2", "-mfma", "-mf16c", "-mbmi2"],
    "ups_avx512_cflags": ["-mavx2", "-mfma", "-mf16c", "-mbmi2", "-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq"],
    "ups_defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"]
  }
}
