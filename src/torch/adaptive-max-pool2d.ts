/** torch.nn.functional.adaptive_max_pool1d, adaptive_max_pool2d and adaptive_max_pool3d (PyTorch 2.13). */
import { knownOptions } from '../check.js';
import { type AsyncOptions, type Call, type RunOptions, run, runSync } from '../execute.js';
import { asTensor, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import { ADAPTIVE_OPTIONS, type AdaptiveSizes, adaptiveAxesOf } from './adaptive-options.js';
import { maxPoolCall, maxPoolWithIndicesCall } from './max-pool2d.js';
import { layoutOf, type OutWithIndices, type PooledWithIndices } from './window-options.js';

export interface AdaptiveMaxPoolOptions extends AdaptiveSizes {
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

export interface AdaptiveMaxPoolWithIndicesOptions extends AdaptiveSizes {
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the results here instead of allocating them. */
  readonly out?: OutWithIndices | undefined;
}

type Options = AdaptiveMaxPoolOptions & AsyncOptions;
type IndicesOptions = AdaptiveMaxPoolWithIndicesOptions & AsyncOptions;

function windowsOf(op: string, x: Tensor, n: number, o: Options | IndicesOptions) {
  knownOptions(op, o, ADAPTIVE_OPTIONS);
  const layout = layoutOf(op, o?.layout);
  return { layout, axes: adaptiveAxesOf(op, x.dims, layout, n, o?.outputSize) };
}

function describe(n: 1 | 2 | 3, input: TensorLike, o: Options): Call<Tensor, 'maxPool2d'> {
  const op = `adaptiveMaxPool${n}d`;
  const x = asTensor(op, 'input', input);
  return maxPoolCall(op, x, o, () => windowsOf(op, x, n, o));
}

function describeWithIndices(
  n: 1 | 2 | 3,
  input: TensorLike,
  o: IndicesOptions,
): Call<PooledWithIndices, 'maxPool2d'> {
  const op = `adaptiveMaxPool${n}dWithIndices`;
  const x = asTensor(op, 'input', input);
  return maxPoolWithIndicesCall(op, x, o, () => windowsOf(op, x, n, o));
}

export const describeAdaptiveMaxPool1d = (x: TensorLike, o: Options) => describe(1, x, o);
export const describeAdaptiveMaxPool2d = (x: TensorLike, o: Options) => describe(2, x, o);
export const describeAdaptiveMaxPool3d = (x: TensorLike, o: Options) => describe(3, x, o);
export const describeAdaptiveMaxPool1dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(1, x, o);
export const describeAdaptiveMaxPool2dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(2, x, o);
export const describeAdaptiveMaxPool3dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(3, x, o);

/**
 * Adaptive max pooling: out[y, x] = max of in over rows ⌊y·H/OH⌋ … ⌈(y+1)·H/OH⌉ − 1 and columns alike.
 *
 * Input (N, C, H, W) or (C, H, W), channels last with `layout: 'nhwc'`; every element type; `outputSize` a number or one per
 * axis, null to keep an extent. NaN wins. Throws ArgumentError for wrong ranks and sizes.
 * Source: torch.nn.functional.adaptive_max_pool2d, PyTorch 2.13.
 */
export const adaptiveMaxPool2d = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveMaxPool2d(input, options));

/** `adaptiveMaxPool2d`, computed before it returns. */
export const adaptiveMaxPool2dSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveMaxPool2d(input, options));

/** `adaptiveMaxPool2d` along one axis. */
export const adaptiveMaxPool1d = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveMaxPool1d(input, options));

/** `adaptiveMaxPool1d`, computed before it returns. */
export const adaptiveMaxPool1dSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveMaxPool1d(input, options));

/** `adaptiveMaxPool2d` along three axes. */
export const adaptiveMaxPool3d = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveMaxPool3d(input, options));

/** `adaptiveMaxPool3d`, computed before it returns. */
export const adaptiveMaxPool3dSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveMaxPool3d(input, options));

/** `adaptiveMaxPool2d` that also says where each maximum stood, numbered as by `maxPool2dWithIndices`. */
export const adaptiveMaxPool2dWithIndices = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeAdaptiveMaxPool2dWithIndices(input, options));

/** `adaptiveMaxPool2dWithIndices`, computed before it returns. */
export const adaptiveMaxPool2dWithIndicesSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeAdaptiveMaxPool2dWithIndices(input, options));

/** `adaptiveMaxPool2dWithIndices` along one axis. */
export const adaptiveMaxPool1dWithIndices = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeAdaptiveMaxPool1dWithIndices(input, options));

/** `adaptiveMaxPool1dWithIndices`, computed before it returns. */
export const adaptiveMaxPool1dWithIndicesSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeAdaptiveMaxPool1dWithIndices(input, options));

/** `adaptiveMaxPool2dWithIndices` along three axes. */
export const adaptiveMaxPool3dWithIndices = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeAdaptiveMaxPool3dWithIndices(input, options));

/** `adaptiveMaxPool3dWithIndices`, computed before it returns. */
export const adaptiveMaxPool3dWithIndicesSync = (
  input: TensorLike,
  options: AdaptiveMaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeAdaptiveMaxPool3dWithIndices(input, options));
