/**
 * The workloads, as data: shapes from real networks and the odd cases between them. `op` is the function of the package that
 * runs it, `options` its options; layout is that of `input`. Every engine gets the same bytes (lib/inputs.mjs).
 */
export const resize = (id, title, input, size, mode, more = {}) => {
  const { layout = 'nchw', type = 'float32', ...options } = more;
  const [n, c] = layout === 'nchw' ? [input[0], input[1]] : [input[0], input[3]];
  const output = layout === 'nchw' ? [n, c, ...size] : [n, ...size, c];
  return {
    id,
    group: 'resize',
    op: 'interpolate',
    title,
    type,
    layout,
    input,
    output,
    options: { size, mode, layout, ...options },
  };
};
export const pool = (id, title, op, input, output, kernelSize, stride, padding) => ({
  id,
  group: 'pool',
  op,
  title,
  type: 'float32',
  layout: 'nchw',
  input,
  output,
  options: { kernelSize, stride, padding },
});
export const conv = (id, title, op, input, weight, output, options) => ({
  id,
  group: op === 'conv2d' ? 'conv' : op === 'resizeConv2d' ? 'resize-conv' : 'deconv',
  op,
  title,
  type: 'float32',
  layout: 'nchw',
  input,
  weight,
  output,
  options: { groups: 1, ...options },
});

/** The same workload, channels last; weights keep PyTorch's order, indices stay flat in a plane. */
export const nhwc = (w) => {
  const last = ([n, c, h, width]) => [n, h, width, c];
  return {
    ...w,
    id: `${w.id}n`,
    title: `${w.title} nhwc`,
    layout: 'nhwc',
    input: last(w.input),
    output: last(w.output),
    options: { ...w.options, layout: 'nhwc' },
  };
};

const nchw = [
  resize('R1', 'nearest ×2', [1, 64, 128, 128], [256, 256], 'nearest'),
  resize('R2', 'bilinear ×2', [1, 64, 128, 128], [256, 256], 'bilinear'),
  resize('R3', 'bilinear ×4, SegFormer logits', [1, 150, 128, 128], [512, 512], 'bilinear'),
  resize('R4', 'bilinear alignCorners, DeepLab logits', [1, 21, 65, 65], [513, 513], 'bilinear', {
    alignCorners: true,
  }),
  resize('R5', 'bicubic ×2, photograph', [1, 3, 512, 512], [1024, 1024], 'bicubic'),
  resize('R6', 'bilinear ×2 uint8 nhwc, full HD', [1, 1080, 1920, 3], [2160, 3840], 'bilinear', {
    layout: 'nhwc',
    type: 'uint8',
  }),
  resize('R7', 'nearest ×4 uint8, class map', [1, 1, 512, 512], [2048, 2048], 'nearest', { type: 'uint8' }),
  {
    id: 'R8',
    group: 'fused',
    op: 'interpolateArgmax',
    title: 'bilinear ×4 + argmax, 150 classes',
    type: 'float32',
    layout: 'nchw',
    input: [1, 150, 128, 128],
    output: [1, 512, 512],
    options: { size: [512, 512], mode: 'bilinear' },
  },
  resize('R9', 'bilinear ×2, batch of small maps', [32, 64, 32, 32], [64, 64], 'bilinear'),
  resize('R10', 'bilinear antialias, full HD to 224', [1, 3, 1080, 1920], [224, 224], 'bilinear', {
    antialias: true,
  }),
  resize('R10b', 'bilinear antialias uint8 nhwc', [1, 1080, 1920, 3], [224, 224], 'bilinear', {
    antialias: true,
    layout: 'nhwc',
    type: 'uint8',
  }),
  resize('R11', 'area, full HD to 224', [1, 3, 1080, 1920], [224, 224], 'area'),
  resize('R11b', 'area ÷4', [1, 64, 256, 256], [64, 64], 'area'),
  resize('R12', 'bilinear ×2 nhwc', [1, 128, 128, 64], [256, 256], 'bilinear', { layout: 'nhwc' }),
  resize('R13', 'nearest ×2 nhwc', [1, 128, 128, 64], [256, 256], 'nearest', { layout: 'nhwc' }),
  pool('P1', 'max pool 2×2', 'maxPool2d', [1, 64, 256, 256], [1, 64, 128, 128], 2, 2, 0),
  pool(
    'P2',
    'max pool 2×2 with indices',
    'maxPool2dWithIndices',
    [1, 64, 256, 256],
    [1, 64, 128, 128],
    2,
    2,
    0,
  ),
  pool('P3', 'max pool 3×3 stride 2', 'maxPool2d', [1, 64, 256, 256], [1, 64, 128, 128], 3, 2, 1),
  pool('U1', 'max unpool 2×2', 'maxUnpool2d', [1, 64, 128, 128], [1, 64, 256, 256], 2, 2, 0),
  conv(
    'T1',
    'transposed 2×2 s2, U-Net up 1',
    'convTranspose2d',
    [1, 1024, 28, 28],
    [1024, 512, 2, 2],
    [1, 512, 56, 56],
    { stride: 2 },
  ),
  conv(
    'T1b',
    'transposed 2×2 s2, U-Net up 4',
    'convTranspose2d',
    [1, 128, 196, 196],
    [128, 64, 2, 2],
    [1, 64, 392, 392],
    { stride: 2 },
  ),
  conv(
    'T2',
    'transposed 16×16 s8, FCN-8s',
    'convTranspose2d',
    [1, 21, 64, 64],
    [21, 21, 16, 16],
    [1, 21, 520, 520],
    { stride: 8 },
  ),
  conv(
    'T3',
    'transposed 4×4 s2, DCGAN first',
    'convTranspose2d',
    [1, 512, 8, 8],
    [512, 256, 4, 4],
    [1, 256, 16, 16],
    { stride: 2, padding: 1 },
  ),
  conv(
    'T3b',
    'transposed 4×4 s2, DCGAN middle',
    'convTranspose2d',
    [1, 128, 32, 32],
    [128, 64, 4, 4],
    [1, 64, 64, 64],
    { stride: 2, padding: 1 },
  ),
  conv(
    'T3c',
    'transposed 4×4 s2, DCGAN last',
    'convTranspose2d',
    [1, 64, 32, 32],
    [64, 3, 4, 4],
    [1, 3, 64, 64],
    { stride: 2, padding: 1 },
  ),
  conv('T4', 'transposed 3×3 s2', 'convTranspose2d', [1, 128, 64, 64], [128, 64, 3, 3], [1, 64, 128, 128], {
    stride: 2,
    padding: 1,
    outputPadding: 1,
  }),
  conv('T5', 'transposed 3×3 s1', 'convTranspose2d', [1, 64, 128, 128], [64, 64, 3, 3], [1, 64, 128, 128], {
    padding: 1,
  }),
  conv(
    'T6',
    'transposed depthwise 4×4 s2',
    'convTranspose2d',
    [1, 256, 32, 32],
    [256, 1, 4, 4],
    [1, 256, 64, 64],
    { stride: 2, padding: 1, groups: 256 },
  ),
  conv('C1', 'convolution 3×3, 64 channels', 'conv2d', [1, 64, 128, 128], [64, 64, 3, 3], [1, 64, 128, 128], {
    padding: 1,
  }),
  conv(
    'C2',
    'convolution 1×1, classifier',
    'conv2d',
    [1, 64, 256, 256],
    [21, 64, 1, 1],
    [1, 21, 256, 256],
    {},
  ),
  conv(
    'C3',
    'convolution 3×3, 256 channels',
    'conv2d',
    [1, 256, 32, 32],
    [256, 256, 3, 3],
    [1, 256, 32, 32],
    { padding: 1 },
  ),
  conv('RC1', 'nearest ×2 then 3×3', 'resizeConv2d', [1, 64, 64, 64], [64, 64, 3, 3], [1, 64, 128, 128], {
    scaleFactor: 2,
    mode: 'nearest',
    padding: 1,
  }),
  {
    id: 'PS1',
    group: 'shuffle',
    op: 'pixelShuffle',
    title: 'pixel shuffle ×2',
    type: 'float32',
    layout: 'nchw',
    input: [1, 256, 64, 64],
    output: [1, 64, 128, 128],
    options: { upscaleFactor: 2 },
  },
  { ...resize('O1', 'call overhead: bilinear 4×4', [1, 1, 4, 4], [8, 8], 'bilinear'), group: 'overhead' },
  {
    ...conv(
      'O2',
      'call overhead: transposed 2×2',
      'convTranspose2d',
      [1, 1, 2, 2],
      [1, 1, 2, 2],
      [1, 1, 4, 4],
      { stride: 2 },
    ),
    group: 'overhead',
  },
  // Shapes that no vector width divides, and the ends of the range.
  resize('S1', 'bilinear ×3, odd lengths', [1, 3, 101, 67], [303, 201], 'bilinear'),
  resize('S2', 'bilinear ×2, odd, batch 64', [64, 3, 33, 33], [66, 66], 'bilinear'),
  resize('S3', 'nearest 1×1 to 7×7', [1, 256, 1, 1], [7, 7], 'nearest'),
  resize('S4', 'bilinear ÷2, 4096×4096', [1, 1, 4096, 4096], [2048, 2048], 'bilinear'),
  pool('S5', 'max pool 2×2, odd, batch 64', 'maxPool2d', [64, 5, 15, 15], [64, 5, 7, 7], 2, 2, 0),
  conv(
    'S6',
    'transposed 2×2 s2, 7 to 5 channels',
    'convTranspose2d',
    [1, 7, 37, 29],
    [7, 5, 2, 2],
    [1, 5, 74, 58],
    { stride: 2 },
  ),
];

const twins = ['R9', 'P1', 'P2', 'P3', 'U1', 'T4', 'C1'];

/** R12 and R13 are the twins of R2 and R1. */
export const workloads = nchw.flatMap((w) => (twins.includes(w.id) ? [w, nhwc(w)] : [w]));

const count = (dims) => dims.reduce((a, b) => a * b, 1);

/** Flops per element that a resize writes along one axis: a blend of two is three, of four eight; a widened filter has 2 · shrink taps. */
function flopsPerElement({ mode, antialias }, shrink) {
  if (mode === 'area') return Math.max(1, shrink);
  if (antialias) return 4 * Math.max(1, shrink);
  return { nearest: 0, bilinear: 3, bicubic: 8 }[mode];
}

/** Across every row of the input, then down the columns. */
function resizeFlops({ input, output, options, layout, op }) {
  const at = layout === 'nchw' ? 2 : 1;
  const [height, width] = input.slice(at, at + 2);
  const [outHeight, outWidth] = op === 'interpolate' ? output.slice(at, at + 2) : options.size;
  const planes = count(input) / (height * width);
  return (
    planes * height * outWidth * flopsPerElement(options, width / outWidth) +
    planes * outHeight * outWidth * flopsPerElement(options, height / outHeight)
  );
}

/** Least bytes (everything touched once) and the direct algorithm's flops. */
export function costOf(w) {
  const size = w.type === 'uint8' ? 1 : 4;
  const outSize = w.op === 'interpolateArgmax' ? 1 : size;
  const indices =
    w.op === 'maxPool2dWithIndices' ? count(w.output) * 4 : w.op === 'maxUnpool2d' ? count(w.input) * 4 : 0;
  const bytes = {
    read:
      count(w.input) * size + (w.weight ? count(w.weight) * 4 : 0) + (w.op === 'maxUnpool2d' ? indices : 0),
    write: count(w.output) * outSize + (w.op === 'maxPool2dWithIndices' ? indices : 0),
  };
  return { bytes, flops: flopsOf(w) };
}

function flopsOf(w) {
  switch (w.op) {
    case 'interpolate':
      return resizeFlops(w);
    case 'interpolateArgmax': // a comparison and a choice per class and pixel
      return resizeFlops(w) + 2 * count(w.output) * w.input[1];
    case 'maxPool2d':
    case 'maxPool2dWithIndices':
      return count(w.output) * w.options.kernelSize ** 2;
    case 'convTranspose2d':
      return (2 * count(w.input) * count(w.weight)) / w.weight[0];
    case 'conv2d':
      return (2 * count(w.output) * count(w.weight)) / w.weight[0];
    case 'resizeConv2d': // nearest ×2 then 3×3 folds to four 2×2 kernels: 4/9 of the products
      return (((2 * count(w.output) * count(w.weight)) / w.weight[0]) * 4) / 9;
    default: // moves
      return 0;
  }
}
