/** Geometry of average pooling over any number of spatial axes. */
import type { DataType, Layout } from '../tensor.js';
import { spatialDims, type WindowAxis } from './window.js';

export interface AvgPool2dSpec {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly layout: Layout;
  readonly axes: readonly WindowAxis[];
  /** Divide by the taps on input and padding (true) or on the input alone. */
  readonly countIncludePad: boolean;
  /** Divide by this instead. */
  readonly divisor?: number | undefined;
}

/**
 * out[p, o, c] = Σ over the window of o of in[p, i, c] / divisor of o; an empty window gives 0.
 * Input is [outer, inSize of each axis, inner] and output [outer, outSize of each axis, inner], row-major.
 */
export interface AvgPool2dPlan {
  readonly op: 'avgPool2d';
  readonly type: DataType;
  readonly outer: number;
  readonly axes: readonly WindowAxis[];
  readonly inner: number;
  /** Per axis and output; the divisor of an element is the product over the axes, unless `divisor` is given. */
  readonly cells: readonly Int32Array[];
  readonly divisor: number | undefined;
  readonly outDims: readonly number[];
}

export function planAvgPool2d(spec: AvgPool2dSpec): AvgPool2dPlan {
  const { type, axes } = spec;
  const at = spatialDims(spec.dims, spec.layout, axes.length);
  return {
    op: 'avgPool2d',
    type,
    outer: at.outer,
    axes,
    inner: at.inner,
    cells: axes.map((a) => (spec.countIncludePad ? a.padded : a.count)),
    divisor: spec.divisor,
    outDims: at.withSpatial(axes.map((a) => a.outSize)),
  };
}
