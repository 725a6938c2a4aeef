/** Random inputs and attributes of ONNX's sliding windows, and the mistakes that all of them refuse. */
import type { DataType } from '../../src/tensor.js';
import type { Args, ErrorCase } from './operator.js';
import type { Random } from './random.js';

/** A random window on a random input of 1 to 3 spatial axes. */
export function randomOnnxWindow(
  r: Random,
  types: readonly DataType[],
): { args: Args; kernel: number[]; spatial: number[] } {
  const n = r.int(1, 3);
  const list = (low: number, high: number) => Array.from({ length: n }, () => r.int(low, high));
  const kernel = list(1, 4);
  const options: Record<string, unknown> = {};
  const dilations = r.chance(0.4) ? list(1, 3) : list(1, 1);
  if (r.chance(0.4)) options.dilations = dilations;
  else dilations.fill(1);
  const extent = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  if (r.chance(0.7)) options.strides = list(1, 4);
  const auto_pad = r.pick([undefined, 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  if (auto_pad !== undefined) options.auto_pad = auto_pad;
  let spatial = extent.map((e) => e + r.int(0, n === 3 ? 4 : 12));
  if (auto_pad === undefined || auto_pad === 'NOTSET') {
    const pads = [...extent, ...extent].map((e) => (r.chance(0.5) ? 0 : r.int(0, Math.min(e - 1, 3))));
    options.pads = pads;
  } else if (auto_pad !== 'VALID') spatial = spatial.map((d) => Math.max(1, d - r.int(0, 3)));
  return {
    args: {
      tensors: [
        {
          type: r.pick(types),
          dims: [r.int(1, 2), r.int(1, 4), ...spatial],
          seed: r.int(1, 1e9),
        },
      ],
      options,
    },
    kernel,
    spatial,
  };
}

const OPTION = 'ERR_UPSAMPLING_OPTION';

/** `call` runs the operator on a 2 × 2 image with a 2 × 2 window and these attributes and options. */
export const windowErrors = (call: (attributes: object, options?: object) => unknown): ErrorCase[] => [
  {
    name: 'unknown auto_pad',
    call: () => call({ auto_pad: 'SAME' }),
    code: OPTION,
    message: /auto_pad must be one of NOTSET, SAME_UPPER, SAME_LOWER, VALID/,
  },
  {
    name: 'pads beside auto_pad',
    call: () => call({ auto_pad: 'VALID', pads: [1, 1, 1, 1] }),
    code: OPTION,
    message: /pads must be left out with auto_pad VALID/,
  },
  {
    name: 'two pads',
    call: () => call({ pads: [1, 1] }),
    code: OPTION,
    message: /pads must be a list of 4 integers of at least 0/,
  },
  {
    name: 'negative pads',
    call: () => call({ pads: [-1, 0, 0, 0] }),
    code: OPTION,
    message: /pads must be a list of 4 integers/,
  },
  {
    name: 'zero stride',
    call: () => call({ strides: [0, 1] }),
    code: OPTION,
    message: /strides must be a list of 2 integers of at least 1, got \[0, 1\]/,
  },
  {
    name: 'strides that are a number',
    call: () => call({ strides: 2 }),
    code: OPTION,
    message: /strides must be a list of 2 integers/,
  },
  {
    name: 'misspelt attribute',
    call: () => call({ stride: [1, 1] }),
    code: OPTION,
    message: /did you mean strides\?/,
  },
  {
    name: 'unknown run option',
    call: () => call({}, { thread: 1 }),
    code: OPTION,
    message: /did you mean threads\?/,
  },
];
