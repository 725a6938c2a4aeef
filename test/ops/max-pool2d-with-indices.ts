import {
  describeMaxPool1dWithIndices,
  describeMaxPool2dWithIndices,
  describeMaxPool3dWithIndices,
  type MaxPoolWithIndicesOptions,
  maxPool2dWithIndicesSync,
} from '../../src/torch/max-pool2d.js';
import { defineOp, tensor } from '../support/operator.js';
import { axesOfSample, maxPoolSamples, randomMaxPool } from './max-pool2d.js';

const describers: Record<number, typeof describeMaxPool2dWithIndices> = {
  1: describeMaxPool1dWithIndices,
  2: describeMaxPool2dWithIndices,
  3: describeMaxPool3dWithIndices,
};

const x = () => tensor([1, 1, 4, 4], [...Array(16).keys()]);
const bad = (options: unknown) => () => maxPool2dWithIndicesSync(x(), options as never);
const output = () => ({ data: new Float32Array(4), dims: [1, 1, 2, 2] });

export default defineOp({
  name: 'maxPool2dWithIndices',
  kernel: 'maxPool2d',
  describe: ([input], options) =>
    describers[axesOfSample(input!.dims)]!(input!, options as unknown as MaxPoolWithIndicesOptions),
  family: () => 'exact',
  samples: maxPoolSamples,
  random: randomMaxPool,
  errors: [
    {
      name: 'one tensor as out',
      call: bad({ kernelSize: 2, out: output() }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /out must be two tensors \{ output, indices \}/,
    },
    {
      name: 'float indices',
      call: bad({ kernelSize: 2, out: { output: output(), indices: output() } }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /out.indices must be of type int32, got float32/,
    },
    {
      name: 'misspelt option',
      call: bad({ kernelsize: 2 }),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /did you mean kernelSize\?/,
    },
  ],
});
