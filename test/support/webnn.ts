/**
 * WebNN's operators said in this package's: the root functions where they can express a case, ONNX's attributes for the rest
 * (padding that differs at the two ends, automatic padding, nearest with ties to the smaller index, other axes than the
 * image's). Tensors are brought into the layout that the function wants; nothing else is computed here.
 */

import * as root from '../../src/index.js';
import * as onnx from '../../src/onnx.js';
import { allocate, type Layout, type Tensor } from '../../src/tensor.js';
import { type ConformanceCase, readTensor, type StoredTensor } from './conformance.js';

export interface WebnnResult {
  readonly output: Tensor;
  /** The function that computed it. */
  readonly by: string;
}

type Options = {
  readonly padding?: readonly [number, number, number, number];
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly groups?: number;
  readonly autoPad?: 'explicit' | 'same-upper' | 'same-lower';
  readonly inputLayout?: Layout;
  readonly layout?: Layout;
  readonly filterLayout?: string;
  readonly outputPadding?: readonly [number, number];
  readonly outputSizes?: readonly [number, number];
  readonly windowDimensions?: readonly [number, number];
  readonly outputShapeRounding?: 'floor' | 'ceil';
  readonly roundingType?: 'floor' | 'ceil';
  readonly mode?: 'nearest-neighbor' | 'linear';
  readonly scales?: readonly [number, number];
  readonly sizes?: readonly [number, number];
  readonly axes?: readonly [number, number];
};

/** Axis i of the result is axis order[i] of the tensor. */
export function permute(t: Tensor, order: readonly number[]): Tensor {
  const dims = order.map((a) => t.dims[a]!);
  const out = allocate('permute', t.type, dims);
  const strides = t.dims.map((_, i) => t.dims.slice(i + 1).reduce((a, b) => a * b, 1));
  for (let i = 0; i < out.data.length; i++) {
    let rest = i;
    let from = 0;
    for (let k = dims.length - 1; k >= 0; k--) {
      from += (rest % dims[k]!) * strides[order[k]!]!;
      rest = Math.floor(rest / dims[k]!);
    }
    out.data[i] = t.data[from]!;
  }
  return out;
}

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** A filter in a layout spelled by the letters of its axes, in another. */
const filterIn = (t: Tensor, from: string, to: string): Tensor =>
  permute(
    t,
    [...to].map((letter) => from.indexOf(letter)),
  );

/** Runs a call in ONNX's words, which knows no nhwc. */
function throughNchw(layout: Layout, x: Tensor, run: (x: Tensor) => Tensor): Tensor {
  return layout === 'nchw' ? run(x) : permute(run(permute(x, TO_NCHW)), TO_NHWC);
}

const isSymmetric = ([top, bottom, left, right]: readonly number[]) => top === bottom && left === right;

/** WebNN pads [begin, end] per axis, ONNX all begins and then all ends. */
const onnxPads = ([top, bottom, left, right]: readonly number[]) => [top!, left!, bottom!, right!];

const autoPadOf = (o: Options): 'SAME_UPPER' | 'SAME_LOWER' | undefined =>
  o.autoPad === 'same-upper' ? 'SAME_UPPER' : o.autoPad === 'same-lower' ? 'SAME_LOWER' : undefined;

function convolution(c: ConformanceCase, o: Options, transposed: boolean): WebnnResult {
  const layout = o.inputLayout ?? 'nchw';
  const x = readTensor(c.inputs.input!);
  const own = transposed ? 'iohw' : 'oihw';
  const w = filterIn(readTensor(c.inputs['filter' as never] as StoredTensor), o.filterLayout ?? own, own);
  const bias = c.inputs.bias === undefined ? undefined : readTensor(c.inputs.bias);
  const strides = o.strides ?? [1, 1];
  const dilations = o.dilations ?? [1, 1];
  const padding = o.padding ?? [0, 0, 0, 0];
  const autoPad = autoPadOf(o);
  const group = o.groups ?? 1;
  let outputPadding: readonly number[] = o.outputPadding ?? [0, 0];
  if (o.outputSizes !== undefined) {
    // WebNN: outputSizes stands for the output padding that leads to it.
    const sizes = layout === 'nchw' ? x.dims.slice(2) : x.dims.slice(1, 3);
    outputPadding = sizes.map(
      (d, i) =>
        o.outputSizes![i]! -
        ((d - 1) * strides[i]! +
          (w.dims[2 + i]! - 1) * dilations[i]! +
          1 -
          padding[2 * i]! -
          padding[2 * i + 1]!),
    );
  }
  if (autoPad === undefined && isSymmetric(padding)) {
    const common = {
      bias,
      stride: strides,
      padding: [padding[0], padding[2]],
      dilation: dilations,
      groups: group,
      layout,
    };
    return transposed
      ? { output: root.convTranspose2dSync(x, w, { ...common, outputPadding }), by: 'convTranspose2d' }
      : { output: root.conv2dSync(x, w, common), by: 'conv2d' };
  }
  const attributes = {
    strides,
    dilations,
    group,
    ...(autoPad === undefined ? { pads: onnxPads(padding) } : { auto_pad: autoPad }),
  } as const;
  const run = (image: Tensor) =>
    transposed
      ? onnx.convTransposeSync([image, w, bias], { ...attributes, output_padding: outputPadding })[0]!
      : onnx.convSync([image, w, bias], attributes)[0]!;
  return { output: throughNchw(layout, x, run), by: transposed ? 'onnx.convTranspose' : 'onnx.conv' };
}

function pool(c: ConformanceCase, o: Options, max: boolean): WebnnResult {
  const layout = o.layout ?? 'nchw';
  const x = readTensor(c.inputs.input!);
  const sizes = layout === 'nchw' ? x.dims.slice(2) : x.dims.slice(1, 3);
  const kernel = o.windowDimensions ?? sizes;
  const strides = o.strides ?? [1, 1];
  const dilations = o.dilations ?? [1, 1];
  const padding = o.padding ?? [0, 0, 0, 0];
  const autoPad = autoPadOf(o);
  const room = sizes.map(
    (d, i) => d + padding[2 * i]! + padding[2 * i + 1]! - (kernel[i]! - 1) * dilations[i]! - 1,
  );
  // outputSizes decides the rounding where it is given.
  const ceil =
    o.outputSizes === undefined
      ? (o.outputShapeRounding ?? o.roundingType) === 'ceil'
      : o.outputSizes.some((d, i) => d !== Math.floor(room[i]! / strides[i]!) + 1);
  const dilated = dilations.some((d) => d !== 1);
  if (
    autoPad === undefined &&
    isSymmetric(padding) &&
    (max || !dilated) &&
    padding[0] <= kernel[0]! / 2 &&
    padding[2] <= kernel[1]! / 2
  ) {
    const common = {
      kernelSize: kernel,
      stride: strides,
      padding: [padding[0], padding[2]],
      ceilMode: ceil,
      layout,
    };
    return max
      ? { output: root.maxPool2dSync(x, { ...common, dilation: dilations }), by: 'maxPool2d' }
      : { output: root.avgPool2dSync(x, { ...common, countIncludePad: false }), by: 'avgPool2d' };
  }
  const attributes = {
    kernel_shape: kernel,
    strides,
    dilations,
    ceil_mode: ceil ? 1 : 0,
    ...(autoPad === undefined ? { pads: onnxPads(padding) } : { auto_pad: autoPad }),
  } as const;
  const run = (image: Tensor) => (max ? onnx.maxPoolSync : onnx.averagePoolSync)([image], attributes)[0]!;
  return { output: throughNchw(layout, x, run), by: max ? 'onnx.maxPool' : 'onnx.averagePool' };
}

function resample(c: ConformanceCase, o: Options): WebnnResult {
  const x = readTensor(c.inputs.input!);
  const axes = o.axes ?? [2, 3];
  // WebNN takes coordinates from the ratio of the sizes, also where it was given scales.
  const sizes = axes.map((a, i) => o.sizes?.[i] ?? Math.floor(x.dims[a]! * (o.scales?.[i] ?? 1)));
  const layout = axes.join() === '2,3' ? 'nchw' : axes.join() === '1,2' ? 'nhwc' : undefined;
  if (o.mode === 'linear' && layout !== undefined)
    return { output: root.interpolateSync(x, { mode: 'bilinear', size: sizes, layout }), by: 'interpolate' };
  const vector = { data: BigInt64Array.from(sizes, BigInt), dims: [sizes.length] };
  const mode = o.mode === 'linear' ? 'linear' : 'nearest';
  return {
    output: onnx.resizeSync([x, undefined, undefined, vector], { axes, mode })[0]!,
    by: 'onnx.resize',
  };
}

/** Runs a WebNN case. */
export function runWebnnCase(c: ConformanceCase): WebnnResult {
  const o = (c.options ?? {}) as Options;
  switch (c.op) {
    case 'conv2d':
      return convolution(c, o, false);
    case 'convTranspose2d':
      return convolution(c, o, true);
    case 'maxPool2d':
      return pool(c, o, true);
    case 'averagePool2d':
      return pool(c, o, false);
    case 'resample2d':
      return resample(c, o);
    default:
      throw new Error(`no operator for ${c.op}`);
  }
}
