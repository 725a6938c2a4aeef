import { type ConvOptions, conv2dSync, describeConv } from '../../src/torch/conv2d.js';
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
    kernel: [1, 2, 3, 5],
    stride: [1, 2, 3],
    padding: [0, 1, 2],
    dilation: [1, 2],
  }))
    out.push({
      batch: 2,
      image: [11, 13],
      in: 3,
      out: 5,
      kernel: [kernel, kernel],
      bias: true,
      options: { layout, stride, padding, dilation },
    });
  for (const { layout, channels, image } of product({
    layout: ['nchw', 'nhwc'],
    channels: [1, 2, 4, 7, 13, 16, 29, 33, 65],
    image: [
      [1, 1],
      [4, 4],
      [3, 40],
      [28, 28],
    ],
  }))
    out.push({
      batch: 1,
      image,
      in: 5,
      out: channels,
      kernel: [3, 3],
      options: { layout, padding: 'same' },
    });
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
      options: { layout },
    });
    out.push({
      image: [9, 20],
      in: 8,
      out: 4,
      kernel: [4, 4],
      type,
      options: { layout, padding: 'same', groups: 4 },
    });
  }
  for (const layout of ['nchw', 'nhwc']) {
    out.push({ batch: 2, image: [50], in: 4, out: 6, kernel: [7], options: { layout, padding: 'same' } });
    out.push({
      batch: 1,
      image: [4, 6, 9],
      in: 2,
      out: 3,
      kernel: [3, 3, 3],
      bias: true,
      options: { layout, padding: 1 },
    });
    // Depthwise, pointwise, more products than a panel holds at once, and an empty batch.
    out.push({
      batch: 2,
      image: [17, 19],
      in: 12,
      out: 12,
      kernel: [3, 3],
      options: { layout, groups: 12, padding: 1 },
    });
    out.push({
      batch: 2,
      image: [17, 19],
      in: 6,
      out: 12,
      kernel: [3, 3],
      options: { layout, groups: 6, stride: 2 },
    });
    out.push({ batch: 1, image: [30, 31], in: 40, out: 21, kernel: [1, 1], bias: true, options: { layout } });
    // As many parts as there are threads: of tiles of Winograd's, of the panels of few planes, and of boxes whose
    // parts share a copy.
    for (const [batch, image, channels, columns, kernel, options] of [
      [1, [14, 14], 64, 80, 3, { padding: 1 }],
      [1, [17, 18], 64, 130, 3, { padding: 1 }],
      [1, [15, 15], 64, 300, 1, {}],
      [2, [14, 14], 40, 300, 1, {}],
      [1, [34, 34], 40, 100, 2, { padding: 1, stride: 2 }],
      [1, [14, 14], 50, 64, 5, { padding: 2 }],
    ] as const)
      out.push({
        batch,
        image: [...image],
        in: channels,
        out: columns,
        kernel: [kernel, kernel],
        bias: true,
        options: { layout, ...options },
      });
    // Holes so wide that copies with their padding are mostly padding, or hold most rows once more.
    for (const [batch, image, channels, columns, dilation] of [
      [1, [20, 20], 64, 33, 12],
      [5, [9, 7], 24, 33, [4, 3]],
      [2, [24, 40], 48, 17, [11, 9]],
    ] as const)
      out.push({
        batch,
        image: [...image],
        in: channels,
        out: columns,
        kernel: [3, 3],
        bias: true,
        options: { layout, padding: dilation, dilation },
      });
    // Taps that read beside the inputs: sets of taps of their own along every edge and corner.
    out.push({
      batch: 3,
      image: [17, 23],
      in: 20,
      out: 40,
      kernel: [5, 4],
      bias: true,
      options: { layout, stride: [2, 1], padding: [2, 3], dilation: [1, 2] },
    });
    // Rows of only padding, which the images of a slab share, far from one another as taps are.
    for (const { image, channels, out: columns } of product({
      image: [
        [6, 187],
        [3, 90],
      ],
      channels: [1, 3, 12],
      out: [1, 2, 9],
    }))
      out.push({
        batch: 3,
        image,
        in: channels,
        out: columns,
        kernel: [1, 6],
        bias: true,
        options: { layout, padding: [3, 2], dilation: [1, 13] },
      });
    // A plane that lies beside the only one there is.
    for (const { groups, columns, kernel } of product({
      groups: [1, 3],
      columns: [3, 9],
      kernel: [
        [1, 2, 1],
        [1, 3, 3],
      ],
    }))
      out.push({
        batch: 3,
        image: [1, 8, 20],
        in: 3,
        out: columns,
        kernel,
        options: { layout, groups, stride: [3, 1, 1], padding: [1, 1, 1] },
      });
    // Holes as wide as a third of the plane, as in atrous pyramids.
    for (const type of ['float32', 'float16'] as const)
      out.push({
        batch: 2,
        image: [17, 18],
        in: 24,
        out: 40,
        kernel: [3, 3],
        bias: true,
        type,
        options: { layout, padding: 6, dilation: 6 },
      });
    // So many outputs of few products that they leave the second-level cache before the next block's turn.
    for (const [image, channels, columns, kernel] of [
      [[16, 40], 9, 1488, 1],
      [[20, 30], 3, 1040, 3],
    ] as const)
      out.push({
        batch: 1,
        image: [...image],
        in: channels,
        out: columns,
        kernel: [kernel, kernel],
        bias: true,
        options: { layout, padding: 'same' },
      });
    out.push({
      batch: 1,
      image: [30, 45],
      in: 3,
      out: 64,
      kernel: [7, 7],
      options: { layout, stride: 2, padding: 3 },
    });
    // Small groups: whole vectors of channels and broken ones, every edge, holes, strides, 1 to 3 axes.
    for (const { size, groups } of product({ size: [2, 4, 8], groups: [8, 13] }))
      for (const [image, kernel, options] of [
        [[11, 23], [3, 3], { padding: 1 }],
        [[12, 9], [5, 2], { padding: [3, 1], stride: [1, 2], dilation: [2, 1] }],
        [[37], [4], { padding: 'same', stride: 1 }],
        [[3, 4, 7], [2, 3, 3], { padding: 1 }],
      ] as const)
        out.push({
          batch: 2,
          image,
          in: size * groups,
          out: size * groups,
          kernel,
          bias: groups === 8,
          ...(size === 4 && { fill: 'special' as const }),
          options: { layout, groups, ...options },
        });
    // Any others, and groups of one channel that become some: vectors across groups, of some whole groups, of
    // a part of one; outputs that fill no vector.
    for (const [groups, from, to] of [
      [24, 1, 3],
      [5, 1, 16],
      [6, 1, 24],
      [3, 1, 5],
      [21, 1, 2],
      [9, 3, 3],
      [7, 5, 5],
      [4, 7, 7],
      [11, 2, 4],
      [10, 4, 2],
      [5, 3, 1],
      [6, 16, 3],
      [2, 1, 6],
      [6, 3, 8],
      [5, 7, 8],
    ] as const)
      for (const [image, kernel, options] of [
        [[11, 23], [3, 3], { padding: 1 }],
        [[12, 9], [5, 2], { padding: [3, 1], stride: [1, 2], dilation: [2, 1] }],
        [[8, 31], [1, 1], { stride: [1, 3] }],
        [[3, 4, 7], [2, 3, 3], { padding: 1 }],
      ] as const)
        out.push({
          batch: 2,
          image,
          in: from * groups,
          out: to * groups,
          kernel,
          bias: groups !== 9,
          ...(groups % 3 === 1 && { fill: 'special' as const }),
          options: { layout, groups, ...options },
        });
    // Fewer outputs than a vector, which are stored where they belong: of taps that slide and others, summed at
    // once, by taps or in chunks of channels; of groups.
    for (const [from, to, image, kernel, options] of [
      [16, 12, [13, 29], [1, 1], {}],
      [9, 9, [14, 30], [3, 3], { stride: 2, padding: 1 }],
      [6, 15, [9, 21], [3, 5], { padding: [1, 2], dilation: [1, 2] }],
      [6, 6, [9, 21], [3, 3], { padding: 1 }],
      [1100, 10, [4, 5], [3, 3], { padding: 1 }],
      [2100, 13, [3, 40], [2, 3], { padding: [0, 1] }],
      [2100, 5, [3, 40], [2, 3], { padding: [0, 1] }],
      [40, 36, [7, 19], [3, 3], { padding: 1, groups: 4 }],
      [1024, 9, [5, 12], [1, 1], { stride: [1, 2] }],
    ] as const)
      out.push({
        batch: 2,
        image: [...image],
        in: from,
        out: to,
        kernel: [...kernel],
        bias: from !== 9,
        ...(from === 6 && { fill: 'special' as const }),
        options: { layout, ...options },
      });
    // Groups of one channel of few pixels in a row or none more than a block: rows one after the other.
    for (const [channels, image, kernel, options] of [
      [19, [30, 3], [3, 3], { padding: 1, stride: 2 }],
      [33, [21, 40], [7, 7], { padding: 3, stride: 2 }],
      [13, [17, 13], [5, 5], { padding: 2, stride: 2 }],
      [12, [20, 21], [3, 3], { padding: 1 }],
      [15, [7, 37], [2, 2], { padding: 1 }],
      [3, [20, 21], [3, 3], { padding: 1, stride: 2 }],
      [6, [13, 21], [5, 5], { padding: 2 }],
      [5, [12, 3], [3, 3], { padding: 1, dilation: [2, 1] }],
      [13, [5, 37], [2, 5], { stride: [2, 1] }],
      [40, [11, 19], [5, 5], { padding: 2, stride: 2 }],
      [17, [33, 40], [3, 3], { padding: 1, stride: 3 }],
      [16, [31, 70], [2, 2], { stride: 2 }],
      // Pixels that stand alone: some vectors of channels at a time, the last ones of which reach back.
      [100, [5, 6], [5, 5], { padding: 2 }],
    ] as const)
      out.push({
        batch: 2,
        image: [...image],
        in: channels,
        out: channels,
        kernel: [...kernel],
        bias: true,
        ...(channels === 13 && { fill: 'special' as const }),
        options: { layout, groups: channels, ...options },
      });
    out.push({
      batch: 2,
      image: [20, 53],
      in: 5,
      out: 5,
      kernel: [5, 5],
      bias: true,
      type: 'float64',
      options: { layout, groups: 5, stride: 3, padding: 2 },
    });
    // Planes that begin alike in their cache lines, and pixels of a few channels that are turned.
    for (const [channels, image] of [
      [7, [32, 40]],
      [11, [6, 33]],
      [21, [5, 48]],
      [1600, [8, 8]],
    ] as const)
      out.push({ batch: 2, image, in: channels, out: 2, kernel: [1, 1], bias: true, options: { layout } });
    // To few channels, read where they are: planes of a vector and of more than one block, channels that fill
    // no vectors, several groups and tasks.
    for (const [channels, columns, image, groups] of [
      [64, 1, [4, 4], 1],
      [37, 1, [7, 7], 3],
      [9, 1, [33, 35], 1],
      [8, 1, [48, 64], 2],
      [70, 3, [9, 11], 2],
      [256, 2, [40, 41], 1],
    ] as const)
      out.push({
        batch: 2,
        image: [...image],
        in: channels * groups,
        out: columns * groups,
        kernel: [1, 1],
        bias: groups === 1,
        options: { layout, groups },
      });
    // The only weight that is not finite is in the vector of channels that reaches back.
    out.push({
      image: [7, 7],
      in: 37,
      out: 1,
      kernel: [1, 1],
      seed: 37,
      weightFill: 'special',
      options: { layout },
    });
    // Panels of large planes, copied while others are multiplied.
    out.push({
      batch: 2,
      image: [129, 131],
      in: 5,
      out: 21,
      kernel: [1, 1],
      bias: true,
      options: { layout },
    });
    out.push(
      ...smallPlanes(layout, [
        { image: [7, 7], kernel: [7, 7], options: { stride: 2, padding: 3 } },
        { image: [14, 13], kernel: [3, 3], options: { stride: 2, padding: 1 } },
        { image: [1, 1], kernel: [3, 3], options: { padding: 1 } },
        { image: [4, 5], kernel: [3, 3], options: { padding: 1 }, groups: 37 },
        { image: [9, 7], kernel: [3, 3], options: { padding: 1, stride: 2 }, groups: 37 },
        { image: [5, 18], kernel: [3, 3], options: { padding: [0, 2] }, groups: 37 },
        { image: [2, 33], kernel: [3, 3], options: { padding: [1, 0] }, groups: 37 },
        // Rows of three to eight taps, with fewer over the borders.
        { image: [9, 21], kernel: [5, 5], options: { padding: 2 }, groups: 37 },
        { image: [7, 30], kernel: [7, 7], options: { padding: 3 }, groups: 37 },
        { image: [6, 12], kernel: [2, 8], options: { padding: [0, 3], dilation: [2, 1] }, groups: 37 },
        { image: [6, 40], kernel: [3, 6], options: { padding: 2, stride: [1, 2] }, groups: 37 },
      ]),
    );
    out.push({
      batch: 1,
      image: [3, 4],
      in: 1100,
      out: 9,
      kernel: [3, 3],
      bias: true,
      options: { layout, padding: 1 },
    });
    // One vector of outputs, whose taps along a row share their inputs: as many as there are, more than that,
    // by residues of the stride, with holes.
    for (const [kernel, options] of [
      [[3, 3], { padding: 1 }],
      [[2, 4], { padding: [0, 2] }],
      [[1, 9], { padding: [0, 4] }],
      [[7, 7], { padding: 3, stride: 2 }],
      [[3, 5], { padding: [1, 2], stride: [1, 3] }],
      [[3, 4], { padding: [1, 2], stride: 2, dilation: [1, 2] }],
      [[3, 3], { padding: [1, 2], dilation: [1, 2] }],
    ] as const)
      for (const columns of [4, 8, 13, 16])
        out.push({
          batch: 2,
          image: [5, 43],
          in: 3,
          out: columns,
          kernel: [...kernel],
          bias: columns > 8,
          ...(columns === 16 && { fill: 'special' as const }),
          options: { layout, ...options },
        });
    // Windows to few channels, read in runs of their rows: blocks of each number of columns and those that reach
    // back, every edge from where the inputs are and from copies, holes, no whole vector and some, 1 to 3 axes.
    for (const [columns, channels, image, kernel, options] of [
      [1, 20, [21, 37], [3, 3], { padding: 1, stride: 2 }],
      [2, 33, [13, 30], [2, 2], { padding: 1, stride: 3 }],
      [3, 7, [60, 41], [3, 3], { padding: 1, stride: 2 }],
      [3, 64, [15, 15], [3, 3], { padding: 1, stride: 2 }],
      [3, 40, [2, 120], [3, 5], { padding: [1, 2], stride: [1, 3] }],
      [4, 130, [9, 9], [1, 1], { stride: 3 }],
      [5, 24, [12, 12], [2, 2], { stride: 2 }],
      [6, 16, [6, 90], [3, 3], { padding: 2, dilation: 2, stride: [1, 2] }],
      [7, 21, [9, 17], [5, 5], { padding: 2 }],
      [7, 5, [10, 10], [3, 3], { padding: 1, stride: 2 }],
      [3, 50, [70], [4], { padding: 1, stride: 2 }],
      [2, 18, [4, 6, 11], [2, 3, 3], { padding: 1, stride: [1, 2, 2] }],
      [1, 40, [3, 2], [5, 5], { padding: 4 }],
    ] as const)
      out.push({
        batch: 2,
        image: [...image],
        in: channels,
        out: columns,
        kernel: [...kernel],
        bias: columns !== 3,
        ...(channels % 2 === 0 && { fill: 'special' as const }),
        options: { layout, ...options },
      });
    out.push({
      image: [12, 12],
      in: 20,
      out: 3,
      kernel: [3, 3],
      weightFill: 'special',
      options: { layout, stride: 2, padding: 1 },
    });
    // Groups of one channel that become some, which read a copy where each channel is repeated: more and fewer
    // outputs than a vector, chunks of channels; and pixels of fewer channels than a vector at a stride.
    for (const [groups, times, image, kernel, options] of [
      [3, 7, [14, 19], [5, 5], { padding: 2 }],
      [3, 2, [9, 40], [3, 3], { padding: 1 }],
      [2, 3, [9, 40], [3, 3], { padding: 1, stride: 2 }],
      [5, 4, [8, 9], [2, 3], { padding: [0, 1], stride: [1, 3], dilation: [2, 1] }],
      [70, 8, [30, 41], [3, 3], { padding: 1, stride: 2 }],
      [140, 4, [9, 100], [3, 3], { dilation: [1, 40] }],
      [4, 1, [20, 37], [3, 3], { padding: 1, stride: 2 }],
      [5, 1, [9, 12], [5, 5], { padding: 2, stride: 3 }],
      [7, 1, [9, 41], [3, 4], { stride: [1, 2], dilation: [1, 2] }],
      [8, 1, [20, 36], [3, 3], { padding: 1, stride: 2 }],
      [11, 1, [5, 90], [1, 1], { stride: 2 }],
    ] as const)
      for (const type of ['float32', 'float16'] as const)
        out.push({
          batch: 2,
          image: [...image],
          in: groups,
          out: groups * times,
          kernel: [...kernel],
          bias: groups !== 5,
          type,
          ...(groups % 2 === 1 && { fill: 'special' as const }),
          options: { layout, groups, ...options },
        });
    // Rows by residues of the stride, in vectors: whole ones and broken ones, to the end of the inputs.
    for (const { stride, width, padding, groups, type } of product({
      stride: [2, 3, 4],
      width: [7, 47, 64, 101],
      padding: [0, 2],
      groups: [1, 6],
      type: ['float32', 'float64'] as const,
    }))
      out.push({
        batch: 2,
        image: [6, width],
        in: 6,
        out: groups === 1 ? 17 : 6,
        kernel: [3, 4],
        options: { layout, stride: [2, stride], padding: [1, padding], groups },
        type,
      });
    // Planes read where they are: every step, broken vectors at both ends of a row, rows by fours, by twos and
    // alone, some blocks of outputs, more channels than are summed at a time, groups, holes.
    for (const { stride, width, channels, dilation } of product({
      stride: [1, 2, 3],
      width: [9, 34, 70],
      channels: [
        [3, 1, 1],
        [20, 4, 1],
        [5, 13, 1],
        [2, 24, 1],
        [6, 18, 3],
      ],
      dilation: [1, 2],
    })) {
      const [from, to, groups] = channels as [number, number, number];
      out.push({
        batch: 2,
        image: [13, width],
        in: from,
        out: to,
        kernel: [3, 4],
        bias: to > 4,
        ...(to === 4 && { fill: 'special' as const }),
        options: {
          layout,
          stride: [1 + (width % 2), stride],
          padding: [1, 2],
          dilation: [1, dilation],
          groups,
        },
      });
    }
    // All columns of a pixel, of which the last are a single vector.
    for (const columns of [12, 20, 24, 40, 48, 80, 144])
      out.push({ image: [3, 7], in: 5, out: columns, kernel: [1, 1], bias: true, options: { layout } });
    out.push({ batch: 0, image: [8, 8], in: 2, out: 3, kernel: [3, 3], options: { layout } });
    out.push(
      ...fewPositions(
        layout,
        { out: 40, kernel: [3, 3], options: { padding: 1 } },
        { image: [2, 3, 2], kernel: [3, 3, 3], in: 9 },
      ),
    );
    out.push({
      batch: 1,
      image: [5, 6],
      in: 32,
      out: 80,
      kernel: [5, 4],
      options: { layout, padding: [2, 1], stride: 2, groups: 2 },
    });
    // Non-finite inputs reach the outputs they touch; non-finite weights do not meet the padding.
    out.push({
      batch: 1,
      image: [20, 40],
      in: 3,
      out: 6,
      kernel: [3, 3],
      fill: 'special',
      options: { layout, padding: 1 },
    });
    out.push({
      batch: 1,
      image: [12, 11],
      in: 3,
      out: 4,
      kernel: [3, 3],
      weightFill: 'special',
      options: { layout, padding: 1 },
    });
  }
  for (const layout of ['nchw', 'nhwc']) out.push(...winogradCases(layout));
  return out.map((c) => convArgs(c, false));
}

const x = () => tensor([1, 2, 4, 4], new Array(32).fill(1));
const w = () => tensor([4, 2, 3, 3], new Array(72).fill(1));
const bad =
  (options: unknown, input: unknown = x(), weight: unknown = w()) =>
  () =>
    conv2dSync(input as never, weight as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export default defineOp({
  name: 'conv2d',
  kernel: 'conv2d',
  describe: ([input, weight, bias], options) =>
    describeConv(weight!.dims.length - 2, input!, weight!, { ...(options as ConvOptions), bias }) as never,
  family: () => 'reduction',
  samples,
  random: (r) => convArgs(randomConv(r, false), false),
  products: convProducts,
  magnitude: convMagnitude,
  errors: [
    ...convErrors(bad, [4, 2, 3, 3]),
    { name: 'misspelt option', call: bad({ strides: 2 }), code: OPTION, message: /did you mean stride\?/ },
    {
      name: 'unknown padding',
      call: bad({ padding: 'full' }),
      code: OPTION,
      message: /padding must be .*'same' or 'valid', got "full"/,
    },
    {
      name: 'same with stride',
      call: bad({ padding: 'same', stride: 2 }),
      code: OPTION,
      message: /'same' needs stride 1, got stride \[2, 2\]/,
    },
    { name: 'channels', call: bad({ groups: 2 }), code: SHAPE, message: /input.dims must be of 4 channels/ },
    {
      name: 'output padding',
      call: bad({ outputPadding: 0 }),
      code: OPTION,
      message: /unknown option "outputPadding"/,
    },
    {
      name: 'input smaller than the kernel',
      call: bad({ dilation: 2 }),
      code: SHAPE,
      message: /input must be at least as large as the kernel after padding, got 4 for a kernel that spans 5/,
    },
  ],
});
