import { DATA_TYPES } from '../../src/tensor.js';
import {
  describePixelShuffle,
  type PixelShuffleOptions,
  pixelShuffleSync,
} from '../../src/torch/pixel-shuffle.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const args = (
  dims: readonly number[],
  options: PixelShuffleOptions,
  type: (typeof DATA_TYPES)[number] = 'float32',
): Args => ({ tensors: [{ type, dims, seed: 1 }], options: { ...options } });

function samples(): Args[] {
  const out: Args[] = [];
  for (const { r, w, layout } of product({
    r: [1, 2, 3, 4, 5, 6, 7, 9],
    w: [1, 5, 16, 37, 130],
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(
      args(layout === 'nchw' ? [2, 3 * r * r, 5, w] : [2, 3, w, 3 * r * r], { upscaleFactor: r, layout }),
    );
  for (const { type, r, layout } of product({
    type: DATA_TYPES,
    r: [2, 3, 4, 7, 8, 16],
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(
      args(
        layout === 'nchw' ? [1, 2 * r * r, 2, 70] : [1, 2, 3, 70 * r * r],
        { upscaleFactor: r, layout },
        type,
      ),
    );
  // Pixels of few channels, by every size of element.
  for (const { type, r, c } of product({
    type: ['float32', 'float16', 'uint8', 'float64'] as const,
    r: [2, 3, 5],
    c: [1, 2, 3, 5, 16],
  }))
    out.push(args([2, 3, 70, c * r * r], { upscaleFactor: r, layout: 'nhwc' }, type));
  out.push(
    args([4, 2, 3], { upscaleFactor: 2 }),
    args([2, 3, 4, 2, 3], { upscaleFactor: 2 }),
    args([0, 4, 2, 3], { upscaleFactor: 2 }),
    args([1, 4, 0, 3], { upscaleFactor: 2 }),
  );
  return out;
}

function random(r: Random): Args {
  const f = r.int(1, 5);
  const [c, h, w] = [r.int(1, 9) * f * f, r.int(1, 9), r.int(1, 90)];
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const dims = layout === 'nchw' ? [r.int(1, 3), c, h, w] : [r.int(1, 3), h, w, c];
  return {
    tensors: [{ type: r.pick(DATA_TYPES), dims, seed: r.int(1, 1e9) }],
    options: { upscaleFactor: f, layout },
  };
}

const x = () => tensor([1, 4, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    pixelShuffleSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'pixelShuffle',
  kernel: 'pixelShuffle',
  describe: ([input], options) => describePixelShuffle(input!, options as unknown as PixelShuffleOptions),
  family: () => 'exact',
  samples,
  random,
  errors: [
    {
      name: 'no factor',
      call: bad({}),
      code: OPTION,
      message: /upscaleFactor must be a positive integer, got undefined/,
    },
    {
      name: 'no options',
      call: bad(undefined),
      code: OPTION,
      message: /upscaleFactor must be a positive integer/,
    },
    {
      name: 'zero factor',
      call: bad({ upscaleFactor: 0 }),
      code: OPTION,
      message: /upscaleFactor must be .*got 0/,
    },
    {
      name: 'fraction',
      call: bad({ upscaleFactor: 1.5 }),
      code: OPTION,
      message: /upscaleFactor must be .*got 1.5/,
    },
    {
      name: 'misspelt option',
      call: bad({ upscale_factor: 2 }),
      code: OPTION,
      message: /did you mean upscaleFactor\?/,
    },
    {
      name: 'channels that do not divide',
      call: bad({ upscaleFactor: 3 }),
      code: SHAPE,
      message: /input must have a multiple of 9 channels \(upscaleFactor²\), got 4/,
    },
    {
      name: 'nhwc channels that do not divide',
      call: bad({ upscaleFactor: 2, layout: 'nhwc' }),
      code: SHAPE,
      message: /multiple of 4 channels .*got 2/,
    },
    {
      name: 'unknown layout',
      call: bad({ upscaleFactor: 2, layout: 'hwc' }),
      code: OPTION,
      message: /layout must be one of nchw, nhwc/,
    },
    {
      name: 'rank 2',
      call: bad({ upscaleFactor: 2 }, { data: new Float32Array(4), dims: [2, 2] }),
      code: SHAPE,
      message: /at least 3 dimensions, got \[2, 2\]/,
    },
    {
      name: 'out of another shape',
      call: bad({ upscaleFactor: 2, out: tensor([1, 4, 1, 2], new Array<number>(8).fill(0)) }),
      code: SHAPE,
      message: /out must have dims \[1, 1, 2, 4\], got \[1, 4, 1, 2\]/,
    },
  ],
});
