import {
  describeResizeConv2d,
  type ResizeConvOptions,
  resizeConv2dSync,
} from '../../src/torch/resize-conv2d.js';
import { type ConvCase, convArgs, convMagnitude } from '../support/convolution.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

function samples(): Args[] {
  const out: ConvCase[] = [];
  for (const { layout, mode, scaleFactor, kernel, stride, padding } of product({
    layout: ['nchw', 'nhwc'],
    mode: ['nearest', 'bilinear'],
    scaleFactor: [1, 2, 3],
    kernel: [1, 3, 4],
    stride: [1, 2],
    padding: [0, 1, 2],
  }))
    out.push({
      batch: 1,
      image: [6, 7],
      in: 3,
      out: 5,
      kernel: [kernel, kernel],
      bias: true,
      options: { layout, mode, scaleFactor, stride, padding },
    });
  for (const { layout, mode } of product({ layout: ['nchw', 'nhwc'], mode: ['nearest', 'bilinear'] })) {
    // Smaller than its own borders, wide, other types, groups.
    out.push({
      batch: 2,
      image: [1, 2],
      in: 8,
      out: 9,
      kernel: [5, 5],
      options: { layout, mode, scaleFactor: 2, padding: 2 },
    });
    out.push({
      image: [5, 40],
      in: 8,
      out: 20,
      kernel: [3, 3],
      options: { layout, mode, scaleFactor: [2, 4], padding: 'same' },
    });
    out.push({
      batch: 1,
      image: [5, 6],
      in: 4,
      out: 6,
      kernel: [3, 3],
      type: 'float64',
      bias: true,
      options: { layout, mode, scaleFactor: 2, padding: 1, groups: 2 },
    });
    out.push({
      batch: 1,
      image: [5, 6],
      in: 4,
      out: 6,
      kernel: [3, 3],
      type: 'float16',
      options: { layout, mode, scaleFactor: 2, padding: 1, dilation: 2 },
    });
    // Bilinear adds infinite weights before they meet the inputs, so there the kind of non-finite value may differ.
    if (mode === 'nearest')
      out.push({
        batch: 1,
        image: [5, 6],
        in: 3,
        out: 4,
        kernel: [3, 3],
        weightFill: 'special',
        options: { layout, mode, scaleFactor: 2 },
      });
  }
  for (const layout of ['nchw', 'nhwc'])
    for (const more of [{}, { batch: 4, image: [16, 16], type: 'float16' }, { fill: 'spikes' }] as const)
      out.push({
        batch: 1,
        image: [32, 32],
        in: 32,
        out: 33,
        kernel: [3, 3],
        bias: true,
        options: { layout, scaleFactor: 2, padding: 1 },
        ...more,
      });
  return out.map((c) => convArgs(c, false));
}

function random(r: Random): Args {
  const groups = r.pick([1, 1, 2]);
  return convArgs(
    {
      batch: r.int(1, 4),
      image: [r.int(3, 12), r.int(3, 40)],
      in: groups * r.pick([1, 3, 8, 20]),
      out: groups * r.pick([1, 3, 5, 17, 33]),
      kernel: [r.int(1, 5), r.int(1, 5)],
      bias: r.chance(0.5),
      type: r.pick(['float32', 'float32', 'float64', 'float16']),
      seed: r.int(1, 1e9),
      options: {
        groups,
        layout: r.pick(['nchw', 'nhwc']),
        mode: r.pick(['nearest', 'bilinear']),
        scaleFactor: [r.int(2, 4), r.int(2, 4)],
        stride: [r.int(1, 3), r.int(1, 3)],
        padding: [r.int(0, 3), r.int(0, 3)],
      },
    },
    false,
  );
}

const x = () => tensor([1, 2, 4, 4], new Array(32).fill(1));
const w = () => tensor([4, 2, 3, 3], new Array(72).fill(1));
const bad =
  (options: unknown, input: unknown = x()) =>
  () =>
    resizeConv2dSync(input as never, w(), options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'resizeConv2d',
  kernel: 'resizeConv2d',
  describe: ([input, weight, bias], options) =>
    describeResizeConv2d(input!, weight!, { ...(options as unknown as ResizeConvOptions), bias }),
  family: () => 'reduction',
  samples,
  random,
  draws: 80,
  magnitude: convMagnitude,
  products: (p) => p.axes.reduce((k, a) => k * a.kernel * a.resize!.taps, p.inChannels) + 1,
  errors: [
    {
      name: 'no factor',
      call: bad({}),
      code: OPTION,
      message: /scaleFactor must be .*positive integer.*got undefined/,
    },
    {
      name: 'fraction',
      call: bad({ scaleFactor: 1.5 }),
      code: OPTION,
      message: /scaleFactor must be .*got 1.5/,
    },
    {
      name: 'unknown mode',
      call: bad({ scaleFactor: 2, mode: 'bicubic' }),
      code: OPTION,
      message: /mode must be one of nearest, bilinear/,
    },
    {
      name: 'misspelt option',
      call: bad({ scaleFactor: 2, pading: 1 }),
      code: OPTION,
      message: /did you mean padding\?/,
    },
    {
      name: 'channels',
      call: bad({ scaleFactor: 2 }, tensor([1, 3, 1, 1], [1, 2, 3])),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /input.dims must be of 2 channels/,
    },
    {
      name: 'input smaller than the kernel',
      call: bad({ scaleFactor: 2 }, tensor([1, 2, 1, 4], new Array(8).fill(1))),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /after resizing and padding, got 2 for a kernel that spans 3/,
    },
  ],
});
