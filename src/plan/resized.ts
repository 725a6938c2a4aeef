/** Geometry of the operators that resize and reduce in one pass: what `interpolate` would have computed, not written. */
import type { DataType, Layout } from '../tensor.js';
import { type AxisSpec, type AxisTaps, axisTaps, identityTaps, sliceTaps } from './axis.js';
import { precisionOf } from './interpolate.js';

/** What a dialect says after its names and defaults are resolved. */
export interface ResizedSpec {
  readonly type: DataType;
  /** Dims of the input, in memory order: batch, channels and spatial axes. */
  readonly dims: readonly number[];
  readonly layout: Layout;
  /** One per spatial axis; undefined where the axis is copied. */
  readonly axes: readonly (Omit<AxisSpec, 'precision' | 'inSize'> | undefined)[];
  /** The part of the output that is computed, [first, end) per axis; left out, all of it. */
  readonly roi?: readonly (readonly [number, number])[] | undefined;
}

/**
 * value(n, c, o_1 … o_k, i) = Σ weights · in[n, c, i_1 … i_k, i], separably, rounded to the element type.
 * Input is [batch, channels, inSize of each axis, inner]: nchw has inner 1, nhwc has channels 1 and its channels in inner.
 */
export interface Resized {
  readonly type: DataType;
  readonly batch: number;
  readonly channels: number;
  readonly axes: readonly AxisTaps[];
  readonly inner: number;
  /**
   * Output extents of the whole resize, before `roi`: the order of the sums is chosen by them, so that a part of the output
   * has the same bits as the whole.
   */
  readonly wholeSizes: readonly number[];
}

export function planResized(spec: ResizedSpec): Resized {
  const { dims, layout, type, roi } = spec;
  const first = layout === 'nchw' ? 2 : 1;
  const precision = precisionOf(type);
  const whole = spec.axes.map((axis, i) =>
    axis === undefined
      ? identityTaps(dims[first + i]!, precision)
      : axisTaps({ ...axis, inSize: dims[first + i]!, precision }),
  );
  return {
    type,
    batch: dims[0]!,
    channels: layout === 'nchw' ? dims[1]! : 1,
    axes: roi === undefined ? whole : whole.map((a, i) => sliceTaps(a, ...roi[i]!)),
    inner: layout === 'nchw' ? 1 : dims[dims.length - 1]!,
    wholeSizes: whole.map((a) => a.outSize),
  };
}
