/** torch.nn.functional.pixel_unshuffle (PyTorch 2.13). */
import { knownOptions, oneOf, positiveInt } from '../check.js';
import { refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { axesOf } from '../plan/pixel-shuffle.js';
import { type PixelUnshufflePlan, planPixelUnshuffle } from '../plan/pixel-unshuffle.js';
import { asTensor, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import { atLeastRank3 } from './pixel-shuffle.js';

export interface PixelUnshuffleOptions {
  /** Rows and columns of the block that becomes r² channels. */
  readonly downscaleFactor: number;
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = ['downscaleFactor', 'layout', 'out', 'threads', 'signal'];

/** The plan for an input of this type and these dims; shared by the call and by outputDims. */
export function pixelUnshufflePlan(
  op: string,
  x: Pick<Tensor, 'type' | 'dims'>,
  o: PixelUnshuffleOptions,
): PixelUnshufflePlan {
  knownOptions(op, o, OPTIONS);
  const r = positiveInt(op, 'downscaleFactor', o?.downscaleFactor);
  const layout = o.layout === undefined ? 'nchw' : oneOf(op, 'layout', o.layout, ['nchw', 'nhwc'] as const);
  atLeastRank3(op, x.dims);
  const at = axesOf({ dims: x.dims, layout });
  const [height, width] = [x.dims[at.row]!, x.dims[at.column]!];
  if (height % r !== 0 || width % r !== 0)
    refuse(
      op,
      'input.dims',
      `input must have a height and a width that are multiples of ${r} (downscaleFactor), got ${height} and ${width}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  return planPixelUnshuffle({ type: x.type, dims: x.dims, layout, order: 'crd', block: [r, r] });
}

export function describePixelUnshuffle(
  input: TensorLike,
  options: PixelUnshuffleOptions & AsyncOptions,
): Call<Tensor, 'pixelUnshuffle'> {
  const op = 'pixelUnshuffle';
  const x = asTensor(op, 'input', input);
  const plan = planned(op, [x], options, () => pixelUnshufflePlan(op, x, options));
  return {
    op,
    kernel: 'pixelUnshuffle',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options.out }],
    options,
    finish: firstOf,
  };
}

/**
 * Turns blocks of pixels into channels: out[n, c·r² + i·r + j, y, x] = in[n, c, y·r + i, x·r + j]. Undoes pixelShuffle.
 *
 * Input (…, C, H·r, W·r) or, with `layout: 'nhwc'`, (…, H·r, W·r, C), of any element type; output (…, C·r², H, W) or
 * (…, H, W, C·r²). Bits are moved, never computed with.
 *
 * Throws ArgumentError for wrong ranks, factors and extents, before anything is written.
 * Source: torch.nn.functional.pixel_unshuffle, PyTorch 2.13.
 */
export function pixelUnshuffle(
  input: TensorLike,
  options: PixelUnshuffleOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describePixelUnshuffle(input, options));
}

/** `pixelUnshuffle`, computed before it returns. */
export function pixelUnshuffleSync(input: TensorLike, options: PixelUnshuffleOptions & RunOptions): Tensor {
  return runSync(describePixelUnshuffle(input, options));
}
