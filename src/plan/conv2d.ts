/**
 * Geometry of the convolution family: one table per axis of the passes in which the outputs are computed, the same form
 * for convolutions, transposed convolutions and resize-convolutions.
 *
 * Note [Passes]
 * Outputs o = outStep·q + phase that read the input at the same offsets from q·inStep, for q in begin … end, form a pass:
 *
 *     out[outStep·q + phase] = Σ_t (Σ_{e of (phase, t)} coefficient[e] · w[kernel[e]]) · in[inStep·q + offset[t]]
 *
 * Inputs outside 0 … inSize are padding and add nothing. The passes of a plan are the products of those of its axes;
 * each output belongs to exactly one.
 */
import type { DataType, Layout } from '../tensor.js';
import type { AxisTaps } from './axis.js';
import { type WindowSpec, windowOutSize } from './window.js';

/** Outputs along one axis that share their input offsets. */
export interface AxisPass {
  readonly begin: number;
  readonly end: number;
  /** Offsets from inStep·q of the inputs that are read, rising. */
  readonly offsets: Int32Array;
  readonly phases: Int32Array;
  /** Entries of (phase p, tap t): first[p·taps + t] up to first[p·taps + t + 1]. */
  readonly first: Int32Array;
  readonly kernel: Int32Array;
  readonly coefficient: Float64Array;
}

/** One spatial axis: the definition (kernel, stride, …) and the passes that follow from it. */
export interface ConvAxis {
  readonly inSize: number;
  readonly outSize: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first element; of a transposed convolution, outputs cut off there. May be negative. */
  readonly padding: number;
  readonly inStep: number;
  readonly outStep: number;
  readonly passes: readonly AxisPass[];
  /** What resizes the axis before the convolution, if anything. */
  readonly resize?: AxisTaps;
}

export interface ConvPlan {
  readonly op: 'conv2d' | 'convTranspose2d' | 'resizeConv2d';
  readonly type: DataType;
  readonly layout: Layout;
  readonly batch: number;
  readonly groups: number;
  /** Channels of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly axes: readonly ConvAxis[];
  /** Weight strides in whole kernels: (out, in/groups, k…) or, transposed, (in, out/groups, k…). */
  readonly transposed: boolean;
  readonly bias: boolean;
  /** Weights and bias come packed, as one input; such a plan is for the addon only. */
  readonly packed?: boolean;
  readonly outDims: readonly number[];
}

/** What a dialect says of one axis. */
export interface ConvAxisSpec extends WindowSpec {
  readonly inSize: number;
  /** Where it does not follow from the paddings: output padding, or a dialect that names the extent. */
  readonly outSize?: number;
}

export interface ConvSpec {
  readonly type: DataType;
  readonly layout: Layout;
  /** Dims of the input without batch or with it. */
  readonly batched: boolean;
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly axes: readonly ConvAxisSpec[];
  readonly bias: boolean;
}

/** Dims of a result of `channels` channels, in memory order. */
export function imageDims(spec: Omit<ConvSpec, 'axes'>, sizes: readonly number[]): number[] {
  const channels = spec.groups * spec.outChannels;
  const image = spec.layout === 'nchw' ? [channels, ...sizes] : [...sizes, channels];
  return spec.batched ? [spec.batch, ...image] : image;
}

/** A pass whose every tap is one kernel element. */
export function plainPass(
  begin: number,
  end: number,
  offsets: readonly number[],
  phases: readonly number[],
  kernel: readonly number[],
): AxisPass {
  return {
    begin,
    end,
    offsets: Int32Array.from(offsets),
    phases: Int32Array.from(phases),
    first: Int32Array.from({ length: kernel.length + 1 }, (_, i) => i),
    kernel: Int32Array.from(kernel),
    coefficient: new Float64Array(kernel.length).fill(1),
  };
}

/** out[o] = Σ_k w[k] · in[o·stride + k·dilation − padding] */
export function planConv2d(spec: ConvSpec): ConvPlan {
  const axes = spec.axes.map((a): ConvAxis => {
    const outSize = a.outSize ?? windowOutSize(a.inSize, a);
    const taps = Array.from({ length: a.kernel }, (_, k) => k);
    const offsets = taps.map((k) => k * a.dilation - a.padBegin);
    return {
      inSize: a.inSize,
      outSize,
      kernel: a.kernel,
      stride: a.stride,
      dilation: a.dilation,
      padding: a.padBegin,
      inStep: a.stride,
      outStep: 1,
      passes: [plainPass(0, outSize, offsets, [0], taps)],
    };
  });
  return finishPlan('conv2d', spec, axes, false);
}

export function finishPlan(
  op: ConvPlan['op'],
  spec: Omit<ConvSpec, 'axes'>,
  axes: readonly ConvAxis[],
  transposed: boolean,
): ConvPlan {
  const { type, layout, batch, groups, inChannels, outChannels, bias } = spec;
  const outDims = imageDims(
    spec,
    axes.map((a) => a.outSize),
  );
  return { op, type, layout, batch, groups, inChannels, outChannels, axes, transposed, bias, outDims };
}
