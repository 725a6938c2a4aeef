/** Random inputs and attributes of ONNX's sliding windows, and the mistakes that all of them refuse. */
import type { DataType, TensorLike } from '../../src/tensor.js';
import { type Args, type ErrorCase, product, tensor } from './operator.js';
import type { Random } from './random.js';

/** A random window on a random input of 1 to 3 spatial axes. */
export function randomOnnxWindow(
  r: Random,
  types: readonly DataType[],
): { args: Args; kernel: number[]; spatial: number[] } {
  const n = r.int(1, 3);
  const list = (low: number, high: number) => Array.from({ length: n }, () => r.int(low, high));
  const kernel = list(1, 4);
  const options: Record<string, unknown> = {};
  const dilations = r.chance(0.4) ? list(1, 3) : list(1, 1);
  if (r.chance(0.4)) options.dilations = dilations;
  else dilations.fill(1);
  const extent = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  if (r.chance(0.7)) options.strides = list(1, 4);
  const auto_pad = r.pick([undefined, 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  if (auto_pad !== undefined) options.auto_pad = auto_pad;
  let spatial = extent.map((e) => e + r.int(0, n === 3 ? 4 : 12));
  if (auto_pad === undefined || auto_pad === 'NOTSET') {
    const pads = [...extent, ...extent].map((e) => (r.chance(0.5) ? 0 : r.int(0, Math.min(e - 1, 3))));
    options.pads = pads;
  } else if (auto_pad !== 'VALID') spatial = spatial.map((d) => Math.max(1, d - r.int(0, 3)));
  return {
    args: {
      tensors: [
        {
          type: r.pick(types),
          dims: [r.int(1, 2), r.int(1, 4), ...spatial],
          seed: r.int(1, 1e9),
        },
      ],
      options,
    },
    kernel,
    spatial,
  };
}

const OPTION = 'ERR_UPSAMPLING_OPTION';

/** `call` runs the operator on a 2 × 2 image with a 2 × 2 window and these attributes and options. */
export const windowErrors = (call: (attributes: object, options?: object) => unknown): ErrorCase[] => [
  {
    name: 'unknown auto_pad',
    call: () => call({ auto_pad: 'SAME' }),
    code: OPTION,
    message: /auto_pad must be one of NOTSET, SAME_UPPER, SAME_LOWER, VALID/,
  },
  {
    name: 'pads beside auto_pad',
    call: () => call({ auto_pad: 'VALID', pads: [1, 1, 1, 1] }),
    code: OPTION,
    message: /pads must be left out with auto_pad VALID/,
  },
  {
    name: 'two pads',
    call: () => call({ pads: [1, 1] }),
    code: OPTION,
    message: /pads must be a list of 4 integers of at least 0/,
  },
  {
    name: 'negative pads',
    call: () => call({ pads: [-1, 0, 0, 0] }),
    code: OPTION,
    message: /pads must be a list of 4 integers/,
  },
  {
    name: 'zero stride',
    call: () => call({ strides: [0, 1] }),
    code: OPTION,
    message: /strides must be a list of 2 integers of at least 1, got \[0, 1\]/,
  },
  {
    name: 'strides that are a number',
    call: () => call({ strides: 2 }),
    code: OPTION,
    message: /strides must be a list of 2 integers/,
  },
  {
    name: 'misspelt attribute',
    call: () => call({ stride: [1, 1] }),
    code: OPTION,
    message: /did you mean strides\?/,
  },
  {
    name: 'unknown run option',
    call: () => call({}, { thread: 1 }),
    code: OPTION,
    message: /did you mean threads\?/,
  },
];

const TYPES = ['float32', 'float64', 'float16'] as const;

/** Arguments of Conv (W: out × in) or ConvTranspose (in × out). */
export const onnxConvArgs =
  (transposed: boolean) =>
  (
    x: readonly number[],
    w: readonly number[],
    bias: boolean,
    options: Readonly<Record<string, unknown>>,
    type: DataType = 'float32',
  ): Args => ({
    tensors: [
      { type, dims: x, seed: 7 },
      { type, dims: w, seed: 8 },
      ...(bias
        ? [
            {
              type,
              dims: [transposed ? w[1]! * ((options.group as number | undefined) ?? 1) : w[0]!],
              seed: 9,
            },
          ]
        : []),
    ],
    options: options as Record<string, unknown>,
  });

/** Every padding rule on 1 to 3 axes, and every element type. */
export function onnxConvSamples(transposed: boolean): Args[] {
  const args = onnxConvArgs(transposed);
  const out: Args[] = [];
  for (const { auto_pad, group, bias } of product({
    auto_pad: ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const,
    group: [1, 2],
    bias: [false, true],
  })) {
    const w = (k: number[]) => (transposed ? [3 * group, 2, ...k] : [2 * group, 3, ...k]);
    const o = { auto_pad, group };
    out.push(
      args([2, 3 * group, 11], w([3]), bias, { ...o, strides: [2] }),
      args([2, 3 * group, 7, 9], w([3, 2]), bias, { ...o, strides: [2, 3], dilations: [2, 1] }),
      args([1, 3 * group, 4, 5, 6], w([2, 3, 2]), bias, { ...o, strides: [1, 2, 3] }),
      args([1, 3 * group, 5, 6], w([1, 2]), bias, { ...o, strides: [3, 4] }),
    );
  }
  for (const type of TYPES)
    out.push(
      args([2, 3, 6, 7], transposed ? [3, 5, 3, 3] : [5, 3, 3, 3], true, { pads: [0, 1, 2, 1] }, type),
    );
  return out;
}

export function randomOnnxConv(r: Random, transposed: boolean): Args {
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
  const w = transposed ? [ci * group, co, ...kernel] : [co * group, ci, ...kernel];
  const options: Record<string, unknown> = { ...a.options, group };
  // Cuts that leave something of every axis.
  if (transposed && options.pads !== undefined) options.pads = new Array<number>(2 * n).fill(0);
  const made = onnxConvArgs(transposed)(x, w, r.chance(0.5), options, spec!.type);
  return { ...made, tensors: made.tensors.map((t, i) => ({ ...t, seed: spec!.seed + i })) };
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const w = x;
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

/** Mistakes that Conv and ConvTranspose refuse, on a 2 × 2 image with a 2 × 2 kernel. */
export function onnxConvErrors(
  run: (inputs: readonly TensorLike[], attributes?: object, options?: object) => unknown,
): ErrorCase[] {
  const call = (attributes: object, options?: object) => run([x(), w()], attributes, options);
  return [
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
      call: () => run([tensor([1, 2, 1, 2], [1, 2, 3, 4]), w()]),
      code: SHAPE,
      message: /X.dims must be of 1 channels/,
    },
    {
      name: 'W of another rank',
      call: () => run([x(), tensor([1, 1, 2], [1, 2])]),
      code: SHAPE,
      message: /W.dims must be 4 positive extents/,
    },
    {
      name: 'bias of two',
      call: () => run([x(), w(), tensor([2], [1, 2])]),
      code: SHAPE,
      message: /B.dims must be \[1\], one number per output channel/,
    },
    {
      name: 'W of another type',
      call: () => run([x(), { data: new Float64Array(4), dims: [1, 1, 2, 2] }]),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /W.type must be float32 as X is/,
    },
    {
      name: 'X of integers',
      call: () => run([{ data: new Int32Array(4), dims: [1, 1, 2, 2] }, w()]),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /X.type must be one of/,
    },
    {
      name: 'rank 2',
      call: () => run([tensor([2, 2], [1, 2, 3, 4]), w()]),
      code: SHAPE,
      message: /X must have 3 to 5 dimensions/,
    },
    {
      name: 'no W',
      call: () => run([x()]),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /W must be a tensor/,
    },
  ];
}
