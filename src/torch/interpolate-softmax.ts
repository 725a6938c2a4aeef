/** Resize and softmax in one pass: soft segmentations. */
import { knownOptions } from '../check.js';
import { type AsyncOptions, type Call, firstOf } from '../execute.js';
import { planned } from '../plan/cache.js';
import { type InterpolateSoftmaxPlan, planInterpolateSoftmax } from '../plan/interpolate-softmax.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import { INTERPOLATE_OPTIONS, type Shape } from './interpolate.js';
import { type FusedResizeOptions, resizedSpec, resizing, WINDOW_OPTIONS } from './resized.js';

export interface InterpolateSoftmaxOptions extends FusedResizeOptions {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = [...INTERPOLATE_OPTIONS, ...WINDOW_OPTIONS];

/** The checked plan of a call. */
export function interpolateSoftmaxPlan(
  op: string,
  x: Shape,
  options: InterpolateSoftmaxOptions,
): InterpolateSoftmaxPlan {
  knownOptions(op, options, OPTIONS);
  return planInterpolateSoftmax(resizedSpec(op, x, options ?? {}));
}

export function describeInterpolateSoftmax(
  logits: TensorLike,
  options: InterpolateSoftmaxOptions & AsyncOptions,
): Call<Tensor, 'interpolateSoftmax'> {
  const op = 'interpolateSoftmax';
  const x = asTensor(op, 'input', logits);
  const plan = planned(op, [x], options, () => interpolateSoftmaxPlan(op, x, options));
  return {
    op,
    kernel: 'interpolateSoftmax',
    plan,
    inputs: [x.data],
    outputs: [
      {
        param: 'out',
        type: x.type === 'float64' ? 'float64' : 'float32',
        dims: plan.outDims,
        out: options.out,
      },
    ],
    options,
    finish: firstOf,
  };
}

/**
 * out[n, c, o] = exp(y[n, c, o]) / Σ_k exp(y[n, k, o]) with y = resize(logits), where resize is `interpolate` with the same
 * options.
 *
 * Logits (N, C, spatial…) or nhwc, float32, float64, float16, uint8 or int8 → float32 (float64 for float64) of the resized
 * dims. A NaN logit stays NaN and weighs nothing; equal infinities share. The exponential is within 2 units in the last place.
 * With `targets`, one { size, crop, … } per image, the result is a list of maps without the batch axis.
 *
 * Throws ArgumentError for what interpolate refuses.
 * Source: torch.softmax(torch.nn.functional.interpolate(…), dim=1), PyTorch 2.13.
 */
export const { later: interpolateSoftmax, now: interpolateSoftmaxSync } = resizing<InterpolateSoftmaxOptions>(
  'interpolateSoftmax',
  describeInterpolateSoftmax,
);
