/** Options that every operator that resizes and reduces shares: where the input's window lies and what of the output is wanted. */
import { mustBe, refuse } from '../errors.js';
import type { ResizedSpec } from '../plan/resized.js';
import { type DataType, sizeOf } from '../tensor.js';
import { type InterpolateOptions, resizeAxes, type Shape } from './interpolate.js';

export interface FusedResizeOptions extends Omit<InterpolateOptions, 'out'> {
  /**
   * The part of the input to show, [y0, x0, y1, x1] in pixel edges of the input (0 to its extents), fractions allowed: undoes
   * letterboxing exactly. Filters still read the pixels around it. `size` is the size of the shown part.
   */
  readonly crop?: readonly number[] | undefined;
  /** The part of the output to compute, [y0, x0, y1, x1] in whole output pixels; the result has its extents. */
  readonly roi?: readonly number[] | undefined;
}

export const WINDOW_OPTIONS = ['crop', 'roi'];

const NUMERIC: readonly DataType[] = ['float32', 'float64', 'float16', 'uint8', 'int8'];

/** The checked resize of an operator that reduces. */
export function resizedSpec(op: string, x: Shape, o: FusedResizeOptions): ResizedSpec {
  if (!NUMERIC.includes(x.type))
    mustBe(op, 'input.type', `one of ${NUMERIC.join(', ')}`, x.type, 'ERR_UPSAMPLING_TYPE');
  const { layout, axes, sizes, first } = resizeAxes(
    op,
    x,
    o,
    o.crop === undefined ? undefined : (inputSizes) => cropOf(op, o.crop, inputSizes),
  );
  if (first !== (layout === 'nchw' ? 2 : 1))
    refuse(
      op,
      'input.dims',
      `input must have a batch axis, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const outSizes = axes.map((a, i) => a?.outSize ?? sizes[i]!);
  sizeOf(op, 'size', [x.dims[0]!, ...outSizes]);
  const roi = o.roi === undefined ? undefined : regionOf(op, 'roi', o.roi, outSizes);
  return { type: x.type, dims: x.dims, layout, axes, roi };
}

/** [low of each axis, high of each axis] as pairs, or undefined when it is not that many numbers. */
function pairs(value: unknown, n: number): [number, number][] | undefined {
  if (!Array.isArray(value) || value.length !== 2 * n || !value.every((v) => Number.isFinite(v)))
    return undefined;
  return Array.from({ length: n }, (_, i) => [value[i] as number, value[n + i] as number]);
}

function cropOf(op: string, value: unknown, sizes: readonly number[]): [number, number][] {
  const list = pairs(value, sizes.length);
  if (list === undefined || list.some(([low, high], i) => low < 0 || high <= low || high > sizes[i]!))
    mustBe(op, 'crop', `a window [y0, x0, y1, x1] inside the input of [${sizes.join(', ')}]`, value);
  return list;
}

/** Whole pixels of an output, [first, end) per axis. */
export function regionOf(
  op: string,
  param: string,
  value: unknown,
  sizes: readonly number[],
): [number, number][] {
  const list = pairs(value, sizes.length);
  if (
    list === undefined ||
    list.some(
      ([low, high], i) =>
        !Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high <= low || high > sizes[i]!,
    )
  )
    mustBe(
      op,
      param,
      `a region [y0, x0, y1, x1] of whole pixels inside the output of [${sizes.join(', ')}]`,
      value,
    );
  return list;
}
