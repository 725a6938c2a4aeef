import { level, rangeOf } from '../../src/reference/interpolate-quantize.js';
import { resizedPixels } from '../../src/reference/resized.js';
import {
  describeInterpolateQuantize,
  type InterpolateQuantizeOptions,
  interpolateQuantizeSync,
} from '../../src/torch/interpolate-quantize.js';
import { interpolated, isWhole, resizeBound } from '../support/fused.js';
import { type Args, defineOp, product } from '../support/operator.js';
import type { Random } from '../support/random.js';

const TYPES = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const MODES = ['nearest', 'bilinear', 'bicubic', 'area'] as const;
const RANGES = [
  'minmax',
  'percentile',
  [-0.5, 0.75],
  { percentile: [0, 100] },
  { percentile: [10, 55.5] },
] as const;

const args = (
  dims: readonly number[],
  options: InterpolateQuantizeOptions,
  type: (typeof TYPES)[number] = 'float32',
  fill: 'uniform' | 'ties' | 'special' = 'uniform',
): Args => ({ tensors: [{ type, dims, seed: 5, fill }], options: options as Record<string, unknown> });

function samples(): Args[] {
  const out: Args[] = [];
  for (const { range, to, type, fill } of product({
    range: RANGES,
    to: ['uint8', 'uint16'] as const,
    type: TYPES,
    fill: ['uniform', 'ties', 'special'] as const,
  }))
    out.push(args([2, 1, 5, 6], { size: [11, 17], mode: 'bilinear', range, to }, type, fill));
  for (const { mode, layout } of product({ mode: MODES, layout: ['nchw', 'nhwc'] as const }))
    out.push(
      args(layout === 'nchw' ? [2, 3, 5, 6] : [2, 5, 6, 3], { size: [12, 40], mode, layout }),
      args(layout === 'nchw' ? [1, 2, 20, 30] : [1, 20, 30, 2], { size: [7, 9], mode, layout, to: 'uint16' }),
    );
  out.push(
    args([1, 1, 5, 6], { size: [20, 20], mode: 'bilinear', crop: [0.5, 1, 4, 5.5] }),
    args([1, 1, 5, 6], { size: [20, 20], mode: 'bilinear', roi: [3, 4, 18, 9] }),
    args([1, 1, 1, 1], { size: [3, 3] }),
    args([0, 1, 2, 2], { size: [3, 3] }),
    args([1, 1, 9], { size: 30, mode: 'linear' }),
  );
  // Counted in several parts.
  for (const { type, fill } of product({ type: TYPES, fill: ['uniform', 'ties'] as const }))
    out.push(
      args([1, 1, 500, 331], { size: 3, range: { percentile: [0.01, 77.7] }, to: 'uint16' }, type, fill),
    );
  return out;
}

function random(r: Random): Args {
  const options: Record<string, unknown> = {
    mode: r.pick(MODES),
    size: [r.int(1, 50), r.int(1, 90)],
    to: r.pick(['uint8', 'uint16']),
    range: r.pick(RANGES),
  };
  return {
    tensors: [
      {
        type: r.pick(TYPES),
        dims: [r.int(1, 2), r.int(1, 3), r.int(1, 20), r.int(1, 40)],
        seed: r.int(1, 1e9),
        fill: r.pick(['uniform', 'ties', 'special']),
      },
    ],
    options,
  };
}

const bad = (options: unknown) => () =>
  interpolateQuantizeSync({ data: new Float32Array(12), dims: [1, 3, 2, 2] }, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'interpolateQuantize',
  kernel: 'interpolateQuantize',
  describe: ([map], options) => describeInterpolateQuantize(map!, options as InterpolateQuantizeOptions),
  family: () => 'interpolation',
  samples,
  random,
  judge: ({ plan, inputs }, [out]) => {
    const { resized, to } = plan;
    const whole = isWhole(resized);
    const values = (whole ? interpolated : resizedPixels)(resized, inputs[0]!);
    const bound = resizeBound(resized, inputs[0]!);
    const { batch, channels, inner, axes } = resized;
    const pixels = axes.reduce((n, a) => n * a.outSize, 1);
    const top = to === 'uint8' ? 255 : 65535;
    for (let n = 0; n < batch; n++) {
      const image = Array.from({ length: pixels }, (_, pixel) => values(n, pixel));
      const [low, high] = rangeOf(plan, inputs[0]!, n, image.flat());
      for (const [pixel, all] of image.entries())
        for (const [c, v] of all.entries()) {
          const got = out![
            ((n * channels + Math.floor(c / inner)) * pixels + pixel) * inner + (c % inner)
          ] as number;
          const expected = high > low ? level(v, low, high, top) : 0;
          // Of a part of the output the values are the reference's: right within the bound of the resize, and of its range.
          const slack = whole ? 0 : 1 + Math.ceil((3 * bound(n, pixel)[c]! * top) / (high - low));
          if (Math.abs(got - expected) > slack)
            return `level of channel ${c} at pixel ${pixel} of image ${n}: expected ${expected} of the value ${v} in [${low}, ${high}], got ${got}`;
        }
    }
    return undefined;
  },
  errors: [
    {
      name: 'a float result',
      call: bad({ size: 2, to: 'float32' }),
      code: OPTION,
      message: /to must be one of uint8, uint16/,
    },
    {
      name: 'a falling range',
      call: bad({ size: 2, range: [1, 0] }),
      code: OPTION,
      message: /range must be .* got \[1, 0\]/,
    },
    {
      name: 'a range with NaN',
      call: bad({ size: 2, range: [NaN, 0] }),
      code: OPTION,
      message: /range must be/,
    },
    {
      name: 'an unknown range',
      call: bad({ size: 2, range: 'max' }),
      code: OPTION,
      message: /range must be 'minmax'/,
    },
    {
      name: 'a percentile of 101',
      call: bad({ size: 2, range: { percentile: [0, 101] } }),
      code: OPTION,
      message: /range must be/,
    },
    {
      name: 'misspelt option',
      call: bad({ size: 2, ranges: 'minmax' }),
      code: OPTION,
      message: /did you mean range\?/,
    },
    {
      name: 'two targets for one image',
      call: bad({ targets: [{ size: 2 }, { size: 3 }] }),
      code: OPTION,
      message: /targets must be a list of 1 targets/,
    },
  ],
});
