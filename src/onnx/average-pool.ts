/** ONNX AveragePool, operator sets 1, 7, 10, 11, 19 and 22. */
import { mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planAvgPool2d } from '../plan/avg-pool2d.js';
import { type WindowAxis, windowAxis, windowExtent, windowOutSize } from '../plan/window.js';
import { NUMERIC, type Tensor } from '../tensor.js';
import { bit, dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf } from './call.js';
import { kernelOf, samePads, spatialRank, type WindowAttributes, windowsOf } from './window.js';

export interface PoolAttributes extends WindowAttributes {
  /** 1: round output extents up, so that a last window may hang over the end. Default 0. */
  readonly ceil_mode?: 0 | 1 | undefined;
}

export interface AveragePoolAttributes extends PoolAttributes {
  /** 1: padding counts in the divisor. Default 0. */
  readonly count_include_pad?: 0 | 1 | undefined;
}

const ATTRIBUTES = {
  auto_pad: 1,
  ceil_mode: 10,
  count_include_pad: 7,
  dilations: 19,
  kernel_shape: 1,
  pads: 1,
  strides: 1,
};

/** The windows of a pool on X. */
export function poolAxes(op: string, dims: readonly number[], a: PoolAttributes): WindowAxis[] {
  const n = spatialRank(op, 'X', dims);
  const ceil = bit(op, 'ceil_mode', a.ceil_mode);
  const { windows, autoPad } = windowsOf(op, a, kernelOf(op, a.kernel_shape, n));
  return windows.map((given, i) => {
    const inSize = dims[2 + i]!;
    if (given.padBegin >= windowExtent(given) || given.padEnd >= windowExtent(given))
      refuse(
        op,
        'pads',
        `pads must be smaller than the window, got ${given.padBegin} and ${given.padEnd} for a window of ${windowExtent(given)} along axis ${i}`,
      );
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER')
      return windowAxis(
        inSize,
        samePads(inSize, given, autoPad === 'SAME_UPPER'),
        Math.ceil(inSize / given.stride),
      );
    const outSize = windowOutSize(inSize, given, ceil);
    if (outSize < 1)
      refuse(
        op,
        'kernel_shape',
        `kernel_shape must fit into the padded input, got a window of ${windowExtent(given)} on ${inSize + given.padBegin + given.padEnd} along axis ${i}`,
        'ERR_UPSAMPLING_SHAPE',
      );
    return windowAxis(inSize, given, outSize);
  });
}

export function describeAveragePool(
  inputs: OnnxInputs,
  attributes: AveragePoolAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'averagePool';
  const a = attributes ?? ({} as AveragePoolAttributes);
  opsetOf(op, attributes, options, ATTRIBUTES, { from: 1, default: 22 });
  const [x] = inputsOf(op, inputs, ['X']);
  if (!NUMERIC.includes(x!.type))
    mustBe(op, 'X.type', `one of ${NUMERIC.join(', ')}`, x!.type, 'ERR_UPSAMPLING_TYPE');
  const countIncludePad = bit(op, 'count_include_pad', a.count_include_pad);
  const axes = poolAxes(op, x!.dims, a);
  const plan = planAvgPool2d({ type: x!.type, dims: x!.dims, layout: 'nchw', axes, countIncludePad });
  return {
    op,
    kernel: 'avgPool2d',
    plan,
    inputs: [x!.data],
    outputs: [{ param: 'out', type: x!.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * Y[o] = Σ over the window of X[o·stride − pad + k·dilation] / the cells of the window on X (on X and its padding with
 * count_include_pad): ONNX AveragePool.
 *
 * Input X (N, C, spatial…) with 1 to 3 spatial axes, float32, float64, float16 (summed in float32, rounded once), uint8 or
 * int8 (rounded half to even). Cells beyond the padding, which only ceil_mode reaches, never count.
 *
 * Throws ArgumentError for wrong ranks, attributes, types and windows that do not fit, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__AveragePool.html, versions 1 to 22.
 */
export const { later: averagePool, now: averagePoolSync } = dialect(describeAveragePool);
