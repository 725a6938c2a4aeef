/** Resize and spread over 8 or 16 bits in one pass: depth and saliency maps as images. */
import { knownOptions, oneOf } from '../check.js';
import { mustBe } from '../errors.js';
import { type AsyncOptions, type Call, firstOf } from '../execute.js';
import { planned } from '../plan/cache.js';
import { type InterpolateQuantizePlan, planInterpolateQuantize } from '../plan/interpolate-quantize.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import { INTERPOLATE_OPTIONS, type Shape } from './interpolate.js';
import { type FusedResizeOptions, resizedSpec, resizing, WINDOW_OPTIONS } from './resized.js';

export interface InterpolateQuantizeOptions extends FusedResizeOptions {
  /** Default 'uint8'. */
  readonly to?: 'uint8' | 'uint16' | undefined;
  /**
   * The values that become 0 and the highest level: 'minmax' (default), the least and largest resized value of the image;
   * [lo, hi]; 'percentile', the 2nd and 98th percentile of the image's input, or { percentile: [lo, hi] }.
   */
  readonly range?:
    | 'minmax'
    | 'percentile'
    | readonly number[]
    | { readonly percentile: readonly number[] }
    | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = [...INTERPOLATE_OPTIONS, ...WINDOW_OPTIONS, 'to', 'range'];

/** The checked plan of a call. */
export function interpolateQuantizePlan(
  op: string,
  x: Shape,
  options: InterpolateQuantizeOptions,
): InterpolateQuantizePlan {
  knownOptions(op, options, OPTIONS);
  const o = options ?? {};
  const spec = resizedSpec(op, x, o);
  const to = oneOf(op, 'to', o.to ?? 'uint8', ['uint8', 'uint16'] as const);
  return planInterpolateQuantize({ ...spec, to, ...rangeOf(op, o.range) });
}

function rangeOf(op: string, value: InterpolateQuantizeOptions['range']) {
  const rising = (list: unknown, most: number): list is [number, number] =>
    Array.isArray(list) &&
    list.length === 2 &&
    list.every((v) => Number.isFinite(v) && Math.abs(v as number) <= most) &&
    list[0] < list[1];
  if (value === undefined || value === 'minmax') return { range: 'minmax', low: 0, high: 0 } as const;
  if (value === 'percentile') return { range: 'percentile', low: 2, high: 98 } as const;
  if (rising(value, Number.MAX_VALUE)) return { range: 'given', low: value[0], high: value[1] } as const;
  const percentile =
    value !== null && typeof value === 'object' && 'percentile' in value ? value.percentile : undefined;
  if (rising(percentile, 100) && percentile[0] >= 0)
    return { range: 'percentile', low: percentile[0], high: percentile[1] } as const;
  mustBe(op, 'range', "'minmax', 'percentile', [lo, hi] or { percentile: [lo, hi] } with lo below hi", value);
}

export function describeInterpolateQuantize(
  map: TensorLike,
  options: InterpolateQuantizeOptions & AsyncOptions,
): Call<Tensor, 'interpolateQuantize'> {
  const op = 'interpolateQuantize';
  const x = asTensor(op, 'input', map);
  const plan = planned(op, [x], options, () => interpolateQuantizePlan(op, x, options));
  return {
    op,
    kernel: 'interpolateQuantize',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: plan.to, dims: plan.outDims, out: options.out }],
    options,
    finish: firstOf,
  };
}

/**
 * out = round((resize(map) - lo) · top / (hi - lo)), clamped to 0 … top (255 or 65535), ties to even, where resize is
 * `interpolate` with the same options, bit for bit; every value is rounded once.
 *
 * Map (N, C, spatial…) or nhwc, float32, float64, float16, uint8 or int8 → uint8 or uint16 of the resized dims. Every image
 * has its own range (see `range`), over its finite values; NaN becomes 0, and so does an image without a range.
 * With `targets`, one { size, crop, … } per image, the result is a list of maps without the batch axis.
 *
 * Throws ArgumentError for what interpolate refuses and for ranges that do not rise.
 * Source: torch.nn.functional.interpolate (PyTorch 2.13), numpy.percentile (2.0).
 */
export const { later: interpolateQuantize, now: interpolateQuantizeSync } =
  resizing<InterpolateQuantizeOptions>('interpolateQuantize', describeInterpolateQuantize);
