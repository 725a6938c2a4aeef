import { DATA_TYPES, type DataType } from '../../src/tensor.js';
import {
  describeInterpolate,
  type InterpolateOptions,
  interpolateSync,
} from '../../src/torch/interpolate.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const MODES_2D = ['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const;
const MOVES = ['nearest', 'nearest-exact'];
const NUMERIC = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;

const args = (
  dims: readonly number[],
  options: InterpolateOptions,
  type: DataType = 'float32',
  seed = 1,
): Args => ({
  tensors: [{ type, dims, seed }],
  options: options as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  const spatial = [
    [4, 4],
    [5, 3],
    [1, 7],
    [1, 1],
    [2, 33],
  ];
  const sizes = [
    [3, 3],
    [5, 5],
    [8, 2],
    [1, 1],
    [4, 4],
    [9, 67],
  ];
  for (const { mode, from, to, layout } of product({
    mode: MODES_2D,
    from: spatial,
    to: sizes,
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(args(layout === 'nchw' ? [2, 3, ...from] : [2, ...from, 3], { mode, size: to, layout }));
  for (const { mode, from, to } of product({
    mode: ['bilinear', 'bicubic'] as const,
    from: spatial,
    to: sizes,
  })) {
    out.push(args([1, 2, ...from], { mode, size: to, alignCorners: true }));
    out.push(args([1, 2, ...from], { mode, size: to, antialias: true }));
  }
  for (const { mode, scaleFactor } of product({ mode: MODES_2D, scaleFactor: [0.6, 1.7, 2, 2.5, 4] })) {
    out.push(args([1, 2, 7, 10], { mode, scaleFactor }));
    out.push(args([1, 2, 7, 10], { mode, scaleFactor, recomputeScaleFactor: true }));
  }
  for (const type of DATA_TYPES)
    for (const mode of MOVES) out.push(args([2, 3, 5, 7], { mode: mode as 'nearest', size: [9, 13] }, type));
  for (const { type, mode } of product({ type: NUMERIC, mode: ['bilinear', 'bicubic', 'area'] as const }))
    out.push(
      args([2, 3, 5, 17], { mode, size: [9, 40] }, type),
      args([2, 3, 15, 37], { mode, size: [4, 9] }, type),
    );
  // Other ranks: one and three spatial axes, and no batch.
  for (const mode of ['nearest', 'area', 'linear'] as const) out.push(args([2, 3, 9], { mode, size: 14 }));
  for (const mode of ['nearest', 'area', 'trilinear'] as const)
    out.push(args([1, 2, 3, 4, 5], { mode, size: [5, 3, 8] }));
  out.push(
    args([3, 4, 5], { mode: 'bilinear', size: [6, 7] }),
    args([0, 3, 4, 5], { mode: 'bilinear', size: [6, 7] }),
  );
  // Rows and columns in groups, which are summed at once.
  for (const type of NUMERIC)
    for (const factor of [2, 3, 4, 5, 8])
      out.push(
        args([2, 3, 3 * factor, 37 * factor], { mode: 'area', size: [3, 37] }, type),
        args([5, 11, 6 * factor, 3 * factor], { mode: 'area', size: [6, 3] }, type),
      );
  // Means of four bytes: pixels of one to many vectors, rows of less than one and more.
  for (const { type, c, n } of product({
    type: ['uint8', 'int8'] as const,
    c: [1, 2, 3, 4, 5, 11, 16, 21, 70],
    n: [3, 70],
  }))
    out.push(args([2, 6, 2 * n, c], { mode: 'bilinear', size: [3, n], layout: 'nhwc' }, type));
  for (const c of [1, 3, 17, 70])
    out.push(args([2, 6, 12, c], { mode: 'area', size: [2, 3], layout: 'nhwc' }));
  // Channels around the vector lengths, and rows longer than one.
  for (const c of [1, 4, 7, 16, 17, 37])
    out.push(args([1, 5, 6, c], { mode: 'bilinear', size: [11, 13], layout: 'nhwc' }));
  // Pixels of many vectors, which are written line by line.
  for (const { type, c, size } of product({
    type: ['float32', 'float64'] as const,
    c: [64, 130, 259],
    size: [
      [5, 7],
      [8, 10],
      [2, 3],
    ],
  }))
    out.push(args([2, 4, 5, c], { mode: 'bilinear', size, layout: 'nhwc' }, type));
  out.push(
    args([1, 1, 3, 200], { mode: 'bilinear', size: [6, 401] }),
    args([1, 1, 200, 3], { mode: 'bicubic', size: [99, 5] }),
  );
  // Outputs that are one input, all of whose taps are there, at the beginning of a thread's rows.
  for (const { type, layout } of product({
    type: ['float32', 'uint8'] as const,
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(
      args(
        layout === 'nchw' ? [1, 1, 16, 700] : [1, 16, 240, 3],
        {
          mode: 'bicubic',
          size: layout === 'nchw' ? [48, 2100] : [48, 720],
          layout,
        },
        type,
      ),
    );
  // Two rows and two pixels of each at once: what shrinks, and pixels of doubles; with corners aligned the last
  // output is one pixel.
  for (const { type, c, alignCorners } of product({
    type: ['float32', 'float64', 'uint8', 'int8'] as const,
    c: [1, 2, 3, 4, 5, 6, 16, 21],
    alignCorners: [false, true],
  }))
    out.push(
      args([1, c, 13, 67], { mode: 'bilinear', size: [6, 21], alignCorners }, type),
      args([2, 13, 67, c], { mode: 'bilinear', size: [6, 21], layout: 'nhwc', alignCorners }, type),
      args([1, 13, 21, c], { mode: 'bilinear', size: [11, 25], layout: 'nhwc', alignCorners }, type),
    );
  // Many rows that fill no vector.
  for (const mode of ['bilinear', 'bicubic'] as const)
    out.push(
      args([2, 1, 70, 2], { mode, size: [150, 5] }),
      args([1, 2, 130, 6], { mode, size: [301, 7], alignCorners: true }),
      args([1, 1, 1003, 3], { mode, size: [2005, 6] }),
      args([2, 75, 3, 2], { mode, size: [75, 7], layout: 'nhwc' }),
    );
  // Taps that are picked from one to four vectors: across alone, across first, and of rows that are blended first.
  for (const { type, c, width } of product({
    type: ['float32', 'float16', 'uint8'] as const,
    c: [1, 2, 3, 5, 7, 9],
    width: [58, 49, 33, 25],
  }))
    for (const mode of ['bilinear', 'bicubic'] as const)
      for (const height of [7, 13, 20])
        out.push(args([1, 13, 97, c], { mode, size: [height, width], layout: 'nhwc' }, type));
  for (const width of [300, 149, 83])
    out.push(
      args([2, 1, 20, 300], { mode: 'bilinear', size: [9, width], alignCorners: true }),
      args([1, 3, 20, 290], { mode: 'bicubic', size: [9, width] }),
      args([1, 2, 5, 6, 290], { mode: 'trilinear', size: [3, 3, width] }),
    );
  // Bytes beside each other, across first.
  for (const { type, c } of product({ type: ['uint8', 'int8'] as const, c: [3, 4] }))
    out.push(args([2, 13, 67, c], { mode: 'bilinear', size: [12, 60], layout: 'nhwc' }, type));
  // Pixels that are moved from several vectors, also where the last one reaches back.
  for (const width of [300, 187, 100, 80, 60, 37, 16, 9])
    out.push(args([1, 2, 5, 300], { mode: 'nearest', size: [4, width] }));
  // Planes of few rows that are resized side by side.
  for (const mode of ['bilinear', 'bicubic'] as const)
    out.push(args([37, 1, 34, 17], { mode, size: [17, 6] }), args([37, 1, 5, 3], { mode, size: [11, 6] }));
  // Planes whose outputs are listed, several planes together: the last ones are fewer, down to less than a vector.
  for (const { type, alignCorners } of product({
    type: ['float32', 'uint8', 'int8'] as const,
    alignCorners: [false, true],
  }))
    out.push(
      args([7, 1, 13, 21], { mode: 'bilinear', size: [5, 6], alignCorners }, type),
      args([1, 17, 6, 6], { mode: 'bilinear', size: [3, 3], alignCorners }, type),
      args([2, 2, 40, 61], { mode: 'bilinear', size: [13, 29], alignCorners }, type),
    );
  return out;
}

function random(r: Random): Args {
  const mode = r.pick(MODES_2D);
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const c = r.pick([1, 2, 3, 5, 7, 17]);
  const [h, w] = [r.int(1, 40), r.int(1, 70)];
  const type = MOVES.includes(mode) ? r.pick(DATA_TYPES) : r.pick(NUMERIC);
  const options: Record<string, unknown> = { mode, layout };
  if (r.chance(0.7)) options.size = [r.int(1, 60), r.int(1, 90)];
  else options.scaleFactor = [r.next() * 3 + 1, r.next() * 3 + 1];
  if (mode === 'bilinear' || mode === 'bicubic') {
    if (r.chance(0.3)) options.alignCorners = true;
    if (r.chance(0.3)) options.antialias = true;
  }
  return {
    tensors: [
      {
        type,
        dims: layout === 'nchw' ? [r.int(1, 2), c, h, w] : [r.int(1, 2), h, w, c],
        seed: r.int(1, 1e9),
      },
    ],
    options,
  };
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    interpolateSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'interpolate',
  kernel: 'interpolate',
  describe: ([input], options) => describeInterpolate(input!, options as InterpolateOptions),
  family: ({ options }) => (MOVES.includes(options.mode as string) ? 'exact' : 'interpolation'),
  samples,
  random,
  absolute: (plan) => ({
    ...plan,
    axes: plan.axes.map((a) => ({ ...a, weight: a.weight.map(Math.abs) as Float32Array })),
  }),
  products: (plan) => plan.axes.reduce((n, a) => n + a.taps, 1),
  errors: [
    { name: 'no size', call: bad({}), code: OPTION, message: /give either size or scaleFactor, got neither/ },
    { name: 'both sizes', call: bad({ size: 2, scaleFactor: 2 }), code: OPTION, message: /got both/ },
    {
      name: 'zero size',
      call: bad({ size: [0, 4] }),
      code: OPTION,
      message: /interpolate: size must be .*positive integers, got \[0, 4\]/,
    },
    {
      name: 'fraction as size',
      call: bad({ size: [2.5, 4] }),
      code: OPTION,
      message: /size must be .*got \[2.5, 4\]/,
    },
    { name: 'three sizes', call: bad({ size: [2, 3, 4] }), code: OPTION, message: /size must be/ },
    {
      name: 'NaN factor',
      call: bad({ scaleFactor: NaN }),
      code: OPTION,
      message: /scaleFactor must be .*got NaN/,
    },
    {
      name: 'factor too small',
      call: bad({ scaleFactor: 0.1 }),
      code: OPTION,
      message: /scaleFactor must give output sizes/,
    },
    {
      name: 'unknown mode',
      call: bad({ size: 2, mode: 'cubic' }),
      code: OPTION,
      message: /mode must be one of nearest/,
    },
    {
      name: 'misspelt option',
      call: bad({ size: 2, align_corners: true }),
      code: OPTION,
      message: /did you mean alignCorners\?/,
    },
    {
      name: 'alignCorners with nearest',
      call: bad({ size: 2, alignCorners: true }),
      code: OPTION,
      message: /alignCorners must be left out/,
    },
    {
      name: 'antialias with area',
      call: bad({ size: 2, mode: 'area', antialias: true }),
      code: OPTION,
      message: /antialias must be left out/,
    },
    {
      name: 'recompute with size',
      call: bad({ size: 2, recomputeScaleFactor: true }),
      code: OPTION,
      message: /recomputeScaleFactor must be left out/,
    },
    {
      name: 'flag that is a number',
      call: bad({ size: 2, mode: 'bilinear', alignCorners: 1 }),
      code: OPTION,
      message: /alignCorners must be true or false, got 1/,
    },
    {
      name: 'unknown layout',
      call: bad({ size: 2, layout: 'chwn' }),
      code: OPTION,
      message: /layout must be one of nchw, nhwc/,
    },
    {
      name: 'rank 2',
      call: bad({ size: 2 }, { data: new Float32Array(4), dims: [2, 2] }),
      code: SHAPE,
      message: /input must have 3 or 4 or 5 dimensions/,
    },
    {
      name: 'bilinear on rank 5',
      call: bad({ size: 2, mode: 'bilinear' }, { data: new Float32Array(4), dims: [1, 1, 1, 2, 2] }),
      code: SHAPE,
      message: /4 or 3 dimensions/,
    },
    {
      name: 'empty axis',
      call: bad({ size: 2 }, { data: new Float32Array(0), dims: [1, 1, 0, 2] }),
      code: SHAPE,
      message: /no empty axis/,
    },
    {
      name: 'bilinear on int32',
      call: bad({ size: 2, mode: 'bilinear' }, { data: new Int32Array(4), dims: [1, 1, 2, 2] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /input.type must be one of/,
    },
  ],
});
