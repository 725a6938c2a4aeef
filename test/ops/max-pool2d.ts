import { DATA_TYPES } from '../../src/tensor.js';
import {
  describeMaxPool1d,
  describeMaxPool2d,
  describeMaxPool3d,
  type MaxPoolOptions,
  maxPool2dSync,
} from '../../src/torch/max-pool2d.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';
import { randomWindow, windowSample } from '../support/windows.js';

/** Windows that every max pooling is tried with; the winners' variant uses them too. */
export function maxPoolSamples(): Args[] {
  const out: Args[] = [];
  const windows = [
    { kernelSize: 2 },
    { kernelSize: 3, stride: 2, padding: 1 },
    { kernelSize: 3, stride: 1, padding: 1 },
    { kernelSize: [2, 3], stride: [3, 1] },
    { kernelSize: 4, stride: 2, dilation: 2, padding: 2 },
    { kernelSize: 2, stride: 3, ceilMode: true },
    { kernelSize: 5, stride: 4, padding: 2, ceilMode: true },
    { kernelSize: 1, stride: 2 },
  ];
  const sizes = [
    [8, 8],
    [7, 9],
    [8, 70],
    [12, 131],
  ];
  for (const { w, size, layout } of product({ w: windows, size: sizes, layout: ['nchw', 'nhwc'] as const }))
    out.push(windowSample(layout === 'nchw' ? [2, 3, ...size] : [2, ...size, 3], { ...w, layout }));
  for (const type of DATA_TYPES)
    for (const w of windows.slice(0, 3))
      for (const fill of ['ties', 'special'] as const)
        out.push(
          windowSample([1, 2, 6, 140], w, type, fill),
          windowSample([1, 6, 5, 70], { ...w, layout: 'nhwc' }, type, fill),
        );
  // Zeros of both signs are equal: the first of them wins, with its sign.
  for (const w of windows.slice(0, 2))
    for (const size of sizes.slice(2)) out.push(windowSample([2, 3, ...size], w, 'float32', 'zeros'));
  // One, and three, spatial axes; no batch; an empty batch.
  out.push(windowSample([2, 3, 40], { kernelSize: 3, stride: 2, padding: 1 }));
  out.push(windowSample([1, 2, 5, 6, 35], { kernelSize: [2, 3, 3], stride: [1, 2, 1], padding: 1 }));
  out.push(windowSample([1, 5, 6, 7, 19], { kernelSize: 3, stride: 1, padding: 1, layout: 'nhwc' }));
  out.push(windowSample([3, 9, 9], { kernelSize: 2 }), windowSample([0, 3, 9, 9], { kernelSize: 2 }));
  // One window for all; more rows under a window than are kept; rows too long to be kept; channels around the vector lengths.
  out.push(windowSample([1, 3, 37, 41], { kernelSize: [37, 41] }));
  for (const { type, fill } of product({ type: DATA_TYPES, fill: ['ties', 'special', 'zeros'] as const }))
    out.push(
      windowSample([5, 1, 3, 3], { kernelSize: 3 }, type, fill),
      windowSample([1, 70, 7, 9], { kernelSize: [9, 9], padding: [1, 0] }, type, fill),
      windowSample([3, 2, 15, 18], { kernelSize: [15, 18] }, type, fill),
    );
  out.push(windowSample([2, 3, 4, 5, 6], { kernelSize: [4, 5, 6] }, 'float32', 'zeros'));
  out.push(windowSample([1, 1, 50, 40], { kernelSize: [40, 2], stride: 1 }));
  out.push(windowSample([1, 1, 7, 9000], { kernelSize: [7, 3], stride: 1 }));
  for (const c of [1, 4, 7, 15, 16, 17, 31, 64, 65, 130])
    out.push(windowSample([1, 6, 7, c], { kernelSize: 3, stride: 2, padding: 1, layout: 'nhwc' }));
  // Channels last from fewer than a vector to several of them, also where rows are shorter than a vector.
  for (const { type, c } of product({
    type: ['float32', 'float64', 'float16', 'uint8'] as const,
    c: [2, 3, 5, 8, 17, 33, 64],
  }))
    for (const w of windows.slice(0, 4))
      out.push(windowSample([2, 6, 11, c], { ...w, layout: 'nhwc' }, type, 'special'));
  // Larger windows, of several pixels at a time.
  for (const { type, w, c } of product({
    type: ['float32', 'uint8'] as const,
    w: [
      { kernelSize: 7, stride: 7, padding: 3 },
      { kernelSize: 5, stride: 3 },
      { kernelSize: [4, 2], stride: 2, padding: [2, 1] },
    ],
    c: [2, 6, 7, 21, 70],
  }))
    out.push(windowSample([2, 17, 45, c], { ...w, layout: 'nhwc' }, type, 'special'));
  // Pixels of whole cache lines, wherever in a line they begin.
  for (const { w, c } of product({
    w: [
      ...windows.slice(0, 2),
      { kernelSize: 3 },
      { kernelSize: 3, stride: 2, dilation: 2, padding: 1 },
      { kernelSize: 3, stride: 2, ceilMode: true },
    ],
    c: [32, 48, 64, 80, 96, 112, 144],
  }))
    out.push(windowSample([3, 7, 9, c], { ...w, layout: 'nhwc' }, 'float32', 'ties'));
  out.push(
    windowSample([1, 5, 6, 7, 48], { kernelSize: [3, 1, 3], stride: 2, layout: 'nhwc' }, 'float32', 'ties'),
  );
  for (const { c, fill } of product({ c: [32, 48, 64, 96, 128], fill: ['ties', 'zeros'] as const }))
    for (const padding of [0, 1])
      out.push(
        windowSample([2, 7, 9, c], { kernelSize: 3, stride: 1, padding, layout: 'nhwc' }, 'float32', fill),
      );
  // Windows with a stride, each from its own taps: pixels of whole vectors and of parts of them, in several planes.
  for (const { w, c, fill } of product({
    w: windows,
    c: [16, 24, 48, 64, 80, 136],
    fill: ['zeros', 'depths'] as const,
  }))
    out.push(windowSample([3, 8, 9, c], { ...w, layout: 'nhwc' }, 'float32', fill));
  // Rows reduced across once, without a stride: from narrower than a window to longer than what is kept.
  for (const { k, fill, size, c } of product({
    k: [3, 5],
    fill: ['ties', 'zeros', 'depths'] as const,
    size: [
      [5, 1],
      [1, 3],
      [6, 5],
      [4, 30],
    ],
    c: [2, 24, 64],
  }))
    for (let padding = 0; padding <= (k - 1) / 2; padding++)
      if (size.every((n) => n + 2 * padding >= k))
        out.push(
          windowSample(
            [2, ...size, c],
            { kernelSize: k, stride: 1, padding, layout: 'nhwc' },
            'float32',
            fill,
          ),
        );
  // Planes with short rows, sixteen at a time: fewer and more of them, in bands of rows, along one and three axes.
  for (const type of DATA_TYPES) out.push(windowSample([1, 17, 6, 7], windows[1]!, type));
  for (const w of [{ kernelSize: [11, 9] }, { kernelSize: [11, 9], stride: [5, 9], padding: [5, 0] }])
    for (const c of [4, 17, 40]) out.push(windowSample([1, c, 70, 66], w));
  out.push(windowSample([2, 17, 30], { kernelSize: 3, stride: 2, padding: 1 }));
  out.push(windowSample([1, 17, 4, 5, 6], { kernelSize: 3, stride: 2, padding: 1 }));
  // Planes whose rows fit one or two vectors, several rows at a time, and rows just longer.
  const dense = windows.filter((w) => !('dilation' in w));
  for (const { type, size, w, fill } of product({
    type: ['float32', 'uint32'] as const,
    size: [
      [4, 4],
      [5, 3],
      [7, 7],
      [3, 16],
      [9, 15],
      [3, 31],
      [13, 33],
      [17, 50],
    ],
    w: [...dense, { kernelSize: 5, stride: 1, padding: 2 }, { kernelSize: 3 }],
    fill: ['ties', 'special'] as const,
  }))
    out.push(windowSample([1, 19, ...size], w, type, fill));
  // Rows between a vector of indices and one of narrow elements.
  for (const { type, width, w } of product({
    type: DATA_TYPES,
    width: [21, 45, 70],
    w: [...dense.slice(0, 3), { kernelSize: 5, stride: 1, padding: 2 }, { kernelSize: 3 }],
  }))
    out.push(windowSample([1, 5, 9, width], w, type));
  // Planes of one output row without padding: some, sixteen and more of them together, with several columns.
  for (const { c, size, k } of product({
    c: [3, 6, 16, 48],
    size: [
      [4, 4],
      [5, 9],
      [3, 30],
    ],
    k: [3, [3, 2]],
  }))
    out.push(windowSample([2, c, ...size], { kernelSize: k, stride: 3 }, 'float32', 'ties'));
  // A dilated window of which no tap is inside.
  out.push(windowSample([1, 1, 1, 1], { kernelSize: 2, dilation: 2, padding: 1 }));
  out.push(windowSample([1, 1, 6, 1], { kernelSize: 2, dilation: 2, padding: 1, stride: 1 }));
  for (const c of [2, 32])
    out.push(
      windowSample([1, 1, 5, c], { kernelSize: 2, dilation: 2, padding: 1, stride: 1, layout: 'nhwc' }),
    );
  return out;
}

export const randomMaxPool = (r: Random): Args => randomWindow(r, DATA_TYPES, true);

const x = () => tensor([1, 1, 4, 4], [...Array(16).keys()]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    maxPool2dSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

const describers: Record<number, typeof describeMaxPool2d> = {
  1: describeMaxPool1d,
  2: describeMaxPool2d,
  3: describeMaxPool3d,
};

/** How many spatial axes the tests mean by dims: [2, 3, 40] is 1-D, [3, 9, 9] an unbatched 2-D input. */
export const axesOfSample = (dims: readonly number[]): number =>
  dims.length === 5 ? 3 : dims.length === 3 && dims[0] === 2 ? 1 : 2;

export default defineOp({
  name: 'maxPool2d',
  kernel: 'maxPool2d',
  describe: ([input], options) =>
    describers[axesOfSample(input!.dims)]!(input!, options as unknown as MaxPoolOptions),
  family: () => 'exact',
  samples: maxPoolSamples,
  random: randomMaxPool,
  errors: [
    {
      name: 'no options',
      call: bad(undefined),
      code: OPTION,
      message: /kernelSize must be .*, got undefined/,
    },
    {
      name: 'options that are a number',
      call: bad(2),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /options must be an object, got 2/,
    },
    {
      name: 'zero window',
      call: bad({ kernelSize: 0 }),
      code: OPTION,
      message: /kernelSize must be .*positive integers, got 0/,
    },
    {
      name: 'fraction of a window',
      call: bad({ kernelSize: [2, 1.5] }),
      code: OPTION,
      message: /got \[2, 1.5\]/,
    },
    {
      name: 'three extents',
      call: bad({ kernelSize: [2, 2, 2] }),
      code: OPTION,
      message: /kernelSize must be/,
    },
    { name: 'zero stride', call: bad({ kernelSize: 2, stride: 0 }), code: OPTION, message: /stride must be/ },
    {
      name: 'negative padding',
      call: bad({ kernelSize: 2, padding: -1 }),
      code: OPTION,
      message: /padding must be .*non-negative/,
    },
    {
      name: 'zero dilation',
      call: bad({ kernelSize: 2, dilation: 0 }),
      code: OPTION,
      message: /dilation must be/,
    },
    {
      name: 'padding above half the window',
      call: bad({ kernelSize: 3, padding: 2 }),
      code: OPTION,
      message: /padding must be at most half of kernelSize 3, got 2/,
    },
    {
      name: 'window larger than the input',
      call: bad({ kernelSize: 5 }),
      code: SHAPE,
      message: /kernelSize must fit into the padded input, got a window of 5 on 4 \+ 0/,
    },
    {
      name: 'ceilMode that is a number',
      call: bad({ kernelSize: 2, ceilMode: 1 }),
      code: OPTION,
      message: /ceilMode must be true or false/,
    },
    {
      name: 'unknown layout',
      call: bad({ kernelSize: 2, layout: 'hwc' }),
      code: OPTION,
      message: /layout must be one of nchw, nhwc/,
    },
    {
      name: 'misspelt option',
      call: bad({ kernel_size: 2 }),
      code: OPTION,
      message: /did you mean kernelSize\?/,
    },
    {
      name: 'rank 2',
      call: bad({ kernelSize: 2 }, { data: new Float32Array(4), dims: [2, 2] }),
      code: SHAPE,
      message: /input must have 3 or 4 dimensions/,
    },
    {
      name: 'empty channels',
      call: bad({ kernelSize: 2 }, { data: new Float32Array(0), dims: [1, 0, 2, 2] }),
      code: SHAPE,
      message: /no empty axis/,
    },
    {
      name: 'out of other dims',
      call: bad({ kernelSize: 2, out: { data: new Float32Array(4), dims: [1, 1, 4, 1] } }),
      code: SHAPE,
      message: /out must have dims \[1, 1, 2, 2\]/,
    },
  ],
});
