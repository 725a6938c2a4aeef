/** Resize-convolution: interpolate by an integer factor, then conv2d, without the resized tensor. */
import { knownOptions, oneOf, type PerAxis, positivePerAxis } from '../check.js';
import { refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import type { ConvPlan } from '../plan/conv2d.js';
import { planResizeConv2d } from '../plan/resize-conv2d.js';
import { windowExtent } from '../plan/window.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import {
  biasOf,
  type ConvLayer,
  type ConvLayerOptions,
  convLayer,
  imageOf,
  LAYER_OPTIONS,
  type Shape,
} from './convolution.js';
import { type PreparedConvolution, prepared } from './prepared.js';

export interface ResizeConvLayerOptions extends ConvLayerOptions {
  /** Output over input extent of the resize, an integer or one per axis. */
  readonly scaleFactor: PerAxis;
  /** How to resize. Default 'nearest'. */
  readonly mode?: 'nearest' | 'bilinear' | undefined;
}

export interface ResizeConvOptions extends ResizeConvLayerOptions {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const LAYER = [...LAYER_OPTIONS, 'scaleFactor', 'mode'];

/** A layer with its resize, as a function from an input to a plan. */
function resizeLayer(
  op: string,
  weight: Shape,
  bias: Shape | undefined,
  o: ResizeConvLayerOptions,
): { layer: ConvLayer; plan: (x: Shape) => ConvPlan } {
  const layer = convLayer(op, 2, false, weight, bias, o as never);
  const factors = positivePerAxis(op, 'scaleFactor', o.scaleFactor, 2);
  const mode = o.mode === undefined ? 'nearest' : oneOf(op, 'mode', o.mode, ['nearest', 'bilinear'] as const);
  const plan = (x: Shape): ConvPlan => {
    const { axes: sizes, batch } = imageOf(layer, x);
    const axes = sizes.map((inSize, i) => {
      const window = {
        kernel: layer.kernel[i]!,
        stride: layer.stride[i]!,
        dilation: layer.dilation[i]!,
        padBegin: layer.padBegin[i]!,
        padEnd: layer.padEnd[i]!,
      };
      const room = inSize * factors[i]! + window.padBegin + window.padEnd;
      if (room < windowExtent(window))
        refuse(
          op,
          'input.dims',
          `input must be at least as large as the kernel after resizing and padding, got ${room} for a kernel that spans ${windowExtent(window)} on axis ${i}`,
          'ERR_UPSAMPLING_SHAPE',
        );
      return { ...window, inSize, factor: factors[i]! };
    });
    return planResizeConv2d({
      mode,
      axes,
      batch,
      type: layer.type,
      layout: layer.layout,
      batched: x.dims.length === 4,
      groups: layer.groups,
      inChannels: layer.inChannels,
      outChannels: layer.outChannels,
      bias: layer.bias,
    });
  };
  return { layer, plan };
}

export function describeResizeConv2d(
  input: TensorLike,
  weight: TensorLike,
  options: ResizeConvOptions & AsyncOptions,
): Call<Tensor, 'resizeConv2d'> {
  const op = 'resizeConv2d';
  const x = asTensor(op, 'input', input);
  const w = asTensor(op, 'weight', weight);
  const o = options ?? {};
  const bias = biasOf(op, o);
  const plan = planned(op, bias === undefined ? [x, w] : [x, w, bias], options, () => {
    knownOptions(op, options, [...LAYER, 'out', 'threads', 'signal']);
    return resizeLayer(op, w, bias, o).plan(x);
  });
  return {
    op,
    kernel: 'resizeConv2d',
    plan,
    inputs: bias === undefined ? [x.data, w.data] : [x.data, w.data, bias.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: o.out }],
    options,
    finish: firstOf,
  };
}

/**
 * conv2d(interpolate(input, { scaleFactor, mode }), weight): the remedy for checkerboards, with the resize folded into
 * the weights of each phase. Nearest ×2 then 3×3 is four 2×2 convolutions of the small image, 4/9 of the work. At the
 * borders, where bilinear clamps and the padding cuts the window, the folded weights are those of the exact composition.
 *
 * Tensors, options and output extents are those of conv2d on the resized input; `scaleFactor` is a positive integer or
 * [height, width], `mode` 'nearest' (default) or 'bilinear' (half-pixel centres, alignCorners false).
 *
 * Error: |got − exact| ≤ (K + 2)·u·Σ|w·x| against the exact composition, K = products of the composition; with Winograd's
 * algorithm, as conv2d says. The same bits at every thread count. What is not finite reaches the same outputs; where infinities of opposite signs meet in the folded
 * weights it may be NaN in one and infinite in the other. Throws ArgumentError as conv2d does, before anything is written.
 * Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", 2016; PyTorch 2.13 for both parts.
 */
export function resizeConv2d(
  input: TensorLike,
  weight: TensorLike,
  options: ResizeConvOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeResizeConv2d(input, weight, options));
}

/** `resizeConv2d`, computed before it returns. */
export function resizeConv2dSync(
  input: TensorLike,
  weight: TensorLike,
  options: ResizeConvOptions & RunOptions,
): Tensor {
  return runSync(describeResizeConv2d(input, weight, options));
}

/**
 * `resizeConv2d` with its weights copied, folded and packed once, for many calls. Folded weights depend on the input's
 * extents only where it is so small, or so divided by the stride, that its borders fold otherwise; they are then folded
 * anew from the copy and kept too.
 */
export function prepareResizeConv2d(
  weight: TensorLike,
  options: ResizeConvLayerOptions,
): PreparedConvolution {
  const op = 'prepareResizeConv2d';
  knownOptions(op, options, LAYER);
  const w = asTensor(op, 'weight', weight);
  const bias = biasOf(op, options);
  const { layer, plan } = resizeLayer(op, w, bias, options);
  const sizes = layer.kernel.map((k, i) => 2 * (layer.dilation[i]! * k + layer.padEnd[i]!) + 8);
  const channels = layer.inChannels * layer.groups;
  const sample: Shape = {
    type: w.type,
    dims: layer.layout === 'nchw' ? [1, channels, ...sizes] : [1, ...sizes, channels],
  };
  return prepared({ op, plan, sample, weight: w, bias, foldings: true });
}
