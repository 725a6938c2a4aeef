/** Resize and argmax in one pass: the class map of a segmentation network, without the resized logits. */

import { finite, flag, knownOptions, oneOf, plain } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, type OutputSpec, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { type InterpolateArgmaxPlan, planInterpolateArgmax } from '../plan/interpolate-argmax.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import { INTERPOLATE_OPTIONS, type InterpolateOptions, type Shape } from './interpolate.js';
import {
  type FusedResizeOptions,
  perImage,
  perImageSync,
  resizedSpec,
  type Targets,
  WINDOW_OPTIONS,
} from './resized.js';

/** Integer types a class map can have. */
export type ClassType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'int32' | 'uint32' | 'int64' | 'uint64';

export interface InterpolateArgmaxOptions extends FusedResizeOptions {
  /** Element type of the class map. Default uint8 up to 256 classes, uint16 up to 65536, int32 above. */
  readonly classType?: ClassType | undefined;
  /** true: also the winner's logit. 'softmax': also its probability among all classes. */
  readonly scores?: boolean | 'softmax' | undefined;
  /** Also the winner's logit minus the runner-up's. */
  readonly margin?: boolean | undefined;
  /** Pixels whose score (the logit, or with `scores: 'softmax'` the probability) is below it become `background`. */
  readonly threshold?: number | undefined;
  /** The class of pixels without a winner: below `threshold`, or all logits NaN. Default 0. */
  readonly background?: number | undefined;
  /** Write the class map here; with `scores` or `margin`: { classes, scores, margin }, each may be left out. */
  readonly out?: TensorLike | ArgmaxOut | undefined;
}

/** Where to write the results of interpolateArgmax with `scores` or `margin`. */
export interface ArgmaxOut {
  readonly classes?: TensorLike | undefined;
  readonly scores?: TensorLike | undefined;
  readonly margin?: TensorLike | undefined;
}

/** What interpolateArgmax returns with `scores` or `margin`. */
export interface ArgmaxResult {
  readonly classes: Tensor;
  readonly scores?: Tensor;
  readonly margin?: Tensor;
}

const OPTIONS = [
  ...INTERPOLATE_OPTIONS,
  ...WINDOW_OPTIONS,
  'classType',
  'scores',
  'margin',
  'threshold',
  'background',
];

/** The least and the largest value of each class type. */
const RANGES: Readonly<Record<ClassType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};
const CLASS_TYPES = Object.keys(RANGES) as ClassType[];

/** The checked plan of a call. */
export function interpolateArgmaxPlan(
  op: string,
  x: Shape,
  options: InterpolateArgmaxOptions,
): InterpolateArgmaxPlan {
  knownOptions(op, options, OPTIONS);
  const o = options ?? {};
  const spec = resizedSpec(op, x, o as InterpolateOptions);
  const classes = spec.layout === 'nchw' ? x.dims[1]! : x.dims[x.dims.length - 1]!;
  const classType =
    o.classType === undefined
      ? classes <= 256
        ? 'uint8'
        : classes <= 65536
          ? 'uint16'
          : 'int32'
      : oneOf(op, 'classType', o.classType, CLASS_TYPES);
  const [least, most] = RANGES[classType];
  if (classes - 1 > most)
    refuse(
      op,
      'classType',
      `classType ${classType} holds classes up to ${most}, the logits have ${classes} classes`,
    );
  const scores =
    o.scores === undefined || o.scores === false
      ? 'none'
      : o.scores === true
        ? 'logit'
        : oneOf(op, 'scores', o.scores, ['softmax'] as const);
  const margin = flag(op, 'margin', o.margin, false);
  const threshold = o.threshold === undefined ? undefined : finite(op, 'threshold', o.threshold);
  const background = o.background ?? 0;
  const [low, high] = [Math.max(least, RANGES.int32[0]), Math.min(most, RANGES.int32[1])];
  if (!Number.isInteger(background) || background < low || background > high)
    mustBe(op, 'background', `an integer from ${low} to ${high} with classType ${classType}`, background);
  return planInterpolateArgmax({ ...spec, classType, scores, margin, threshold, background });
}

export function describeInterpolateArgmax(
  logits: TensorLike,
  given: InterpolateArgmaxOptions & AsyncOptions,
): Call<Tensor | ArgmaxResult, 'interpolateArgmax'> {
  const op = 'interpolateArgmax';
  const options = plain(given);
  const x = asTensor(op, 'input', logits);
  const plan = planned(op, [x], options, () => interpolateArgmaxPlan(op, x, options));
  const { scores, margin, classType } = plan;
  const dims = plan.outDims;
  const several = scores !== 'none' || margin;
  const outs = several
    ? outOf(op, options.out, scores !== 'none', margin)
    : { classes: options.out as TensorLike };
  const statistic = x.type === 'float64' ? 'float64' : 'float32';
  const outputs: OutputSpec[] = [
    { param: several ? 'out.classes' : 'out', type: classType, dims, out: outs.classes },
  ];
  if (scores !== 'none') outputs.push({ param: 'out.scores', type: statistic, dims, out: outs.scores });
  if (margin) outputs.push({ param: 'out.margin', type: statistic, dims, out: outs.margin });
  return {
    op,
    kernel: 'interpolateArgmax',
    plan,
    inputs: [x.data],
    outputs,
    options,
    finish: (results) => {
      if (!several) return results[0]!;
      return {
        classes: results[0]!,
        ...(scores === 'none' ? {} : { scores: results[1]! }),
        ...(margin ? { margin: results[results.length - 1]! } : {}),
      };
    },
  };
}

function outOf(op: string, out: unknown, scores: boolean, margin: boolean): ArgmaxOut {
  if (out === undefined) return {};
  const known = ['classes', ...(scores ? ['scores'] : []), ...(margin ? ['margin'] : [])];
  if (
    out === null ||
    typeof out !== 'object' ||
    Array.isArray(out) ||
    !Object.keys(out).every((k) => known.includes(k))
  )
    mustBe(op, 'out', `an object of tensors { ${known.join(', ')} }`, out, 'ERR_UPSAMPLING_ARGUMENT');
  return out;
}

type Statistics = { readonly scores: true | 'softmax' } | { readonly margin: true };

/**
 * class[n, o] = first c with the largest resize(logits)[n, c, o], where resize is `interpolate` with the same options, bit for
 * bit; the resized logits are never stored.
 *
 * Logits (N, C, spatial…) or, with `layout: 'nhwc'`, (N, spatial…, C), float32, float64, float16, uint8 or int8 → classes (N, spatial…)
 * of `classType`. With `scores` or `margin` the result is { classes, scores, margin }, the statistics float32 (float64 for
 * float64 logits) of the same dims.
 *
 * NaN: a NaN logit never wins against a number and weighs nothing in a softmax; a pixel whose logits are all NaN has class
 * `background`, score NaN and margin NaN. With one class (or one number) the margin is Infinity.
 * With `targets`, one { size, crop, … } per image, the result is a list of results without the batch axis.
 * `crop` shows a fractional window of the input, `roi` computes only a part of the output (see FusedResizeOptions).
 *
 * Throws ArgumentError for what interpolate refuses, for no classes, more classes than `classType` holds, and windows
 * outside. Source: torch.argmax(torch.nn.functional.interpolate(…), dim=1), PyTorch 2.13.
 */
export function interpolateArgmax(
  logits: TensorLike,
  options: Targets<InterpolateArgmaxOptions> & Statistics & AsyncOptions,
): Promise<ArgmaxResult[]>;
export function interpolateArgmax(
  logits: TensorLike,
  options: Targets<InterpolateArgmaxOptions> & AsyncOptions,
): Promise<Tensor[]>;
export function interpolateArgmax(
  logits: TensorLike,
  options: InterpolateArgmaxOptions & Statistics & AsyncOptions,
): Promise<ArgmaxResult>;
export function interpolateArgmax(
  logits: TensorLike,
  options: InterpolateArgmaxOptions & AsyncOptions,
): Promise<Tensor>;
export async function interpolateArgmax(
  logits: TensorLike,
  options: (InterpolateArgmaxOptions | Targets<InterpolateArgmaxOptions>) & AsyncOptions,
): Promise<Tensor | ArgmaxResult | (Tensor | ArgmaxResult)[]> {
  if ('targets' in (options ?? {}))
    return perImage(
      'interpolateArgmax',
      logits,
      options as Targets<InterpolateArgmaxOptions>,
      interpolateArgmax as (
        image: TensorLike,
        own: InterpolateArgmaxOptions,
      ) => Promise<Tensor | ArgmaxResult>,
    );
  return run(() => describeInterpolateArgmax(logits, options as InterpolateArgmaxOptions & AsyncOptions));
}

/** `interpolateArgmax`, computed before it returns. */
export function interpolateArgmaxSync(
  logits: TensorLike,
  options: Targets<InterpolateArgmaxOptions> & Statistics & RunOptions,
): ArgmaxResult[];
export function interpolateArgmaxSync(
  logits: TensorLike,
  options: Targets<InterpolateArgmaxOptions> & RunOptions,
): Tensor[];
export function interpolateArgmaxSync(
  logits: TensorLike,
  options: InterpolateArgmaxOptions & Statistics & RunOptions,
): ArgmaxResult;
export function interpolateArgmaxSync(
  logits: TensorLike,
  options: InterpolateArgmaxOptions & RunOptions,
): Tensor;
export function interpolateArgmaxSync(
  logits: TensorLike,
  options: (InterpolateArgmaxOptions | Targets<InterpolateArgmaxOptions>) & RunOptions,
): Tensor | ArgmaxResult | (Tensor | ArgmaxResult)[] {
  if ('targets' in (options ?? {}))
    return perImageSync(
      'interpolateArgmax',
      logits,
      options as Targets<InterpolateArgmaxOptions>,
      interpolateArgmaxSync as (image: TensorLike, own: InterpolateArgmaxOptions) => Tensor | ArgmaxResult,
    );
  return runSync(describeInterpolateArgmax(logits, options as InterpolateArgmaxOptions & RunOptions));
}
