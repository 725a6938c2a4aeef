/** ONNX ConvTranspose, operator sets 1, 11 and 22. */
import { integers } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planConvTranspose2d } from '../plan/conv-transpose2d.js';
import type { ConvAxisSpec } from '../plan/conv2d.js';
import { windowInSize } from '../plan/window.js';
import type { Tensor } from '../tensor.js';
import { dialect, type OnnxInputs, type OnnxOptions, opsetOf } from './call.js';
import { type ConvAttributes, convolutionInputs } from './conv.js';
import { list, windowsOf } from './window.js';

export interface ConvTransposeAttributes extends ConvAttributes {
  /** Elements added at the end of every spatial axis. Default 0. */
  readonly output_padding?: readonly number[] | undefined;
  /** The spatial extents of the output (or all dims); the paddings follow from it, `pads` does not count. */
  readonly output_shape?: readonly number[] | undefined;
}

const ATTRIBUTES = {
  auto_pad: 1,
  dilations: 1,
  group: 1,
  kernel_shape: 1,
  output_padding: 1,
  output_shape: 1,
  pads: 1,
  strides: 1,
};

export function describeConvTranspose(
  inputs: OnnxInputs,
  attributes: ConvTransposeAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'convTranspose';
  const a = attributes ?? {};
  opsetOf(op, attributes, options, ATTRIBUTES, { from: 1, default: 22 });
  const { x, w, b, n, groups, inChannels, outChannels, kernel } = convolutionInputs(op, inputs, a, true);
  const { windows, autoPad } = windowsOf(op, a, kernel);
  const outputPadding = list(op, 'output_padding', a.output_padding, n, 0, 0);
  const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
  let wanted: number[] | undefined;
  if (a.output_shape !== undefined) {
    const given = integers(op, 'output_shape', a.output_shape, undefined, 1);
    if (given.length !== n && given.length !== n + 2)
      mustBe(op, 'output_shape', `${n} spatial extents, or all ${n + 2} dims`, a.output_shape);
    wanted = given.slice(-n);
  } else if (same) wanted = windows.map((v, i) => x.dims[2 + i]! * v.stride);
  const axes = windows.map((given, i): ConvAxisSpec => {
    const inSize = x.dims[2 + i]!;
    if (wanted === undefined) {
      const outSize = windowInSize(inSize, given) + outputPadding[i]!;
      if (outSize < 1 || outSize > 0x7fffffff)
        refuse(
          op,
          'pads',
          `pads must leave output extents from 1 to 2^31 - 1, got ${outSize} along axis ${i}`,
        );
      return { ...given, inSize, outSize };
    }
    const outSize = wanted[i]!;
    const bare = { ...given, padBegin: 0, padEnd: 0 };
    const total = windowInSize(inSize, bare) + outputPadding[i]! - outSize;
    // An output that is larger than the whole result has zeros at its end; the odd cell is cut at the beginning but for SAME_UPPER.
    const half = Math.max(0, Math.floor(total / 2));
    const padBegin = total <= 0 || autoPad === 'SAME_UPPER' ? half : total - half;
    return { ...bare, padBegin, padEnd: total - padBegin, inSize, outSize };
  });
  const plan = planConvTranspose2d({
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
    kernel: 'convTranspose2d',
    plan,
    inputs: b === undefined ? [x.data, w.data] : [x.data, w.data, b.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * Y[n, o, i·stride + k·dilation − pad] += W[c, o, k] · X[n, c, i], plus B[o]: ONNX ConvTranspose.
 *
 * Inputs X (N, C, spatial…) with 1 to 3 spatial axes, W (C, O/group, kernel…) and, optionally, B (O); all float32, all
 * float64 or all float16 (computed in float32, rounded once). Output extents (in − 1)·stride + dilation·(kernel − 1) + 1 −
 * pads + output_padding, or in·stride with SAME_*, or output_shape.
 *
 * Throws ArgumentError for shapes, attributes and types that do not fit, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__ConvTranspose.html, versions 1, 11 and 22.
 */
export const { later: convTranspose, now: convTransposeSync } = dialect(describeConvTranspose);
