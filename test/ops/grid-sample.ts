import {
  describeGridSample as describeOnnx,
  type GridSampleAttributes,
  gridSampleSync as onnxGridSampleSync,
} from '../../src/onnx/grid-sample.js';
import type { TensorLike } from '../../src/tensor.js';
import { describeGridSample, type GridSampleOptions, gridSampleSync } from '../../src/torch/grid-sample.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

/** The options of PyTorch's function, or ONNX's attributes beside `dialect`. `reach`: grid values go from -reach to reach. */
type Options = GridSampleOptions &
  GridSampleAttributes & { readonly dialect?: 'onnx'; readonly reach?: number };

const TYPES = ['float32', 'float64', 'float16', 'uint8', 'int8', 'int16', 'int64', 'bool'] as const;
const NUMERIC = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const MODES = ['nearest', 'bilinear', 'bicubic'] as const;
const PADDINGS = ['zeros', 'border', 'reflection'] as const;

const args = (
  dims: readonly number[],
  extents: readonly number[],
  options: Options,
  type: (typeof TYPES)[number] = 'float32',
  gridType: 'float32' | 'float64' | 'float16' = 'float32',
  seed = 1,
): Args => ({
  tensors: [
    { type, dims, seed },
    { type: gridType, dims: [dims[0]!, ...extents, extents.length], seed: seed + 1 },
  ],
  options: options as unknown as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  for (const { mode, paddingMode, alignCorners, layout } of product({
    mode: MODES,
    paddingMode: PADDINGS,
    alignCorners: [false, true],
    layout: ['nchw', 'nhwc'] as const,
  })) {
    const dims = (s: number[], c: number) => (layout === 'nchw' ? [2, c, ...s] : [2, ...s, c]);
    const o = { mode, paddingMode, alignCorners, layout };
    out.push(
      args(dims([5, 7], 3), [6, 45], { ...o, reach: 1.6 }),
      args(dims([1, 1], 2), [4, 4], { ...o, reach: 3 }),
    );
    if (mode !== 'bicubic') out.push(args(dims([3, 4, 5], 2), [2, 3, 19], { ...o, reach: 1.6 }));
  }
  // Taps of three channels at both borders are as far apart as four elements beside each other.
  for (const paddingMode of PADDINGS)
    out.push(args([2, 9, 2, 3], [3, 51], { mode: 'bicubic', paddingMode, layout: 'nhwc', reach: 1 }));
  for (const { mode, padding_mode, align_corners } of product({
    mode: ['nearest', 'linear', 'cubic'] as const,
    padding_mode: PADDINGS,
    align_corners: [0, 1] as const,
  }))
    for (const [s, e] of [
      [[9], [30]],
      [
        [5, 4],
        [6, 7],
      ],
      [
        [3, 2, 4],
        [4, 3, 5],
      ],
    ])
      out.push(
        args([2, 2, ...s!], e!, {
          dialect: 'onnx',
          mode,
          padding_mode,
          align_corners,
          reach: 1.8,
        } as Options),
      );
  for (const { type, layout, gridType } of product({
    type: TYPES,
    layout: ['nchw', 'nhwc'] as const,
    gridType: ['float32', 'float64', 'float16'] as const,
  }))
    out.push(args([2, 4, 5, 6], [7, 9], { mode: 'nearest', layout, reach: 1.2 }, type, gridType));
  for (const { type, layout, gridType, mode } of product({
    type: NUMERIC,
    layout: ['nchw', 'nhwc'] as const,
    gridType: ['float32', 'float64', 'float16'] as const,
    mode: ['bilinear', 'bicubic'] as const,
  }))
    out.push(args([1, 4, 5, 67], [7, 9], { mode, layout, reach: 1.2 }, type, gridType));
  // No image, no point; more channels than a block of points is planned for.
  out.push(args([0, 3, 4, 5], [2, 2], {}), args([1, 3, 4, 5], [0, 2], {}), args([1, 700, 3, 3], [9, 30], {}));
  return out;
}

function random(r: Random): Args {
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const mode = r.pick(MODES);
  const axes = mode === 'bicubic' ? 2 : r.int(2, 3);
  const most = axes === 2 ? r.pick([9, 9, 40]) : 9;
  const s = Array.from({ length: axes }, () => r.int(1, most));
  const c = r.pick([1, 2, 3, 4, 5, 17]);
  const n = r.int(1, 3);
  return args(
    layout === 'nchw' ? [n, c, ...s] : [n, ...s, c],
    Array.from({ length: axes }, () => r.int(1, most)),
    {
      mode,
      layout,
      paddingMode: r.pick(PADDINGS),
      alignCorners: r.chance(0.5),
      reach: r.pick([0.9, 1.5, 4]),
    },
    mode === 'nearest' ? r.pick(TYPES) : r.pick(NUMERIC),
    r.pick(['float32', 'float64', 'float16'] as const),
    r.int(1, 1e9),
  );
}

const image = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const grid = () => tensor([1, 1, 1, 2], [0, 0]);
const bad =
  (options: unknown, input: TensorLike = image(), points: TensorLike = grid()) =>
  () =>
    gridSampleSync(input, points, options as GridSampleOptions);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'gridSample',
  kernel: 'gridSample',
  describe: ([x, g], { reach, dialect, ...options }) => {
    if (reach !== undefined && g!.data.BYTES_PER_ELEMENT !== 2)
      for (let i = 0; i < g!.data.length; i++) g!.data[i] = (g!.data[i] as number) * (reach as number);
    return dialect === 'onnx'
      ? (describeOnnx([x, g], options, undefined) as never)
      : describeGridSample(x!, g!, options as GridSampleOptions);
  },
  family: ({ options }) => (options.mode === 'nearest' ? 'exact' : 'interpolation'),
  samples,
  random,
  // The weights of an axis sum to at most 1.25 in magnitude (cubic, a = -0.75, half way); 1 and 2^-11 where they are linear.
  magnitude: (plan, [input]) => {
    const largest = (input as Float64Array).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const size = plan.outDims.reduce((a, b) => a * b, 1);
    return new Float64Array(size).fill(largest * (plan.filter === 'cubic' ? 1.375 : 1) ** plan.axes.length);
  },
  products: (plan) => (plan.filter === 'cubic' ? 4 : 2) ** plan.axes.length,
  errors: [
    {
      name: 'unknown mode',
      call: bad({ mode: 'linear' }),
      code: OPTION,
      message: /mode must be one of bilinear, nearest, bicubic/,
    },
    {
      name: 'unknown padding',
      call: bad({ paddingMode: 'edge' }),
      code: OPTION,
      message: /paddingMode must be one of zeros, border, reflection/,
    },
    { name: 'unknown layout', call: bad({ layout: 'chw' }), code: OPTION, message: /layout must be one of/ },
    {
      name: 'flag that is a number',
      call: bad({ alignCorners: 1 }),
      code: OPTION,
      message: /alignCorners must be true or false/,
    },
    {
      name: 'misspelt option',
      call: bad({ padding_mode: 'zeros' }),
      code: OPTION,
      message: /did you mean paddingMode\?/,
    },
    {
      name: 'rank 3',
      call: bad({}, tensor([1, 2, 2], [1, 2, 3, 4])),
      code: SHAPE,
      message: /input must have 4 or 5 dimensions/,
    },
    {
      name: 'grid of another rank',
      call: bad({}, image(), tensor([1, 1, 2], [0, 0])),
      code: SHAPE,
      message: /grid must have dims \[1, 2 output extents, 2\]/,
    },
    {
      name: 'grid of another batch',
      call: bad({}, image(), tensor([2, 1, 1, 2], [0, 0, 0, 0])),
      code: SHAPE,
      message: /grid must have dims/,
    },
    {
      name: 'grid of three coordinates',
      call: bad({}, image(), tensor([1, 1, 1, 3], [0, 0, 0])),
      code: SHAPE,
      message: /grid must have dims/,
    },
    { name: 'no pixels', call: bad({}, tensor([1, 1, 0, 2], [])), code: SHAPE, message: /no empty axis/ },
    {
      name: 'grid of integers',
      call: bad({}, image(), { data: new Int32Array(2), dims: [1, 1, 1, 2] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /grid.type must be float32/,
    },
    {
      name: 'bilinear on int32',
      call: bad({}, { data: new Int32Array(4), dims: [1, 1, 2, 2] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /input.type must be one of/,
    },
    {
      name: 'bicubic in 5-D',
      call: bad(
        { mode: 'bicubic' },
        tensor([1, 1, 1, 2, 2], [1, 2, 3, 4]),
        tensor([1, 1, 1, 1, 3], [0, 0, 0]),
      ),
      code: OPTION,
      message: /mode bicubic must have an input of 4 dimensions/,
    },
    {
      name: 'ONNX: a word of set 20 in set 16',
      call: () => onnxGridSampleSync([image(), grid()], { mode: 'linear' }, { opset: 16 }),
      code: OPTION,
      message: /mode must be one of bilinear, nearest, bicubic/,
    },
    {
      name: 'ONNX: true for 1',
      call: () => onnxGridSampleSync([image(), grid()], { align_corners: true as never }),
      code: OPTION,
      message: /align_corners must be 0 or 1/,
    },
    {
      name: 'ONNX: rank 2',
      call: () => onnxGridSampleSync([tensor([2, 2], [1, 2, 3, 4]), grid()]),
      code: SHAPE,
      message: /X must have 3 or 4 or 5 dimensions/,
    },
    {
      name: 'ONNX: a misspelt padding',
      call: () => onnxGridSampleSync([image(), grid()], { padding_mode: 'zero' as never }),
      code: OPTION,
      message: /padding_mode must be one of/,
    },
  ],
});
