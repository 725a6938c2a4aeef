import { softmax } from '../../src/reference/interpolate-softmax.js';
import { resizedPixels } from '../../src/reference/resized.js';
import {
  describeInterpolateSoftmax,
  type InterpolateSoftmaxOptions,
  interpolateSoftmaxSync,
} from '../../src/torch/interpolate-softmax.js';
import { interpolated, isWhole, resizeBound } from '../support/fused.js';
import { type Args, defineOp, product } from '../support/operator.js';
import type { Random } from '../support/random.js';

const TYPES = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const MODES = ['nearest', 'bilinear', 'bicubic', 'area'] as const;
const FILLS = ['uniform', 'ties', 'special'] as const;

function samples(): Args[] {
  const out: Args[] = [];
  const push = (
    dims: readonly number[],
    options: InterpolateSoftmaxOptions,
    type: (typeof TYPES)[number] = 'float32',
    fill: (typeof FILLS)[number] = 'uniform',
  ) => out.push({ tensors: [{ type, dims, seed: 11, fill }], options: options as Record<string, unknown> });
  for (const { mode, layout, type, fill } of product({
    mode: MODES,
    layout: ['nchw', 'nhwc'] as const,
    type: TYPES,
    fill: FILLS,
  }))
    push(layout === 'nchw' ? [2, 5, 4, 6] : [2, 4, 6, 5], { size: [9, 21], mode, layout }, type, fill);
  push([1, 300, 3, 4], { size: [7, 40], mode: 'bilinear' });
  push([1, 3, 5, 6], { size: [20, 20], mode: 'bilinear', crop: [0.5, 1, 4, 5.5] });
  push([1, 3, 5, 6], { size: [20, 20], mode: 'bilinear', roi: [3, 4, 18, 9] });
  push([1, 1, 3, 3], { size: [4, 4] });
  return out;
}

function random(r: Random): Args {
  return {
    tensors: [
      {
        type: r.pick(TYPES),
        dims: [r.int(1, 2), r.int(1, 9), r.int(1, 20), r.int(1, 40)],
        seed: r.int(1, 1e9),
        fill: r.pick(FILLS),
      },
    ],
    options: { mode: r.pick(MODES), size: [r.int(1, 40), r.int(1, 70)] },
  };
}

const bad = (options: unknown) => () =>
  interpolateSoftmaxSync({ data: new Float32Array(12), dims: [1, 3, 2, 2] }, options as never);

export default defineOp({
  name: 'interpolateSoftmax',
  kernel: 'interpolateSoftmax',
  describe: ([logits], options) => describeInterpolateSoftmax(logits!, options as InterpolateSoftmaxOptions),
  family: () => 'interpolation',
  samples,
  random,
  draws: 80,
  judge: ({ plan, inputs }, [out]) => {
    const { resized, type } = plan;
    const whole = isWhole(resized);
    const values = (whole ? interpolated : resizedPixels)(resized, inputs[0]!);
    const bound = resizeBound(resized, inputs[0]!);
    const { batch, channels, inner, axes } = resized;
    const pixels = axes.reduce((n, a) => n * a.outSize, 1);
    const unit = type === 'float64' ? 2 ** -52 : 2 ** -23;
    for (let n = 0; n < batch; n++)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const logits = values(n, pixel);
        // Each term of the sum is within 3 units, each addition within half a one; the difference of logits is rounded too.
        const span = logits.filter(Number.isFinite).reduce((m, v) => Math.max(m, Math.abs(v)), 1);
        const slack = unit * (5 + logits.length + 2 * span) + (whole ? 0 : 4 * Math.max(...bound(n, pixel)));
        for (const [c, p] of softmax(logits).entries()) {
          const got = out![
            ((n * channels + Math.floor(c / inner)) * pixels + pixel) * inner + (c % inner)
          ] as number;
          if (Number.isNaN(p) ? Number.isNaN(got) : Math.abs(got - p) <= slack * p + 1e-37) continue;
          return `probability of class ${c} at pixel ${pixel} of image ${n}: expected ${p}, got ${got}; logits ${logits}`;
        }
      }
    return undefined;
  },
  errors: [
    {
      name: 'no size',
      call: bad({}),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /give either size or scaleFactor/,
    },
    {
      name: 'a class type',
      call: bad({ size: 2, classType: 'uint8' }),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /unknown option "classType"/,
    },
    {
      name: 'targets that are no list',
      call: bad({ targets: 3 }),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /targets must be a list of 1 targets/,
    },
  ],
});
