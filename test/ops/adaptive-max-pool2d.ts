import { DATA_TYPES } from '../../src/tensor.js';
import {
  type AdaptiveMaxPoolWithIndicesOptions,
  adaptiveMaxPool2dSync,
  describeAdaptiveMaxPool1dWithIndices,
  describeAdaptiveMaxPool2dWithIndices,
  describeAdaptiveMaxPool3dWithIndices,
} from '../../src/torch/adaptive-max-pool2d.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';
import { windowSample } from '../support/windows.js';
import { axesOfSample } from './max-pool2d.js';

/** Inputs and output sizes for the adaptive pools. */
export function adaptiveSamples(fill: 'special' | 'uniform'): Args[] {
  const out: Args[] = [];
  const from = [
    [8, 8],
    [7, 90],
    [13, 131],
  ];
  for (const { size, outputSize, layout } of product({
    size: from,
    outputSize: [1, [4, 2], [7, 7], [null, 3], null, [3, 65], [9, 150]],
    layout: ['nchw', 'nhwc'] as const,
  }))
    out.push(
      windowSample(
        layout === 'nchw' ? [2, 3, ...size] : [2, ...size, 3],
        { outputSize, layout },
        'float32',
        fill,
      ),
    );
  out.push(
    windowSample([2, 3, 40], { outputSize: 7 }, 'float32', fill),
    windowSample([1, 2, 5, 6, 35], { outputSize: [2, 3, 8] }, 'float32', fill),
    windowSample([3, 9, 9], { outputSize: 2 }, 'float32', fill),
    windowSample([1, 9, 9, 33], { outputSize: 4, layout: 'nhwc' }, 'float32', fill),
  );
  return out;
}

const x = () => tensor([1, 1, 4, 4], [...Array(16).keys()]);
const bad = (options: unknown) => () => adaptiveMaxPool2dSync(x(), options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

const describers: Record<number, typeof describeAdaptiveMaxPool2dWithIndices> = {
  1: describeAdaptiveMaxPool1dWithIndices,
  2: describeAdaptiveMaxPool2dWithIndices,
  3: describeAdaptiveMaxPool3dWithIndices,
};

export default defineOp({
  name: 'adaptiveMaxPool2d',
  kernel: 'maxPool2d',
  describe: ([input], options) =>
    describers[axesOfSample(input!.dims)]!(input!, options as unknown as AdaptiveMaxPoolWithIndicesOptions),
  family: () => 'exact',
  samples: () => adaptiveSamples('special'),
  random: (r: Random) =>
    windowSample(
      [r.int(1, 2), r.int(1, 3), r.int(1, 30), r.int(1, 90)],
      { outputSize: [r.int(1, 20), r.int(1, 90)] },
      r.pick(DATA_TYPES),
    ),
  draws: 60,
  errors: [
    {
      name: 'no options',
      call: bad(undefined),
      code: OPTION,
      message: /outputSize must be .*, got undefined/,
    },
    {
      name: 'zero size',
      call: bad({ outputSize: [0, 1] }),
      code: OPTION,
      message: /outputSize must be .*got \[0, 1\]/,
    },
    {
      name: 'three sizes',
      call: bad({ outputSize: [1, 1, 1] }),
      code: OPTION,
      message: /outputSize must be a positive integer or 2 of them/,
    },
    {
      name: 'kernelSize',
      call: bad({ kernelSize: 2 }),
      code: OPTION,
      message: /unknown option "kernelSize"/,
    },
  ],
});
