/** The definition: exponentials of the resized logits, over their sum. */
import type { InterpolateSoftmaxPlan } from '../plan/interpolate-softmax.js';
import type { TypedArray } from '../tensor.js';
import { resizedPixels } from './resized.js';

export function interpolateSoftmax(
  plan: InterpolateSoftmaxPlan,
  [input]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { resized } = plan;
  const { batch, channels, inner, axes } = resized;
  const values = resizedPixels(resized, input!);
  const pixels = axes.reduce((n, a) => n * a.outSize, 1);
  for (let n = 0; n < batch; n++)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (const [c, p] of softmax(values(n, pixel)).entries())
        (output as Float64Array)[
          ((n * channels + Math.floor(c / inner)) * pixels + pixel) * inner + (c % inner)
        ] = p;
}

/** Probabilities of logits. Equal infinities share; NaN stays and weighs nothing. */
export function softmax(logits: readonly number[]): number[] {
  const best = logits.filter((v) => !Number.isNaN(v)).reduce((a, v) => Math.max(a, v), -Infinity);
  const weight = (v: number) => (v === best ? 1 : Math.exp(v - best));
  const sum = logits.reduce((s, v) => (Number.isNaN(v) ? s : s + weight(v)), 0);
  return logits.map((v) => weight(v) / sum);
}
