{
  'includes': ['native/sources.gypi'],
  'target_defaults': {
    'include_dirs': ['native'],
    # Release adds a frame pointer, which costs the kernels a register.
    'configurations': { 'Release': { 'cflags!': ['-fno-omit-frame-pointer'] } },
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions', '-fno-rtti'],
    'cflags!': ['-fno-exceptions'],
  },
  'targets': [
    {
      'target_name': 'ups_kernels_baseline', 'type': 'static_library',
      'sources': ['<@(ups_kernel_sources)'], 'defines': ['UPS_ISA=baseline'], 'cflags_cc': ['<@(ups_kernel_cflags)'],
    },
    {
      'target_name': 'upsampling',
      'sources': ['<@(ups_sources)'],
      'dependencies': ['ups_kernels_baseline'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['<@(ups_defines)'],
      'cflags_cc': ['<@(ups_cflags)', '-fexceptions', '-frtti'],
      'conditions': [
        ['OS=="linux"', {
          # Compiled with OpenMP but not linked with it: native/runtime/gomp.cc finds libgomp at run time.
          # nodelete: the executor's thread would run on in unmapped code when the last environment is gone.
          'cflags': ['-fopenmp'], 'ldflags': ['-Wl,--exclude-libs,ALL', '-Wl,-z,nodelete'], 'libraries': ['-ldl'],
        }],
        ['target_arch=="x64"', { 'dependencies': ['ups_kernels_avx2', 'ups_kernels_avx512'] }],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'ups_kernels_avx2', 'type': 'static_library',
          'sources': ['<@(ups_kernel_sources)'], 'defines': ['UPS_ISA=avx2'],
          'cflags_cc': ['<@(ups_kernel_cflags)', '<@(ups_avx2_cflags)'],
        },
        {
          'target_name': 'ups_kernels_avx512', 'type': 'static_library',
          'sources': ['<@(ups_kernel_sources)'], 'defines': ['UPS_ISA=avx512'],
          'cflags_cc': ['<@(ups_kernel_cflags)', '<@(ups_avx512_cflags)'],
        },
      ],
    }],
  ],
}
