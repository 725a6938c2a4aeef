/** Geometry of max unpooling over any number of spatial axes. */
import type { DataType, Layout } from '../tensor.js';
import { spatialDims } from './window.js';

/** What happens where several values return to one cell; 'last' goes by row-major order of the input, and so does 'max' among equals. */
export type OnDuplicate = 'last' | 'max' | 'sum' | 'error';
export const ON_DUPLICATE: readonly OnDuplicate[] = ['last', 'max', 'sum', 'error'];

export interface MaxUnpool2dSpec {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly layout: Layout;
  readonly outSizes: readonly number[];
  readonly indexType: 'int32' | 'int64';
  /** Extents of the planes that the numbers count in, at the begin of the output's; default the output's own. */
  readonly indexSizes?: readonly number[];
  /** Numbers count within a plane (PyTorch) or over the whole tensor (ONNX). */
  readonly indices: 'plane' | 'tensor';
  readonly onDuplicate: OnDuplicate;
}

/**
 * out[p, place(index[p, i, c] − p·planeStride), c] = in[p, i, c], and 0 elsewhere; place is the identity, or with `grows` from a
 * position in a plane of extents `from` to the same row and column in one of extents `to`.
 * Input and indices are [outer, inSize, inner], output [outer, outSize, inner], row-major; sizes are flat planes.
 */
export interface MaxUnpool2dPlan {
  readonly op: 'maxUnpool2d';
  readonly type: DataType;
  readonly outer: number;
  readonly inSize: number;
  readonly outSize: number;
  readonly inner: number;
  /** Extents of the last axis, where a plane has rows: values that return to their own 2×2 need no scatter. */
  readonly inRow: number;
  readonly outRow: number;
  readonly indexType: 'int32' | 'int64';
  /** Cells of the planes that the numbers count in. */
  readonly indexSize: number;
  readonly planeStride: number;
  readonly grows: { readonly from: readonly number[]; readonly to: readonly number[] } | undefined;
  readonly onDuplicate: OnDuplicate;
  readonly outDims: readonly number[];
}

export function planMaxUnpool2d(spec: MaxUnpool2dSpec): MaxUnpool2dPlan {
  const n = spec.outSizes.length;
  const at = spatialDims(spec.dims, spec.layout, n);
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  const outSize = product(spec.outSizes);
  const { indexSizes = spec.outSizes } = spec;
  const indexSize = product(indexSizes);
  const grows = indexSizes.some((d, i) => d !== spec.outSizes[i]);
  return {
    op: 'maxUnpool2d',
    type: spec.type,
    outer: at.outer,
    inSize: product(at.spatial),
    outSize,
    inner: at.inner,
    inRow: at.spatial[n - 1]!,
    outRow: spec.outSizes[n - 1]!,
    indexType: spec.indexType,
    indexSize,
    planeStride: spec.indices === 'plane' ? 0 : indexSize,
    grows: grows ? { from: indexSizes, to: spec.outSizes } : undefined,
    onDuplicate: spec.onDuplicate,
    outDims: at.withSpatial(spec.outSizes),
  };
}
