/** Geometry of pixel shuffle and its inverse: channels that become blocks of pixels, and back. */
import type { DataType, Layout } from '../tensor.js';

/**
 * How the channels of the small image are numbered. 'crd' (channel, row, column; PyTorch, ONNX CRD): c·bh·bw + i·bw + j.
 * 'dcr' (row, column, channel; ONNX's default): (i·bw + j)·C + c.
 */
export type BlockOrder = 'crd' | 'dcr';

/** What a dialect says after its names and defaults are resolved. `dims` are those of the input, in memory order. */
export interface BlockSpec {
  readonly type: DataType;
  /** [batch…, channels, height, width] or, nhwc, [batch…, height, width, channels]. */
  readonly dims: readonly number[];
  readonly layout: Layout;
  readonly order: BlockOrder;
  /** Block height and width. */
  readonly block: readonly [number, number];
}

/**
 * large[n, c, y·bh + i, x·bw + j] = small[n, channel(c, i, j), y, x], in either direction.
 */
export interface BlockPlan {
  readonly type: DataType;
  readonly layout: Layout;
  readonly order: BlockOrder;
  readonly batch: number;
  /** Channels of the large image; the small one has channels·bh·bw. */
  readonly channels: number;
  /** Extents of the small image. */
  readonly height: number;
  readonly width: number;
  readonly block: readonly [number, number];
  readonly outDims: readonly number[];
}

export interface PixelShufflePlan extends BlockPlan {
  readonly op: 'pixelShuffle';
}

/** The input's channels are a multiple of the block. */
export function planPixelShuffle(spec: BlockSpec): PixelShufflePlan {
  const { dims, block } = spec;
  const at = axesOf(spec);
  const channels = dims[at.channel]! / (block[0] * block[1]);
  const outDims = dims.slice();
  outDims[at.channel] = channels;
  outDims[at.row]! *= block[0];
  outDims[at.column]! *= block[1];
  return {
    op: 'pixelShuffle',
    ...common(spec),
    channels,
    height: dims[at.row]!,
    width: dims[at.column]!,
    outDims,
  };
}

export function common({ type, layout, order, block, dims }: BlockSpec) {
  return { type, layout, order, block, batch: dims.slice(0, -3).reduce((a, b) => a * b, 1) };
}

/** Where channels, rows and columns stand in dims. */
export function axesOf({ dims, layout }: Pick<BlockSpec, 'dims' | 'layout'>) {
  const first = dims.length - 3;
  return layout === 'nchw'
    ? { channel: first, row: first + 1, column: first + 2 }
    : { channel: first + 2, row: first, column: first + 1 };
}
