import {
  type ConvTransposeAttributes,
  convTransposeSync,
  describeConvTranspose,
} from '../../src/onnx/conv-transpose.js';
import { onnxConvArgs, onnxConvErrors, onnxConvSamples, randomOnnxConv } from '../support/onnx-windows.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';

const args = onnxConvArgs(true);

function samples(): Args[] {
  const out = onnxConvSamples(true);
  // Paddings that follow from the shape, odd ones on either side, and an output larger than the whole result.
  for (const { auto_pad, output_shape } of product({
    auto_pad: ['NOTSET', 'SAME_UPPER', 'SAME_LOWER'] as const,
    output_shape: [
      [7, 9],
      [8, 10],
      [11, 14],
    ],
  }))
    out.push(args([1, 2, 4, 5], [2, 3, 3, 3], true, { auto_pad, output_shape, strides: [2, 2] }));
  out.push(args([1, 2, 4, 5], [2, 3, 3, 3], true, { output_padding: [1, 2], strides: [2, 3] }));
  return out;
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const w = x;
const call = (attributes: object) => convTransposeSync([x(), w()], attributes as ConvTransposeAttributes);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'convTranspose',
  kernel: 'convTranspose2d',
  describe: (tensors, attributes) => describeConvTranspose(tensors, attributes as never, undefined) as never,
  family: () => 'reduction',
  samples,
  random: (r) => randomOnnxConv(r, true),
  draws: 100,
  products: (plan) => plan.inChannels * plan.axes.reduce((k, a) => k * a.kernel, 1),
  errors: [
    ...onnxConvErrors((inputs, attributes, options) =>
      convTransposeSync(inputs, attributes as ConvTransposeAttributes, options),
    ),
    {
      name: 'pads that leave nothing',
      call: () => call({ pads: [2, 0, 2, 0] }),
      code: OPTION,
      message: /pads must leave output extents/,
    },
    {
      name: 'output_shape of three',
      call: () => call({ output_shape: [1, 1, 1] }),
      code: OPTION,
      message: /output_shape must be 2 spatial extents, or all 4 dims/,
    },
    {
      name: 'negative output_padding',
      call: () => call({ output_padding: [-1, 0] }),
      code: OPTION,
      message: /output_padding must be a list of 2 integers of at least 0/,
    },
  ],
});
