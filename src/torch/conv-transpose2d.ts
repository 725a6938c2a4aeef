/** torch.nn.functional.conv_transpose1d, conv_transpose2d and conv_transpose3d (PyTorch 2.13). */
import { type AsyncOptions, type Call, type RunOptions, run, runSync } from '../execute.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  type ConvTransposeLayerOptions,
  type ConvTransposeOptions,
  describeConvolution,
  prepareConvolution,
} from './convolution.js';
import type { PreparedConvolution } from './prepared.js';

export type { ConvTransposeLayerOptions, ConvTransposeOptions } from './convolution.js';

const NAMES = ['', 'convTranspose1d', 'convTranspose2d', 'convTranspose3d'];

/** Checks and plans a call of convTranspose1d, convTranspose2d or convTranspose3d (`n` spatial axes). */
export function describeConvTranspose(
  n: number,
  input: TensorLike,
  weight: TensorLike,
  options: (ConvTransposeOptions & AsyncOptions) | undefined,
): Call<Tensor, 'conv2d' | 'convTranspose2d'> {
  return describeConvolution(NAMES[n]!, n, true, input, weight, options as never);
}

/**
 * Transposed convolution, the adjoint of conv2d: starts from bias[o] and adds weight[c, o, i, j] · in[n, c, y, x] to
 * out[n, o, y·stride + i·dilation − padding, x·stride + j·dilation − padding], dropping what falls outside.
 *
 * Input (N, C, H, W) or (C, H, W); with `layout: 'nhwc'` (N, H, W, C) or (H, W, C). Weight (C, O/groups, KH, KW), bias
 * (O). All float32, all float64 or all float16 (computed in float32, rounded once). Output extents
 * (H − 1)·stride − 2·padding + dilation·(KH − 1) + outputPadding + 1.
 *
 * Error: |got − exact| ≤ (K + 2)·u·Σ|w·x| with K = C/groups·KH·KW, u = 2⁻²⁴ (2⁻⁵³ in float64); with Winograd's algorithm,
 * as conv2d says, which serves 3×3 at stride 1, and 3×3 to 6×6 at stride 2 (3×3
 * with a root mean square of 1.0·u·Σ|w·x|). The same bits at every thread count. NaN and infinity reach the outputs that they are added to, and no other.
 *
 * Throws ArgumentError for shapes, options and types that do not fit, before anything is written.
 * Source: torch.nn.functional.conv_transpose2d, PyTorch 2.13.
 */
export function convTranspose2d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConvTranspose(2, input, weight, options));
}

/** `convTranspose2d`, computed before it returns. */
export function convTranspose2dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & RunOptions,
): Tensor {
  return runSync(describeConvTranspose(2, input, weight, options));
}

/** convTranspose2d with one spatial axis: input (N, C, L) or (C, L), weight (C, O/groups, K). */
export function convTranspose1d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConvTranspose(1, input, weight, options));
}

/** `convTranspose1d`, computed before it returns. */
export function convTranspose1dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & RunOptions,
): Tensor {
  return runSync(describeConvTranspose(1, input, weight, options));
}

/** convTranspose2d with three spatial axes: input (N, C, D, H, W) or (C, D, H, W), weight (C, O/groups, KD, KH, KW). */
export function convTranspose3d(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeConvTranspose(3, input, weight, options));
}

/** `convTranspose3d`, computed before it returns. */
export function convTranspose3dSync(
  input: TensorLike,
  weight: TensorLike,
  options?: ConvTransposeOptions & RunOptions,
): Tensor {
  return runSync(describeConvTranspose(3, input, weight, options));
}

/**
 * `convTranspose2d` with its weights copied and packed once, for many calls. The results are within the same bound of the exact ones as
 * `convTranspose2d`'s and the same in every call; their last bits may differ from its, where packed weights allow another order of
 * summation (small planes). The packed weights stay those of the instruction set that was in use here.
 */
export function prepareConvTranspose2d(
  weight: TensorLike,
  options?: ConvTransposeLayerOptions,
): PreparedConvolution {
  return prepareConvolution('prepareConvTranspose2d', 2, true, weight, options);
}
