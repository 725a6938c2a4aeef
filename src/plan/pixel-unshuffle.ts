/** Geometry of pixel unshuffle: that of pixel shuffle, read backwards. */
import { axesOf, type BlockPlan, type BlockSpec, common } from './pixel-shuffle.js';

export interface PixelUnshufflePlan extends BlockPlan {
  readonly op: 'pixelUnshuffle';
}

/** The input's rows and columns are multiples of the block. */
export function planPixelUnshuffle(spec: BlockSpec): PixelUnshufflePlan {
  const { dims, block } = spec;
  const at = axesOf(spec);
  const height = dims[at.row]! / block[0];
  const width = dims[at.column]! / block[1];
  const outDims = dims.slice();
  outDims[at.channel]! *= block[0] * block[1];
  outDims[at.row] = height;
  outDims[at.column] = width;
  return { op: 'pixelUnshuffle', ...common(spec), channels: dims[at.channel]!, height, width, outDims };
}
