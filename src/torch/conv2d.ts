/** torch.nn.functional.conv1d, conv2d and conv3d (PyTorch 2.13). */
import { type AsyncOptions, type Call, type RunOptions, run, runSync } from '../execute.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  type ConvLayerOptions,
  type ConvOptions,
  describeConvolution,
  prepareConvolution,
} from './convolution.js';
import type { PreparedConvolution } from './prepared.js';

export type { ConvLayerOptions, ConvOptions } from './convolution.js';

const NAMES = ['', 'conv1d', 'conv2d', 'conv3d'];

/** Checks and plans a call of conv1d, conv2d or conv3d (`n` spatial axes). */
export function describeConv(
  n: number,
  input: TensorLike,
  weight: TensorLike,
  options: (ConvOptions & AsyncOptions) | undefined,
): Call<Tensor, 'conv2d' | 'convTranspose2d'> {
  return describeConvolution(NAMES[n]!, n, false, input, weight, options as never);
}

/**
 * Convolution (cross-correlation, as in every network): out[n, o, y, x] = bias[o] + Σ_{c, i, j} weight[o, c, i, j] ·
 * in[n, c, y·stride + i·dilation − padding, x·stride + j·dilation − padding], zeros outside the input.
 *
 * Input (N, C, H, W) or (C, H, W); with `layout: 'nhwc'` (N, H, W, C) or (H, W, C). Weight (O, C/groups, KH, KW), bias
 * (O). All float32, all float64 or all float16 (computed in float32, rounded once). Output extents
 * ⌊(H + 2·padding − dilation·(KH − 1) − 1)/stride⌋ + 1; `padding: 'same'` puts the odd zero at the end.
 *
 * Error: |got − exact| ≤ (K + 2)·u·Σ|w·x| with K = C/groups·KH·KW products, u = 2⁻²⁴ (2⁻⁵³ in float64). Layers of 3×3
 * kernels (2×2, too) at stride 1, of 8 channels or more in, go by Winograd's algorithm in float32 and float16 where
 * there are outputs enough for it to be faster. It mixes the inputs of a tile: there, |x| is the largest within five pixels.
 * So measured; of random numbers the error is 0.9·u·Σ|w·x| in the root mean square, where the direct algorithm has 0.5. The
 * same bits at every thread count. NaN and infinity reach the outputs whose windows they are in, and no other.
 *
 * Throws ArgumentError for shapes, options and types that do not fit, before anything is written.
 * Source: torch.nn.functional.conv2d, PyTorch 2.13.
 */
export function conv2d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConv(2, input, weight, options));
}

/** `conv2d`, computed before it returns. */
export function conv2dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & RunOptions,
): Tensor {
  return runSync(describeConv(2, input, weight, options));
}

/** conv2d with one spatial axis: input (N, C, L) or (C, L), weight (O, C/groups, K). */
export function conv1d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConv(1, input, weight, options));
}

/** `conv1d`, computed before it returns. */
export function conv1dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & RunOptions,
): Tensor {
  return runSync(describeConv(1, input, weight, options));
}

/** conv2d with three spatial axes: input (N, C, D, H, W) or (C, D, H, W), weight (O, C/groups, KD, KH, KW). */
export function conv3d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConv(3, input, weight, options));
}

/** `conv3d`, computed before it returns. */
export function conv3dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvOptions & RunOptions,
): Tensor {
  return runSync(describeConv(3, input, weight, options));
}

/**
 * `conv2d` with its weights copied and packed once, for many calls. The results are within the same bound of the exact ones as
 * `conv2d`'s and the same in every call; their last bits may differ from its, where packed weights allow another order of
 * summation (small planes). The packed weights stay those of the instruction set that was in use here.
 */
export function prepareConv2d(weight: TensorLike, options?: ConvLayerOptions): PreparedConvolution {
  return prepareConvolution('prepareConv2d', 2, false, weight, options as never);
}
