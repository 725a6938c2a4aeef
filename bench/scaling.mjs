/**
 * How time grows: nanoseconds per element of the larger of input and result, for square planes from 1 × 1 to 4096 × 4096 at one
 * thread, and how many times faster `--threads` threads are. A level row is linear time; a lasting step is a cache that no
 * longer holds the data. `‹` marks less than 1.8 times from calls of more than 100 µs.
 *
 *   npm run build && node bench/scaling.mjs [--layout nhwc] [--operators bilinear,max] [--channels 4]
 */
import { parseArgs } from 'node:util';
import * as api from '../dist/index.js';

const { values: opt } = parseArgs({
  options: {
    layout: { type: 'string', default: 'nchw' },
    operators: { type: 'string', default: '' },
    channels: { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
    'sample-ms': { type: 'string', default: '4' },
  },
});
const { layout } = opt;
const c = Number(opt.channels);
const SIDES = [1, 3, 8, 15, 32, 63, 128, 255, 512, 1023, 2048, 4096];
/** Planes are many where they are small, so that the cost of the call itself stays out of the picture. */
const batchOf = (side) => Math.max(1, Math.min(64, Math.floor(128 / side)));

const dimsOf = (side, channels) =>
  layout === 'nchw' ? [batchOf(side), channels, side, side] : [batchOf(side), side, side, channels];
function image(dims) {
  const data = new Float32Array(dims.reduce((a, b) => a * b));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 1009) / 1009;
  return { data, dims };
}
const resize = (scale, options) => (side) => {
  const size = Math.max(1, Math.floor(side * scale));
  const x = image(dimsOf(side, c));
  return [x, (out) => api.interpolateSync(x, { ...options, size: [size, size], layout, out })];
};
const pool = (kernelSize, stride, padding) => (side) => {
  if (side < kernelSize - padding) return undefined;
  const x = image(dimsOf(side, c));
  return [x, (out) => api.maxPool2dSync(x, { kernelSize, stride, padding, layout, out })];
};
const convolution = (prepare, weightDims, options) => (side) => {
  if (side > 2048) return undefined;
  const x = image(dimsOf(side, weightDims[prepare === 'prepareConv2d' ? 1 : 0]));
  const operator = api[prepare](image(weightDims), { ...options, layout });
  return [x, (out) => operator.runSync(x, { out })];
};

/** By name: side → [input, call], or undefined where the operator has no such size. */
const OPERATORS = {
  'nearest ×2': resize(2, { mode: 'nearest' }),
  'bilinear ×2': resize(2, { mode: 'bilinear' }),
  'bilinear ×1.7': resize(1.7, { mode: 'bilinear' }),
  'bicubic ×2': resize(2, { mode: 'bicubic' }),
  'area ÷4': resize(1 / 4, { mode: 'area' }),
  'antialias ÷3': resize(1 / 3, { mode: 'bilinear', antialias: true }),
  'max pool 2×2': pool(2, 2, 0),
  'max pool 3×3': pool(3, 2, 1),
  'max pool 3×3, stride 1': pool(3, 1, 1),
  'max unpool': (side) => {
    const x = image(dimsOf(side, c));
    const indices = { data: new Int32Array(x.data.length), dims: x.dims };
    for (let i = 0; i < indices.data.length; i++) {
      const at = layout === 'nchw' ? i % (side * side) : Math.floor(i / c) % (side * side);
      indices.data[i] = Math.floor(at / side) * 4 * side + (at % side) * 2 + (i & 1);
    }
    return [x, (out) => api.maxUnpool2dSync(x, indices, { kernelSize: 2, layout, out })];
  },
  'pixel shuffle': (side) => {
    const x = image(dimsOf(side, 4 * c));
    return [x, (out) => api.pixelShuffleSync(x, { upscaleFactor: 2, layout, out })];
  },
  argmax: (side) => {
    const x = image(dimsOf(side, 21));
    return [x, (out) => api.interpolateArgmaxSync(x, { size: [side, side], mode: 'bilinear', layout, out })];
  },
  'convolution 3×3': convolution('prepareConv2d', [16, 16, 3, 3], { padding: 1 }),
  'transposed 4×4, stride 2': convolution('prepareConvTranspose2d', [16, 16, 4, 4], {
    stride: 2,
    padding: 1,
  }),
};

/** Median milliseconds a call at one thread and at many, sampled in alternation. */
function times(run) {
  const ms = Number(opt['sample-ms']);
  // Other threads are asleep after a switch, and the output lies in the cache of one: a third of a sample goes untimed.
  const warm = () => {
    for (const start = performance.now(); performance.now() - start < ms / 3; ) run();
  };
  const timed = (threads, calls) => {
    api.runtime.setThreads(threads);
    warm();
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    return (performance.now() - start) / calls;
  };
  warm();
  const calls = Math.max(1, Math.round(ms / timed(1, 10)));
  const samples = [[], []];
  for (let round = 0; round < 7; round++) {
    samples[0].push(timed(1, calls));
    samples[1].push(timed(Number(opt.threads), calls));
  }
  return samples.map((s) => s.sort((a, b) => a - b)[3]);
}

const wanted = opt.operators.split(',');
const rows = Object.entries(OPERATORS).filter(([name]) => wanted.some((w) => name.includes(w)));
const table = (title, cell) => {
  console.log(`\n| ${title} | ${SIDES.map((s) => `${s}²`).join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(SIDES.length)}`);
  for (const [name, measured] of results)
    console.log(`| ${name} | ${measured.map((m) => (m === undefined ? '–' : cell(m))).join(' | ')} |`);
};
const results = rows.map(([name, make]) => [
  name,
  SIDES.map((side) => {
    const made = make(side);
    if (made === undefined) return undefined;
    const [x, call] = made;
    const out = call(undefined);
    const [one, many] = times(() => call(out));
    return { one, many, elements: Math.max(x.data.length, out.data.length) };
  }),
]);
console.log(`${api.runtime.isa}, ${layout}, ${c} channels, batches of ${batchOf(1)} to 1`);
table('nanoseconds per element, 1 thread', ({ one, elements }) => ((one * 1e6) / elements).toPrecision(3));
table(
  `${opt.threads} threads are faster by`,
  ({ one, many }) => `${(one / many).toFixed(2)}${one > 0.1 && one / many < 1.8 ? '‹' : ''}`,
);
