/** ONNX Resize, operator sets 10, 11, 13, 18 and 19. */
import { finite } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import type { AxisSpec, Coordinates, Filter } from '../plan/axis.js';
import { planInterpolate } from '../plan/interpolate.js';
import { refuseExtents, type Tensor } from '../tensor.js';
import {
  axesOf,
  bit,
  dialect,
  inputsOf,
  type OnnxInputs,
  type OnnxOptions,
  opsetOf,
  vectorOf,
  word,
} from './call.js';

export interface ResizeAttributes {
  /** 1: when shrinking, widen the linear or cubic filter. Default 0. */
  readonly antialias?: 0 | 1 | undefined;
  /** The axes that roi, scales and sizes speak of; default all. Negative ones count from the end. */
  readonly axes?: readonly number[] | undefined;
  /** How an output position becomes an input position. Default 'half_pixel'. */
  readonly coordinate_transformation_mode?:
    | 'half_pixel'
    | 'half_pixel_symmetric'
    | 'pytorch_half_pixel'
    | 'align_corners'
    | 'asymmetric'
    | 'tf_half_pixel_for_nn'
    | 'tf_crop_and_resize'
    | undefined;
  /** Free parameter of the cubic kernel. Default -0.75. */
  readonly cubic_coeff_a?: number | undefined;
  /** 1: weights of positions beyond the input are dropped and the rest normalised. Default 0: the edge is repeated. */
  readonly exclude_outside?: 0 | 1 | undefined;
  /** What outputs beyond the input become with tf_crop_and_resize. Default 0. */
  readonly extrapolation_value?: number | undefined;
  /** What `sizes` mean. Default 'stretch': the sizes themselves. */
  readonly keep_aspect_ratio_policy?: 'stretch' | 'not_larger' | 'not_smaller' | undefined;
  /** Default 'nearest'. */
  readonly mode?: 'nearest' | 'linear' | 'cubic' | undefined;
  /** Which pixel is nearest. Default 'round_prefer_floor'. */
  readonly nearest_mode?: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil' | undefined;
}

const ATTRIBUTES = {
  antialias: 18,
  axes: 18,
  coordinate_transformation_mode: 11,
  cubic_coeff_a: 11,
  exclude_outside: 11,
  extrapolation_value: 11,
  keep_aspect_ratio_policy: 18,
  mode: 10,
  nearest_mode: 11,
};
export const TRANSFORMS = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
] as const;
const ROUNDING = {
  round_prefer_floor: 'prefer-floor',
  round_prefer_ceil: 'prefer-ceil',
  floor: 'floor',
  ceil: 'ceil',
} as const;
const FLOATS = ['float32', 'float64', 'float16'];

/** Output length and coordinate scale of one axis. */
interface Extent {
  readonly outSize: number;
  readonly scale: number | undefined;
}

export function describeResize(
  inputs: OnnxInputs,
  attributes: ResizeAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'resize';
  const a = attributes ?? {};
  const opset = opsetOf(op, attributes, options, ATTRIBUTES, { from: 10, default: 19 });
  const [x, roiInput, scalesInput, sizesInput] =
    opset === 10
      ? spread(inputsOf(op, inputs, ['X', 'scales']))
      : inputsOf(op, inputs, ['X', 'roi?', 'scales?', 'sizes?']);
  const { type, dims } = x!;
  if (dims.some((d) => d === 0))
    refuse(op, 'X.dims', `X must have no empty axis, got [${dims.join(', ')}]`, 'ERR_UPSAMPLING_SHAPE');
  const mode = word(
    op,
    'mode',
    a.mode,
    opset === 10 ? (['nearest', 'linear'] as const) : (['nearest', 'linear', 'cubic'] as const),
    'nearest',
  );
  if (mode !== 'nearest' && type === 'bool')
    refuse(op, 'X.type', `X.type must not be bool with mode ${mode}`, 'ERR_UPSAMPLING_TYPE');
  const transform = word(
    op,
    'coordinate_transformation_mode',
    a.coordinate_transformation_mode,
    TRANSFORMS,
    opset === 10 ? 'asymmetric' : 'half_pixel',
  );
  // Half-pixel for TensorFlow's nearest neighbour left the standard with set 13; a call that names no set may still use it.
  if (
    options?.opset !== undefined &&
    ((transform === 'tf_half_pixel_for_nn' && opset >= 13) ||
      (transform === 'half_pixel_symmetric' && opset < 19))
  )
    refuse(
      op,
      'coordinate_transformation_mode',
      `coordinate_transformation_mode must not be ${transform} in operator set ${opset}`,
    );
  const antialias = bit(op, 'antialias', a.antialias);
  if (antialias && mode === 'nearest')
    refuse(op, 'antialias', 'antialias must be 0 with mode nearest, it is for linear and cubic');
  const exclude = bit(op, 'exclude_outside', a.exclude_outside);
  if (exclude && mode !== 'cubic' && !antialias)
    refuse(
      op,
      'exclude_outside',
      `exclude_outside must be 0 with mode ${mode}, it is for cubic and antialias`,
    );
  const cubicA = a.cubic_coeff_a === undefined ? -0.75 : finite(op, 'cubic_coeff_a', a.cubic_coeff_a);
  const extrapolation =
    a.extrapolation_value === undefined ? 0 : number(op, 'extrapolation_value', a.extrapolation_value);
  const nearest = word(
    op,
    'nearest_mode',
    a.nearest_mode,
    Object.keys(ROUNDING) as (keyof typeof ROUNDING)[],
    'round_prefer_floor',
  );
  const axes = axesOf(op, a.axes, dims.length);
  const scales = vectorOf(op, 'scales', scalesInput, FLOATS);
  const sizes = vectorOf(op, 'sizes', sizesInput, ['int64', 'int32']);
  if ((scales === undefined) === (sizes === undefined))
    refuse(op, 'scales', `give either scales or sizes, got ${scales === undefined ? 'neither' : 'both'}`);
  const policy = word(
    op,
    'keep_aspect_ratio_policy',
    a.keep_aspect_ratio_policy,
    ['stretch', 'not_larger', 'not_smaller'] as const,
    'stretch',
  );
  if (policy !== 'stretch' && sizes === undefined)
    refuse(op, 'keep_aspect_ratio_policy', `keep_aspect_ratio_policy ${policy} must be given with sizes`);
  const extents =
    scales !== undefined ? fromScales(op, scales, axes, dims) : fromSizes(op, sizes!, axes, dims, policy);
  const roi = vectorOf(op, 'roi', roiInput, FLOATS);
  if (
    transform === 'tf_crop_and_resize' &&
    (roi === undefined || roi.length !== 2 * axes.length || !roi.every(Number.isFinite))
  )
    mustBe(op, 'roi', `${2 * axes.length} finite numbers with tf_crop_and_resize`, roi ?? 'nothing');

  refuseExtents(
    op,
    extents.map((e) => e.outSize),
  );
  const plan = planInterpolate({
    type,
    dims,
    layout: 'nchw',
    extrapolation,
    axes: dims.map((inSize, axis): Omit<AxisSpec, 'precision' | 'inSize'> | undefined => {
      const i = axes.indexOf(axis);
      if (i < 0) return undefined;
      const { outSize, scale } = extents[i]!;
      const coordinates = coordinatesOf(transform, roi?.[i], roi?.[i + axes.length]);
      // Every transform but a crop keeps an axis as it is when the factor is 1; no weight of 0 then meets a NaN.
      if (inSize === outSize && (scale === undefined || scale === 1) && isPlain(transform)) return undefined;
      return {
        outSize,
        coordinates,
        filter: filterOf(),
        ...(scale === undefined ? {} : { scale }),
        ...(mode === 'nearest' ? {} : { border: exclude ? ('exclude' as const) : ('clamp' as const) }),
      };
      function filterOf(): Filter {
        if (mode === 'nearest') {
          // Set 10 has no nearest_mode; its reference takes the ceiling where an axis shrinks.
          if (opset === 10) return { kind: 'nearest', rounding: outSize < inSize ? 'ceil' : 'floor' };
          return { kind: 'nearest', rounding: ROUNDING[nearest] };
        }
        if (antialias) return { kind: 'antialias', base: mode, a: cubicA };
        return mode === 'linear' ? { kind: 'linear' } : { kind: 'cubic', a: cubicA };
      }
    }),
  });
  if (plan.axes.length > 8)
    refuse(
      op,
      'X.dims',
      `X must resize at most 8 axes at once, got ${plan.axes.length}`,
      'ERR_UPSAMPLING_SHAPE',
    );
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

/** The inputs of set 10 in the order of the later ones. */
const spread = ([x, scales]: (Tensor | undefined)[]) => [x, undefined, scales, undefined];

const isPlain = (transform: string) =>
  transform !== 'tf_crop_and_resize' &&
  transform !== 'tf_half_pixel_for_nn' &&
  transform !== 'pytorch_half_pixel';

function number(op: string, param: string, value: unknown): number {
  if (typeof value !== 'number') mustBe(op, param, 'a number', value);
  return value;
}

function coordinatesOf(transform: (typeof TRANSFORMS)[number], start = 0, end = 1): Coordinates {
  switch (transform) {
    case 'half_pixel':
      return { kind: 'half-pixel' };
    case 'half_pixel_symmetric':
      return { kind: 'half-pixel-symmetric' };
    case 'pytorch_half_pixel':
      return { kind: 'half-pixel-or-corner' };
    case 'align_corners':
      return { kind: 'align-corners' };
    case 'asymmetric':
      return { kind: 'asymmetric' };
    case 'tf_half_pixel_for_nn':
      return { kind: 'half-pixel-to-floor' };
    case 'tf_crop_and_resize':
      return { kind: 'crop', start, end };
  }
}

/** Lengths floor(in · scale), coordinates by the scale as given. */
export function fromScales(
  op: string,
  scales: readonly number[],
  axes: readonly number[],
  dims: readonly number[],
): Extent[] {
  if (scales.length !== axes.length || !scales.every((s) => Number.isFinite(s) && s > 0))
    mustBe(op, 'scales', `${axes.length} positive numbers`, scales);
  return scales.map((scale, i) => {
    const outSize = Math.floor(dims[axes[i]!]! * scale);
    if (outSize < 1 || outSize > 0x7fffffff)
      mustBe(
        op,
        'scales',
        `scales that give lengths from 1 to 2^31 - 1 for dims [${dims.join(', ')}]`,
        scales,
      );
    return { outSize, scale };
  });
}

/** The lengths as given, or one common scale and lengths rounded from it, as ONNX's reference keeps it for coordinates. */
function fromSizes(
  op: string,
  sizes: readonly number[],
  axes: readonly number[],
  dims: readonly number[],
  policy: 'stretch' | 'not_larger' | 'not_smaller',
): Extent[] {
  if (sizes.length !== axes.length || !sizes.every((s) => Number.isInteger(s) && s > 0 && s <= 0x7fffffff))
    mustBe(op, 'sizes', `${axes.length} positive integers`, sizes);
  if (policy === 'stretch') return sizes.map((outSize) => ({ outSize, scale: undefined }));
  const ratios = sizes.map((size, i) => size / dims[axes[i]!]!);
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis) => {
    const outSize = Math.floor(scale * dims[axis]! + 0.5);
    if (outSize < 1 || outSize > 0x7fffffff)
      mustBe(op, 'sizes', `sizes that keep every axis between 1 and 2^31 - 1 with ${policy}`, sizes);
    return { outSize, scale };
  });
}

/**
 * Y[o] = Σ_k w[k, o] · X[i[k, o]], separably along any axes: ONNX Resize.
 *
 * Inputs X, roi, scales, sizes (operator set 10: X, scales): scales or sizes, the other one left out or empty; roi only for
 * tf_crop_and_resize. X has any rank. mode nearest takes every element type and keeps the bits; linear and cubic take all
 * but bool: float32, float64, float16 (computed in float32, rounded once), and integers, rounded half to even and clamped
 * (computed in float32 up to 8 bits, above in float64, which holds integers up to 2^53 exactly).
 *
 * Where implementations differ it does as ONNX's reference: given scales are used for coordinates although the output has
 * floor(in · scale) elements, equal lengths are interpolated when the factor is not 1, align_corners and
 * tf_crop_and_resize divide by in · scale - 1.
 *
 * Throws ArgumentError for wrong inputs, attributes and types, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__Resize.html, versions 10 to 19; reference implementation of ONNX 1.20.
 */
export const { later: resize, now: resizeSync } = dialect(describeResize);
