/**
 * What an element type and a layout cost: microseconds of a call of every operator on about 100,000 elements, in float32 and in
 * the other types, channels first and last. `‹` marks types that take more than twice as long as float32 (64-bit types: than
 * its time for as many bytes), and layouts that take more than three times as long as the other: a leaf is missing there.
 *
 *   npm run build && node bench/types.mjs [--operators pool,conv] [--types float16,uint8] [--threads 2] [--isa avx2]
 */
import { parseArgs } from 'node:util';
import * as api from '../dist/index.js';

const { values: opt } = parseArgs({
  options: {
    operators: { type: 'string', default: '' },
    types: { type: 'string', default: 'float16,uint8,int8,int16,int32,float64,int64' },
    threads: { type: 'string', default: '1' },
    isa: { type: 'string' },
  },
});
if (opt.isa !== undefined) api.runtime.setIsa(opt.isa);
api.runtime.setThreads(Number(opt.threads));

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
};
function tensor(type, dims) {
  const data = new ARRAYS[type](dims.reduce((a, b) => a * b));
  let seed = 1;
  for (let i = 0; i < data.length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0;
    const byte = seed >>> 24;
    // Bits of float16 from 0 to 2 of either sign.
    if (type === 'float16') data[i] = (seed >>> 16) & 0xbfff;
    else if (type === 'int64') data[i] = BigInt(byte - 128);
    else data[i] = type.startsWith('float') ? byte / 128 - 1 : byte - (type === 'uint8' ? 0 : 128);
  }
  return { type, data, dims };
}

const planes = (layout, [n, c, h, w]) => (layout === 'nchw' ? [n, c, h, w] : [n, h, w, c]);
/** One tensor and options. */
const simple = (run, dims, options) => (type, layout) => {
  const o = { ...options, layout };
  return [api[run], [tensor(type, planes(layout, dims))], o];
};
const layer = (run, channels, weight, options) => (type, layout) => [
  api[run],
  [tensor(type, planes(layout, [1, channels, 48, 48])), tensor(type, weight)],
  { ...options, layout },
];
const resize = (size, mode, more) =>
  simple('interpolateSync', [1, 32, 64, 64], { size: [size, size], mode, ...more });
const pool = (run, kernelSize, stride, padding) =>
  simple(run, [1, 32, 64, 64], { kernelSize, stride, padding });

/** By name: (type, layout) → [function, tensors, options]. */
const OPERATORS = {
  ...Object.fromEntries(
    ['nearest', 'bilinear', 'bicubic', 'area'].flatMap((mode) =>
      [128, 96, 31].map((size) => [`${mode} 64 to ${size}`, resize(size, mode)]),
    ),
  ),
  'bilinear antialias 64 to 24': resize(24, 'bilinear', { antialias: true }),
  argmax: simple('interpolateArgmaxSync', [1, 21, 64, 64], { size: [256, 256], mode: 'bilinear' }),
  softmax: simple('interpolateSoftmaxSync', [1, 21, 64, 64], { size: [128, 128], mode: 'bilinear' }),
  threshold: simple('interpolateThresholdSync', [1, 8, 64, 64], {
    size: [256, 256],
    mode: 'bilinear',
    threshold: 0.1,
  }),
  quantize: simple('interpolateQuantizeSync', [1, 8, 64, 64], { size: [256, 256], mode: 'bilinear' }),
  ...Object.fromEntries(
    [
      ['max pool', 'maxPool2dSync'],
      ['max pool with indices', 'maxPool2dWithIndicesSync'],
      ['average pool', 'avgPool2dSync'],
    ].flatMap(([name, run]) => [
      [`${name} 2×2`, pool(run, 2, 2, 0)],
      [`${name} 3×3 stride 2`, pool(run, 3, 2, 1)],
      [`${name} 3×3 stride 1`, pool(run, 3, 1, 1)],
    ]),
  ),
  'max unpool 2×2': (type, layout) => {
    const { output, indices } = api.maxPool2dWithIndicesSync(tensor(type, planes(layout, [1, 32, 64, 64])), {
      kernelSize: 2,
      layout,
    });
    return [api.maxUnpool2dSync, [output, indices], { kernelSize: 2, layout }];
  },
  'adaptive average pool': simple('adaptiveAvgPool2dSync', [1, 32, 64, 64], { outputSize: 7 }),
  'adaptive max pool': simple('adaptiveMaxPool2dSync', [1, 32, 64, 64], { outputSize: 7 }),
  'conv 3×3': layer('conv2dSync', 32, [32, 32, 3, 3], { padding: 1 }),
  'conv 1×1': layer('conv2dSync', 64, [64, 64, 1, 1], {}),
  'conv 3×3 stride 2': layer('conv2dSync', 16, [32, 16, 3, 3], { padding: 1, stride: 2 }),
  'conv depthwise 3×3': layer('conv2dSync', 32, [32, 1, 3, 3], { padding: 1, groups: 32 }),
  'conv depthwise 7×7': layer('conv2dSync', 32, [32, 1, 7, 7], { padding: 3, groups: 32 }),
  'conv 8 groups': layer('conv2dSync', 32, [32, 4, 3, 3], { padding: 1, groups: 8 }),
  'transposed 2×2 stride 2': layer('convTranspose2dSync', 32, [32, 32, 2, 2], { stride: 2 }),
  'transposed 4×4 stride 2': layer('convTranspose2dSync', 32, [32, 16, 4, 4], { stride: 2, padding: 1 }),
  'transposed 4×4 to 3': layer('convTranspose2dSync', 32, [32, 3, 4, 4], { stride: 2, padding: 1 }),
  'transposed depthwise': layer('convTranspose2dSync', 32, [32, 1, 4, 4], {
    stride: 2,
    padding: 1,
    groups: 32,
  }),
  'grid sample': (type, layout) => [
    api.gridSampleSync,
    [tensor(type, planes(layout, [1, 16, 64, 64])), tensor('float32', [1, 64, 64, 2])],
    { layout },
  ],
  'pixel shuffle 2': simple('pixelShuffleSync', [1, 64, 48, 48], { upscaleFactor: 2 }),
  'pixel unshuffle 2': simple('pixelUnshuffleSync', [1, 16, 96, 96], { downscaleFactor: 2 }),
};

/** Median microseconds of a call that writes into one result; undefined where the type is not taken. */
function time([run, tensors, options]) {
  let out;
  try {
    out = run(...tensors, options);
  } catch (error) {
    if (error.code === 'ERR_UPSAMPLING_TYPE') return undefined;
    throw error;
  }
  const reusing = { ...options, out };
  const sample = (calls) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run(...tensors, reusing);
    return ((performance.now() - start) * 1000) / calls;
  };
  sample(5);
  const calls = Math.max(1, Math.round(2000 / sample(5)));
  return Array.from({ length: 5 }, () => sample(calls)).sort((a, b) => a - b)[2];
}

const types = opt.types.split(',');
const wanted = opt.operators.split(',');
console.log(`${api.runtime.isa}, ${opt.threads} thread(s), µs\n`);
console.log(`| | layout | float32 | ${types.join(' | ')} |`);
console.log(`| --- | --- | ---: |${' ---: |'.repeat(types.length)}`);
for (const [name, make] of Object.entries(OPERATORS).filter(([n]) => wanted.some((w) => n.includes(w)))) {
  const floats = ['nchw', 'nhwc'].map((layout) => time(make('float32', layout)));
  for (const [l, layout] of ['nchw', 'nhwc'].entries()) {
    const cells = types.map((type) => {
      const us = time(make(type, layout));
      if (us === undefined) return '–';
      const wide = type.endsWith('64') ? 2 : 1;
      return `${us.toFixed(1)}${us > 2 * wide * floats[l] ? '‹' : ''}`;
    });
    const slow = floats[l] > 3 * floats[1 - l] ? '‹' : '';
    console.log(`| ${name} | ${layout} | ${floats[l].toFixed(1)}${slow} | ${cells.join(' | ')} |`);
  }
}
