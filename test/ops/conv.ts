import { type ConvAttributes, convSync, describeConv } from '../../src/onnx/conv.js';
import { randomOnnxWindow, windowErrors } from '../support/onnx-windows.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const TYPES = ['float32', 'float64', 'float16'] as const;

const args = (
  x: readonly number[],
  w: readonly number[],
  bias: boolean,
  options: object,
  type: (typeof TYPES)[number] = 'float32',
): Args => {
  const channels = w[0]!;
  return {
    tensors: [
      { type, dims: x, seed: 7 },
      { type, dims: w, seed: 8 },
      ...(bias ? [{ type, dims: [channels], seed: 9 }] : []),
    ],
    options: options as Record<string, unknown>,
  };
};

function samples(): Args[] {
  const out: Args[] = [];
  for (const { auto_pad, group, bias } of product({
    auto_pad: ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const,
    group: [1, 2],
    bias: [false, true],
  })) {
    const w = (k: number[]) => [2 * group, 3, ...k];
    const o = { auto_pad, group };
    out.push(
      args([2, 3 * group, 11], w([3]), bias, { ...o, strides: [2] }),
      args([2, 3 * group, 7, 9], w([3, 2]), bias, { ...o, strides: [2, 3], dilations: [2, 1] }),
      args([1, 3 * group, 4, 5, 6], w([2, 3, 2]), bias, { ...o, strides: [1, 2, 3] }),
      args([1, 3 * group, 5, 6], w([1, 2]), bias, { ...o, strides: [3, 4] }),
    );
  }
  for (const type of TYPES) out.push(args([2, 3, 6, 7], [5, 3, 3, 3], true, { pads: [0, 1, 2, 1] }, type));

  return out;
}

function random(r: Random): Args {
  const { args: a } = randomOnnxWindow(r, TYPES);
  const [spec] = a.tensors;
  const n = spec!.dims.length - 2;
  const group = r.int(1, 3);
  const dilations = (a.options.dilations as number[] | undefined) ?? new Array<number>(n).fill(1);
  // A kernel that fits into the input without padding.
  const kernel = dilations.map((d, i) =>
    r.int(1, Math.max(1, Math.min(4, Math.floor((spec!.dims[2 + i]! - 1) / d) + 1))),
  );
  const [ci, co] = [r.int(1, 4), r.int(1, 4)];
  const x = [spec!.dims[0]!, ci * group, ...spec!.dims.slice(2)];
  const w = [co * group, ci, ...kernel];
  const options: Record<string, unknown> = { ...a.options, group };

  const made = args(x, w, r.chance(0.5), options, spec!.type as 'float32');
  return { ...made, tensors: made.tensors.map((t, i) => ({ ...t, seed: spec!.seed + i })) };
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const w = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const call = (attributes: object, options?: object) =>
  convSync([x(), w()], attributes as ConvAttributes, options);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'conv',
  kernel: 'conv2d',
  describe: (tensors, attributes) => describeConv(tensors, attributes as never, undefined) as never,
  family: () => 'reduction',
  samples,
  random,
  draws: 100,
  products: (plan) => plan.inChannels * plan.axes.reduce((k, a) => k * a.kernel, 1),
  errors: [
    ...windowErrors(call),
    {
      name: 'kernel_shape that W has not',
      call: () => call({ kernel_shape: [3, 3] }),
      code: OPTION,
      message: /kernel_shape must be that of W, \[2, 2\], got \[3, 3\]/,
    },
    {
      name: 'group that does not divide',
      call: () => call({ group: 2 }),
      code: OPTION,
      message: /group must divide the first extent of W/,
    },
    {
      name: 'zero groups',
      call: () => call({ group: 0 }),
      code: OPTION,
      message: /group must be a positive integer/,
    },
    {
      name: 'channels that do not fit',
      call: () => convSync([tensor([1, 2, 1, 2], [1, 2, 3, 4]), w()]),
      code: SHAPE,
      message: /X.dims must be of 1 channels/,
    },
    {
      name: 'W of another rank',
      call: () => convSync([x(), tensor([1, 1, 2], [1, 2])]),
      code: SHAPE,
      message: /W.dims must be 4 positive extents/,
    },
    {
      name: 'bias of two',
      call: () => convSync([x(), w(), tensor([2], [1, 2])]),
      code: SHAPE,
      message: /B.dims must be \[1\], one number per output channel/,
    },
    {
      name: 'W of another type',
      call: () => convSync([x(), { data: new Float64Array(4), dims: [1, 1, 2, 2] }]),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /W.type must be float32 as X is/,
    },
    {
      name: 'X of integers',
      call: () => convSync([{ data: new Int32Array(4), dims: [1, 1, 2, 2] }, w()]),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /X.type must be one of/,
    },
    {
      name: 'rank 2',
      call: () => convSync([tensor([2, 2], [1, 2, 3, 4]), w()]),
      code: SHAPE,
      message: /X must have 3 to 5 dimensions/,
    },
    {
      name: 'no W',
      call: () => convSync([x()]),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /W must be a tensor/,
    },
    {
      name: 'kernel larger than the input',
      call: () => convSync([x(), tensor([1, 1, 3, 1], [1, 2, 3])]),
      code: SHAPE,
      message: /X must be at least as large as the kernel after padding, got 2 for a kernel that spans 3/,
    },
  ],
});
