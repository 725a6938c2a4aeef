/** What conv1d/2d/3d and convTranspose1d/2d/3d share: options, their checks, and the call. */

import {
  countPerAxis,
  knownOptions,
  oneOf,
  type PerAxis,
  plain,
  positiveInt,
  positivePerAxis,
} from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf } from '../execute.js';
import { planned } from '../plan/cache.js';
import { planConvTranspose2d } from '../plan/conv-transpose2d.js';
import { type ConvAxisSpec, type ConvPlan, planConv2d } from '../plan/conv2d.js';
import { windowExtent, windowInSize } from '../plan/window.js';
import { asTensor, type DataType, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import { type PreparedConvolution, prepared } from './prepared.js';

/** What belongs to the layer and not to one call. */
export interface ConvLayerOptions {
  /** One number per output channel; default none. */
  readonly bias?: TensorLike | undefined;
  /** Default 1. */
  readonly stride?: PerAxis | undefined;
  /** Zeros around the input: a number or one per axis, 'valid' (none), or 'same' (output extent = input extent, stride 1). Default 0. */
  readonly padding?: PerAxis | 'same' | 'valid' | undefined;
  /** Distance between kernel elements. Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Channels are split into so many independent convolutions. Default 1. */
  readonly groups?: number | undefined;
  /** Memory order of input and output; weights are always (out, in/groups, kernel…). Default 'nchw'. */
  readonly layout?: Layout | undefined;
}

export interface ConvOptions extends ConvLayerOptions {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

export interface ConvTransposeLayerOptions extends Omit<ConvLayerOptions, 'padding'> {
  /** dilation · (kernel − 1) − padding zeros surround the input, so this cuts the output. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Rows and columns added at the end of the output, less than stride or dilation. Default 0. */
  readonly outputPadding?: PerAxis | undefined;
}

export interface ConvTransposeOptions extends ConvTransposeLayerOptions {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

/** A tensor as far as its shape goes. */
export type Shape = Pick<Tensor, 'type' | 'dims'>;

export const LAYER_OPTIONS = ['bias', 'stride', 'padding', 'dilation', 'groups', 'layout'];
export const TRANSPOSED_LAYER_OPTIONS = [...LAYER_OPTIONS, 'outputPadding'];
const CALL_OPTIONS = ['out', 'threads', 'signal'];
const TYPES: readonly DataType[] = ['float32', 'float64', 'float16'];

/** Weight and options of a layer, checked as far as they can be without an input. */
export interface ConvLayer {
  readonly op: string;
  readonly n: number;
  readonly transposed: boolean;
  readonly type: DataType;
  readonly layout: Layout;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padBegin: readonly number[];
  readonly padEnd: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
  /** Of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly bias: boolean;
}

const SHAPE = 'ERR_UPSAMPLING_SHAPE';

export function convLayer(
  op: string,
  n: number,
  transposed: boolean,
  weight: Shape,
  bias: Shape | undefined,
  o: ConvLayerOptions & ConvTransposeLayerOptions,
): ConvLayer {
  const groups = o.groups === undefined ? 1 : positiveInt(op, 'groups', o.groups);
  const layout = o.layout === undefined ? 'nchw' : oneOf(op, 'layout', o.layout, ['nchw', 'nhwc'] as const);
  const stride = o.stride === undefined ? ones(n) : positivePerAxis(op, 'stride', o.stride, n);
  const dilation = o.dilation === undefined ? ones(n) : positivePerAxis(op, 'dilation', o.dilation, n);
  const w = weight.dims;
  const order = transposed ? '(in, out/groups, kernel…)' : '(out, in/groups, kernel…)';
  if (!TYPES.includes(weight.type))
    mustBe(op, 'weight.type', `one of ${TYPES.join(', ')}`, weight.type, 'ERR_UPSAMPLING_TYPE');
  if (w.length !== n + 2) mustBe(op, 'weight.dims', `${n + 2} extents ${order}`, w, SHAPE);
  if (w.some((d) => d === 0)) mustBe(op, 'weight.dims', 'positive extents', w, SHAPE);
  if (w[0]! % groups !== 0)
    refuse(
      op,
      'groups',
      `groups must divide the first extent of weight ${order}, got groups ${groups} and weight.dims [${w.join(', ')}]`,
    );
  const kernel = w.slice(2);
  const outChannels = transposed ? w[1]! : w[0]! / groups;
  const inChannels = transposed ? w[0]! / groups : w[1]!;
  let padBegin: readonly number[];
  let padEnd: readonly number[];
  if (!transposed && (o.padding as unknown) === 'same') {
    if (stride.some((s) => s !== 1))
      refuse(op, 'padding', `padding 'same' needs stride 1, got stride [${stride.join(', ')}]`);
    const total = kernel.map((k, i) => dilation[i]! * (k - 1));
    padBegin = total.map((t) => Math.floor(t / 2));
    padEnd = total.map((t) => Math.ceil(t / 2));
  } else if (o.padding === undefined || (!transposed && (o.padding as unknown) === 'valid')) {
    padBegin = padEnd = zeros(n);
  } else {
    if (typeof o.padding === 'string')
      mustBe(
        op,
        'padding',
        transposed ? 'non-negative integers' : "non-negative integers, 'same' or 'valid'",
        o.padding,
      );
    padBegin = padEnd = countPerAxis(op, 'padding', o.padding, n);
  }
  const outputPadding =
    o.outputPadding === undefined ? zeros(n) : countPerAxis(op, 'outputPadding', o.outputPadding, n);
  for (let i = 0; i < n; i++)
    if (outputPadding[i]! >= Math.max(stride[i]!, dilation[i]!) && outputPadding[i]! > 0)
      refuse(
        op,
        'outputPadding',
        `outputPadding must be less than stride or dilation, got outputPadding ${outputPadding[i]}, stride ${stride[i]} and dilation ${dilation[i]} for axis ${i}`,
      );
  if (bias !== undefined) {
    if (bias.type !== weight.type)
      mustBe(op, 'bias.type', `${weight.type} as weight is`, bias.type, 'ERR_UPSAMPLING_TYPE');
    if (bias.dims.length !== 1 || bias.dims[0] !== outChannels * groups)
      mustBe(op, 'bias.dims', `[${outChannels * groups}], one number per output channel`, bias.dims, SHAPE);
  }
  return {
    op,
    n,
    transposed,
    type: weight.type,
    layout,
    kernel,
    stride,
    dilation,
    padBegin,
    padEnd,
    outputPadding,
    groups,
    inChannels,
    outChannels,
    bias: bias !== undefined,
  };
}

const ones = (n: number) => new Array<number>(n).fill(1);
const zeros = (n: number) => new Array<number>(n).fill(0);

/** The geometry of a layer on an input of these dims; refuses inputs that do not fit it. */
export function layerPlan(layer: ConvLayer, x: Shape): ConvPlan {
  const { op, n, layout } = layer;
  const { axes: sizes, batch } = imageOf(layer, x);
  const axes = sizes.map((inSize, i): ConvAxisSpec => {
    const window = {
      kernel: layer.kernel[i]!,
      stride: layer.stride[i]!,
      dilation: layer.dilation[i]!,
      padBegin: layer.padBegin[i]!,
      padEnd: layer.padEnd[i]!,
    };
    if (layer.transposed) {
      const outSize = windowInSize(inSize, window) + layer.outputPadding[i]!;
      if (outSize < 1 || outSize > 0x7fffffff)
        refuse(
          op,
          'padding',
          `padding must leave output extents from 1 to 2^31 - 1, got ${outSize} from an input of ${inSize} on axis ${i}`,
        );
      return { ...window, inSize, outSize };
    }
    const extent = windowExtent(window);
    if (inSize + window.padBegin + window.padEnd < extent)
      refuse(
        op,
        'input.dims',
        `input must be at least as large as the kernel after padding, got ${inSize + window.padBegin + window.padEnd} for a kernel that spans ${extent} on axis ${i}`,
        SHAPE,
      );
    return { ...window, inSize };
  });
  const plan = layer.transposed ? planConvTranspose2d : planConv2d;
  return plan({
    type: layer.type,
    layout,
    batched: x.dims.length === n + 2,
    batch,
    groups: layer.groups,
    inChannels: layer.inChannels,
    outChannels: layer.outChannels,
    axes,
    bias: layer.bias,
  });
}

/** Spatial extents and batch of an input, checked against the layer. */
export function imageOf(layer: ConvLayer, x: Shape): { axes: number[]; batch: number } {
  const { op, n, layout } = layer;
  const { dims } = x;
  if (dims.length !== n + 2 && dims.length !== n + 1)
    mustBe(
      op,
      'input.dims',
      `${n + 2} extents ${layout === 'nchw' ? '(N, C, spatial…)' : '(N, spatial…, C)'}, or ${n + 1} without N`,
      dims,
      SHAPE,
    );
  if (x.type !== layer.type)
    mustBe(op, 'input.type', `${layer.type} as weight is`, x.type, 'ERR_UPSAMPLING_TYPE');
  const batched = dims.length === n + 2;
  const image = batched ? dims.slice(1) : dims;
  const channels = layout === 'nchw' ? image[0]! : image[n]!;
  if (channels !== layer.inChannels * layer.groups)
    mustBe(
      op,
      'input.dims',
      `of ${layer.inChannels * layer.groups} channels (${layer.inChannels} per group, as weight has, in ${layer.groups} groups)`,
      dims,
      SHAPE,
    );
  const axes = layout === 'nchw' ? image.slice(1) : image.slice(0, n);
  if (axes.some((d) => d === 0))
    refuse(op, 'input.dims', `input must have no empty axis but the batch, got [${dims.join(', ')}]`, SHAPE);
  return { axes: axes.slice(), batch: batched ? dims[0]! : 1 };
}

export type AnyConvOptions = ConvOptions & ConvTransposeOptions & AsyncOptions;

/** Checks and plans a whole call. */
export function describeConvolution(
  op: string,
  n: number,
  transposed: boolean,
  input: TensorLike,
  weight: TensorLike,
  given: AnyConvOptions | undefined,
): Call<Tensor, 'conv2d' | 'convTranspose2d'> {
  const options = plain(given);
  const o = options ?? {};
  const x = asTensor(op, 'input', input);
  const w = asTensor(op, 'weight', weight);
  const bias = biasOf(op, o);
  const shapes = bias === undefined ? [x, w] : [x, w, bias];
  const plan = planned(op, shapes, options, () => {
    knownOptions(op, options, [...(transposed ? TRANSPOSED_LAYER_OPTIONS : LAYER_OPTIONS), ...CALL_OPTIONS]);
    return layerPlan(convLayer(op, n, transposed, w, bias, o), x);
  });
  return {
    op,
    kernel: transposed ? 'convTranspose2d' : 'conv2d',
    plan,
    inputs: bias === undefined ? [x.data, w.data] : [x.data, w.data, bias.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: o.out }],
    options,
    finish: firstOf,
  };
}

/** A layer with its weights packed once. */
export function prepareConvolution(
  op: string,
  n: number,
  transposed: boolean,
  weight: TensorLike,
  options: (ConvLayerOptions & ConvTransposeLayerOptions) | undefined,
): PreparedConvolution {
  knownOptions(op, options, transposed ? TRANSPOSED_LAYER_OPTIONS : LAYER_OPTIONS);
  const o = options ?? {};
  const w = asTensor(op, 'weight', weight);
  const bias = biasOf(op, o);
  const layer = convLayer(op, n, transposed, w, bias, o);
  // An extent that fits: what is packed does not depend on it.
  const sizes = layer.kernel.map((k, i) => (k - 1) * layer.dilation[i]! + 1 + 2 * layer.padBegin[i]!);
  const channels = layer.inChannels * layer.groups;
  const sample: Shape = {
    type: w.type,
    dims: layer.layout === 'nchw' ? [1, channels, ...sizes] : [1, ...sizes, channels],
  };
  return prepared({ op, plan: (x) => layerPlan(layer, x), sample, weight: w, bias });
}

/** The bias, if any; null says none too, as PyTorch's None. */
export function biasOf(op: string, o: ConvLayerOptions): Tensor | undefined {
  return o.bias === undefined || o.bias === null ? undefined : asTensor(op, 'bias', o.bias);
}

/** outputDims of a layer, from dims alone. */
export function convolutionDims(
  op: string,
  n: number,
  transposed: boolean,
  dims: readonly number[],
  weightDims: readonly number[],
  options: Omit<AnyConvOptions, 'bias'> | undefined,
): number[] {
  knownOptions(op, options, [...(transposed ? TRANSPOSED_LAYER_OPTIONS : LAYER_OPTIONS), ...CALL_OPTIONS]);
  const shape = (d: readonly number[]): Shape => ({ type: 'float32', dims: d as number[] });
  const layer = convLayer(op, n, transposed, shape(weightDims), undefined, options ?? {});
  return layerPlan(layer, shape(dims)).outDims.slice();
}
