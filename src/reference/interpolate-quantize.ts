/** The definition: a range of values spread over all levels. */
import type { InterpolateQuantizePlan } from '../plan/interpolate-quantize.js';
import type { TypedArray } from '../tensor.js';
import { reader, roundHalfEven } from './elements.js';
import { resizedPixels } from './resized.js';

export function interpolateQuantize(
  plan: InterpolateQuantizePlan,
  [input]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { resized, to } = plan;
  const { batch, channels, inner, axes } = resized;
  const values = resizedPixels(resized, input!);
  const pixels = axes.reduce((n, a) => n * a.outSize, 1);
  const top = to === 'uint8' ? 255 : 65535;
  const out = output as Uint16Array;
  for (let n = 0; n < batch; n++) {
    const image = Array.from({ length: pixels }, (_, pixel) => values(n, pixel));
    const [low, high] = rangeOf(plan, input!, n, image.flat());
    for (const [pixel, all] of image.entries())
      for (const [c, v] of all.entries()) {
        const at = ((n * channels + Math.floor(c / inner)) * pixels + pixel) * inner + (c % inner);
        out[at] = high > low ? level(v, low, high, top) : 0;
      }
  }
}

/** The level of a value; the formula of InterpolateQuantizePlan. */
export function level(v: number, low: number, high: number, top: number): number {
  if (Number.isNaN(v)) return 0;
  return roundHalfEven(Math.min(Math.max((v - low) * (top / (high - low)), 0), top));
}

/** The range of image n whose resized values are `values`. */
export function rangeOf(
  plan: InterpolateQuantizePlan,
  input: TypedArray,
  n: number,
  values: readonly number[],
): [number, number] {
  const { resized, range, low, high } = plan;
  if (range === 'given') return [low, high];
  if (range === 'minmax') {
    const finite = values.filter(Number.isFinite);
    return [
      finite.reduce((a, b) => Math.min(a, b), Infinity),
      finite.reduce((a, b) => Math.max(a, b), -Infinity),
    ];
  }
  const read = reader(resized.type, input);
  const size = resized.axes.reduce((p, a) => p * a.inSize, resized.channels * resized.inner);
  const sorted = Float64Array.from({ length: size }, (_, i) => read(n * size + i))
    .filter(Number.isFinite)
    .sort();
  if (sorted.length === 0) return [0, 0];
  const percentile = (percent: number) => {
    const at = (percent / 100) * (sorted.length - 1);
    const below = Math.floor(at);
    const t = at - below;
    return t === 0 ? sorted[below]! : sorted[below]! + (sorted[below + 1]! - sorted[below]!) * t;
  };
  return [percentile(low), percentile(high)];
}
