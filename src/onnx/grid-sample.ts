/** ONNX GridSample, operator sets 16, 20 and 22. */

import { rank } from '../check.js';
import type { Call } from '../execute.js';
import { planGridSample } from '../plan/grid-sample.js';
import type { Tensor } from '../tensor.js';
import { checkGrid } from '../torch/grid-sample.js';
import { bit, dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf, word } from './call.js';

export interface GridSampleAttributes {
  /** 1: -1 and 1 are the centres of the corner pixels instead of their outer edges. Default 0. */
  readonly align_corners?: 0 | 1 | undefined;
  /** Default 'linear' ('bilinear' in operator set 16, which says 'bicubic' for 'cubic'). */
  readonly mode?: 'linear' | 'nearest' | 'cubic' | 'bilinear' | 'bicubic' | undefined;
  /** What stands outside the image. Default 'zeros'. */
  readonly padding_mode?: 'zeros' | 'border' | 'reflection' | undefined;
}

const FILTER = {
  linear: 'linear',
  bilinear: 'linear',
  nearest: 'nearest',
  cubic: 'cubic',
  bicubic: 'cubic',
} as const;

export function describeGridSample(
  inputs: OnnxInputs,
  attributes: GridSampleAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'gridSample';
  const a = attributes ?? {};
  const opset = opsetOf(
    op,
    attributes,
    options,
    { align_corners: 16, mode: 16, padding_mode: 16 },
    { from: 16, default: 22 },
  );
  const [x, grid] = inputsOf(op, inputs, ['X', 'grid']);
  // The newest set knows the words of both versions, so that a graph of set 16 needs no translation.
  const words =
    options?.opset === undefined
      ? (['linear', 'nearest', 'cubic', 'bilinear', 'bicubic'] as const)
      : opset < 20
        ? (['bilinear', 'nearest', 'bicubic'] as const)
        : (['linear', 'nearest', 'cubic'] as const);
  const filter = FILTER[word(op, 'mode', a.mode, words as readonly (keyof typeof FILTER)[], 'linear')];
  const padding = word(
    op,
    'padding_mode',
    a.padding_mode,
    ['zeros', 'border', 'reflection'] as const,
    'zeros',
  );
  const alignCorners = bit(op, 'align_corners', a.align_corners);
  rank(op, 'X', x!.dims, opset < 20 ? [4] : [3, 4, 5]);
  checkGrid(op, x!, grid!, ['X', 'grid'], 'nchw', filter === 'nearest');
  const plan = planGridSample({
    type: x!.type,
    dims: x!.dims,
    gridType: grid!.type as 'float32',
    gridDims: grid!.dims,
    layout: 'nchw',
    filter,
    padding,
    alignCorners,
    roundsFirst: true,
  });
  return {
    op,
    kernel: 'gridSample',
    plan,
    inputs: [x!.data, grid!.data],
    outputs: [{ param: 'out', type: x!.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * Y[n, c, p] = X[n, c, ((g + 1)·size - 1)/2] for the grid point g = grid[n, p], or (g + 1)/2·(size - 1) with align_corners,
 * interpolated between pixels: ONNX GridSample.
 *
 * Inputs X (N, C, spatial…) with 1 to 3 spatial axes and grid (N, output extents…, axes), the last axis of X first. nearest
 * takes every element type; linear and cubic take float32, float64, float16, uint8 and int8. As in ONNX's reference, nearest
 * rounds before it pads, ties to even.
 *
 * Throws ArgumentError for wrong ranks, shapes, attributes and types, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__GridSample.html, versions 16, 20 and 22.
 */
export const { later: gridSample, now: gridSampleSync } = dialect(describeGridSample);
