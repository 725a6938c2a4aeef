/** ONNX Upsample, operator sets 7 and 9; superseded by Resize from set 10 on. */
import { mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planInterpolate } from '../plan/interpolate.js';
import { refuseExtents, type Tensor } from '../tensor.js';
import { dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf, vectorOf, word } from './call.js';
import { fromScales } from './resize.js';

export interface UpsampleAttributes {
  /** Default 'nearest'. */
  readonly mode?: 'nearest' | 'linear' | undefined;
  /** Factors of at least 1, one per axis; operator set 7 only, later the second input. */
  readonly scales?: readonly number[] | undefined;
}

export function describeUpsample(
  inputs: OnnxInputs,
  attributes: UpsampleAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'upsample';
  const opset = opsetOf(
    op,
    attributes,
    options,
    { mode: 7, scales: { since: 7, until: 9 } },
    { from: 7, default: attributes?.scales === undefined ? 9 : 7 },
  );
  const [x, scalesInput] = opset < 9 ? inputsOf(op, inputs, ['X']) : inputsOf(op, inputs, ['X', 'scales']);
  const { type, dims } = x!;
  if (dims.some((d) => d === 0))
    refuse(op, 'X.dims', `X must have no empty axis, got [${dims.join(', ')}]`, 'ERR_UPSAMPLING_SHAPE');
  const mode = word(op, 'mode', attributes?.mode, ['nearest', 'linear'] as const, 'nearest');
  if (mode === 'linear' && type === 'bool')
    refuse(op, 'X.type', 'X.type must not be bool with mode linear', 'ERR_UPSAMPLING_TYPE');
  const scales = opset < 9 ? attributes?.scales : vectorOf(op, 'scales', scalesInput, ['float32']);
  if (!Array.isArray(scales) || scales.length !== dims.length || !scales.every((s) => s >= 1))
    mustBe(op, 'scales', `${dims.length} numbers of at least 1`, scales ?? 'nothing');
  const extents = fromScales(
    op,
    scales,
    dims.map((_, i) => i),
    dims,
  );
  refuseExtents(
    op,
    extents.map((e) => e.outSize),
  );
  const plan = planInterpolate({
    type,
    dims,
    layout: 'nchw',
    axes: extents.map(({ outSize, scale }) =>
      scale === 1
        ? undefined
        : {
            outSize,
            scale: scale!,
            coordinates: { kind: 'asymmetric' },
            filter: mode === 'linear' ? { kind: 'linear' } : { kind: 'nearest', rounding: 'floor' },
          },
    ),
  });
  return {
    op,
    kernel: 'interpolate',
    plan,
    inputs: [x!.data],
    outputs: [{ param: 'out', type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * Y[o] = X[floor(o / scale)], or linear between the neighbours of o / scale: ONNX Upsample.
 *
 * Inputs X and, in operator set 9, scales; in set 7 scales is an attribute. X has any rank. mode nearest takes every element
 * type; linear takes all but bool, integers are rounded half to even and clamped.
 *
 * Throws ArgumentError for wrong inputs, attributes and types, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__Upsample.html, versions 7 and 9.
 */
export const { later: upsample, now: upsampleSync } = dialect(describeUpsample);
