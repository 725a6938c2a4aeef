import {
  describeSpaceToDepth,
  type SpaceToDepthAttributes,
  spaceToDepthSync,
} from '../../src/onnx/space-to-depth.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';

const args = (
  dims: readonly number[],
  options: SpaceToDepthAttributes,
  type: 'float32' | 'uint8' | 'int64',
): Args => ({
  tensors: [{ type, dims, seed: 5 }],
  options: options as unknown as Record<string, unknown>,
});

export default defineOp({
  name: 'spaceToDepth',
  kernel: 'pixelUnshuffle',
  describe: ([input], options) => describeSpaceToDepth([input], options as never, undefined) as never,
  family: () => 'exact',
  samples: () =>
    product({ type: ['float32', 'uint8', 'int64'] as const, blocksize: [1, 2, 3] }).map(
      ({ type, blocksize }) => args([2, 3, 6, 12], { blocksize }, type),
    ),
  random: (r) => {
    const blocksize = r.int(1, 4);
    return args(
      [r.int(1, 2), r.int(1, 5), r.int(1, 6) * blocksize, r.int(1, 12) * blocksize],
      { blocksize },
      'float32',
    );
  },
  draws: 40,
  errors: [
    {
      name: 'no block size',
      call: () => spaceToDepthSync([tensor([1, 1, 2, 2], [1, 2, 3, 4])]),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /blocksize must be a positive integer/,
    },
    {
      name: 'extents that do not fit',
      call: () => spaceToDepthSync([tensor([1, 1, 2, 2], [1, 2, 3, 4])], { blocksize: 3 }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /rows and columns in multiples of 3/,
    },
    {
      name: 'rank 2',
      call: () => spaceToDepthSync([tensor([2, 2], [1, 2, 3, 4])], { blocksize: 2 }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /4 dimensions/,
    },
  ],
});
