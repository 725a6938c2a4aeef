import { type ConvAttributes, convSync, describeConv } from '../../src/onnx/conv.js';
import { onnxConvErrors, onnxConvSamples, randomOnnxConv } from '../support/onnx-windows.js';
import { defineOp, tensor } from '../support/operator.js';

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'conv',
  kernel: 'conv2d',
  describe: (tensors, attributes) => describeConv(tensors, attributes as never, undefined) as never,
  family: () => 'reduction',
  samples: () => onnxConvSamples(false),
  random: (r) => randomOnnxConv(r, false),
  draws: 100,
  products: (plan) => plan.inChannels * plan.axes.reduce((k, a) => k * a.kernel, 1),
  errors: [
    ...onnxConvErrors((inputs, attributes, options) =>
      convSync(inputs, attributes as ConvAttributes, options),
    ),
    {
      name: 'kernel larger than the input',
      call: () => convSync([x(), tensor([1, 1, 3, 1], [1, 2, 3])]),
      code: SHAPE,
      message: /X must be at least as large as the kernel after padding, got 2 for a kernel that spans 3/,
    },
  ],
});
