/** Geometry of max pooling over any number of spatial axes, and how its winners are numbered. */
import type { DataType, Layout } from '../tensor.js';
import { spatialDims, type WindowAxis } from './window.js';

/** How the position of a winner becomes a number: plane · planeStride + Σ position along axis · stride of axis. */
export interface IndexNumbering {
  readonly type: 'int32' | 'int64';
  readonly strides: readonly number[];
  readonly planeStride: number;
}

export interface MaxPool2dSpec {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly layout: Layout;
  readonly axes: readonly WindowAxis[];
  /** Asks for the winners' numbers: per plane (PyTorch), or over the whole tensor, row- or column-major (ONNX). */
  readonly indices?: 'plane' | 'tensor' | 'tensor-column-major' | undefined;
}

/**
 * out[p, o, c] = max over the window of o of in[p, i, c], the first of equals, the last of NaNs.
 * Input is [outer, inSize of each axis, inner] and output [outer, outSize of each axis, inner], row-major.
 */
export interface MaxPool2dPlan {
  readonly op: 'maxPool2d';
  readonly type: DataType;
  readonly outer: number;
  readonly axes: readonly WindowAxis[];
  readonly inner: number;
  readonly indices: IndexNumbering | undefined;
  readonly outDims: readonly number[];
}

export function planMaxPool2d(spec: MaxPool2dSpec): MaxPool2dPlan {
  const { type, axes } = spec;
  const at = spatialDims(spec.dims, spec.layout, axes.length);
  return {
    op: 'maxPool2d',
    type,
    outer: at.outer,
    axes,
    inner: at.inner,
    indices: spec.indices === undefined ? undefined : numbering(spec.indices, at.spatial),
    outDims: at.withSpatial(axes.map((a) => a.outSize)),
  };
}

function numbering(
  kind: 'plane' | 'tensor' | 'tensor-column-major',
  spatial: readonly number[],
): IndexNumbering {
  const strides = spatial.map((_, i) => spatial.slice(i + 1).reduce((a, b) => a * b, 1));
  const columnMajor = spatial.map((_, i) => spatial.slice(0, i).reduce((a, b) => a * b, 1));
  const plane = spatial.reduce((a, b) => a * b, 1);
  return {
    type: kind === 'plane' ? 'int32' : 'int64',
    strides: kind === 'tensor-column-major' ? columnMajor : strides,
    planeStride: kind === 'plane' ? 0 : plane,
  };
}
