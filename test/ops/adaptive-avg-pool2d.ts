import {
  type AdaptiveAvgPoolOptions,
  adaptiveAvgPool2dSync,
  describeAdaptiveAvgPool1d,
  describeAdaptiveAvgPool2d,
  describeAdaptiveAvgPool3d,
} from '../../src/torch/adaptive-avg-pool2d.js';
import { defineOp, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';
import { windowSample } from '../support/windows.js';
import { adaptiveSamples } from './adaptive-max-pool2d.js';
import { axesOfSample } from './max-pool2d.js';

const NUMERIC = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const bad =
  (options: unknown, input: unknown = tensor([1, 1, 2, 2], [1, 2, 3, 4])) =>
  () =>
    adaptiveAvgPool2dSync(input as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

const describers: Record<number, typeof describeAdaptiveAvgPool2d> = {
  1: describeAdaptiveAvgPool1d,
  2: describeAdaptiveAvgPool2d,
  3: describeAdaptiveAvgPool3d,
};

export default defineOp({
  name: 'adaptiveAvgPool2d',
  kernel: 'interpolate',
  describe: ([input], options) =>
    describers[axesOfSample(input!.dims)]!(input!, options as unknown as AdaptiveAvgPoolOptions),
  family: () => 'interpolation',
  samples: () => adaptiveSamples('uniform'),
  random: (r: Random) =>
    windowSample(
      [r.int(1, 2), r.int(1, 3), r.int(1, 30), r.int(1, 90)],
      { outputSize: [r.int(1, 20), r.int(1, 90)] },
      r.pick(NUMERIC),
      'uniform',
    ),
  draws: 60,
  products: (plan) => plan.axes.reduce((n, a) => n + a.taps, 1),
  errors: [
    { name: 'no size', call: bad({}), code: OPTION, message: /outputSize must be .*, got undefined/ },
    {
      name: 'negative size',
      call: bad({ outputSize: -1 }),
      code: OPTION,
      message: /outputSize must be .*got -1/,
    },
    {
      name: 'bool input',
      call: bad({ outputSize: 1 }, { data: new Uint8Array(4), dims: [1, 1, 2, 2], type: 'bool' }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /input.type must be one of float32/,
    },
    {
      name: 'misspelt option',
      call: bad({ output_size: 1 }),
      code: OPTION,
      message: /did you mean outputSize\?/,
    },
  ],
});
