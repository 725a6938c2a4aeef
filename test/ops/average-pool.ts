import {
  type AveragePoolAttributes,
  averagePoolSync,
  describeAveragePool,
} from '../../src/onnx/average-pool.js';
import { randomOnnxWindow, windowErrors } from '../support/onnx-windows.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const NUMERIC = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;

const args = (
  dims: readonly number[],
  options: object,
  type: (typeof NUMERIC)[number] = 'float32',
): Args => ({
  tensors: [{ type, dims, seed: 7 }],
  options: options as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  for (const { auto_pad, count_include_pad, ceil_mode } of product({
    auto_pad: ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const,
    count_include_pad: [0, 1] as const,
    ceil_mode: [0, 1] as const,
  })) {
    const o = { auto_pad, count_include_pad, ceil_mode };
    out.push(
      args([2, 3, 11], { ...o, kernel_shape: [3], strides: [2] }),
      args([2, 3, 7, 9], { ...o, kernel_shape: [3, 2], strides: [2, 3], dilations: [1, 2] }),
      args([1, 2, 5, 4, 6], { ...o, kernel_shape: [2, 3, 2], strides: [1, 2, 3] }),
    );
  }
  for (const type of NUMERIC)
    out.push(args([2, 3, 6, 7], { kernel_shape: [3, 3], pads: [0, 1, 2, 1] }, type));
  return out;
}

function random(r: Random): Args {
  const { args: a, kernel } = randomOnnxWindow(r, NUMERIC);
  return { ...a, options: { ...a.options, kernel_shape: kernel, count_include_pad: r.int(0, 1) } };
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const call = (attributes: object, options?: object) =>
  averagePoolSync([x()], { kernel_shape: [2, 2], ...attributes } as AveragePoolAttributes, options);

export default defineOp({
  name: 'averagePool',
  kernel: 'avgPool2d',
  describe: ([input], attributes) => describeAveragePool([input], attributes as never, undefined) as never,
  family: () => 'reduction',
  samples,
  random,
  products: (plan) => plan.axes.reduce((n, a) => n * a.kernel, 1),
  errors: [
    ...windowErrors(call),
    {
      name: 'no kernel_shape',
      call: () => averagePoolSync([x()]),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /kernel_shape must be a list of 2 integers/,
    },
    {
      name: 'dilations before set 19',
      call: () => call({ dilations: [1, 1] }, { opset: 18 }),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /dilations must be left out in operator set 18, it is there from 19 on/,
    },
    {
      name: 'count_include_pad true',
      call: () => call({ count_include_pad: true }),
      code: 'ERR_UPSAMPLING_OPTION',
      message: /count_include_pad must be 0 or 1/,
    },
    {
      name: 'integers',
      call: () =>
        averagePoolSync([{ data: new Int32Array(4), dims: [1, 1, 2, 2] }], { kernel_shape: [2, 2] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /X.type must be one of float32/,
    },
  ],
});
