/** torch.nn.functional.avg_pool1d, avg_pool2d and avg_pool3d (PyTorch 2.13). */
import { flag, knownOptions, plain } from '../check.js';
import { mustBe } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { type AvgPool2dPlan, planAvgPool2d } from '../plan/avg-pool2d.js';
import { planned } from '../plan/cache.js';
import { asTensor, NUMERIC, type Tensor, type TensorLike } from '../tensor.js';
import { layoutOf, pooledDims, WINDOW_OPTIONS, type WindowOptions, windowAxesOf } from './window-options.js';

export interface AvgPoolOptions extends WindowOptions {
  /** Padding counts in the divisor. Default true, as in PyTorch. */
  readonly countIncludePad?: boolean | undefined;
  /** Divide by this instead of the number of cells. */
  readonly divisorOverride?: number | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = [...WINDOW_OPTIONS, 'countIncludePad', 'divisorOverride'];

type Options = AvgPoolOptions & AsyncOptions;

const NAMES = ['', 'avgPool1d', 'avgPool2d', 'avgPool3d'] as const;

function describe(n: 1 | 2 | 3, input: TensorLike, options: Options): Call<Tensor, 'avgPool2d'> {
  const op = NAMES[n];
  const o = plain(options);
  const x = asTensor(op, 'input', input);
  const plan = planned(op, [x], o, () => avgPoolPlan(op, n, x, o));
  return {
    op,
    kernel: 'avgPool2d',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: o.out }],
    options: o,
    finish: firstOf,
  };
}

function avgPoolPlan(op: string, n: number, x: Tensor, o: Options): AvgPool2dPlan {
  knownOptions(op, o, OPTIONS);
  if (!NUMERIC.includes(x.type))
    mustBe(op, 'input.type', `one of ${NUMERIC.join(', ')}`, x.type, 'ERR_UPSAMPLING_TYPE');
  const layout = layoutOf(op, o?.layout);
  const axes = windowAxesOf(op, x.dims, layout, n, o ?? {});
  const countIncludePad = flag(op, 'countIncludePad', o.countIncludePad, true);
  const divisor = o.divisorOverride;
  if (
    divisor !== undefined &&
    (!Number.isInteger(divisor) || divisor === 0 || Math.abs(divisor) > 0x7fffffff)
  )
    mustBe(op, 'divisorOverride', 'an integer other than 0', divisor);
  return planAvgPool2d({ type: x.type, dims: x.dims, layout, axes, countIncludePad, divisor });
}

export const describeAvgPool1d = (x: TensorLike, o: Options) => describe(1, x, o);
export const describeAvgPool2d = (x: TensorLike, o: Options) => describe(2, x, o);
export const describeAvgPool3d = (x: TensorLike, o: Options) => describe(3, x, o);

/**
 * Average pooling: out[y, x] = Σ over ky, kx of in[y·s − p + ky, x·s − p + kx] / divisor.
 *
 * The divisor is the number of cells of the window that lie on input and padding (on the input alone with
 * `countIncludePad: false`), or `divisorOverride`; cells beyond the padding, which only `ceilMode` reaches, never count.
 * Input (N, C, H, W) or (C, H, W), channels last with `layout: 'nhwc'`; float32, float64, float16 (summed in float32,
 * rounded once), uint8 and int8 (rounded half to even). Throws ArgumentError as `maxPool2d` does.
 * Source: torch.nn.functional.avg_pool2d, PyTorch 2.13.
 */
export const avgPool2d = (input: TensorLike, options: AvgPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeAvgPool2d(input, options));

/** `avgPool2d`, computed before it returns. */
export const avgPool2dSync = (input: TensorLike, options: AvgPoolOptions & RunOptions): Tensor =>
  runSync(describeAvgPool2d(input, options));

/** `avgPool2d` along one axis: input (N, C, L) or (C, L). */
export const avgPool1d = (input: TensorLike, options: AvgPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeAvgPool1d(input, options));

/** `avgPool1d`, computed before it returns. */
export const avgPool1dSync = (input: TensorLike, options: AvgPoolOptions & RunOptions): Tensor =>
  runSync(describeAvgPool1d(input, options));

/** `avgPool2d` along three axes: input (N, C, D, H, W) or (C, D, H, W). */
export const avgPool3d = (input: TensorLike, options: AvgPoolOptions & AsyncOptions): Promise<Tensor> =>
  run(() => describeAvgPool3d(input, options));

/** `avgPool3d`, computed before it returns. */
export const avgPool3dSync = (input: TensorLike, options: AvgPoolOptions & RunOptions): Tensor =>
  runSync(describeAvgPool3d(input, options));

/** The dims that avgPool1d, avgPool2d and avgPool3d would return; shared with outputDims. */
export function avgPoolDims(n: 1 | 2 | 3, dims: readonly number[], o: AvgPoolOptions): number[] {
  const op = `avgPool${n}d`;
  knownOptions(op, o, OPTIONS);
  const layout = layoutOf(op, o?.layout);
  return pooledDims(dims, layout, windowAxesOf(op, dims, layout, n, o ?? {}));
}
