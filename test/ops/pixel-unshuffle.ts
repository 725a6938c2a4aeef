import { DATA_TYPES } from '../../src/tensor.js';
import {
  describePixelUnshuffle,
  type PixelUnshuffleOptions,
  pixelUnshuffleSync,
} from '../../src/torch/pixel-unshuffle.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const args = (
  dims: readonly number[],
  options: PixelUnshuffleOptions,
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
      args(layout === 'nchw' ? [2, 3, 5 * r, w * r] : [2, 3 * r, w * r, 3], { downscaleFactor: r, layout }),
    );
  for (const { type, r, layout } of product({
    type: DATA_TYPES,
    r: [2, 3, 4, 7, 8],
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(
      args(
        layout === 'nchw' ? [1, 2, 2 * r, 70 * r] : [1, 2 * r, 3 * r, 70],
        { downscaleFactor: r, layout },
        type,
      ),
    );
  // Pixels of few channels, by every size of element.
  for (const { type, r, c } of product({
    type: ['float32', 'float16', 'uint8', 'float64'] as const,
    r: [2, 3, 5],
    c: [1, 2, 3, 5, 16],
  }))
    out.push(args([2, 3 * r, 70 * r, c], { downscaleFactor: r, layout: 'nhwc' }, type));
  out.push(
    args([2, 2, 6], { downscaleFactor: 2 }),
    args([2, 3, 1, 4, 6], { downscaleFactor: 2 }),
    args([0, 1, 4, 6], { downscaleFactor: 2 }),
  );
  return out;
}

function random(r: Random): Args {
  const f = r.int(1, 5);
  const [c, h, w] = [r.int(1, 40), r.int(1, 9) * f, r.int(1, 90) * f];
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const dims = layout === 'nchw' ? [r.int(1, 3), c, h, w] : [r.int(1, 3), h, w, c];
  return {
    tensors: [{ type: r.pick(DATA_TYPES), dims, seed: r.int(1, 1e9) }],
    options: { downscaleFactor: f, layout },
  };
}

const x = () => tensor([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    pixelUnshuffleSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'pixelUnshuffle',
  kernel: 'pixelUnshuffle',
  describe: ([input], options) => describePixelUnshuffle(input!, options as unknown as PixelUnshuffleOptions),
  family: () => 'exact',
  samples,
  random,
  errors: [
    { name: 'no factor', call: bad({}), code: OPTION, message: /downscaleFactor must be a positive integer/ },
    { name: 'negative factor', call: bad({ downscaleFactor: -2 }), code: OPTION, message: /got -2/ },
    {
      name: 'misspelt option',
      call: bad({ downscalefactor: 2 }),
      code: OPTION,
      message: /did you mean downscaleFactor\?/,
    },
    {
      name: 'height that does not divide',
      call: bad({ downscaleFactor: 4 }),
      code: SHAPE,
      message: /multiples of 4 \(downscaleFactor\), got 2 and 4/,
    },
    {
      name: 'width that does not divide',
      call: bad({ downscaleFactor: 2, layout: 'nhwc' }, tensor([1, 2, 3, 1], [1, 2, 3, 4, 5, 6])),
      code: SHAPE,
      message: /multiples of 2 \(downscaleFactor\), got 2 and 3/,
    },
    {
      name: 'unknown layout',
      call: bad({ downscaleFactor: 2, layout: 'hwc' }),
      code: OPTION,
      message: /layout must be one of nchw, nhwc/,
    },
    {
      name: 'rank 2',
      call: bad({ downscaleFactor: 2 }, { data: new Float32Array(4), dims: [2, 2] }),
      code: SHAPE,
      message: /at least 3 dimensions/,
    },
  ],
});
