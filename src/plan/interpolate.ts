/** Geometry of every resize: one tap table per axis. See axis.ts for the tables themselves. */
import type { DataType, Layout } from '../tensor.js';
import { type AxisSpec, type AxisTaps, axisTaps, identityTaps, isIdentity } from './axis.js';

/** What a dialect says after its names and defaults are resolved. */
export interface InterpolateSpec {
  readonly type: DataType;
  /** Dims of the input, in memory order. */
  readonly dims: readonly number[];
  readonly layout: Layout;
  /** One per spatial axis; undefined where the axis is copied. */
  readonly axes: readonly (Omit<AxisSpec, 'precision' | 'inSize'> | undefined)[];
}

/**
 * out[p, o_1 … o_n, c] = Σ weights · in[p, i_1 … i_n, c], separably along the axes.
 * Input is [outer, inSize of each axis, inner] and output [outer, outSize of each axis, inner], row-major.
 */
export interface InterpolatePlan {
  readonly op: 'interpolate';
  readonly type: DataType;
  /** Every tap table has one tap: elements are moved, never computed with. */
  readonly moves: boolean;
  readonly outer: number;
  readonly axes: readonly AxisTaps[];
  readonly inner: number;
  readonly outDims: readonly number[];
}

/** The type a resize of `type` computes in. */
export const precisionOf = (type: DataType): 'float32' | 'float64' =>
  type === 'float64' ? 'float64' : 'float32';

export function planInterpolate(spec: InterpolateSpec): InterpolatePlan {
  const { dims, layout, type } = spec;
  const n = spec.axes.length;
  const first = layout === 'nchw' ? dims.length - n : dims.length - n - 1;
  const precision = precisionOf(type);
  const outDims = dims.slice();
  let axes = spec.axes.map((axis, i): AxisTaps => {
    const inSize = dims[first + i]!;
    if (axis === undefined) return identityTaps(inSize, precision);
    outDims[first + i] = axis.outSize;
    return axisTaps({ ...axis, inSize, precision });
  });
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  let outer = product(dims.slice(0, first));
  const inner = product(dims.slice(first + n));
  const moves = axes.every((a) => a.taps === 1);
  // Leading axes that are copied are more of the same; the backends see fewer axes and more planes.
  while (axes.length > 1 && isIdentity(axes[0]!)) {
    outer *= axes[0]!.inSize;
    axes = axes.slice(1);
  }
  return { op: 'interpolate', type, moves, outer, axes, inner, outDims };
}
