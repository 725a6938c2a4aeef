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
  /** What outputs become whose coordinate is beyond the axis, for coordinates that know an outside. Default 0. */
  readonly extrapolation?: number;
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
  /** The value, of the element type, of outputs that an axis says are `outside`; left out where none is. */
  readonly extrapolation?: number;
}

/** The type a resize of `type` computes in: integers that a float32 does not hold, in float64. */
export const precisionOf = (type: DataType): 'float32' | 'float64' =>
  type === 'float64' || /^u?int(16|32|64)$/.test(type) ? 'float64' : 'float32';

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
  // Trailing ones make longer pixels, but an axis is kept for the rows.
  let length = inner;
  while (axes.length > 2 && isIdentity(axes[axes.length - 1]!)) {
    length *= axes[axes.length - 1]!.inSize;
    axes = axes.slice(0, -1);
  }
  const plan: InterpolatePlan = { op: 'interpolate', type, moves, outer, axes, inner: length, outDims };
  if (!axes.some((a) => a.outside !== undefined)) return plan;
  return { ...plan, extrapolation: elementOf(type, spec.extrapolation ?? 0) };
}

const INTEGER_RANGE: Partial<Record<DataType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  int32: [-0x80000000, 0x7fffffff],
  uint32: [0, 0xffffffff],
  int64: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
};

/** A number as an element of a type: integers rounded half to even and clamped. */
function elementOf(type: DataType, value: number): number {
  const range = INTEGER_RANGE[type];
  if (range === undefined) return value;
  const low = Math.floor(value);
  const odd = low % 2 !== 0;
  const rounded = value - low > 0.5 || (value - low === 0.5 && odd) ? low + 1 : low;
  return Math.min(Math.max(rounded, range[0]), range[1]);
}
