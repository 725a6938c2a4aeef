/** ONNX Conv, operator sets 1, 11 and 22. */
import { positiveInt } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { type ConvAxisSpec, planConv2d } from '../plan/conv2d.js';
import { windowExtent } from '../plan/window.js';
import type { DataType, Tensor } from '../tensor.js';
import { dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf } from './call.js';
import { kernelOf, samePads, spatialRank, type WindowAttributes, windowsOf } from './window.js';

export interface ConvAttributes extends WindowAttributes {
  /** Channels are split into so many independent convolutions. Default 1. */
  readonly group?: number | undefined;
}

const ATTRIBUTES = { auto_pad: 1, dilations: 1, group: 1, kernel_shape: 1, pads: 1, strides: 1 };
const TYPES: readonly DataType[] = ['float32', 'float64', 'float16'];

/** X, W and B of a convolution or, `transposed`, of its transpose, checked against each other. */
export function convolutionInputs(op: string, inputs: OnnxInputs, a: ConvAttributes, transposed: boolean) {
  const [x, w, b] = inputsOf(op, inputs, ['X', 'W', 'B?']) as [Tensor, Tensor, Tensor | undefined];
  const n = spatialRank(op, 'X', x.dims);
  const groups = a.group === undefined ? 1 : positiveInt(op, 'group', a.group);
  const shape = 'ERR_UPSAMPLING_SHAPE';
  if (!TYPES.includes(x.type))
    mustBe(op, 'X.type', `one of ${TYPES.join(', ')}`, x.type, 'ERR_UPSAMPLING_TYPE');
  for (const [name, t] of [
    ['W', w],
    ['B', b],
  ] as const)
    if (t !== undefined && t.type !== x.type)
      mustBe(op, `${name}.type`, `${x.type} as X is`, t.type, 'ERR_UPSAMPLING_TYPE');
  const order = transposed ? '(in, out/group, kernel…)' : '(out, in/group, kernel…)';
  if (w.dims.length !== n + 2 || w.dims.some((d) => d === 0))
    mustBe(op, 'W.dims', `${n + 2} positive extents ${order}`, w.dims, shape);
  if (w.dims[0]! % groups !== 0)
    refuse(
      op,
      'group',
      `group must divide the first extent of W ${order}, got group ${groups} and W.dims [${w.dims.join(', ')}]`,
    );
  const inChannels = transposed ? w.dims[0]! / groups : w.dims[1]!;
  const outChannels = transposed ? w.dims[1]! : w.dims[0]! / groups;
  if (x.dims[1] !== inChannels * groups)
    mustBe(
      op,
      'X.dims',
      `of ${inChannels * groups} channels (${inChannels} per group, as W has, in ${groups} groups)`,
      x.dims,
      shape,
    );
  if (b !== undefined && (b.dims.length !== 1 || b.dims[0] !== outChannels * groups))
    mustBe(op, 'B.dims', `[${outChannels * groups}], one number per output channel`, b.dims, shape);
  const kernel = w.dims.slice(2);
  if (a.kernel_shape !== undefined && kernelOf(op, a.kernel_shape, n).some((k, i) => k !== kernel[i]))
    mustBe(op, 'kernel_shape', `that of W, [${kernel.join(', ')}]`, a.kernel_shape);
  return { x, w, b, n, groups, inChannels, outChannels, kernel };
}

export function describeConv(
  inputs: OnnxInputs,
  attributes: ConvAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'conv';
  const a = attributes ?? {};
  opsetOf(op, attributes, options, ATTRIBUTES, { from: 1, default: 22 });
  const { x, w, b, groups, inChannels, outChannels, kernel } = convolutionInputs(op, inputs, a, false);
  const { windows, autoPad } = windowsOf(op, a, kernel);
  const axes = windows.map((given, i): ConvAxisSpec => {
    const inSize = x.dims[2 + i]!;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER')
      return {
        ...samePads(inSize, given, autoPad === 'SAME_UPPER'),
        inSize,
        outSize: Math.ceil(inSize / given.stride),
      };
    if (inSize + given.padBegin + given.padEnd < windowExtent(given))
      refuse(
        op,
        'X.dims',
        `X must be at least as large as the kernel after padding, got ${inSize + given.padBegin + given.padEnd} for a kernel that spans ${windowExtent(given)} along axis ${i}`,
        'ERR_UPSAMPLING_SHAPE',
      );
    return { ...given, inSize };
  });
  const plan = planConv2d({
    type: x.type,
    layout: 'nchw',
    batched: true,
    batch: x.dims[0]!,
    groups,
    inChannels,
    outChannels,
    axes,
    bias: b !== undefined,
  });
  return {
    op,
    kernel: 'conv2d',
    plan,
    inputs: b === undefined ? [x.data, w.data] : [x.data, w.data, b.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * Y[n, o, p] = B[o] + Σ_{c, k} W[o, c, k] · X[n, c, p·stride + k·dilation − pad], zeros outside X: ONNX Conv.
 *
 * Inputs X (N, C, spatial…) with 1 to 3 spatial axes, W (O, C/group, kernel…) and, optionally, B (O); all float32, all
 * float64 or all float16 (computed in float32, rounded once). SAME_* gives ceil(in / stride) outputs, dilated kernels too.
 *
 * Throws ArgumentError for shapes, attributes and types that do not fit, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__Conv.html, versions 1, 11 and 22.
 */
export const { later: conv, now: convSync } = dialect(describeConv);
