import { describeMaxPool, type MaxPoolAttributes, maxPoolSync } from '../../src/onnx/max-pool.js';
import { DATA_TYPES, type DataType } from '../../src/tensor.js';
import { randomOnnxWindow, windowErrors } from '../support/onnx-windows.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

const args = (dims: readonly number[], options: object, type: DataType = 'float32'): Args => ({
  tensors: [{ type, dims, seed: 7, fill: 'ties' }],
  options: options as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  for (const { auto_pad, storage_order, ceil_mode } of product({
    auto_pad: ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const,
    storage_order: [0, 1] as const,
    ceil_mode: [0, 1] as const,
  })) {
    const o = { auto_pad, storage_order, ceil_mode, outputs: 2 };
    out.push(
      args([2, 3, 11], { ...o, kernel_shape: [3], strides: [2] }),
      args([2, 3, 7, 9], { ...o, kernel_shape: [3, 2], strides: [2, 3], dilations: [1, 2] }),
      args([1, 2, 5, 4, 6], { ...o, kernel_shape: [2, 3, 2], strides: [1, 2, 3] }),
      // One window for all of a plane.
      args([2, 3, 25, 26], { storage_order, outputs: 2, kernel_shape: [25, 26] }),
      // A window shorter than its stride: SAME pads nothing.
      args([1, 1, 9, 10], { ...o, kernel_shape: [1, 1], strides: [3, 4] }),
    );
  }
  for (const type of DATA_TYPES)
    out.push(args([2, 3, 6, 7], { kernel_shape: [3, 3], pads: [0, 1, 2, 1], outputs: 2 }, type));
  return out;
}

function random(r: Random): Args {
  const { args: a, kernel } = randomOnnxWindow(r, DATA_TYPES);
  return {
    ...a,
    options: { ...a.options, kernel_shape: kernel, outputs: r.int(1, 2), storage_order: r.int(0, 1) },
  };
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const call = (attributes: object, options?: object) =>
  maxPoolSync([x()], { kernel_shape: [2, 2], ...attributes } as MaxPoolAttributes, options);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'maxPool',
  kernel: 'maxPool2d',
  describe: ([input], { outputs, ...attributes }) =>
    describeMaxPool(
      [input],
      attributes as never,
      outputs === undefined ? undefined : { outputs: outputs as number },
    ) as never,
  family: () => 'exact',
  samples,
  random,
  errors: [
    ...windowErrors(call),
    {
      name: 'no kernel_shape',
      call: () => maxPoolSync([x()], {}),
      code: OPTION,
      message: /kernel_shape must be a list of 2 integers of at least 1, got undefined/,
    },
    {
      name: 'kernel of three',
      call: () => call({ kernel_shape: [2, 2, 2] }),
      code: OPTION,
      message: /kernel_shape must be a list of 2 integers/,
    },
    {
      name: 'window that does not fit',
      call: () => call({ kernel_shape: [3, 3] }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /kernel_shape must fit into the padded input, got a window of 3 on 2/,
    },
    {
      name: 'pads as large as the window',
      call: () => call({ pads: [2, 0, 0, 0] }),
      code: OPTION,
      message: /pads must be smaller than the window/,
    },
    {
      name: 'storage order 2',
      call: () => call({ storage_order: 2 }),
      code: OPTION,
      message: /storage_order must be 0 or 1, got 2/,
    },
    {
      name: 'ceil_mode true',
      call: () => call({ ceil_mode: true }),
      code: OPTION,
      message: /ceil_mode must be 0 or 1, got true/,
    },
    {
      name: 'three outputs',
      call: () => call({}, { outputs: 3 }),
      code: OPTION,
      message: /outputs must be an integer from 1 to 2, got 3/,
    },
    {
      name: 'dilations before set 10',
      call: () => call({ dilations: [1, 1] }, { opset: 8 }),
      code: OPTION,
      message: /dilations must be left out in operator set 8/,
    },
    {
      name: 'rank 2',
      call: () => maxPoolSync([tensor([2, 2], [1, 2, 3, 4])], { kernel_shape: [2] }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /X must have 3 to 5 dimensions/,
    },
    {
      name: 'two inputs',
      call: () => maxPoolSync([x(), x()], { kernel_shape: [2, 2] }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /inputs must be a list of up to 1 tensors/,
    },
  ],
});
