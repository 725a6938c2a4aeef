/**
 * Geometry of grid sampling. Where to read is data (the grid), so the plan holds what turns a grid value into a pixel
 * position: a step and a shift per axis, a rule for positions outside, and a filter.
 *
 * Note [Coordinates of a grid]
 * A grid value g in -1…1 becomes x = (g + 1)·step + shift, with one rounding after each operation in the grid's own type
 * (float16 in float32): that is PyTorch's arithmetic, and it decides which pixel is nearest. Reflection folds x around
 * `low` with a period. Weights are computed from x in float64 and rounded once.
 */
import type { DataType, Layout } from '../tensor.js';

/** Which inputs around a position are read. 'nearest' rounds ties to even. */
export type GridFilter = 'nearest' | 'linear' | 'cubic';

/** What stands outside the image: zeros, the edge pixel, or the image mirrored. */
export type GridPadding = 'zeros' | 'border' | 'reflection';

/** What a dialect says after its names and defaults are resolved. Dims are in memory order. */
export interface GridSampleSpec {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly gridType: 'float32' | 'float64' | 'float16';
  /** [batch, output extents…, axes]; the last axis of the image comes first in a grid point. */
  readonly gridDims: readonly number[];
  readonly layout: Layout;
  readonly filter: GridFilter;
  readonly padding: GridPadding;
  readonly alignCorners: boolean;
  /** Whether 'nearest' rounds the position before it is moved into the image (ONNX's reference) or after (PyTorch). */
  readonly roundsFirst: boolean;
}

/** One axis of the image. */
export interface GridAxis {
  readonly size: number;
  readonly step: number;
  readonly shift: number;
  /** Reflection: the first fold and the distance after which the image repeats, 0 for a single pixel. */
  readonly low: number;
  readonly period: number;
}

/** out[n, c, p] = Σ_k weight(k, grid[n, p]) · in[n, c, pixel(k, grid[n, p])] */
export interface GridSamplePlan {
  readonly op: 'gridSample';
  readonly type: DataType;
  readonly gridType: 'float32' | 'float64' | 'float16';
  readonly layout: Layout;
  readonly filter: GridFilter;
  readonly padding: GridPadding;
  readonly roundsFirst: boolean;
  readonly batch: number;
  readonly channels: number;
  /** Output positions per image. */
  readonly points: number;
  readonly axes: readonly GridAxis[];
  readonly outDims: readonly number[];
}

export function planGridSample(spec: GridSampleSpec): GridSamplePlan {
  const { type, dims, gridType, gridDims, layout, filter, padding, alignCorners, roundsFirst } = spec;
  const sizes = layout === 'nchw' ? dims.slice(2) : dims.slice(1, -1);
  const channels = layout === 'nchw' ? dims[1]! : dims[dims.length - 1]!;
  const extents = gridDims.slice(1, -1);
  return {
    op: 'gridSample',
    type,
    gridType,
    layout,
    filter,
    padding,
    roundsFirst,
    batch: dims[0]!,
    channels,
    points: extents.reduce((a, b) => a * b, 1),
    axes: sizes.map((size) =>
      alignCorners
        ? { size, step: (size - 1) / 2, shift: 0, low: 0, period: 2 * (size - 1) }
        : { size, step: size / 2, shift: -0.5, low: -0.5, period: 2 * size },
    ),
    outDims: layout === 'nchw' ? [dims[0]!, channels, ...extents] : [dims[0]!, ...extents, channels],
  };
}
