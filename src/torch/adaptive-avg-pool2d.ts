/** torch.nn.functional.adaptive_avg_pool1d, adaptive_avg_pool2d and adaptive_avg_pool3d (PyTorch 2.13). */
import { knownOptions } from '../check.js';
import { mustBe } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { planInterpolate } from '../plan/interpolate.js';
import { asTensor, type DataType, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import { ADAPTIVE_OPTIONS, type AdaptiveSizes, adaptiveSizes } from './adaptive-options.js';
import { layoutOf } from './window-options.js';

export interface AdaptiveAvgPoolOptions extends AdaptiveSizes {
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const NUMERIC: readonly DataType[] = ['float32', 'float64', 'float16', 'uint8', 'int8'];

type Options = AdaptiveAvgPoolOptions & AsyncOptions;

/** Adaptive averages are a resize with the 'area' filter: its plan and its kernels serve here too. */
function describe(n: 1 | 2 | 3, input: TensorLike, o: Options): Call<Tensor, 'interpolate'> {
  const op = `adaptiveAvgPool${n}d`;
  const x = asTensor(op, 'input', input);
  const plan = planned(op, [x], o, () => {
    knownOptions(op, o, ADAPTIVE_OPTIONS);
    if (!NUMERIC.includes(x.type))
      mustBe(op, 'input.type', `one of ${NUMERIC.join(', ')}`, x.type, 'ERR_UPSAMPLING_TYPE');
    const layout = layoutOf(op, o?.layout);
    const { to } = adaptiveSizes(op, x.dims, layout, n, o?.outputSize);
    return planInterpolate({
      type: x.type,
      dims: x.dims,
      layout,
      axes: to.map((outSize) => ({
        outSize,
        filter: { kind: 'area' as const },
        coordinates: { kind: 'half-pixel' as const },
      })),
    });
  });
  return {
    op,
    kernel: 'interpolate',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: o.out }],
    options: o,
    finish: firstOf,
  };
}

export const describeAdaptiveAvgPool1d = (x: TensorLike, o: Options) => describe(1, x, o);
export const describeAdaptiveAvgPool2d = (x: TensorLike, o: Options) => describe(2, x, o);
export const describeAdaptiveAvgPool3d = (x: TensorLike, o: Options) => describe(3, x, o);

/**
 * Adaptive average pooling: out[y, x] = mean of in over rows ⌊y·H/OH⌋ … ⌈(y+1)·H/OH⌉ − 1 and columns alike.
 *
 * Input (N, C, H, W) or (C, H, W), channels last with `layout: 'nhwc'`; float32, float64, float16 (computed in float32,
 * rounded once), uint8 and int8 (rounded half to even); `outputSize` a number or one per axis, null to keep an extent. The
 * same as `interpolate` with mode 'area'. Throws ArgumentError for wrong ranks, sizes and types.
 * Source: torch.nn.functional.adaptive_avg_pool2d, PyTorch 2.13.
 */
export const adaptiveAvgPool2d = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveAvgPool2d(input, options));

/** `adaptiveAvgPool2d`, computed before it returns. */
export const adaptiveAvgPool2dSync = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveAvgPool2d(input, options));

/** `adaptiveAvgPool2d` along one axis. */
export const adaptiveAvgPool1d = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveAvgPool1d(input, options));

/** `adaptiveAvgPool1d`, computed before it returns. */
export const adaptiveAvgPool1dSync = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveAvgPool1d(input, options));

/** `adaptiveAvgPool2d` along three axes. */
export const adaptiveAvgPool3d = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeAdaptiveAvgPool3d(input, options));

/** `adaptiveAvgPool3d`, computed before it returns. */
export const adaptiveAvgPool3dSync = (
  input: TensorLike,
  options: AdaptiveAvgPoolOptions & RunOptions,
): Tensor => runSync(describeAdaptiveAvgPool3d(input, options));
