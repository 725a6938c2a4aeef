/**
 * Shapes beside the workloads, as data: odd sizes, few and many channels, single pixels and large planes, batches, both layouts.
 * `npm run bench -- --workloads shapes` times them.
 */
import { conv, nhwc, pool, resize } from './workloads.mjs';

/** [input, size, mode, options] */
const RESIZES = [
  [[1, 3, 224, 224], [448, 448], 'bilinear'],
  [[1, 3, 375, 500], [224, 224], 'bilinear'],
  [[1, 5, 100, 77], [37, 31], 'bilinear'],
  [[4, 7, 61, 43], [122, 86], 'bilinear'],
  [[1, 256, 28, 28], [56, 56], 'bilinear'],
  [[1, 512, 14, 14], [28, 28], 'bilinear'],
  [[8, 512, 7, 7], [14, 14], 'bilinear'],
  [[1, 1000, 1, 1], [8, 8], 'bilinear'],
  [[1, 19, 128, 256], [512, 1024], 'bilinear'],
  [[1, 1, 4096, 4096], [1024, 1024], 'bilinear'],
  [[1, 32, 200, 300], [300, 450], 'bilinear', { alignCorners: true }],
  [[1, 3, 480, 640], [224, 224], 'bilinear', { antialias: true }],
  [[1, 64, 56, 56], [112, 112], 'nearest'],
  [[1, 6, 129, 131], [387, 393], 'nearest'],
  [[1, 128, 33, 35], [66, 70], 'nearest'],
  [[64, 3, 32, 32], [64, 64], 'bicubic'],
  [[1, 2, 375, 500], [750, 1000], 'bicubic'],
  [[1, 256, 28, 28], [7, 7], 'area'],
  [[1, 64, 112, 112], [1, 1], 'area'],
];
/** [input, kernelSize, stride, padding, op] */
const POOLS = [
  [[1, 64, 112, 112], 3, 2, 1],
  [[1, 192, 56, 56], 3, 1, 1],
  [[1, 512, 28, 28], 2, 2, 0],
  [[1, 832, 14, 14], 3, 1, 1],
  [[8, 512, 7, 7], 2, 2, 0],
  [[1, 3, 480, 640], 2, 2, 0],
  [[1, 1, 1024, 1024], 5, 1, 2],
  [[64, 1, 28, 28], 2, 2, 0],
  [[1, 7, 129, 131], 3, 3, 0],
  [[4, 32, 33, 65], 3, 2, 1, 'maxPool2dWithIndices'],
  [[2, 16, 513, 513], 2, 2, 0, 'maxPool2dWithIndices'],
];
/** [input, output channels, kernel, options] */
const CONVOLUTIONS = [
  [[1, 3, 224, 224], 64, 7, { stride: 2, padding: 3 }],
  [[1, 3, 224, 224], 32, 3, { stride: 2, padding: 1 }],
  [[1, 3, 512, 512], 16, 3, { padding: 1 }],
  [[1, 64, 56, 56], 64, 3, { padding: 1 }],
  [[8, 64, 28, 28], 64, 3, { padding: 1 }],
  [[64, 16, 8, 8], 32, 3, { padding: 1 }],
  [[1, 128, 56, 56], 128, 3, { stride: 2, padding: 1 }],
  [[1, 33, 45, 47], 65, 3, { stride: 2, padding: 1 }],
  [[1, 512, 7, 7], 512, 3, { padding: 1 }],
  [[1, 7, 61, 43], 13, 3, { padding: 1 }],
  [[1, 1, 512, 512], 64, 3, { padding: 1 }],
  [[1, 64, 512, 512], 3, 3, { padding: 1 }],
  [[1, 192, 35, 35], 64, 5, { padding: 2 }],
  [[1, 5, 100, 77], 9, 5, { stride: 2, padding: 2 }],
  [[1, 64, 56, 56], 256, 1, {}],
  [[1, 256, 56, 56], 64, 1, {}],
  [[1, 96, 112, 112], 24, 1, {}],
  [[1, 960, 7, 7], 160, 1, {}],
  [[1, 512, 7, 7], 2048, 1, {}],
  [[1, 64, 256, 256], 1, 1, {}],
  [[1, 256, 65, 65], 21, 1, {}],
  [[4, 40, 28, 28], 80, 1, {}],
  [[1, 1024, 1, 1], 1000, 1, {}],
  [[1, 256, 32, 32], 256, 3, { padding: 12, dilation: 12 }],
  [[1, 96, 112, 112], 96, 3, { stride: 2, padding: 1, groups: 96 }],
  [[1, 96, 56, 56], 96, 7, { padding: 3, groups: 96 }],
  [[1, 128, 56, 56], 128, 3, { padding: 1, groups: 32 }],
];
const TRANSPOSED = [
  [[1, 256, 56, 56], 128, 2, { stride: 2 }],
  [[1, 100, 1, 1], 512, 4, {}],
  [[8, 256, 8, 8], 128, 4, { stride: 2, padding: 1 }],
  [[1, 16, 128, 128], 1, 4, { stride: 2, padding: 1 }],
  [[1, 19, 64, 64], 19, 4, { stride: 2, padding: 1 }],
  [[1, 128, 32, 32], 64, 3, { stride: 2, padding: 1, outputPadding: 1 }],
  [[1, 7, 61, 43], 5, 3, { stride: 2, padding: 1 }],
  [[1, 48, 24, 40], 24, 5, { stride: 2, padding: 2, outputPadding: 1 }],
];

const times = (...extents) => extents.join('×');
const stepOf = ({ stride = 1 }) => (stride === 1 ? '' : ` s${stride}`);
const windowed = (l, k, { stride = 1, padding = 0, dilation = 1 }) =>
  Math.floor((l + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;

const planes = [
  ...RESIZES.map(([input, size, mode, more = {}], i) =>
    resize(
      `XR${i + 1}`,
      `${[mode, ...Object.keys(more)].join(' ')} ${times(...input)} to ${times(...size)}`,
      input,
      size,
      mode,
      more,
    ),
  ),
  ...POOLS.map(([input, k, stride, padding, op = 'maxPool2d'], i) =>
    pool(
      `XP${i + 1}`,
      `max pool ${times(k, k)}${stepOf({ stride })}${op === 'maxPool2d' ? '' : ' with indices'} of ${times(...input)}`,
      op,
      input,
      [...input.slice(0, 2), ...input.slice(2).map((l) => windowed(l, k, { stride, padding }))],
      k,
      stride,
      padding,
    ),
  ),
  ...CONVOLUTIONS.map(([input, channels, k, options], i) => {
    const { groups = 1, dilation = 1 } = options;
    const kind = `${groups > 1 ? ` in ${groups} groups` : ''}${dilation > 1 ? ` holes of ${dilation}` : ''}`;
    return conv(
      `XC${i + 1}`,
      `convolution ${times(k, k)}${stepOf(options)}${kind}, ${times(...input)} to ${channels}`,
      'conv2d',
      input,
      [channels, input[1] / groups, k, k],
      [input[0], channels, ...input.slice(2).map((l) => windowed(l, k, options))],
      options,
    );
  }),
  ...TRANSPOSED.map(([input, channels, k, options], i) => {
    const { stride = 1, padding = 0, outputPadding = 0 } = options;
    return conv(
      `XT${i + 1}`,
      `transposed ${times(k, k)}${stepOf(options)}, ${times(...input)} to ${channels}`,
      'convTranspose2d',
      input,
      [input[1], channels, k, k],
      [input[0], channels, ...input.slice(2).map((l) => (l - 1) * stride - 2 * padding + k + outputPadding)],
      options,
    );
  }),
];

/** Every shape in both layouts. */
export const shapes = planes.flatMap((w) => [w, nhwc(w)]).map((w) => ({ ...w, group: 'shapes' }));
