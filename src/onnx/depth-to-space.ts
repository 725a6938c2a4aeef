/** ONNX DepthToSpace, operator sets 1, 11 and 13. */
import { positiveInt } from '../check.js';
import { refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planPixelShuffle } from '../plan/pixel-shuffle.js';
import type { Tensor } from '../tensor.js';
import { dialect, imageOf, type OnnxInputs, type OnnxOptions, opsetOf, word } from './call.js';

export interface DepthToSpaceAttributes {
  /** Rows and columns of the block that blocksize² channels become. */
  readonly blocksize: number;
  /** How the channels are numbered: depth-column-row (block first, the default) or column-row-depth (block last). */
  readonly mode?: 'DCR' | 'CRD' | undefined;
}

export function describeDepthToSpace(
  inputs: OnnxInputs,
  attributes: DepthToSpaceAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'depthToSpace';
  opsetOf(op, attributes, options, { blocksize: 1, mode: 11 }, { from: 1, default: 13 });
  const b = positiveInt(op, 'blocksize', attributes?.blocksize);
  const mode = word(op, 'mode', attributes?.mode, ['DCR', 'CRD'] as const, 'DCR');
  const x = imageOf(op, inputs);
  if (x.dims[1]! % (b * b) !== 0)
    refuse(
      op,
      'input.dims',
      `input must have a multiple of ${b * b} channels (blocksize²), got ${x.dims[1]}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const plan = planPixelShuffle({
    type: x.type,
    dims: x.dims,
    layout: 'nchw',
    order: mode === 'DCR' ? 'dcr' : 'crd',
    block: [b, b],
  });
  return {
    op,
    kernel: 'pixelShuffle',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
  };
}

/**
 * output[n, c, y·b + i, x·b + j] = input[n, (i·b + j)·C + c, y, x] with mode DCR, input[n, c·b² + i·b + j, y, x] with CRD:
 * ONNX DepthToSpace. (PyTorch's pixelShuffle is CRD.)
 *
 * Input (N, C·b², H, W) of any element type; output (N, C, H·b, W·b). Bits are moved, never computed with.
 *
 * Throws ArgumentError for wrong ranks, block sizes and channel counts, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__DepthToSpace.html, versions 1, 11 and 13.
 */
export const { later: depthToSpace, now: depthToSpaceSync } = dialect(describeDepthToSpace);
