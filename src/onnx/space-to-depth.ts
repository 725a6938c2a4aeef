/** ONNX SpaceToDepth, operator sets 1 and 13. */
import { positiveInt } from '../check.js';
import { refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planPixelUnshuffle } from '../plan/pixel-unshuffle.js';
import type { Tensor } from '../tensor.js';
import { dialect, imageOf, type OnnxInputs, type OnnxOptions, opsetOf } from './call.js';

export interface SpaceToDepthAttributes {
  /** Rows and columns of the block that becomes blocksize² channels. */
  readonly blocksize: number;
}

export function describeSpaceToDepth(
  inputs: OnnxInputs,
  attributes: SpaceToDepthAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'spaceToDepth';
  opsetOf(op, attributes, options, { blocksize: 1 }, { from: 1, default: 13 });
  const b = positiveInt(op, 'blocksize', attributes?.blocksize);
  const x = imageOf(op, inputs);
  if (x.dims[2]! % b !== 0 || x.dims[3]! % b !== 0)
    refuse(
      op,
      'input.dims',
      `input must have rows and columns in multiples of ${b} (blocksize), got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const plan = planPixelUnshuffle({
    type: x.type,
    dims: x.dims,
    layout: 'nchw',
    order: 'dcr',
    block: [b, b],
  });
  return {
    op,
    kernel: 'pixelUnshuffle',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * output[n, (i·b + j)·C + c, y, x] = input[n, c, y·b + i, x·b + j]: ONNX SpaceToDepth.
 *
 * Input (N, C, H·b, W·b) of any element type; output (N, C·b², H, W). Bits are moved, never computed with.
 *
 * Throws ArgumentError for wrong ranks, block sizes and extents, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__SpaceToDepth.html, versions 1 and 13.
 */
export const { later: spaceToDepth, now: spaceToDepthSync } = dialect(describeSpaceToDepth);
