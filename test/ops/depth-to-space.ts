import {
  type DepthToSpaceAttributes,
  depthToSpaceSync,
  describeDepthToSpace,
} from '../../src/onnx/depth-to-space.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';

const args = (
  dims: readonly number[],
  options: DepthToSpaceAttributes,
  type: 'float32' | 'uint8' | 'int64' | 'float16',
): Args => ({
  tensors: [{ type, dims, seed: 5 }],
  options: options as unknown as Record<string, unknown>,
});
const x = () => tensor([1, 4, 1, 1], [1, 2, 3, 4]);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'depthToSpace',
  kernel: 'pixelShuffle',
  describe: ([input], options) => describeDepthToSpace([input], options as never, undefined) as never,
  family: () => 'exact',
  samples: () =>
    product({
      type: ['float32', 'uint8', 'int64', 'float16'] as const,
      mode: ['DCR', 'CRD', undefined] as const,
      blocksize: [1, 2, 3],
    }).map(({ type, mode, blocksize }) => args([2, 36, 3, 5], { mode, blocksize }, type)),
  random: (r) => {
    const blocksize = r.int(1, 4);
    return args(
      [r.int(1, 2), r.int(1, 5) * blocksize ** 2, r.int(1, 8), r.int(1, 20)],
      { blocksize, mode: r.pick(['DCR', 'CRD'] as const) },
      'float32',
    );
  },
  draws: 40,
  errors: [
    {
      name: 'no block size',
      call: () => depthToSpaceSync([x()]),
      code: OPTION,
      message: /blocksize must be a positive integer, got undefined/,
    },
    {
      name: 'channels that do not fit',
      call: () => depthToSpaceSync([x()], { blocksize: 3 }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /multiple of 9 channels/,
    },
    {
      name: 'unknown mode',
      call: () => depthToSpaceSync([x()], { blocksize: 2, mode: 'dcr' as never }),
      code: OPTION,
      message: /mode must be one of DCR, CRD/,
    },
    {
      name: 'mode before set 11',
      call: () => depthToSpaceSync([x()], { blocksize: 2, mode: 'CRD' }, { opset: 1 }),
      code: OPTION,
      message: /mode must be left out in operator set 1/,
    },
    {
      name: 'rank 3',
      call: () => depthToSpaceSync([tensor([4, 1, 1], [1, 2, 3, 4])], { blocksize: 2 }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /4 dimensions/,
    },
  ],
});
