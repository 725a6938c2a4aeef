import {
  type AvgPoolOptions,
  avgPool2dSync,
  describeAvgPool1d,
  describeAvgPool2d,
  describeAvgPool3d,
} from '../../src/torch/avg-pool2d.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';
import { randomWindow, windowSample } from '../support/windows.js';
import { axesOfSample } from './max-pool2d.js';

const NUMERIC = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;

function samples(): Args[] {
  const out: Args[] = [];
  const windows = [
    { kernelSize: 2 },
    { kernelSize: 3, stride: 2, padding: 1 },
    { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false },
    { kernelSize: [3, 2], stride: 1, padding: [1, 0], ceilMode: true },
    { kernelSize: 4, stride: 3, padding: 2, ceilMode: true },
    { kernelSize: 4, stride: 3, padding: 2, ceilMode: true, countIncludePad: false },
    { kernelSize: 3, stride: 5, divisorOverride: 7 },
    { kernelSize: 2, stride: 1, divisorOverride: -3 },
  ];
  const sizes = [
    [8, 8],
    [7, 9],
    [5, 70],
    [12, 131],
  ];
  for (const { w, size, layout, type } of product({
    w: windows,
    size: sizes,
    layout: ['nchw', 'nhwc'] as const,
    type: NUMERIC,
  }))
    out.push(
      windowSample(layout === 'nchw' ? [1, 3, ...size] : [1, ...size, 3], { ...w, layout }, type, 'uniform'),
    );
  for (const c of [1, 7, 16, 17, 40])
    out.push(
      windowSample(
        [2, 6, 7, c],
        { kernelSize: 3, stride: 2, padding: 1, layout: 'nhwc' },
        'float32',
        'uniform',
      ),
    );
  out.push(
    windowSample([2, 3, 40], { kernelSize: 3, stride: 2, padding: 1 }, 'float32', 'uniform'),
    windowSample(
      [1, 2, 5, 6, 35],
      { kernelSize: [2, 3, 3], stride: [1, 2, 1], padding: 1 },
      'float32',
      'uniform',
    ),
    windowSample([3, 9, 9], { kernelSize: 2 }, 'float32', 'uniform'),
    windowSample([0, 3, 9, 9], { kernelSize: 2 }),
    windowSample([1, 3, 37, 41], { kernelSize: [37, 41] }, 'float32', 'uniform'),
    // Planes with short rows, sixteen at a time, whole and in bands of rows.
    windowSample([1, 17, 6, 7], { kernelSize: 3, stride: 2, padding: 1 }, 'float32', 'uniform'),
    windowSample([1, 17, 6, 7], { kernelSize: 3, stride: 2, padding: 1 }, 'uint8', 'uniform'),
    windowSample([1, 17, 6, 7], { kernelSize: 3, stride: 2, padding: 1 }, 'float64', 'uniform'),
    windowSample(
      [1, 17, 70, 66],
      { kernelSize: [11, 9], stride: [5, 9], padding: [5, 0] },
      'float32',
      'uniform',
    ),
    windowSample([1, 17, 4, 5, 6], { kernelSize: 3, stride: 2, padding: 1 }, 'float32', 'uniform'),
    // NaN and infinities reach exactly the windows that hold them.
    windowSample([1, 1, 9, 70], { kernelSize: 3, stride: 2, padding: 1 }),
  );
  // Whole planes, fewer, as many and more than a vector of them, of one to eight vectors of columns and more; pixels of
  // whole vectors whose windows do not overlap.
  for (const { c, size } of product({
    c: [1, 5, 16, 19, 35],
    size: [
      [1, 1],
      [7, 7],
      [3, 40],
      [19, 16],
      [3, 60],
      [4, 75],
      [3, 90],
      [2, 112],
      [3, 128],
      [2, 150],
    ],
  }))
    out.push(windowSample([2, c, ...size], { kernelSize: size }, 'float32', 'uniform'));
  for (const { c, w } of product({
    c: [16, 20, 64, 144],
    w: [
      { kernelSize: 2 },
      { kernelSize: 3, padding: 1 },
      { kernelSize: [2, 1], stride: [1, 3] },
      { kernelSize: [7, 9] },
    ],
  }))
    out.push(windowSample([2, 7, 9, c], { ...w, layout: 'nhwc' }, 'float32', 'uniform'));
  return out;
}

function random(r: Random): Args {
  const args = randomWindow(r, NUMERIC, false);
  const options: Record<string, unknown> = { ...args.options };
  if (r.chance(0.4)) options.countIncludePad = false;
  if (r.chance(0.2)) options.divisorOverride = r.int(1, 9);
  return { tensors: args.tensors.map((t) => ({ ...t, fill: 'uniform' as const })), options };
}

const x = () => tensor([1, 1, 4, 4], [...Array(16).keys()]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    avgPool2dSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

const describers: Record<number, typeof describeAvgPool2d> = {
  1: describeAvgPool1d,
  2: describeAvgPool2d,
  3: describeAvgPool3d,
};

export default defineOp({
  name: 'avgPool2d',
  kernel: 'avgPool2d',
  describe: ([input], options) =>
    describers[axesOfSample(input!.dims)]!(input!, options as unknown as AvgPoolOptions),
  family: () => 'interpolation',
  samples,
  random,
  absolute: (plan) => ({ ...plan, divisor: plan.divisor === undefined ? undefined : Math.abs(plan.divisor) }),
  products: (plan) => plan.axes.reduce((n, a) => n * a.kernel, 1),
  errors: [
    {
      name: 'no options',
      call: bad(undefined),
      code: OPTION,
      message: /kernelSize must be .*, got undefined/,
    },
    {
      name: 'dilation, which averages do not have',
      call: bad({ kernelSize: 2, dilation: 2 }),
      code: OPTION,
      message: /unknown option "dilation"/,
    },
    {
      name: 'padding above half the window',
      call: bad({ kernelSize: 2, padding: 2 }),
      code: OPTION,
      message: /padding must be at most half/,
    },
    {
      name: 'window larger than the input',
      call: bad({ kernelSize: 5 }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /kernelSize must fit/,
    },
    {
      name: 'zero divisor',
      call: bad({ kernelSize: 2, divisorOverride: 0 }),
      code: OPTION,
      message: /divisorOverride must be an integer other than 0, got 0/,
    },
    {
      name: 'fraction as divisor',
      call: bad({ kernelSize: 2, divisorOverride: 1.5 }),
      code: OPTION,
      message: /divisorOverride/,
    },
    {
      name: 'countIncludePad that is a word',
      call: bad({ kernelSize: 2, countIncludePad: 'yes' }),
      code: OPTION,
      message: /countIncludePad must be true or false/,
    },
    {
      name: 'int32 input',
      call: bad({ kernelSize: 2 }, { data: new Int32Array(16), dims: [1, 1, 4, 4] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /input.type must be one of float32/,
    },
  ],
});
