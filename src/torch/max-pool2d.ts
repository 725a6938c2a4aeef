/** torch.nn.functional.max_pool1d, max_pool2d and max_pool3d, with and without indices (PyTorch 2.13). */
import { knownOptions, type PerAxis, plain } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import {
  type AsyncOptions,
  type Call,
  firstOf,
  type OutputSpec,
  type RunOptions,
  run,
  runSync,
} from '../execute.js';
import { planned } from '../plan/cache.js';
import { planMaxPool2d } from '../plan/max-pool2d.js';
import type { WindowAxis } from '../plan/window.js';
import { asTensor, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import {
  layoutOf,
  type OutWithIndices,
  type PooledWithIndices,
  pooledDims,
  WINDOW_OPTIONS,
  type WindowOptions,
  windowAxesOf,
} from './window-options.js';

interface MaxPoolWindow extends WindowOptions {
  /** Distance between the taps of a window. Default 1. */
  readonly dilation?: PerAxis | undefined;
}

export interface MaxPoolOptions extends MaxPoolWindow {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

export interface MaxPoolWithIndicesOptions extends MaxPoolWindow {
  /** Write the results here instead of allocating them. */
  readonly out?: OutWithIndices | undefined;
}

const OPTIONS = [...WINDOW_OPTIONS, 'dilation'];

/** What the options of a pool come to. */
interface PoolWindows {
  readonly layout: Layout;
  readonly axes: readonly WindowAxis[];
}

function windowsOf(op: string, x: Tensor, n: number, o: MaxPoolWindow): PoolWindows {
  knownOptions(op, o, OPTIONS);
  const layout = layoutOf(op, o?.layout);
  return { layout, axes: windowAxesOf(op, x.dims, layout, n, o ?? {}) };
}

/** The call that pools `x` by these windows: output alone. */
export function maxPoolCall(
  op: string,
  x: Tensor,
  options: (AsyncOptions & { readonly out?: TensorLike | undefined }) | undefined,
  windows: () => PoolWindows,
): Call<Tensor, 'maxPool2d'> {
  const plan = planned(op, [x], options, () => planMaxPool2d({ type: x.type, dims: x.dims, ...windows() }));
  return {
    op,
    kernel: 'maxPool2d',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out }],
    options,
    finish: firstOf,
  };
}

/** The call that pools `x` by these windows and says which element won. */
export function maxPoolWithIndicesCall(
  op: string,
  x: Tensor,
  options: (AsyncOptions & { readonly out?: OutWithIndices | undefined }) | undefined,
  windows: () => PoolWindows,
): Call<PooledWithIndices, 'maxPool2d'> {
  const plan = planned(op, [x], options, () => {
    const { layout, axes } = windows();
    if (axes.reduce((n, a) => n * a.inSize, 1) > 0x7fffffff)
      refuse(op, 'input.dims', 'input must have planes below 2^31 elements', 'ERR_UPSAMPLING_SHAPE');
    return planMaxPool2d({ type: x.type, dims: x.dims, layout, axes, indices: 'plane' });
  });
  const out = options?.out;
  if (
    out !== undefined &&
    (out === null || typeof out !== 'object' || !('output' in out && 'indices' in out))
  )
    mustBe(op, 'out', 'two tensors { output, indices }', out, 'ERR_UPSAMPLING_ARGUMENT');
  const outputs: OutputSpec[] = [
    { param: 'out.output', type: x.type, dims: plan.outDims, out: out?.output },
    { param: 'out.indices', type: 'int32', dims: plan.outDims, out: out?.indices },
  ];
  return {
    op,
    kernel: 'maxPool2d',
    plan,
    inputs: [x.data],
    outputs,
    options,
    finish: ([output, indices]) => ({ output: output!, indices: indices! }),
  };
}

type Options = MaxPoolOptions & AsyncOptions;
type IndicesOptions = MaxPoolWithIndicesOptions & AsyncOptions;

// Names that are written out are compared by their address.
const NAMES = ['', 'maxPool1d', 'maxPool2d', 'maxPool3d'] as const;
const INDEXED = ['', 'maxPool1dWithIndices', 'maxPool2dWithIndices', 'maxPool3dWithIndices'] as const;

function describe(n: 1 | 2 | 3, input: TensorLike, options: Options): Call<Tensor, 'maxPool2d'> {
  const op = NAMES[n];
  const o = plain(options);
  const x = asTensor(op, 'input', input);
  return maxPoolCall(op, x, o, () => windowsOf(op, x, n, o));
}

function describeWithIndices(
  n: 1 | 2 | 3,
  input: TensorLike,
  options: IndicesOptions,
): Call<PooledWithIndices, 'maxPool2d'> {
  const op = INDEXED[n];
  const o = plain(options);
  const x = asTensor(op, 'input', input);
  return maxPoolWithIndicesCall(op, x, o, () => windowsOf(op, x, n, o));
}

export const describeMaxPool1d = (x: TensorLike, o: Options) => describe(1, x, o);
export const describeMaxPool2d = (x: TensorLike, o: Options) => describe(2, x, o);
export const describeMaxPool3d = (x: TensorLike, o: Options) => describe(3, x, o);
export const describeMaxPool1dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(1, x, o);
export const describeMaxPool2dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(2, x, o);
export const describeMaxPool3dWithIndices = (x: TensorLike, o: IndicesOptions) =>
  describeWithIndices(3, x, o);

/**
 * Max pooling: out[y, x] = max over ky, kx of in[y·s − p + ky·d, x·s − p + kx·d], padding never wins.
 *
 * Input (N, C, H, W) or (C, H, W), channels last with `layout: 'nhwc'`; every element type. Output extents
 * ⌊(H + 2p − d·(k−1) − 1) / s⌋ + 1, rounded up with `ceilMode` unless the last window would start beyond input and begin
 * padding. NaN wins. Throws ArgumentError for wrong ranks, windows that do not fit and padding above half the window.
 * Source: torch.nn.functional.max_pool2d, PyTorch 2.13.
 */
export const maxPool2d = (input: TensorLike, options: MaxPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeMaxPool2d(input, options));

/** `maxPool2d`, computed before it returns. */
export const maxPool2dSync = (input: TensorLike, options: MaxPoolOptions & RunOptions): Tensor =>
  runSync(describeMaxPool2d(input, options));

/** `maxPool2d` along one axis: input (N, C, L) or (C, L). */
export const maxPool1d = (input: TensorLike, options: MaxPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeMaxPool1d(input, options));

/** `maxPool1d`, computed before it returns. */
export const maxPool1dSync = (input: TensorLike, options: MaxPoolOptions & RunOptions): Tensor =>
  runSync(describeMaxPool1d(input, options));

/** `maxPool2d` along three axes: input (N, C, D, H, W) or (C, D, H, W). */
export const maxPool3d = (input: TensorLike, options: MaxPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeMaxPool3d(input, options));

/** `maxPool3d`, computed before it returns. */
export const maxPool3dSync = (input: TensorLike, options: MaxPoolOptions & RunOptions): Tensor =>
  runSync(describeMaxPool3d(input, options));

/**
 * `maxPool2d` that also says where each maximum stood: indices[y, x] = row · W + column in the input plane, int32, as PyTorch
 * numbers them (without the channel, in nhwc too). The first of equal elements wins, the last of NaNs; a window of nothing but
 * −∞ names its first element. `convertIndices` translates to other frameworks' numbers; `maxUnpool2d` takes these.
 * Source: torch.nn.functional.max_pool2d(return_indices=True), PyTorch 2.13.
 */
export const maxPool2dWithIndices = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeMaxPool2dWithIndices(input, options));

/** `maxPool2dWithIndices`, computed before it returns. */
export const maxPool2dWithIndicesSync = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeMaxPool2dWithIndices(input, options));

/** `maxPool2dWithIndices` along one axis. */
export const maxPool1dWithIndices = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeMaxPool1dWithIndices(input, options));

/** `maxPool1dWithIndices`, computed before it returns. */
export const maxPool1dWithIndicesSync = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeMaxPool1dWithIndices(input, options));

/** `maxPool2dWithIndices` along three axes; indices count in D × H × W. */
export const maxPool3dWithIndices = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & AsyncOptions,
): Promise<PooledWithIndices> => run(() => describeMaxPool3dWithIndices(input, options));

/** `maxPool3dWithIndices`, computed before it returns. */
export const maxPool3dWithIndicesSync = (
  input: TensorLike,
  options: MaxPoolWithIndicesOptions & RunOptions,
): PooledWithIndices => runSync(describeMaxPool3dWithIndices(input, options));

/** The dims that maxPool1d, maxPool2d and maxPool3d would return; shared with outputDims. */
export function maxPoolDims(n: 1 | 2 | 3, dims: readonly number[], o: MaxPoolOptions): number[] {
  const op = `maxPool${n}d`;
  knownOptions(op, o, OPTIONS);
  const layout = layoutOf(op, o?.layout);
  return pooledDims(dims, layout, windowAxesOf(op, dims, layout, n, o ?? {}));
}
