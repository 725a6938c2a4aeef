import {
  type ConvTransposeOptions,
  convTranspose2dSync,
  describeConvTranspose,
} from '../../src/torch/conv-transpose2d.js';
import {
  type ConvCase,
  convArgs,
  convErrors,
  convMagnitude,
  convProducts,
  fewPositions,
  randomConv,
  smallPlanes,
  winogradCases,
} from '../support/convolution.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';

function samples(): Args[] {
  const out: ConvCase[] = [];
  for (const { layout, kernel, stride, padding, dilation } of product({
    layout: ['nchw', 'nhwc'],
    kernel: [1, 2, 3, 4, 5],
    stride: [1, 2, 3, 5],
    padding: [0, 1],
    dilation: [1, 2, 3],
  }))
    out.push({
      batch: 2,
      image: [5, 7],
      in: 3,
      out: 5,
      kernel: [kernel, kernel],
      bias: true,
      options: { layout, stride, padding, dilation, outputPadding: stride > 1 ? 1 : 0 },
    });
  for (const { layout, channels, image } of product({
    layout: ['nchw', 'nhwc'],
    channels: [1, 3, 4, 13, 16, 29, 33, 65],
    image: [
      [1, 1],
      [4, 4],
      [3, 40],
      [28, 28],
    ],
  }))
    out.push({ batch: 1, image, in: 5, out: channels, kernel: [2, 2], options: { layout, stride: 2 } });
  for (const { layout, type } of product({
    layout: ['nchw', 'nhwc'],
    type: ['float64', 'float16'] as const,
  })) {
    out.push({
      batch: 2,
      image: [9, 20],
      in: 8,
      out: 20,
      kernel: [3, 2],
      bias: true,
      type,
      options: { layout, stride: 2 },
    });
    out.push({
      image: [9, 20],
      in: 8,
      out: 4,
      kernel: [4, 4],
      type,
      options: { layout, padding: 1, stride: 2, groups: 4 },
    });
  }
  // A kernel that is its step, of few channels and long rows: whole and broken vectors, groups, some images.
  for (const { step, width } of product({ step: [2, 3], width: [32, 70] }))
    out.push({
      batch: 2,
      image: [11, width],
      in: 6,
      out: 10,
      kernel: [step, step],
      bias: true,
      options: { stride: step, groups: 2 },
    });
  for (const layout of ['nchw', 'nhwc']) {
    // An inverse short-time Fourier transform: one output channel, many phases.
    out.push({ batch: 1, image: [40], in: 33, out: 1, kernel: [64], options: { layout, stride: 16 } });
    out.push({
      batch: 1,
      image: [3, 4, 5],
      in: 2,
      out: 3,
      kernel: [3, 2, 4],
      bias: true,
      options: { layout, padding: 1, stride: [2, 1, 2] },
    });
    // Small groups at step 1.
    out.push({
      batch: 2,
      image: [9, 14],
      in: 36,
      out: 36,
      kernel: [3, 4],
      bias: true,
      options: { layout, padding: [1, 2], dilation: [2, 1], groups: 9 },
    });
    // FCN-8s, depthwise, holes, more products than a panel holds at once, and an empty batch.
    out.push({
      batch: 1,
      image: [7, 9],
      in: 5,
      out: 5,
      kernel: [16, 16],
      bias: true,
      options: { layout, stride: 8, padding: 4 },
    });
    out.push({
      batch: 2,
      image: [17, 19],
      in: 12,
      out: 12,
      kernel: [4, 4],
      bias: true,
      options: { layout, groups: 12, padding: 1, stride: 2 },
    });
    out.push({
      batch: 2,
      image: [9, 35],
      in: 6,
      out: 12,
      kernel: [3, 3],
      options: { layout, groups: 6, stride: 2 },
    });
    out.push({
      batch: 1,
      image: [6, 6],
      in: 3,
      out: 4,
      kernel: [3, 3],
      bias: true,
      options: { layout, stride: 4, dilation: 2 },
    });
    out.push({
      batch: 1,
      image: [3, 4],
      in: 2100,
      out: 9,
      kernel: [4, 4],
      bias: true,
      options: { layout, padding: 1, stride: 2 },
    });
    out.push({ batch: 0, image: [8, 8], in: 2, out: 3, kernel: [3, 3], options: { layout } });
    // Outputs cut to fewer than one step.
    out.push({
      batch: 1,
      image: [1, 2],
      in: 20,
      out: 30,
      kernel: [9, 9],
      options: { layout, padding: 4, stride: 7 },
    });
    out.push({
      batch: 1,
      image: [20, 40],
      in: 3,
      out: 6,
      kernel: [4, 4],
      fill: 'special',
      options: { layout, padding: 1, stride: 2 },
    });
    out.push({
      batch: 1,
      image: [12, 11],
      in: 3,
      out: 4,
      kernel: [3, 3],
      weightFill: 'special',
      options: { layout, padding: 1, stride: 2 },
    });
  }
  for (const layout of ['nchw', 'nhwc']) {
    out.push(...winogradCases(layout));
    // Rows of three phases, and of few outputs.
    for (const channels of [1, 3, 20])
      out.push({
        batch: 2,
        image: [4, 70],
        in: 9,
        out: channels,
        kernel: [3, 3],
        bias: true,
        options: { layout, stride: 3 },
      });
    out.push(
      ...smallPlanes(layout, [
        { image: [1, 1], kernel: [4, 4] },
        { image: [8, 7], kernel: [4, 4] },
        { image: [4, 5], kernel: [4, 4], options: { stride: 2, padding: 1 } },
        { image: [1, 1], kernel: [4, 4], options: { stride: 2, padding: 1 }, groups: 37 },
        { image: [5, 6], kernel: [4, 4], options: { stride: 2, padding: 1 }, groups: 37 },
      ]),
    );
    out.push(
      ...fewPositions(
        layout,
        { out: 20, kernel: [4, 4], options: { padding: 1, stride: 2 } },
        { image: [2, 2, 3], kernel: [4, 4, 4] },
      ),
    );
    out.push({
      batch: 3,
      image: [1, 2],
      in: 64,
      out: 48,
      kernel: [5, 4],
      options: { layout, padding: [2, 1], stride: 2, outputPadding: 1, groups: 2 },
    });
    // Two taps in each phase.
    for (const more of [{}, { type: 'float16' }, { fill: 'stray' }, { fill: 'spikes' }] as const)
      out.push({
        batch: 1,
        image: [30, 31],
        in: 32,
        out: 32,
        kernel: [4, 4],
        bias: true,
        options: { layout, stride: 2, padding: 1 },
        ...more,
      });
    // Two and three.
    for (const more of [{}, { type: 'float16' }, { fill: 'stray' }, { fill: 'spikes' }] as const)
      out.push({
        batch: 1,
        image: [32, 34],
        in: 40,
        out: 36,
        kernel: [5, 5],
        bias: true,
        options: { layout, stride: 2, padding: 2, outputPadding: 1 },
        ...more,
      });
  }
  // Few output channels: products of matrices, whose overlaps are added; the last ones in more than one box.
  for (const { kernel, stride, out: channels } of product({
    kernel: [2, 3, 4, 5, 7],
    stride: [1, 2, 3, 4],
    out: [1, 3],
  }))
    for (const layout of kernel === 4 ? ['nchw', 'nhwc'] : ['nchw'])
      out.push({
        batch: 2,
        image: [9, 21],
        in: 64,
        out: channels,
        kernel: [kernel, kernel + 1],
        bias: channels === 3,
        options: { layout, stride, padding: kernel >> 1, outputPadding: stride > 2 ? 1 : 0 },
      });
  for (const { image, options } of product({
    image: [
      [4, 4],
      [8, 8],
      [70, 50],
      [3, 1100],
    ] as [number, number][],
    options: [
      { stride: 2, padding: 2, groups: 2 },
      { stride: [1, 3] as [number, number], padding: [1, 0] as [number, number], dilation: 2, groups: 2 },
      { layout: 'nhwc', stride: 2, padding: 2 },
    ],
  }))
    out.push({ batch: 1, image, in: 32, out: 4, kernel: [5, 5], bias: true, options });
  // Channels last, rows of few channels and phases are interleaved.
  for (const { channels, stride, type } of product({
    channels: [1, 3, 5, 7],
    stride: [1, 2, 3],
    type: ['float32', 'float16'] as const,
  }))
    out.push({
      batch: 2,
      image: [3, 40],
      in: 6,
      out: channels,
      kernel: [3, 4],
      bias: true,
      type,
      options: { layout: 'nhwc', stride, padding: 1 },
    });
  // Channels last, few groups of one channel: planes of one box and of several, woven into pixels; phases without
  // taps among them.
  for (const { groups, outs, image, options } of product({
    groups: [1, 2, 7],
    outs: [1, 2],
    image: [
      [3, 5],
      [60, 67],
      [1, 2900],
    ] as [number, number][],
    options: [
      { stride: 2, padding: 1 },
      { stride: [3, 2] as [number, number], outputPadding: 1 },
      { stride: 5, dilation: [2, 1] as [number, number], padding: [3, 0] as [number, number] },
    ],
  }).filter(({ image, groups, outs }) => image[0] === 3 || groups * outs === 7))
    out.push({
      batch: image[0] === 3 ? 2 : 1,
      image,
      in: groups,
      out: groups * outs,
      kernel: [4, 3],
      bias: groups === 7,
      ...(groups === 2 && { type: 'float64' as const }),
      ...(outs === 2 && groups === 7 && { fill: 'special' as const }),
      options: { layout: 'nhwc', groups, ...options },
    });
  // Of one pixel: images are the pixels, and some outputs may have none.
  for (const { batch, layout, options } of product({
    batch: [1, 3, 11, 40],
    layout: ['nchw', 'nhwc'],
    options: [
      { stride: 2, padding: 1 },
      { stride: 3, padding: [0, 2] as [number, number], outputPadding: 2, groups: 3 },
      { stride: 1, dilation: 2, groups: 3 },
      { stride: 4, outputPadding: 3 },
    ],
  }))
    out.push({
      batch,
      image: [1, 1],
      in: 60,
      out: 3,
      kernel: [4, 3],
      bias: batch !== 3,
      options: { layout, ...options },
    });
  // A plane of outputs that lies beside what the only plane of inputs makes.
  for (const { layout, channels, columns, kernel } of product({
    layout: ['nchw', 'nhwc'],
    channels: [3, 40],
    columns: [2, 5, 24],
    kernel: [
      [1, 2, 2],
      [1, 4, 4],
    ],
  }))
    out.push({
      batch: 2,
      image: [1, 9, 40],
      in: channels,
      out: columns,
      kernel,
      bias: true,
      options: {
        layout,
        stride: [3, 2, 2],
        padding: [1, kernel[1]! / 2 - 1, kernel[1]! / 2 - 1],
        outputPadding: [2, 0, 0],
      },
    });
  for (const fill of ['stray', 'spikes'] as const)
    out.push({ batch: 1, image: [12, 12], in: 32, out: 1, kernel: [5, 5], options: { stride: 2 }, fill });
  return out.map((c) => convArgs(c, true));
}

const x = () => tensor([1, 2, 4, 4], new Array(32).fill(1));
const w = () => tensor([2, 4, 3, 3], new Array(72).fill(1));
const bad =
  (options: unknown, input: unknown = x(), weight: unknown = w()) =>
  () =>
    convTranspose2dSync(input as never, weight as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'convTranspose2d',
  kernel: 'convTranspose2d',
  describe: ([input, weight, bias], options) =>
    describeConvTranspose(weight!.dims.length - 2, input!, weight!, {
      ...(options as ConvTransposeOptions),
      bias,
    }) as never,
  family: () => 'reduction',
  samples,
  random: (r) => convArgs(randomConv(r, true), true),
  products: convProducts,
  magnitude: convMagnitude,
  errors: [
    ...convErrors(bad, [2, 4, 3, 3]),
    {
      name: 'misspelt option',
      call: bad({ output_padding: 1 }),
      code: OPTION,
      message: /did you mean outputPadding\?/,
    },
    {
      name: 'output padding as large as the stride',
      call: bad({ stride: 2, outputPadding: 2 }),
      code: OPTION,
      message:
        /outputPadding must be less than stride or dilation, got outputPadding 2, stride 2 and dilation 1/,
    },
    {
      name: 'output padding at stride 1',
      call: bad({ outputPadding: 1 }),
      code: OPTION,
      message: /outputPadding must be less than/,
    },
    {
      name: 'same',
      call: bad({ padding: 'same' }),
      code: OPTION,
      message: /padding must be non-negative integers, got "same"/,
    },
    {
      name: 'nothing left',
      call: bad({ padding: 5 }),
      code: OPTION,
      message: /padding must leave output extents .*got -4/,
    },
    {
      name: 'channels',
      call: bad({}, tensor([1, 3, 1, 1], [1, 2, 3])),
      code: SHAPE,
      message: /input.dims must be of 2 channels/,
    },
  ],
});
