/** torch.nn.functional.interpolate (PyTorch 2.13). */
import { flag, knownOptions, oneOf, plain, positivePerAxis, rank, scalePerAxis } from '../check.js';
import { ArgumentError, mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import type { AxisSpec, Filter, TorchNearest } from '../plan/axis.js';
import { planned } from '../plan/cache.js';
import { type InterpolatePlan, planInterpolate } from '../plan/interpolate.js';
import { asTensor, type Layout, NUMERIC, refuseExtents, type Tensor, type TensorLike } from '../tensor.js';

export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'bicubic'
  | 'area';

export interface InterpolateOptions {
  /** Output extent of the spatial axes: a number or one per axis. Give this or `scaleFactor`. */
  readonly size?: number | readonly number[] | undefined;
  /** Output over input extent: a number or one per axis; the output is floor(input · factor). */
  readonly scaleFactor?: number | readonly number[] | undefined;
  /** Default 'nearest', as in PyTorch. */
  readonly mode?: InterpolateMode | undefined;
  /** Corner pixels keep their values (linear and cubic modes only). Default false. */
  readonly alignCorners?: boolean | undefined;
  /** Widen the filter when shrinking ('bilinear' and 'bicubic' only). Default false. */
  readonly antialias?: boolean | undefined;
  /** Compute coordinates from the sizes although `scaleFactor` was given. Default false. */
  readonly recomputeScaleFactor?: boolean | undefined;
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

export const INTERPOLATE_OPTIONS = [
  'size',
  'scaleFactor',
  'mode',
  'alignCorners',
  'antialias',
  'recomputeScaleFactor',
  'layout',
  'out',
  'threads',
  'signal',
];
const MODES = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area'] as const;
const SPATIAL: Readonly<Record<InterpolateMode, number | undefined>> = {
  nearest: undefined,
  'nearest-exact': undefined,
  area: undefined,
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};

/** What of a tensor a plan needs. */
export type Shape = Pick<Tensor, 'type' | 'dims'>;

/** The resize that the options ask for, as geometry. */
export function resizePlan(op: string, x: Shape, o: InterpolateOptions): InterpolatePlan {
  const { layout, axes } = resizeAxes(op, x, o);
  return planInterpolate({ type: x.type, dims: x.dims, layout, axes });
}

/** An axis as the options ask for it; undefined where it is copied. */
export type ResizeAxis = Omit<AxisSpec, 'precision' | 'inSize'> | undefined;

/**
 * The checked options of a resize; shared by every operator that resizes first. `window` is the part of the input to show,
 * per axis (see AxisSpec).
 */
export function resizeAxes(
  op: string,
  x: Shape,
  o: InterpolateOptions,
  window?: (sizes: readonly number[]) => readonly (readonly [number, number])[] | undefined,
): { layout: Layout; axes: ResizeAxis[]; sizes: number[]; first: number } {
  const mode = o.mode === undefined ? 'nearest' : oneOf(op, 'mode', o.mode, MODES);
  const layout = o.layout === undefined ? 'nchw' : oneOf(op, 'layout', o.layout, ['nchw', 'nhwc'] as const);
  const n = SPATIAL[mode] ?? x.dims.length - 2;
  const wanted = SPATIAL[mode];
  rank(op, 'input', x.dims, wanted === undefined ? [3, 4, 5] : [wanted + 2, wanted + 1]);
  const first = layout === 'nchw' ? x.dims.length - n : x.dims.length - n - 1;
  const sizes = x.dims.slice(first, first + n);
  if (sizes.some((d) => d === 0) || x.dims.slice(1).some((d) => d === 0))
    refuse(
      op,
      'input.dims',
      `input must have no empty axis but the batch, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const alignCorners = flag(op, 'alignCorners', o.alignCorners, false);
  const antialias = flag(op, 'antialias', o.antialias, false);
  if (alignCorners && (mode === 'nearest' || mode === 'nearest-exact' || mode === 'area'))
    refuse(
      op,
      'alignCorners',
      `alignCorners must be left out with mode ${mode}, it is for linear, bilinear, bicubic and trilinear`,
    );
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic')
    refuse(op, 'antialias', `antialias must be left out with mode ${mode}, it is for bilinear and bicubic`);
  if (mode !== 'nearest' && mode !== 'nearest-exact' && !NUMERIC.includes(x.type))
    mustBe(op, 'input.type', `one of ${NUMERIC.join(', ')} with mode ${mode}`, x.type, 'ERR_UPSAMPLING_TYPE');
  const shown = window?.(sizes);
  const { outSizes, scales } = extents(op, o, shown?.map(([low, high]) => high - low) ?? sizes);
  refuseExtents(op, outSizes);
  const filter = filterOf(mode, antialias);
  const torch = nearestLoop(x, layout, outSizes);
  const axes = outSizes.map((outSize, i): ResizeAxis => {
    // PyTorch copies along an axis of equal sizes, whatever the factor, but in bicubic without antialias, and there it
    // copies bytes all the same.
    const copies =
      filter.kind === 'linear' ||
      filter.kind === 'antialias' ||
      (filter.kind === 'cubic' && x.type === 'uint8');
    if (copies && outSize === sizes[i] && shown === undefined) return undefined;
    const coordinates = {
      kind: alignCorners
        ? antialias
          ? 'align-corners-step'
          : 'align-corners'
        : mode === 'nearest'
          ? 'asymmetric'
          : 'half-pixel',
    } as const;
    if (shown !== undefined) return { outSize, filter, coordinates, window: shown[i]! };
    return {
      outSize,
      filter,
      coordinates,
      ...(scales === undefined || alignCorners || mode === 'area' ? {} : { scale: scales[i]! }),
      ...(filter.kind === 'nearest' ? { torch } : {}),
    };
  });
  return { layout, axes, sizes, first };
}

/** Which of its loops PyTorch 2.13 takes for a nearest resize; their indices differ in a few places. */
function nearestLoop(x: Shape, layout: Layout, outSizes: readonly number[]): TorchNearest {
  const manyChannelsLast = layout === 'nhwc' && x.dims[x.dims.length - 1]! > 3;
  const indexed =
    outSizes.length === 2
      ? manyChannelsLast || outSizes[0]! + outSizes[1]! <= 128
      : outSizes.length === 3 && manyChannelsLast;
  return indexed ? 'indexed' : x.type === 'float64' ? 'float64' : 'float32';
}

function filterOf(mode: InterpolateMode, antialias: boolean): Filter {
  switch (mode) {
    case 'nearest':
      return { kind: 'nearest', rounding: 'floor' };
    case 'nearest-exact':
      return { kind: 'nearest', rounding: 'prefer-ceil' };
    case 'area':
      return { kind: 'area' };
    case 'bicubic':
      return antialias ? { kind: 'antialias', base: 'cubic', a: -0.5 } : { kind: 'cubic', a: -0.75 };
    default:
      return antialias ? { kind: 'antialias', base: 'linear', a: 0 } : { kind: 'linear' };
  }
}

/** Output extents, and the factors that coordinates use if not the ratio of the extents. */
function extents(
  op: string,
  o: InterpolateOptions,
  sizes: readonly number[],
): { outSizes: number[]; scales: number[] | undefined } {
  const recompute = flag(op, 'recomputeScaleFactor', o.recomputeScaleFactor, false);
  if ((o.size === undefined) === (o.scaleFactor === undefined))
    refuse(op, 'size', `give either size or scaleFactor, got ${o.size === undefined ? 'neither' : 'both'}`);
  if (o.size !== undefined) {
    if (recompute)
      refuse(
        op,
        'recomputeScaleFactor',
        'recomputeScaleFactor must be left out with size, it is for scaleFactor',
      );
    return { outSizes: positivePerAxis(op, 'size', o.size, sizes.length), scales: undefined };
  }
  const scales = scalePerAxis(op, 'scaleFactor', o.scaleFactor, sizes.length);
  const outSizes = sizes.map((d, i) => Math.floor(d * scales[i]!));
  for (const [i, d] of outSizes.entries())
    if (d < 1 || d > 0x7fffffff)
      throw new ArgumentError(
        'ERR_UPSAMPLING_OPTION',
        op,
        'scaleFactor',
        `${op}: scaleFactor must give output sizes from 1 to 2^31 - 1, got ${scales[i]} for an input of ${sizes[i]}`,
      );
  return { outSizes, scales: recompute ? undefined : scales };
}

/** The plan for an input of this type and these dims; shared by the call and by outputDims. */
export function interpolatePlan(
  op: string,
  x: Pick<Tensor, 'type' | 'dims'>,
  options: InterpolateOptions,
): InterpolatePlan {
  knownOptions(op, options, INTERPOLATE_OPTIONS);
  return resizePlan(op, x, options ?? {});
}

export function describeInterpolate(
  input: TensorLike,
  given: InterpolateOptions & AsyncOptions,
): Call<Tensor, 'interpolate'> {
  const op = 'interpolate';
  const options = plain(given);
  const x = asTensor(op, 'input', input);
  const plan = planned(op, [x], options, () => interpolatePlan(op, x, options));
  return {
    op,
    kernel: 'interpolate',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options.out }],
    options,
    finish: firstOf,
  };
}

/**
 * Resizes the spatial axes: out[o] = Σ_k w[k, o] · in[i[k, o]], separably along each axis.
 *
 * Input (N, C, spatial…) or, with `layout: 'nhwc'`, (N, spatial…, C), with 1 to 3 spatial axes; the linear and cubic
 * modes also take it without N. nearest and nearest-exact take every element type and keep the bits; the other modes take
 * float32, float64, float16 (computed in float32, rounded once), uint8 and int8 (rounded half to even, clamped).
 *
 * Pixels land where PyTorch 2.13 puts them: half-pixel centres unless `alignCorners`; `nearest` is PyTorch's
 * floor(o · in/out) in float32; `bicubic` has a = -0.75 (-0.5 with antialias); `area` is adaptive average pooling.
 *
 * Throws ArgumentError for wrong ranks, sizes, modes and types, before anything is written.
 * Source: torch.nn.functional.interpolate, PyTorch 2.13.
 */
export function interpolate(input: TensorLike, options: InterpolateOptions & AsyncOptions): Promise<Tensor> {
  return run(() => describeInterpolate(input, options));
}

/** `interpolate`, computed before it returns. */
export function interpolateSync(input: TensorLike, options: InterpolateOptions & RunOptions): Tensor {
  return runSync(describeInterpolate(input, options));
}
