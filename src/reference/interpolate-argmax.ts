/** The definition: the first of the largest numbers among a pixel's resized logits. */
import type { InterpolateArgmaxPlan } from '../plan/interpolate-argmax.js';
import type { TypedArray } from '../tensor.js';
import { resizedPixels } from './resized.js';

export function interpolateArgmax(
  plan: InterpolateArgmaxPlan,
  [input]: readonly TypedArray[],
  outputs: readonly TypedArray[],
): void {
  const { resized, scores, margin, threshold, background } = plan;
  const values = resizedPixels(resized, input!);
  const pixels = resized.axes.reduce((p, a) => p * a.outSize, 1);
  const map = outputs[0]!;
  const scoreMap = scores === 'none' ? undefined : (outputs[1] as Float64Array);
  const marginMap = margin ? (outputs[scores === 'none' ? 1 : 2] as Float64Array) : undefined;
  for (let n = 0; n < resized.batch; n++)
    for (let pixel = 0; pixel < pixels; pixel++) {
      const at = n * pixels + pixel;
      const all = values(n, pixel);
      const numbers = all.filter((v) => !Number.isNaN(v));
      const best = numbers.length === 0 ? NaN : numbers.reduce((a, b) => Math.max(a, b));
      const winner = all.indexOf(best);
      // A logit equal to the best one weighs exp(0), also when both are infinite.
      const probability = 1 / numbers.reduce((sum, v) => sum + (v === best ? 1 : Math.exp(v - best)), 0);
      const score = winner < 0 ? NaN : scores === 'softmax' ? probability : best;
      const certain = winner >= 0 && (threshold === undefined || score >= threshold);
      const label = certain ? winner : background;
      map[at] = map instanceof BigInt64Array || map instanceof BigUint64Array ? BigInt(label) : label;
      if (scoreMap !== undefined) scoreMap[at] = score;
      if (marginMap !== undefined) {
        const rest = all.filter((v, c) => c !== winner && !Number.isNaN(v));
        const second = rest.length === 0 ? -Infinity : rest.reduce((a, b) => Math.max(a, b));
        marginMap[at] = winner < 0 ? NaN : second === best ? 0 : best - second;
      }
    }
}
