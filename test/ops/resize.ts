import { describeResize, type ResizeAttributes, resizeSync, TRANSFORMS } from '../../src/onnx/resize.js';
import { DATA_TYPES, type DataType } from '../../src/tensor.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

type Options = ResizeAttributes & {
  readonly roi?: readonly number[];
  readonly scales?: readonly number[];
  readonly sizes?: readonly number[];
  readonly opset?: number;
};

const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
const NUMERIC = DATA_TYPES.filter((t) => t !== 'bool');

const args = (dims: readonly number[], options: Options, type: DataType = 'float32', seed = 1): Args => ({
  tensors: [{ type, dims, seed }],
  options: options as Record<string, unknown>,
});

const cropOf = (rank: number) => [...new Array<number>(rank).fill(0.2), ...new Array<number>(rank).fill(1.3)];

function samples(): Args[] {
  const out: Args[] = [];
  for (const { mode, transform, sizes } of product({
    mode: ['nearest', 'linear', 'cubic'] as const,
    transform: TRANSFORMS,
    sizes: [
      [9, 4],
      [3, 7],
      [1, 1],
      [5, 6],
    ],
  })) {
    const crop = transform === 'tf_crop_and_resize';
    out.push(
      args([2, 3, 5, 6], {
        mode,
        coordinate_transformation_mode: transform,
        axes: [2, 3],
        sizes,
        ...(crop ? { roi: cropOf(2), extrapolation_value: 7 } : {}),
      }),
    );
  }
  for (const nearest_mode of NEAREST)
    out.push(
      args([1, 2, 7, 10], { nearest_mode, scales: [1, 1, 0.6, 1.7] }),
      args([1, 2, 7, 10], {
        nearest_mode,
        scales: [1, 1, 2.5, 0.3],
        coordinate_transformation_mode: 'asymmetric',
      }),
    );
  for (const { mode, exclude_outside, antialias } of product({
    mode: ['linear', 'cubic'] as const,
    exclude_outside: [0, 1] as const,
    antialias: [0, 1] as const,
  }))
    if (mode === 'cubic' || antialias === 1 || exclude_outside === 0)
      out.push(
        args([1, 2, 17, 23], { mode, exclude_outside, antialias, axes: [-2, -1], sizes: [5, 40] }),
        args([1, 2, 17, 23], {
          mode,
          exclude_outside,
          antialias,
          axes: [3, 2],
          scales: [0.23, 0.7],
          cubic_coeff_a: -0.5,
        }),
      );
  // Any rank and any axes, batch and channels included.
  for (const mode of ['nearest', 'linear', 'cubic'] as const)
    out.push(
      args([9], { mode, sizes: [14] }),
      args([4, 7], { mode, sizes: [7, 3] }),
      args([2, 3, 4, 5], { mode, sizes: [3, 5, 4, 6] }),
      args([2, 3, 4, 5], { mode, axes: [0, 1], sizes: [4, 4] }),
      args([2, 3, 4, 5], { mode, axes: [1, 2], sizes: [6, 7] }),
      args([2, 6, 5, 4, 3], { mode, axes: [1], scales: [1.5] }),
      args([2, 3, 4, 5, 6], { mode, axes: [2, 3, 4], scales: [1.5, 0.5, 2] }),
    );
  for (const policy of ['stretch', 'not_larger', 'not_smaller'] as const)
    out.push(
      args([1, 1, 7, 10], { axes: [2, 3], sizes: [9, 9], keep_aspect_ratio_policy: policy, mode: 'linear' }),
    );
  for (const type of DATA_TYPES)
    out.push(
      args([2, 3, 5, 7], { axes: [2, 3], sizes: [9, 13] }, type),
      args(
        [1, 2, 5, 7],
        {
          axes: [2, 3],
          sizes: [6, 6],
          coordinate_transformation_mode: 'tf_crop_and_resize',
          roi: cropOf(2),
          extrapolation_value: 2.5,
        },
        type,
      ),
    );
  for (const type of NUMERIC)
    out.push(
      args([2, 3, 5, 7], { mode: 'linear', axes: [2, 3], sizes: [9, 13] }, type),
      args(
        [1, 2, 5, 7],
        {
          mode: 'cubic',
          axes: [3, 2],
          sizes: [6, 6],
          coordinate_transformation_mode: 'tf_crop_and_resize',
          roi: cropOf(2),
          extrapolation_value: -2.5,
        },
        type,
      ),
    );
  out.push(args([1, 1, 2, 4], { opset: 10, scales: [1, 1, 0.6, 1.6] }));
  out.push(args([1, 1, 2, 4], { opset: 10, mode: 'linear', scales: [1, 1, 0.6, 1.6] }));
  return out;
}

function random(r: Random): Args {
  const rank = r.int(1, 5);
  const dims = Array.from({ length: rank }, () => r.int(1, rank > 3 ? 4 : 12));
  const mode = r.pick(['nearest', 'linear', 'cubic'] as const);
  const transform = r.pick(TRANSFORMS);
  const all = Array.from({ length: rank }, (_, i) => i)
    .filter(() => r.chance(0.6))
    .slice(0, 3);
  const axes = all.length === 0 ? [rank - 1] : r.chance(0.3) ? all.reverse() : all;
  const options: Record<string, unknown> = { mode, coordinate_transformation_mode: transform, axes };
  if (r.chance(0.5)) options.sizes = axes.map(() => r.int(1, rank > 3 ? 6 : 20));
  else options.scales = axes.map((a) => Math.max(r.next() * 2.5, 1.01 / dims[a]!));
  if (options.sizes !== undefined && r.chance(0.2)) options.keep_aspect_ratio_policy = 'not_smaller';
  if (transform === 'tf_crop_and_resize') {
    options.roi = [...axes.map(() => r.next() - 0.3), ...axes.map(() => r.next() * 1.2)];
    options.extrapolation_value = r.int(-3, 3);
  }
  if (mode === 'nearest') options.nearest_mode = r.pick(NEAREST);
  else if (axes.length < 3 && r.chance(0.4)) options.antialias = 1;
  if ((mode === 'cubic' || options.antialias === 1) && r.chance(0.4)) options.exclude_outside = 1;
  if (r.chance(0.3)) options.cubic_coeff_a = -0.5;
  return {
    tensors: [{ type: mode === 'nearest' ? r.pick(DATA_TYPES) : r.pick(NUMERIC), dims, seed: r.int(1, 1e9) }],
    options,
  };
}

const vector = (v: readonly number[] | undefined) =>
  v === undefined ? undefined : { data: Float64Array.from(v), dims: [v.length] };
const lengths = (v: readonly number[] | undefined) =>
  v === undefined ? undefined : { data: BigInt64Array.from(v, BigInt), dims: [v.length] };

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () => {
    const { roi, scales, sizes, opset, ...attributes } = options as Options;
    return resizeSync(
      [input as never, vector(roi), vector(scales), lengths(sizes)],
      attributes,
      opset === undefined ? {} : { opset },
    );
  };
const OPTION = 'ERR_UPSAMPLING_OPTION';
const sizes = [1, 1, 4, 4];

export default defineOp({
  name: 'resize',
  kernel: 'interpolate',
  describe: ([input], options) => {
    const { roi, scales, sizes, opset, ...attributes } = options as Options;
    const inputs =
      opset === 10 ? [input, vector(scales)] : [input, vector(roi), vector(scales), lengths(sizes)];
    return describeResize(inputs, attributes, opset === undefined ? undefined : { opset }) as never;
  },
  family: ({ options }) => ((options.mode ?? 'nearest') === 'nearest' ? 'exact' : 'interpolation'),
  samples,
  random,
  draws: 100,
  absolute: (plan) => ({
    ...plan,
    axes: plan.axes.map((a) => ({ ...a, weight: a.weight.map(Math.abs) as Float32Array })),
  }),
  products: (plan) => plan.axes.reduce((n, a) => n + a.taps, 1),
  errors: [
    {
      name: 'neither scales nor sizes',
      call: bad({}),
      code: OPTION,
      message: /give either scales or sizes, got neither/,
    },
    { name: 'scales and sizes', call: bad({ sizes, scales: sizes }), code: OPTION, message: /got both/ },
    {
      name: 'too few sizes',
      call: bad({ sizes: [4, 4] }),
      code: OPTION,
      message: /sizes must be 4 positive integers/,
    },
    {
      name: 'zero size',
      call: bad({ sizes: [1, 1, 0, 4] }),
      code: OPTION,
      message: /sizes must be 4 positive integers/,
    },
    {
      name: 'negative scale',
      call: bad({ scales: [1, 1, -1, 4] }),
      code: OPTION,
      message: /scales must be 4 positive numbers/,
    },
    {
      name: 'scale that leaves nothing',
      call: bad({ scales: [1, 1, 0.1, 4] }),
      code: OPTION,
      message: /scales must be scales that give lengths/,
    },
    {
      name: 'an axis twice',
      call: bad({ axes: [2, -2], sizes: [4, 4] }),
      code: OPTION,
      message: /axes must be different axes/,
    },
    {
      name: 'an axis too far',
      call: bad({ axes: [4], sizes: [4] }),
      code: OPTION,
      message: /axes must be a list of integers from -4 to 3/,
    },
    {
      name: 'unknown mode',
      call: bad({ sizes, mode: 'bilinear' }),
      code: OPTION,
      message: /mode must be one of nearest, linear, cubic/,
    },
    {
      name: 'unknown transform',
      call: bad({ sizes, coordinate_transformation_mode: 'half' }),
      code: OPTION,
      message: /coordinate_transformation_mode must be one of half_pixel/,
    },
    {
      name: 'unknown nearest mode',
      call: bad({ sizes, nearest_mode: 'round' }),
      code: OPTION,
      message: /nearest_mode must be one of/,
    },
    {
      name: 'unknown policy',
      call: bad({ sizes, keep_aspect_ratio_policy: 'fit' }),
      code: OPTION,
      message: /keep_aspect_ratio_policy must be one of stretch/,
    },
    {
      name: 'policy with scales',
      call: bad({ scales: sizes, keep_aspect_ratio_policy: 'not_larger' }),
      code: OPTION,
      message: /must be given with sizes/,
    },
    {
      name: 'crop without roi',
      call: bad({ sizes, coordinate_transformation_mode: 'tf_crop_and_resize' }),
      code: OPTION,
      message: /roi must be 8 finite numbers/,
    },
    {
      name: 'flag that is true',
      call: bad({ sizes, mode: 'linear', antialias: true }),
      code: OPTION,
      message: /antialias must be 0 or 1, got true/,
    },
    {
      name: 'antialias with nearest',
      call: bad({ sizes, antialias: 1 }),
      code: OPTION,
      message: /antialias must be 0 with mode nearest/,
    },
    {
      name: 'exclude_outside with linear',
      call: bad({ sizes, mode: 'linear', exclude_outside: 1 }),
      code: OPTION,
      message: /exclude_outside must be 0 with mode linear/,
    },
    {
      name: 'NaN coefficient',
      call: bad({ sizes, mode: 'cubic', cubic_coeff_a: NaN }),
      code: OPTION,
      message: /cubic_coeff_a must be a finite number/,
    },
    {
      name: 'text as extrapolation value',
      call: bad({ sizes, extrapolation_value: '1' }),
      code: OPTION,
      message: /extrapolation_value must be a number/,
    },
    {
      name: 'misspelt attribute',
      call: bad({ sizes, nearestMode: 'floor' }),
      code: OPTION,
      message: /did you mean nearest_mode\?/,
    },
    {
      name: 'antialias before set 18',
      call: bad({ sizes, mode: 'linear', antialias: 1, opset: 13 }),
      code: OPTION,
      message: /antialias must be left out in operator set 13, it is there from 18 on/,
    },
    {
      name: 'tf_half_pixel_for_nn in set 13',
      call: bad({ sizes, coordinate_transformation_mode: 'tf_half_pixel_for_nn', opset: 13 }),
      code: OPTION,
      message: /must not be tf_half_pixel_for_nn in operator set 13/,
    },
    {
      name: 'set 9',
      call: bad({ sizes, opset: 9 }),
      code: OPTION,
      message: /opset must be an integer of at least 10, got 9/,
    },
    {
      name: 'four inputs in set 10',
      call: bad({ sizes, opset: 10 }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /inputs must be a list of up to 2 tensors/,
    },
    {
      name: 'linear on bool',
      call: bad({ sizes, mode: 'linear' }, { data: new Uint8Array(4), dims: [1, 1, 2, 2], type: 'bool' }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /X.type must not be bool with mode linear/,
    },
    {
      name: 'empty axis',
      call: bad({ sizes }, { data: new Float32Array(0), dims: [1, 1, 0, 2] }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /X must have no empty axis/,
    },
    {
      name: 'no X',
      call: bad({ sizes }, null),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /X must be a tensor/,
    },
    {
      name: 'scales as integers',
      call: () => resizeSync([x(), undefined, { data: new Int32Array(4), dims: [4] }]),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /scales.type must be float32 or float64/,
    },
    {
      name: 'sizes of rank 2',
      call: () => resizeSync([x(), undefined, undefined, { data: new BigInt64Array(4), dims: [2, 2] }]),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /sizes must have 1 dimension/,
    },
    {
      name: 'out that is a tensor',
      call: () => resizeSync([x(), undefined, undefined, lengths(sizes)], {}, { out: x() as never }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /out must be a list of tensors/,
    },
  ],
});
