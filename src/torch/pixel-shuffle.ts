/** torch.nn.functional.pixel_shuffle (PyTorch 2.13). */

import { knownOptions, oneOf, plain, positiveInt } from '../check.js';
import { refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { axesOf, type PixelShufflePlan, planPixelShuffle } from '../plan/pixel-shuffle.js';
import { asTensor, type Layout, type Tensor, type TensorLike } from '../tensor.js';

export interface PixelShuffleOptions {
  /** Rows and columns of the block that r² channels become. */
  readonly upscaleFactor: number;
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = ['upscaleFactor', 'layout', 'out', 'threads', 'signal'];

/** The plan for an input of this type and these dims; shared by the call and by outputDims. */
export function pixelShufflePlan(
  op: string,
  x: Pick<Tensor, 'type' | 'dims'>,
  o: PixelShuffleOptions,
): PixelShufflePlan {
  knownOptions(op, o, OPTIONS);
  const r = positiveInt(op, 'upscaleFactor', o?.upscaleFactor);
  const layout = o.layout === undefined ? 'nchw' : oneOf(op, 'layout', o.layout, ['nchw', 'nhwc'] as const);
  atLeastRank3(op, x.dims);
  const channels = x.dims[axesOf({ dims: x.dims, layout }).channel]!;
  if (channels % (r * r) !== 0)
    refuse(
      op,
      'input.dims',
      `input must have a multiple of ${r * r} channels (upscaleFactor²), got ${channels}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  return planPixelShuffle({ type: x.type, dims: x.dims, layout, order: 'crd', block: [r, r] });
}

export function atLeastRank3(op: string, dims: readonly number[]): void {
  if (dims.length < 3)
    refuse(
      op,
      'input.dims',
      `input must have at least 3 dimensions, got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
}

export function describePixelShuffle(
  input: TensorLike,
  given: PixelShuffleOptions & AsyncOptions,
): Call<Tensor, 'pixelShuffle'> {
  const op = 'pixelShuffle';
  const options = plain(given);
  const x = asTensor(op, 'input', input);
  const plan = planned(op, [x], options, () => pixelShufflePlan(op, x, options));
  return {
    op,
    kernel: 'pixelShuffle',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options.out }],
    options,
    finish: firstOf,
  };
}

/**
 * Turns channels into blocks of pixels: out[n, c, y·r + i, x·r + j] = in[n, c·r² + i·r + j, y, x].
 *
 * Input (…, C·r², H, W) or, with `layout: 'nhwc'`, (…, H, W, C·r²), of any element type; output (…, C, H·r, W·r) or
 * (…, H·r, W·r, C). Bits are moved, never computed with.
 *
 * Throws ArgumentError for wrong ranks, factors and channel counts, before anything is written.
 * Source: torch.nn.functional.pixel_shuffle, PyTorch 2.13.
 */
export function pixelShuffle(
  input: TensorLike,
  options: PixelShuffleOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describePixelShuffle(input, options));
}

/** `pixelShuffle`, computed before it returns. */
export function pixelShuffleSync(input: TensorLike, options: PixelShuffleOptions & RunOptions): Tensor {
  return runSync(describePixelShuffle(input, options));
}
