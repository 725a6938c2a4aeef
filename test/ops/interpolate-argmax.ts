import { resizedPixels } from '../../src/reference/resized.js';
import {
  describeInterpolateArgmax,
  type InterpolateArgmaxOptions,
  interpolateArgmaxSync,
} from '../../src/torch/interpolate-argmax.js';
import { numbers } from '../support/compare.js';
import { interpolated, resizeBound } from '../support/fused.js';
import { type Args, defineOp, product } from '../support/operator.js';
import type { Random } from '../support/random.js';

const MODES_2D = ['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const;
const TYPES = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const FILLS = ['uniform', 'ties', 'special'] as const;

const args = (
  dims: readonly number[],
  options: InterpolateArgmaxOptions,
  type: (typeof TYPES)[number] = 'float32',
  fill: (typeof FILLS)[number] = 'uniform',
): Args => ({
  tensors: [{ type, dims, seed: 7, fill: type === 'uint8' || type === 'int8' ? 'ties' : fill }],
  options: options as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  for (const { mode, size, layout, fill } of product({
    mode: MODES_2D,
    size: [
      [8, 12],
      [3, 2],
      [5, 6],
      [1, 37],
    ],
    layout: ['nchw', 'nhwc'] as const,
    fill: FILLS,
  }))
    out.push(args(layout === 'nchw' ? [2, 4, 5, 6] : [2, 5, 6, 4], { mode, size, layout }, 'float32', fill));
  for (const { type, fill, layout } of product({
    type: TYPES,
    fill: FILLS,
    layout: ['nchw', 'nhwc'] as const,
  })) {
    const dims = layout === 'nchw' ? [1, 7, 4, 9] : [1, 4, 9, 7];
    const o = { size: [16, 36], mode: 'bilinear', layout } as const;
    out.push(
      args(dims, o, type, fill),
      args(dims, { ...o, scores: true, margin: true }, type, fill),
      args(dims, { ...o, scores: 'softmax', threshold: 0.3, background: 9 }, type, fill),
      args(dims, { ...o, threshold: 0.1, background: 255 }, type, fill),
      args(dims, { ...o, margin: true, classType: 'int64', background: -1 }, type, fill),
    );
  }
  for (const antialias of [false, true])
    for (const mode of ['bilinear', 'bicubic'] as const)
      out.push(
        args([1, 3, 20, 30], { size: [7, 11], mode, antialias }),
        args([1, 3, 9, 7], { size: [30, 25], mode, antialias, crop: [0.5, 1.25, 8.75, 6] }),
        args([1, 3, 20, 30], { size: [7, 11], mode, antialias, crop: [3.5, 0, 20, 17.2] }),
      );
  for (const mode of MODES_2D)
    out.push(
      args([1, 5, 9, 7], { size: [20, 21], mode, crop: [1.5, 0.25, 8, 6.5] }),
      args([1, 5, 9, 7], { size: [40, 70], mode, roi: [3, 17, 29, 70] }),
      args([1, 5, 40, 70], { size: [9, 7], mode, crop: [0.5, 3, 33, 70], roi: [3, 0, 4, 7] }),
    );
  out.push(
    args([2, 3, 9], { size: 20, mode: 'linear' }),
    args([1, 3, 3, 4, 5], { size: [5, 7, 9], mode: 'trilinear' }),
    args([0, 3, 4, 5], { size: [5, 7], mode: 'bilinear' }),
    args([1, 1, 4, 5], { size: [9, 11], mode: 'bilinear', margin: true }),
    args([1, 300, 3, 4], { size: [9, 11], mode: 'bilinear' }),
    args([1, 300, 3, 4], { size: [9, 11], mode: 'bicubic', scores: 'softmax' }),
    args([2, 9, 40, 90], { size: [36, 163], mode: 'bilinear', layout: 'nhwc' }),
    args([2, 9, 40, 90], { size: [36, 163], mode: 'bilinear', layout: 'nhwc' }, 'float32', 'special'),
    args([1, 3, 200, 300], { size: [5, 201], mode: 'bicubic', layout: 'nhwc', margin: true }),
    args([1, 3, 2, 900], { size: [3, 2500], mode: 'bilinear' }),
    args([1, 3, 4, 5], { scaleFactor: 2.5, mode: 'bilinear', alignCorners: true }),
  );
  for (const classType of ['uint8', 'int8', 'uint16', 'int16', 'int32', 'uint32', 'int64', 'uint64'] as const)
    out.push(args([1, 6, 3, 4], { size: [9, 40], mode: 'bilinear', classType }));
  return out;
}

function random(r: Random): Args {
  const mode = r.pick(MODES_2D);
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const [c, h, w] = [r.pick([1, 2, 3, 5, 17, 33, 90]), r.int(1, 20), r.int(1, 50)];
  const [oh, ow] = [r.int(1, 60), r.int(1, 120)];
  const options: Record<string, unknown> = { mode, layout, size: [oh, ow] };
  if ((mode === 'bilinear' || mode === 'bicubic') && r.chance(0.3)) options.alignCorners = true;
  if (r.chance(0.3)) options.scores = r.pick([true, 'softmax'] as const);
  if (r.chance(0.3)) options.margin = true;
  if (r.chance(0.3)) Object.assign(options, { threshold: 0.2, background: r.int(0, 255) });
  if (r.chance(0.3)) {
    const [y, x] = [r.next() * 0.9 * h, r.next() * 0.9 * w];
    options.crop = [y, x, y + (h - y) * (0.1 + 0.9 * r.next()), x + (w - x) * (0.1 + 0.9 * r.next())];
  }
  if (r.chance(0.3)) {
    const [y, x] = [r.int(0, oh - 1), r.int(0, ow - 1)];
    options.roi = [y, x, r.int(y + 1, oh), r.int(x + 1, ow)];
  }
  const type = r.chance(0.6) ? 'float32' : r.pick(TYPES);
  const fill = r.pick(FILLS);
  return {
    tensors: [
      {
        type,
        dims: layout === 'nchw' ? [r.int(1, 2), c, h, w] : [r.int(1, 2), h, w, c],
        seed: r.int(1, 1e9),
        fill,
      },
    ],
    options,
  };
}

const bad =
  (options: unknown, dims: readonly number[] = [1, 3, 2, 2], data: unknown = new Float32Array(4096)) =>
  () =>
    interpolateArgmaxSync({ data, dims } as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'interpolateArgmax',
  kernel: 'interpolateArgmax',
  describe: ([logits], options) => describeInterpolateArgmax(logits!, options as InterpolateArgmaxOptions),
  family: () => 'interpolation',
  samples,
  random,
  judge: ({ plan, inputs, outputs: specs }, outputs) => {
    const { resized, threshold, background, scores, margin } = plan;
    const whole = resized.axes.every((a, i) => a.outSize === resized.wholeSizes[i]);
    // The whole output: bit for bit what interpolate gives. A part of it: what the reference gives, within the bound.
    const values = (whole ? interpolated : resizedPixels)(resized, inputs[0]!);
    const bound = resizeBound(resized, inputs[0]!);
    const pixels = resized.axes.reduce((p, a) => p * a.outSize, 1);
    const [classes, ...statistics] = outputs.map((a, i) => numbers(specs[i]!.type, a));
    const scoreMap = scores === 'none' ? undefined : statistics[0];
    const marginMap = margin ? statistics[statistics.length - 1] : undefined;
    const close = (a: number, b: number, slack: number) =>
      Object.is(a, b) || a === b || Math.abs(a - b) <= slack || (Number.isNaN(a) && Number.isNaN(b));
    for (let n = 0; n < resized.batch; n++)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const at = n * pixels + pixel;
        const all = values(n, pixel);
        const slack = whole ? 0 : 2 * Math.max(...bound(n, pixel));
        const numbersOnly = all.filter((v) => !Number.isNaN(v));
        const best = numbersOnly.reduce((a, b) => Math.max(a, b), -Infinity);
        const winner = numbersOnly.length === 0 ? -1 : all.indexOf(best);
        const sum = numbersOnly.reduce((s, v) => s + (v === best ? 1 : Math.exp(v - best)), 0);
        const score = winner < 0 ? NaN : scores === 'softmax' ? 1 / sum : best;
        const loose = slack * 2 + (scores === 'softmax' ? 1e-6 : 0);
        if (scoreMap !== undefined && !close(scoreMap[at]!, score, loose))
          return `score at pixel ${pixel} of image ${n}: expected ${score}, got ${scoreMap[at]}`;
        const second = all.reduce(
          (s, v, c) => (c === winner || Number.isNaN(v) ? s : Math.max(s, v)),
          -Infinity,
        );
        const gap = winner < 0 ? NaN : second === best ? 0 : best - second;
        if (marginMap !== undefined && !close(marginMap[at]!, gap, loose + Math.abs(gap) * 2 ** -24))
          return `margin at pixel ${pixel} of image ${n}: expected ${gap}, got ${marginMap[at]}`;
        const got = classes![at]!;
        const certain = winner >= 0 && (threshold === undefined || score >= threshold);
        if (got === (certain ? winner : background)) continue;
        if (threshold !== undefined && Math.abs(score - threshold) <= loose) continue;
        if (certain && best - all[got]! <= slack) continue;
        return `class at pixel ${pixel} of image ${n}: expected ${certain ? winner : background}, got ${got}; logits ${all}`;
      }
    return undefined;
  },
  errors: [
    {
      name: 'no classes',
      call: bad({ size: 2 }, [1, 0, 2, 2]),
      code: SHAPE,
      message: /no empty axis but the batch/,
    },
    {
      name: 'more classes than the type holds',
      call: bad({ size: 2, classType: 'uint8' }, [1, 300, 2, 2]),
      code: OPTION,
      message: /classType uint8 holds classes up to 255, the logits have 300 classes/,
    },
    {
      name: 'a float class type',
      call: bad({ size: 2, classType: 'float32' }),
      code: OPTION,
      message: /classType must be one of uint8/,
    },
    {
      name: 'unknown scores',
      call: bad({ size: 2, scores: 'logits' }),
      code: OPTION,
      message: /scores must be one of softmax/,
    },
    {
      name: 'NaN threshold',
      call: bad({ size: 2, threshold: NaN }),
      code: OPTION,
      message: /threshold must be a finite number/,
    },
    {
      name: 'background beyond the type',
      call: bad({ size: 2, background: 256 }),
      code: OPTION,
      message: /background must be an integer from 0 to 255 with classType uint8, got 256/,
    },
    {
      name: 'margin as a number',
      call: bad({ size: 2, margin: 1 }),
      code: OPTION,
      message: /margin must be true or false/,
    },
    {
      name: 'crop outside',
      call: bad({ size: 2, crop: [0, 0, 2.5, 2] }),
      code: OPTION,
      message: /crop must be a window .* inside the input of \[2, 2\], got \[0, 0, 2.5, 2\]/,
    },
    {
      name: 'empty crop',
      call: bad({ size: 2, crop: [1, 1, 1, 2] }),
      code: OPTION,
      message: /crop must be a window/,
    },
    {
      name: 'crop of three numbers',
      call: bad({ size: 2, crop: [0, 0, 1] }),
      code: OPTION,
      message: /crop must be a window/,
    },
    {
      name: 'roi outside',
      call: bad({ size: 4, roi: [0, 0, 5, 4] }),
      code: OPTION,
      message: /roi must be a region .* inside the output of \[4, 4\], got \[0, 0, 5, 4\]/,
    },
    {
      name: 'fractional roi',
      call: bad({ size: 4, roi: [0, 0.5, 2, 4] }),
      code: OPTION,
      message: /whole pixels/,
    },
    {
      name: 'no batch axis',
      call: bad({ size: 4, mode: 'bilinear' }, [3, 2, 2]),
      code: SHAPE,
      message: /input must have a batch axis/,
    },
    {
      name: 'integer logits of 32 bits',
      call: bad({ size: 4 }, [1, 3, 2, 2], new Int32Array(12)),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /input.type must be one of float32/,
    },
    {
      name: 'a tensor as out with scores',
      call: bad({ size: 2, scores: true, out: { data: new Uint8Array(4), dims: [1, 2, 2] } }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /out must be an object of tensors \{ classes, scores \}/,
    },
    {
      name: 'sizes that overflow',
      call: bad({ size: [2 ** 31 - 1, 2 ** 31 - 1] }),
      code: 'ERR_UPSAMPLING_MEMORY',
      message: /more than this machine has/,
    },
    {
      name: 'misspelt option',
      call: bad({ size: 2, classtype: 'int32' }),
      code: OPTION,
      message: /did you mean classType/,
    },
  ],
});
